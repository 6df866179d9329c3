// SPDX-License-Identifier: MIT OR Apache-2.0
//! Call frame information on its way from the debug information to the unwinder.

use debuginfo::{CfiExpression, CfiRule, Image};
use unwind::{CfaRule, CfiRow, Expression, Memory, Register, RegisterRule, Registers};

/// The row of an image that covers a run-time address, already adjusted for look-up.
pub(crate) fn row(image: &Image<'_>, pc: u64) -> Option<CfiRow> {
    converted(&image.cfi(pc).found()?, pc)
}

/// A row as the unwinder wants it; `code` is any address that it is for.
fn converted(found: &debuginfo::CfiRow, code: u64) -> Option<CfiRow> {
    let mut row = CfiRow::new(match found.cfa {
        debuginfo::CfaRule::RegisterOffset { register, offset } => {
            CfaRule::RegisterOffset { register: Register::from_dwarf(register)?, offset }
        }
        debuginfo::CfaRule::Expression(place) => CfaRule::Expression(expression(code, place)),
    });
    row.signal = found.signal;
    // Without a word about the return address the row is of no use, and means no root either.
    row.return_address = rule(code, found.return_address?);
    for (register, told) in Register::ALL.into_iter().zip(found.registers) {
        match told {
            Some(told) => row.set_rule(register, rule(code, told)),
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

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: u64 = 0xffff_ffff_8100_1000;
    const PLACE: CfiExpression = CfiExpression { offset: 0x40, length: 6 };

    /// `push %rbx` of an ordinary function; 3 is rbx and 7 is rsp.
    fn found() -> debuginfo::CfiRow {
        let mut registers = [None; 16];
        registers[3] = Some(CfiRule::Offset(-16));
        debuginfo::CfiRow {
            cfa: debuginfo::CfaRule::RegisterOffset { register: 7, offset: 16 },
            registers,
            return_address: Some(CfiRule::Offset(-8)),
            signal: false,
        }
    }

    #[test]
    fn conventions_hold_where_nothing_is_said() {
        let row = converted(&found(), CODE).unwrap();
        assert_eq!(row.cfa, CfaRule::RegisterOffset { register: Register::Rsp, offset: 16 });
        assert_eq!(row.rule(Register::Rbx), RegisterRule::Offset(-16));
        assert_eq!(row.rule(Register::R12), RegisterRule::SameValue, "functions preserve it");
        assert_eq!(row.rule(Register::Rax), RegisterRule::Undefined, "calls lose it");
        assert_eq!(row.rule(Register::Rsp), RegisterRule::ValOffset(0));
    }

    /// Interrupted code promised nothing, and the entry code has not touched what it did not save.
    #[test]
    fn registers_of_interrupted_code_are_kept() {
        let mut found = found();
        found.signal = true;
        found.registers[0] = Some(CfiRule::Undefined);
        let row = converted(&found, CODE).unwrap();
        assert_eq!(row.rule(Register::Rcx), RegisterRule::SameValue);
        assert_eq!(row.rule(Register::Rax), RegisterRule::Undefined, "the row says so");
        assert_eq!(row.rule(Register::Rsp), RegisterRule::ValOffset(0));
        assert!(row.signal);
    }

    /// A row that only forgot the return address would read as the outermost function's.
    #[test]
    fn row_without_a_word_on_the_return_address_is_none() {
        assert_eq!(converted(&debuginfo::CfiRow { return_address: None, ..found() }, CODE), None);
        let lost = debuginfo::CfiRow { return_address: Some(CfiRule::Undefined), ..found() };
        let row = converted(&lost, CODE).unwrap();
        assert_eq!(row.return_address, RegisterRule::Undefined, "the outermost function");
    }

    #[test]
    fn expressions_know_their_image() {
        let mut found = found();
        found.cfa = debuginfo::CfaRule::Expression(PLACE);
        found.registers[6] = Some(CfiRule::Expression(PLACE));
        found.registers[12] = Some(CfiRule::ValExpression(PLACE));
        let row = converted(&found, CODE).unwrap();
        let place = Expression { code: CODE, offset: 0x40, length: 6 };
        assert_eq!(row.cfa, CfaRule::Expression(place));
        assert_eq!(row.rule(Register::Rbp), RegisterRule::Expression(place));
        assert_eq!(row.rule(Register::R12), RegisterRule::ValExpression(place));
    }

    /// 17 is xmm0, 2 is rcx.
    #[test]
    fn registers_that_are_not_followed() {
        let mut found = found();
        found.registers[0] = Some(CfiRule::Register(17));
        found.return_address = Some(CfiRule::Register(2));
        let row = converted(&found, CODE).unwrap();
        assert_eq!(row.rule(Register::Rax), RegisterRule::Undefined);
        assert_eq!(row.return_address, RegisterRule::Register(Register::Rcx));
        found.cfa = debuginfo::CfaRule::RegisterOffset { register: 17, offset: 8 };
        assert_eq!(converted(&found, CODE), None);
    }
}
