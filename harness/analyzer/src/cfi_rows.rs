// SPDX-License-Identifier: MIT OR Apache-2.0
//! Call frame information on its way from the debug information to the unwinder.

use debuginfo::{CfiExpression, CfiRule, Image};
use unwind::{CfaRule, CfiRow, Expression, Memory, Register, RegisterRule, Registers};

/// The row of an image that covers a run-time address, already adjusted for look-up.
pub(crate) fn row(image: &Image<'_>, pc: u64) -> Option<CfiRow> {
    let found = image.cfi(pc).found()?;
    let mut row = CfiRow::new(match found.cfa {
        debuginfo::CfaRule::RegisterOffset { register, offset } => {
            CfaRule::RegisterOffset { register: Register::from_dwarf(register)?, offset }
        }
        debuginfo::CfaRule::Expression(place) => CfaRule::Expression(expression(pc, place)),
    });
    row.signal = found.signal;
    // Without a word about the return address the row is of no use, and means no root either.
    row.return_address = rule(pc, found.return_address?);
    for (register, told) in Register::ALL.into_iter().zip(found.registers) {
        match told {
            Some(told) => row.set_rule(register, rule(pc, told)),
            // No convention holds for interrupted code: it saved nothing for anybody.
            None if found.signal && row.rule(register) == RegisterRule::Undefined => {
                row.set_rule(register, RegisterRule::SameValue);
            }
            None => {}
        }
    }
    Some(row)
}

/// Value of an expression of a row of that image.
pub(crate) fn evaluate(
    image: &Image<'_>,
    expression: Expression,
    registers: &Registers,
    memory: &dyn Memory,
    initial: Option<u64>,
) -> Option<u64> {
    let place = CfiExpression { offset: expression.offset, length: expression.length };
    let register = |number| registers.get(Register::from_dwarf(number)?);
    let memory = |address, size: u8| {
        let mut bytes = [0; 8];
        memory.read_bytes(address, bytes.get_mut(..usize::from(size))?)?;
        Some(u64::from_le_bytes(bytes))
    };
    image.evaluate_cfi(place, initial, &register, &memory).found()
}

fn rule(code: u64, rule: CfiRule) -> RegisterRule {
    match rule {
        CfiRule::Undefined => RegisterRule::Undefined,
        CfiRule::SameValue => RegisterRule::SameValue,
        CfiRule::Offset(offset) => RegisterRule::Offset(offset),
        CfiRule::ValOffset(offset) => RegisterRule::ValOffset(offset),
        // A register that is not followed (a vector register, say) holds nothing that is known.
        CfiRule::Register(number) => {
            Register::from_dwarf(number).map_or(RegisterRule::Undefined, RegisterRule::Register)
        }
        CfiRule::Expression(place) => RegisterRule::Expression(expression(code, place)),
        CfiRule::ValExpression(place) => RegisterRule::ValExpression(expression(code, place)),
    }
}

fn expression(code: u64, place: CfiExpression) -> Expression {
    Expression { code, offset: place.offset, length: place.length }
}
