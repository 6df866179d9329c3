// SPDX-License-Identifier: MIT OR Apache-2.0
//! Snapshots of armed guests: booted once, started from there many times.
//!
//! ```text
//! <cache>/snapshots/<key>/ram         the RAM, sparse
//! <cache>/snapshots/<key>/state       the rest of the machine, as QEMU migrates it
//! <cache>/snapshots/<key>/about.json  what it is; written last
//! <cache>/snapshots/<key>.lock        empty; locked by whoever makes, copies or removes it
//! ```
//! The key stands for all that a guest is made from, so a snapshot of anything else is never
//! found; the oldest that nobody used are removed.

mod key;
mod sparse;
mod store;

pub use key::Key;
pub use store::{About, Found, Saved, SnapshotError, Snapshots};
