// SPDX-License-Identifier: MIT OR Apache-2.0
//! What checks of the project's own files share. Depends on nothing of the product, so that the rules
//! are checked in seconds.

#![expect(clippy::unwrap_used, reason = "a check fails by panicking")]

pub mod tree;

/// Fails with all that was found.
///
/// # Panics
/// If something was.
#[track_caller]
pub fn none(rule: &str, found: &[String]) {
    assert!(found.is_empty(), "{rule}:\n  {}", found.join("\n  "));
}
