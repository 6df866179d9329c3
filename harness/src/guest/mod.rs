// SPDX-License-Identifier: MIT OR Apache-2.0
//! A guest: its manifest, and the kernel, symbols, headers and tools it is made from.

mod apt;
mod deb;
mod error;
mod fetch;
mod files;
mod headers;
mod libraries;
mod manifest;
mod meter;
mod plan;
mod programs;
mod store;
mod vmlinux;

pub(crate) use apt::sites as apt_sites;
pub use error::FetchError;
pub(crate) use fetch::BUILDS;
pub use fetch::fetch;
pub use files::{GuestFile, GuestFiles, Package, Phase, Progress};
pub use manifest::{
    AptSource, Arch, CaptureMethod, KernelOptions, KernelPackages, Manifest, PhaseTimeouts, Source,
    Timeouts,
};
pub use store::{Store, StoreError};
pub(crate) use store::{discard, hex};
