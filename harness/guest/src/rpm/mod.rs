// SPDX-License-Identifier: MIT OR Apache-2.0
//! Packages of RPM repositories: metadata, signatures, dependencies, extraction.
//!
//! Written from RPM's manual ("RPM V4 Package format", "Boolean dependencies", rpm-version(7)) and
//! from what createrepo writes. No package manager is run, and no script of a package.

mod boolean;
mod capability;
mod checksum;
mod error;
mod header;
mod identity;
mod kernel;
mod keyring;
mod location;
mod openpgp;
mod package;
mod payload;
mod plan;
mod primary;
mod record;
mod repomd;
mod repository;
mod resolve;
mod source;
mod tree;
mod url;
mod version;
mod xml;

pub use error::RpmError;
pub use keyring::KeyError;
pub(super) use plan::{Plan, Repositories, bring_debug, is_package, visit_files};
pub(super) use source::ALL;
pub use source::{BuildRoot, Point, RpmKernel, RpmRepository, RpmSource, Toolchain};
