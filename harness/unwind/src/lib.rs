// SPDX-License-Identifier: MIT OR Apache-2.0
//! Unwinds x86-64 kernel stacks: registers, memory and tables in, frames with their trust out.
//!
//! The crate knows neither dumps nor ELF files. It asks three traits ([`Memory`], [`Tables`],
//! [`Stacks`]) and never fails: [`walk`] gives the frames it found and the reason it stopped.
//! Whatever the stack holds, it terminates: within one stack the stack pointer has to grow, each
//! stack is entered at most once, and the number of frames is limited by the caller.
//!
//! How a frame is found, in this order (`strategy/`, one file each): ORC, DWARF call frame
//! information, encoded frame pointer, frame pointer, the return address of a call to a bad
//! address, and at last a scan of the stack. Each [`Frame`] says which one it was ([`Trust`]).
//!
//! Left to the caller on purpose: where stacks are, which addresses are code, symbols, evaluation
//! of DWARF expressions, what return trampolines hide.
#![forbid(unsafe_code)]
#![warn(clippy::indexing_slicing)]

mod call;
mod cfi;
mod exception_frame;
mod fold;
mod frame;
mod input;
pub mod orc;
mod registers;
mod start;
mod stop;
mod strategy;
mod walk;

pub use call::is_after_call;
pub use cfi::{CfaRule, CfiRow, Expression, RegisterRule};
pub use exception_frame::ExceptionFrame;
pub use fold::{Run, fold};
pub use frame::{Frame, Pc, Trust, Walk};
pub use input::{Memory, ReturnTrampoline, Stack, StackKind, Stacks, Tables};
pub use registers::{PT_REGS_WORDS, Register, Registers};
pub use start::{InactiveLayout, Start, start_from_inactive};
pub use stop::StopReason;
pub use walk::walk;
