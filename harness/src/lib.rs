// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reproduces a kernel crash in QEMU, collects the vmcore and says why it crashed.

pub mod case;
pub mod guest;
pub mod host;
pub mod manifest;
