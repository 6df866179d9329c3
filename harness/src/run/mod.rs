// SPDX-License-Identifier: MIT OR Apache-2.0
//! One run: a case on a guest, from the plan to the judged report.

pub mod accel;
mod boot;
mod crash;
mod drive;
pub mod outcome;
pub mod plan;
mod recorder;
pub(crate) mod session;
mod trigger;

pub use drive::{Driven, drive};
pub use recorder::Recorder;
