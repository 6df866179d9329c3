// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the host must have: QEMU, a compiler, make, apt.

mod apt;
mod consent;
mod install;
mod inventory;
mod kvm;
mod packages;
mod qemu;

pub use install::{Consent, InstallError, install, install_line};
pub use inventory::{Missing, Need, inventory, missing};
pub use kvm::{Device, Extension, KvmHost};
pub use packages::Manager;
pub use qemu::{Qemu, qemu};
