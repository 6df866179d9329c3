// SPDX-License-Identifier: MIT OR Apache-2.0
//! RPM packages and repositories, made by RPM's and createrepo's own programs, signed by GnuPG,
//! and served on loopback.

mod compiler;
mod kernel;
mod keys;
mod package;
mod repository;
mod server;

pub use compiler::compiler;
pub use kernel::{RELEASE, kernel};
pub use keys::Signer;
pub use package::{Contents, Payload, Spec};
pub use repository::{describe, folder};
pub use server::{Fault, Server};
