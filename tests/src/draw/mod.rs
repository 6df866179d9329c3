// SPDX-License-Identifier: MIT OR Apache-2.0
//! Drawing of faults by a seed.

mod operators;
mod random;

pub use operators::{OPERATORS, Operator};
pub use random::Random;
