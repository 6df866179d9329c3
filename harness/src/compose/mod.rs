// SPDX-License-Identifier: MIT OR Apache-2.0
//! A dump from a guest's RAM that the host holds in a file.
//!
//! [`Image`] is the RAM in the form of an ELF vmcore that nobody wrote: it is analyzed as it is,
//! while `kdump` writes it as a file that other tools read as well.

mod image;
mod kdump;
mod pages;
mod ram;
mod uts;

pub use image::{BadImage, Image};
pub use kdump::write;
pub(crate) use pages::is_zero;
pub use ram::Ram;

#[cfg(test)]
mod tests;
