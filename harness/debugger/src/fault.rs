// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the processor was at when it faulted: its registers, and the code around the instruction.

use analyzer::context;
use analyzer::machine::Machine;

use super::instruction::Instruction;
use super::{bt_form, dis};

/// Instructions that are shown before the one at fault, and behind it.
const BEFORE: usize = 8;
const BEHIND: u64 = 4;

/// What the processor was at when it faulted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Registers by their names, in hex.
    pub registers: Vec<(String, String)>,
    /// The code around the instruction; around the call, where the processor went to what is no code.
    pub code: Vec<Instruction>,
}

/// The fault of the crashing CPU; `None` where no exception ended the kernel, or nothing tells the
/// registers.
#[must_use]
pub fn fault(machine: &Machine<'_>) -> Option<Fault> {
    let crashing = context::crashing(machine.kernel())?;
    let walks = context::walks(machine, &crashing);
    let first = walks.fault.frames.first().filter(|_| walks.begins == context::Begins::Fault)?;
    // Of a jump to what is no code, the call is shown that led there.
    let frames = walks.fault.frames.iter().take(2);
    let listed = frames.map(|it| dis::around(machine, it.pc.for_lookup(), BEFORE, BEHIND));
    let code = listed.into_iter().find(|code| !code.is_empty()).unwrap_or_default();
    Some(Fault { registers: bt_form::named(&first.registers), code })
}
