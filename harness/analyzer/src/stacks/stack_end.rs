// SPDX-License-Identifier: MIT OR Apache-2.0
//! The end of a stack that grew over it, in words.

use kernel::stack_ends::{Overrun, STACK_END_MAGIC};
use unwind::Stack;

use crate::claim::Claim;

/// What the end of the stack shows.
pub(crate) fn end(overrun: &Overrun, stack: &Stack) -> Claim {
    Claim::new(Some(true))
        .text(format!("the stack of {} ends at ", overrun.task.comm))
        .data(stack.low)
        .text(", and the mark at its end, ")
        .data(overrun.end)
        .text(format!(", is not {STACK_END_MAGIC:#x} but "))
        .data(overrun.found)
        .text(": it was used up and grew over its end")
}
