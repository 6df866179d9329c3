// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where a walk begins.

use crate::{Memory, Pc, Register, Registers};

/// Where a walk begins. Before 4.9 a sleeping task has no resume address on its stack; there the
/// caller names the place in `__schedule` itself ([`Pc::Interrupted`]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Start {
    /// Program counter of the first frame.
    pub pc: Pc,
    /// Its registers; `rip` and `rsp` have to be known.
    pub registers: Registers,
}

impl Start {
    /// From registers saved by an exception or for the dump (a CPU's note).
    pub fn interrupted(registers: Registers) -> Self {
        Self { pc: Pc::Interrupted(registers.rip), registers }
    }
}

/// Byte offsets within the kernel's `struct inactive_task_frame`
/// (`arch/x86/include/asm/switch_to.h`, 4.9 and later), from debug information: some stable trees
/// have a leading `flags` member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InactiveLayout {
    /// Saved callee-saved registers; one that the structure does not have is `None`.
    pub r15: Option<u64>,
    /// See `r15`.
    pub r14: Option<u64>,
    /// See `r15`.
    pub r13: Option<u64>,
    /// See `r15`.
    pub r12: Option<u64>,
    /// See `r15`.
    pub bx: Option<u64>,
    /// See `r15`.
    pub bp: Option<u64>,
    /// Where the task will go on.
    pub ret_addr: u64,
    /// Size of the structure.
    pub size: u64,
    /// Run-time address of `ret_from_fork` (`ret_from_fork_asm` since 6.6). A task that never ran
    /// goes on at the first instruction there, which is no return address.
    pub ret_from_fork: Option<u64>,
}

/// The start for a task that does not run, from its `thread.sp`; `None` if the frame that
/// `__switch_to_asm` left there cannot be read.
pub fn start_from_inactive(memory: &dyn Memory, sp: u64, layout: &InactiveLayout) -> Option<Start> {
    let rip = memory.read_u64(sp.checked_add(layout.ret_addr)?)?;
    let mut registers = Registers::at(rip, sp.checked_add(layout.size)?);
    let saved = [
        (Register::R15, layout.r15),
        (Register::R14, layout.r14),
        (Register::R13, layout.r13),
        (Register::R12, layout.r12),
        (Register::Rbx, layout.bx),
        (Register::Rbp, layout.bp),
    ];
    for (register, offset) in saved {
        let value = offset.and_then(|offset| memory.read_u64(sp.checked_add(offset)?));
        registers.set(register, value);
    }
    let never_ran = layout.ret_from_fork == Some(rip);
    let pc = if never_ran { Pc::Interrupted(rip) } else { Pc::Return(rip) };
    Some(Start { pc, registers })
}
