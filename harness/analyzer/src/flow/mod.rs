// SPDX-License-Identifier: MIT OR Apache-2.0
//! Data flow: where the value of a register came from.
//!
//! A function's instructions, as they stand in the dump, are read backwards from one point; what
//! is found is a [`Term`], which is then evaluated again on the dump. Nothing here knows DWARF:
//! [`crate::express`] turns terms into C.
//!
//! A variable that a loop changes becomes a walk: where it started and what a round makes of it,
//! to be followed on the dump. Deliberately absent: memory is not modelled but for stack slots,
//! whose stores lie in the same function; where the function stores to the very place that it has read, that is
//! noticed.

mod build;
mod code;
mod correlated;
mod effect;
mod evaluate;
mod registers;
mod replaced;
mod since;
mod slice;
mod stack;
mod stored_back;
mod term;
#[cfg(test)]
mod tests;
mod undo;

pub use code::{Code, MAX_CODE_BYTES};
pub use correlated::{Correlated, decided};
pub use effect::{CallTarget, call_target, copied, is_call, written};
pub use evaluate::{
    Round, Words, agree, evaluate, evaluate_round, evaluate_unobserved, round, walk,
};
pub use registers::{ARGUMENTS, RegisterSet, full, held, number};
pub use since::{between, changed_since};
pub use slice::{Slicer, Start};
pub use term::{Kept, Operator, Place, Term, TermKind};
