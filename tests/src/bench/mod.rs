// SPDX-License-Identifier: MIT OR Apache-2.0
//! The benchmark: programs that take turns, and what they needed.

mod contestant;
mod measured;
pub mod outcome;

pub use contestant::{Contest, Contestant};
pub use measured::{Measured, Row, Table};
