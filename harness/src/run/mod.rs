// SPDX-License-Identifier: MIT OR Apache-2.0
//! One run: a case on a guest, from the plan to the judged report.

pub mod accel;
pub mod analysis;
mod boot;
mod crash;
mod drive;
pub mod execute;
mod explain;
pub mod judge;
pub mod outcome;
pub mod plan;
pub mod prepare;
mod recorder;
mod restore;
pub mod select;
pub mod series;
pub(crate) mod session;
mod trigger;

pub use drive::{Driven, drive};
pub use recorder::Recorder;
