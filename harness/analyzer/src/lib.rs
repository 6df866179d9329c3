// SPDX-License-Identifier: MIT OR Apache-2.0
//! Says from a vmcore why the kernel crashed.
#![forbid(unsafe_code)]

pub mod backtrace;
pub mod claim;
pub mod express;
pub mod fault;
pub mod flow;
pub mod kernel;
pub mod printer;
pub mod render;
pub mod report;
pub mod scene;
pub mod signature;
pub mod verdict;
