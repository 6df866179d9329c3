// SPDX-License-Identifier: MIT OR Apache-2.0
//! The virtual machine: one trait, and QEMU behind it. Tests have a scripted one.

mod args;
mod console;
mod machine;
mod qemu;
pub mod qmp;
mod spec;

pub(crate) use args::DUMP_SET;
pub use args::{command_line, quoted};
pub use console::clean_line;
pub use machine::{Exited, LaunchError, Launcher, Lost, Machine, Signal};
pub use qemu::Qemu;
pub use spec::{CASE_BYTES, Disks, SharedRam, Spec};

/// How long QEMU may take to answer a short command.
pub(crate) const QMP_LIMIT: std::time::Duration = std::time::Duration::from_secs(10);
