// SPDX-License-Identifier: MIT OR Apache-2.0
//! Registers and code of the fault, as the dump has them.

use analyzer::machine::Machine;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the processor was at when it faulted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FaultState {
    /// Its registers, as `bt` of `repro crash` names them.
    pub registers: Vec<Register>,
    /// The code around the instruction at fault; around the call, where the processor went to what is
    /// no code.
    pub code: Vec<Instruction>,
}

/// A register.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Register {
    /// Its name.
    pub name: String,
    /// Its value, in hex.
    pub value: String,
}

/// An instruction as it stands in the dump.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Instruction {
    /// Its address.
    pub address: String,
    /// `symbol+offset`.
    pub place: Option<String>,
    /// In AT&T form.
    pub text: String,
    /// Whether it is the one at fault, or the call that led there.
    pub at_fault: bool,
}

/// The state at the fault, if an exception ended the kernel.
pub(super) fn of(machine: &Machine<'_>) -> Option<FaultState> {
    let fault = debugger::fault(machine)?;
    let register = |(name, value)| Register { name, value };
    let instruction = |it: debugger::Instruction| Instruction {
        address: it.address,
        place: it.place,
        text: it.text,
        at_fault: it.at_fault,
    };
    Some(FaultState {
        registers: fault.registers.into_iter().map(register).collect(),
        code: fault.code.into_iter().map(instruction).collect(),
    })
}
