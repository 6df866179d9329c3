// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a walk asks for. All addresses are run-time virtual addresses.

use std::fmt;

use crate::orc::OrcEntry;
use crate::{CfiRow, Expression, Registers};

/// Kernel memory.
pub trait Memory {
    /// The little-endian word at `address` (any alignment), or `None` if a byte of it is missing.
    fn read_u64(&self, address: u64) -> Option<u64>;

    /// Fills `buffer` from `address`; `None` if a byte is missing. Used to look at code before a
    /// supposed return address.
    fn read_bytes(&self, address: u64, buffer: &mut [u8]) -> Option<()> {
        let mut at = address;
        for byte in buffer {
            let word = self.read_u64(at & !7)?.to_le_bytes();
            let index = usize::try_from(at & 7).expect("below eight");
            *byte = *word.get(index)?;
            at = at.checked_add(1)?;
        }
        Some(())
    }
}

/// Unwind tables and knowledge about code.
pub trait Tables {
    /// The ORC entry that covers `pc` (already adjusted, see [`crate::Pc::for_lookup`]), or `None`
    /// where no table does.
    ///
    /// A trampoline that ftrace allocated is a copy of `ftrace_caller` or `ftrace_regs_caller`;
    /// whoever knows its start can answer with the entry of the original at the same offset.
    /// Without an answer, generated code is unwound by its frame pointer, else by a scan.
    fn orc(&self, pc: u64) -> Option<OrcEntry>;

    /// The row of call frame information that covers `pc` (already adjusted).
    fn cfi(&self, pc: u64) -> Option<CfiRow> {
        let _ = pc;
        None
    }

    /// Evaluates an expression of a row that [`Tables::cfi`] gave. `initial` is what DWARF wants
    /// on the expression's stack at the start (the CFA, for register rules).
    fn evaluate(
        &self,
        expression: Expression,
        registers: &Registers,
        memory: &dyn Memory,
        initial: Option<u64>,
    ) -> Option<u64> {
        let _ = (expression, registers, memory, initial);
        None
    }

    /// Whether kernel code (image, live module, generated) lies at `address`.
    fn is_text(&self, address: u64) -> bool;

    /// Whether code lay at `address` that is gone: of an unloaded module, or of the kernel's start.
    /// A rule may lead there, the boot CPU's idle task was called from such code; a scan never
    /// does. Tables that still cover it are used.
    fn is_gone_text(&self, address: u64) -> bool {
        let _ = address;
        false
    }

    /// Whether `address`, found as a return address, is one the kernel put there in place of the
    /// real one (`return_to_handler`, `kretprobe_trampoline`, `arch_rethook_trampoline`).
    fn is_return_trampoline(&self, address: u64) -> bool {
        let _ = address;
        false
    }

    /// The real return address behind a trampoline. Without an answer the trampoline stays as a
    /// frame and the walk goes on above it.
    fn real_return(&self, trampoline: ReturnTrampoline) -> Option<u64> {
        let _ = trampoline;
        None
    }
}

/// A return address that was replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReturnTrampoline {
    /// What stands on the stack.
    pub address: u64,
    /// Where it stands (newer kernels remember this with the real address).
    pub slot: u64,
    /// How many trampolines this walk met before (older kernels only keep them in order).
    pub index: usize,
}

/// Where the kernel's stacks are.
pub trait Stacks {
    /// The stack that `address` is on.
    fn stack_of(&self, address: u64) -> Option<Stack>;
}

/// One stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stack {
    /// What it is for.
    pub kind: StackKind,
    /// Lowest address.
    pub low: u64,
    /// Address after its last byte.
    pub high: u64,
}

/// What a stack is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StackKind {
    /// A task's own (or the idle task's).
    Task,
    /// Hardware interrupts, and softirqs on most kernels.
    Irq,
    /// Softirqs, where they have their own.
    Softirq,
    /// Non-maskable interrupts.
    Nmi,
    /// Double faults.
    DoubleFault,
    /// Debug exceptions.
    Debug,
    /// Machine checks.
    MachineCheck,
    /// VMM communication exceptions (SEV-ES).
    VmmCommunication,
    /// Entry from user mode, before the switch to the task's stack.
    Entry,
}

impl fmt::Display for StackKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Task => "task stack",
            Self::Irq => "IRQ stack",
            Self::Softirq => "softirq stack",
            Self::Nmi => "NMI stack",
            Self::DoubleFault => "double fault stack",
            Self::Debug => "debug stack",
            Self::MachineCheck => "machine check stack",
            Self::VmmCommunication => "VMM communication stack",
            Self::Entry => "entry stack",
        })
    }
}
