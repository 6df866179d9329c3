// SPDX-License-Identifier: MIT OR Apache-2.0
//! Values of expressions in `.debug_frame`.
//!
//! Example: the entry code of 3.10 switches to the interrupt stack and pushes the old stack
//! pointer there; from then on the frame's address is `*(rsp) + 0x88`.

use gimli::{Encoding, EvaluationResult, Format, Location, UnitOffset, UnwindExpression, Value};

use super::{Dwarf, malformed};
use crate::{CfiExpression, Reason};

/// Operations after which an expression is given up; those of kernels have less than ten.
const MAX_OPERATIONS: u32 = 1000;
/// How addresses and numbers of an expression are encoded.
const ENCODING: Encoding = Encoding { address_size: 8, format: Format::Dwarf32, version: 4 };
/// The type of values that need none.
const GENERIC: UnitOffset = UnitOffset(0);

/// What an expression may ask for.
pub(crate) struct State<'a> {
    /// Value of a register, by DWARF number.
    pub(crate) register: &'a dyn Fn(u16) -> Option<u64>,
    /// The number of so many bytes (1 to 8) at a run-time address.
    pub(crate) memory: &'a dyn Fn(u64, u8) -> Option<u64>,
}

impl Dwarf<'_> {
    /// Value of an expression. `initial` lies on its stack at the start.
    pub(crate) fn evaluate_cfi(
        self,
        expression: CfiExpression,
        initial: Option<u64>,
        state: &State<'_>,
    ) -> Result<u64, Reason> {
        let bad = || malformed(".debug_frame", usize::try_from(expression.offset).unwrap_or(0));
        let place = UnwindExpression {
            offset: usize::try_from(expression.offset).unwrap_or(usize::MAX),
            length: usize::try_from(expression.length).unwrap_or(usize::MAX),
        };
        let code = place.get(&self.frames()).map_err(bad())?;
        let mut evaluation = code.evaluation(ENCODING);
        evaluation.set_max_iterations(MAX_OPERATIONS);
        if let Some(initial) = initial {
            evaluation.set_initial_value(initial);
        }
        let mut result = evaluation.evaluate().map_err(bad())?;
        loop {
            let next = match result {
                EvaluationResult::Complete => break,
                EvaluationResult::RequiresRegister { register, base_type: GENERIC } => {
                    let value = (state.register)(register.0);
                    let lost = || Reason::NotFound(format!("value of register {}", register.0));
                    let value = value.ok_or_else(lost)?;
                    evaluation.resume_with_register(Value::Generic(value))
                }
                EvaluationResult::RequiresMemory {
                    address,
                    size,
                    space: None,
                    base_type: GENERIC,
                } => {
                    let value = (state.memory)(address, size);
                    let lost = || Reason::NotFound(format!("memory at {address:#x}"));
                    let value = value.ok_or_else(lost)?;
                    evaluation.resume_with_memory(Value::Generic(value))
                }
                EvaluationResult::RequiresRelocatedAddress(address) => {
                    evaluation.resume_with_relocated_address(self.elf.to_run_time(address))
                }
                _ => return Err(Reason::Unsupported("an operation in .debug_frame")),
            };
            result = next.map_err(bad())?;
        }
        match evaluation.as_result() {
            [piece] if piece.size_in_bits.is_none() => match piece.location {
                Location::Address { address } => Ok(address),
                Location::Value { value: Value::Generic(value) } => Ok(value),
                _ => Err(Reason::Unsupported("a result that is no number in .debug_frame")),
            },
            _ => Err(Reason::Unsupported("a result in pieces in .debug_frame")),
        }
    }
}
