// SPDX-License-Identifier: MIT OR Apache-2.0
//! Arguments and local variables of the frames of a stack.
//!
//! The debug information says where a value is while the frame's code runs; the unwinder knows
//! which registers are still those of the frame. What was passed and not kept is computed in the
//! caller's frame, from what its debug information says of the call: but only if the call is proven
//! to have gone to this very function, since a function that was jumped to got its arguments from
//! somebody else.

mod argument;
mod argument_text;
mod caller;

use debuginfo::{Absent, Datum, FrameState, FrameValue, Passed};
use unwind::{Pc, Register, Trust, Walk};

pub use argument::{Argument, Shown};
pub use argument_text::ArgumentText;

use crate::express::Names as _;
use crate::machine::Machine;
use crate::values::{Evaluator, Ty, Value};
use kernel::VirtualMemory as _;

/// Callers that are asked, one after the other, for what they passed on.
const MAX_CALLERS: usize = 8;
/// DWARF's number of the program counter.
const PROGRAM_COUNTER: u16 = 16;

/// One frame of a walk.
#[derive(Clone, Copy)]
struct InFrame<'x, 'a> {
    machine: &'x Machine<'a>,
    walk: &'x Walk,
    index: usize,
    left: usize,
}

impl FrameState for InFrame<'_, '_> {
    fn register(&self, number: u16) -> Option<u64> {
        let frame = self.walk.frames.get(self.index)?;
        if number == PROGRAM_COUNTER {
            return Some(frame.pc.address());
        }
        match Register::from_dwarf(number)? {
            Register::Rsp => Some(frame.sp),
            register => frame.registers.get(register),
        }
    }

    fn cfa(&self) -> Option<u64> {
        self.walk.frames.get(self.index)?.cfa
    }

    fn memory(&self, address: u64, buffer: &mut [u8]) -> Option<()> {
        self.machine.kernel().read(address, buffer).ok()
    }

    fn passed(&self, what: Passed) -> Result<u64, Absent> {
        let left = self.left.checked_sub(1).ok_or(Absent::Limit)?;
        let caller = Self { index: self.index.saturating_add(1), left, ..*self };
        let frame = self.walk.frames.get(caller.index).ok_or(Absent::NoCaller)?;
        if frame.trust == Trust::Scan {
            return Err(Absent::NoCaller);
        }
        let Pc::Return(returns) = frame.pc else { return Err(Absent::NoCall) };
        let callee = self.walk.frames.get(self.index).ok_or(Absent::NoCaller)?;
        let image = self.machine.image_at(frame.pc.for_lookup()).ok_or(Absent::NotPassed)?;
        caller::check(self.machine, image, returns, callee.pc.for_lookup(), &caller)?;
        image.passed(returns, what, &caller)
    }
}

impl Machine<'_> {
    /// Parameters in scope in a frame of a walk, and variables too if they are wanted: of the
    /// physical function first, then of those inlined there, outer before inner.
    ///
    /// Empty where there is no debug information, and for a frame that may be stale.
    #[must_use]
    pub fn frame_values(&self, walk: &Walk, index: usize, variables: bool) -> Vec<FrameValue> {
        let Some(frame) = walk.frames.get(index).filter(|frame| frame.trust != Trust::Scan) else {
            return Vec::new();
        };
        let pc = frame.pc.for_lookup();
        let Some(image) = self.image_at(pc) else { return Vec::new() };
        let state = InFrame { machine: self, walk, index, left: MAX_CALLERS };
        image.frame_values(pc, variables, &state).found().unwrap_or_default()
    }

    /// The value of a parameter or variable by its name; of the innermost inlined function that has
    /// one.
    #[must_use]
    pub fn frame_value(&self, walk: &Walk, index: usize, name: &str) -> Option<FrameValue> {
        let values = self.frame_values(walk, index, true);
        values.into_iter().rfind(|value| value.name == name)
    }

    /// The number that a value in a frame is: what is in its place, as its type reads it.
    #[must_use]
    pub fn frame_number(&self, walk: &Walk, index: usize, value: &FrameValue) -> Option<u64> {
        let pc = walk.frames.get(index)?.pc.for_lookup();
        let typed = self.typed(pc, value)?;
        Evaluator::new(self).number(&typed).ok()
    }

    /// A value of the code at an address, for the evaluator; none if it is too large to be a
    /// number and in no memory.
    fn typed(&self, pc: u64, value: &FrameValue) -> Option<Value<'_>> {
        let ty = Ty::known(self.image_at(pc)?, value.ty?);
        match value.value.as_ref().ok()? {
            Datum::Memory(address) => Some(Value::at(*address, ty)),
            Datum::Bytes(bytes) => {
                let mut word = [0; 8];
                let size = usize::try_from(ty.size(self).ok()?).ok().filter(|size| *size <= 8)?;
                let used = bytes.get(..size.min(bytes.len()))?;
                word.get_mut(..used.len())?.copy_from_slice(used);
                Evaluator::new(self).word(u64::from_le_bytes(word), ty).ok()
            }
        }
    }
}
