// SPDX-License-Identifier: MIT OR Apache-2.0
//! Rules of the project that the compiler does not know: what a file starts with, which crate may
//! use which, what the documents promise. Nothing here builds or runs a guest: seconds.
//!
//! A check names every place that breaks it, not the first one only.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod circles;
mod documents;
mod headers;
mod layers;
mod licences;
mod places;
mod score;
mod snapshots;

use tidy::{none, tree};
