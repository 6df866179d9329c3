// SPDX-License-Identifier: MIT OR Apache-2.0
//! A guest: its manifest, and the kernel, symbols, headers and tools it is made from; and how text that
//! it made may be shown.
#![forbid(unsafe_code)]

mod apt;
mod apt_source;
mod brought;
mod built_in;
mod choice;
mod copy;
mod deb;
mod debug_files;
mod debug_modules;
mod debuginfod;
mod dump_level;
mod error;
mod fetch;
mod files;
mod foreign;
mod headers;
mod import;
mod kept;
pub mod libraries;
mod manifest;
mod member;
mod meter;
mod plan;
mod programs;
mod rpm;
pub mod shown;
mod site;
mod site_error;
mod size;
pub mod store;
pub mod strict;
mod tools;
mod transport;
mod vmlinux;

pub use apt::sites as apt_sites;
pub use apt_source::{AptSource, AptTools, KernelPackages};
pub use brought::{Brought, Purpose, WantedPackage, bring};
pub use built_in::{DEFAULT_GUEST, built_in};
pub use choice::Configured;
pub use choice::{Choice, Mirror, UnknownRepository};
pub use debug_files::{DebugFiles, debug_files};
pub use debug_modules::debug_modules;
pub use debuginfod::{Answer, BuildFile, Debuginfod, Limits, kept_build, no_servers};
pub use dump_level::DumpLevel;
pub use error::FetchError;
pub use fetch::BUILDS;
pub use fetch::fetch;
pub use files::{GuestFile, GuestFiles, Package, Phase, Progress};
pub use import::{Bare, ImportFiles, ImportNote, import, imported, imports, remove};
pub use kept::{Kept, kept};
pub use manifest::{
    Arch, CaptureMethod, Imported, KernelOptions, Manifest, PartialTimeouts, PhaseTimeouts, Source,
    Timeouts,
};
pub use rpm::{
    BuildRoot, KeyError, Point, RpmError, RpmKernel, RpmRepository, RpmSource, Toolchain,
};
pub use site_error::SiteError;
pub use size::{Cached, cached};
pub use store::{Store, StoreError};
pub use store::{discard, hex};
