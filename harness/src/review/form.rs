// SPDX-License-Identifier: MIT OR Apache-2.0
//! The version of what a stable report says.

use std::fmt;

use analyzer::report::STABLE_FORM;

/// The version of what a stable report says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Form(pub u32);

impl Form {
    /// Of reports that were reviewed before forms had numbers.
    pub const FIRST: Self = Self(1);
    /// Of the reports that this program makes.
    pub const OURS: Self = Self(STABLE_FORM);
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "form {}", self.0)
    }
}
