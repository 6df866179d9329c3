// SPDX-License-Identifier: MIT OR Apache-2.0
//! The files with debug information that a dump asks for and that are not there: which they are, where they come
//! from, and the line that gets them.

mod bring;
mod distribution;
mod missing;
mod words;

pub(crate) use bring::{Sources, bring};
pub(crate) use missing::Missing;
pub(crate) use words::{Ways, words};
