// SPDX-License-Identifier: MIT OR Apache-2.0
//! One run: a case on a guest, from the plan to the judged report.

pub mod accel;
pub mod alike;
mod attempt;
pub mod bisect;
mod boot;
pub(crate) mod complaints;
pub(crate) mod complete;
mod cpus;
pub(crate) mod crash;
mod doubts;
mod drive;
pub mod excerpt;
mod exec_run;
pub mod execute;
mod explain;
pub mod fault_state;
pub mod invocation;
pub mod judge;
pub mod limits;
pub(crate) mod looked;
pub mod matrix;
mod object;
pub mod object_users;
pub mod outcome;
mod package_files;
pub mod partition;
pub mod place;
pub mod plan;
pub mod prepare;
mod process_words;
pub mod rate;
mod recorder;
mod restore;
mod reviewed;
pub mod select;
pub mod series;
pub(crate) mod session;
mod setup_files;
mod trigger;
mod trigger_run;

pub use complaints::Complaints;
pub use drive::{Driven, drive};
pub use exec_run::{ExecRun, NotPassed};
pub use recorder::Recorder;
pub use trigger_run::{TriggerEnd, TriggerRun};
