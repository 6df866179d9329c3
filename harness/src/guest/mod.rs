// SPDX-License-Identifier: MIT OR Apache-2.0
//! A guest: its manifest, and the kernel, symbols, headers and tools it is made from.

mod error;
mod files;
mod manifest;
mod store;

pub use error::FetchError;
pub use files::{GuestFile, GuestFiles, Package, Phase, Progress, fetch};
pub use manifest::{
    AptSource, Arch, CaptureMethod, KernelOptions, KernelPackages, Manifest, PhaseTimeouts, Source,
    Timeouts,
};
pub use store::{Store, StoreError};
