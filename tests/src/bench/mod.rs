// SPDX-License-Identifier: MIT OR Apache-2.0
//! The benchmark: programs that take turns, and what they needed.

mod contestant;
mod cycle;
mod instructions;
mod large;
mod measured;
pub mod outcome;
mod result;
mod stretched;

pub use contestant::{Contest, Contestant};
pub use cycle::{Cycle, Many};
pub use instructions::Instructions;
pub use large::Large;
pub use measured::{Measured, Row, Table};
pub use result::{Baseline, Benchmark, Rounds};
