// SPDX-License-Identifier: MIT OR Apache-2.0
//! The report beside a peer's word, value for value.

pub mod addr2line;
pub mod commands;
pub mod crash;
pub mod drgn;
pub mod memory;
pub mod oops;
pub mod stacks;

use std::fmt::Debug;

use anyhow::{Result, ensure};

/// How many values were compared and are the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count(usize);

impl Count {
    /// The number.
    #[must_use]
    pub const fn total(self) -> usize {
        self.0
    }

    /// Compares a value of ours with a peer's.
    ///
    /// # Errors
    /// They differ.
    pub fn same<T: PartialEq + Debug>(&mut self, what: &str, ours: &T, theirs: &T) -> Result<()> {
        ensure!(ours == theirs, "{what}: ours is {ours:?}, theirs is {theirs:?}");
        self.0 += 1;
        Ok(())
    }
}

/// A number written with 0x.
#[must_use]
pub fn number(text: &str) -> Option<u64> {
    u64::from_str_radix(text.strip_prefix("0x")?, 16).ok()
}
