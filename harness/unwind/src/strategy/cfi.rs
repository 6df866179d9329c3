// SPDX-License-Identifier: MIT OR Apache-2.0
//! Caller by a row of DWARF call frame information.

use super::{Caller, Context, Refusal};
use crate::{CfaRule, CfiRow, Frame, Pc, Register, RegisterRule, Registers, StopReason, Trust};

pub(crate) fn caller(context: &Context<'_>, frame: &Frame) -> Result<Caller, Refusal> {
    if !context.in_text(frame) {
        return Err(Refusal::NotMine);
    }
    let pc = frame.pc.for_lookup();
    let row = context.tables.cfi(pc).ok_or(Refusal::NotMine)?;
    if row.return_address == RegisterRule::Undefined {
        return Err(Refusal::End(StopReason::Root));
    }
    let no_rule = || Refusal::Failed(StopReason::NoRule { pc });
    let cfa = cfa(context, frame, &row).ok_or_else(no_rule)?;
    let slot = match row.return_address {
        RegisterRule::Offset(offset) => Some(cfa.wrapping_add_signed(offset)),
        _ => None,
    };
    let rip = match slot {
        Some(slot) => context.read(slot)?,
        None => value(context, frame, row.return_address, None, cfa).ok_or_else(no_rule)?,
    };
    let mut registers = Registers::default();
    registers.rip = rip;
    for register in Register::ALL {
        let rule = row.rule(register);
        registers.set(register, value(context, frame, rule, Some(register), cfa));
    }
    Ok(Caller {
        pc: if row.signal { Pc::Interrupted(rip) } else { Pc::Return(rip) },
        registers,
        trust: if row.signal { Trust::Exact } else { Trust::Cfi },
        exception: None,
        slot,
        cfa: Some(cfa),
    })
}

/// The callee-saved registers that ORC does not know, from the frame's row, if that row agrees
/// with ORC about the frame: hand-written stack switches have wrong rows (5.12 and later).
pub(crate) fn callee_saved(context: &Context<'_>, frame: &Frame, caller: &mut Caller) {
    let Some(row) = context.tables.cfi(frame.pc.for_lookup()) else { return };
    let expected = caller.cfa;
    let agrees = !row.signal && row.return_address == RegisterRule::Offset(-8);
    let Some(cfa) = cfa(context, frame, &row).filter(|cfa| agrees && Some(*cfa) == expected) else {
        return;
    };
    for register in Register::CALLEE_SAVED {
        if caller.registers.get(register).is_none() {
            let found = value(context, frame, row.rule(register), Some(register), cfa);
            caller.registers.set(register, found);
        }
    }
}

fn cfa(context: &Context<'_>, frame: &Frame, row: &CfiRow) -> Option<u64> {
    match row.cfa {
        CfaRule::RegisterOffset { register, offset } => {
            Some(frame.registers.get(register)?.wrapping_add_signed(offset))
        }
        CfaRule::Expression(expression) => {
            context.tables.evaluate(expression, &frame.registers, context.memory, None)
        }
    }
}

fn value(
    context: &Context<'_>,
    frame: &Frame,
    rule: RegisterRule,
    own: Option<Register>,
    cfa: u64,
) -> Option<u64> {
    let evaluate = |expression| {
        context.tables.evaluate(expression, &frame.registers, context.memory, Some(cfa))
    };
    match rule {
        RegisterRule::Undefined => None,
        RegisterRule::SameValue => frame.registers.get(own?),
        RegisterRule::Offset(offset) => context.memory.read_u64(cfa.wrapping_add_signed(offset)),
        RegisterRule::ValOffset(offset) => Some(cfa.wrapping_add_signed(offset)),
        RegisterRule::Register(register) => frame.registers.get(register),
        RegisterRule::Expression(expression) => context.memory.read_u64(evaluate(expression)?),
        RegisterRule::ValExpression(expression) => evaluate(expression),
    }
}
