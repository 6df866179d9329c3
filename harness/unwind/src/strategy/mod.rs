// SPDX-License-Identifier: MIT OR Apache-2.0
//! The ways to find a frame's caller, all with the same signature.

mod bad_call;
mod cfi;
mod encoded_frame_pointer;
mod entry;
mod frame_pointer;
mod orc;
mod scan;
mod traced;

pub(crate) use cfi::callee_saved;

use crate::{
    ExceptionFrame, Frame, Memory, Pc, Register, Registers, Stacks, StopReason, Tables, Trust,
};

/// `__KERNEL_CS`, `__USER32_CS`, `__USER_CS` (`arch/x86/include/asm/segment.h`).
const CODE_SEGMENTS: [u64; 3] = [0x10, 0x23, 0x33];

/// What the strategies may ask.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) memory: &'a dyn Memory,
    pub(crate) tables: &'a dyn Tables,
    pub(crate) stacks: &'a dyn Stacks,
}

impl Context<'_> {
    pub(crate) fn read(&self, address: u64) -> Result<u64, Refusal> {
        let refusal = Refusal::Failed(StopReason::NoMemory { address });
        self.memory.read_u64(address).ok_or(refusal)
    }

    /// Whether the frame's own program counter is in code.
    pub(crate) fn in_text(&self, frame: &Frame) -> bool {
        self.tables.is_text(frame.pc.for_lookup())
    }

    /// Whether it is in code, or in code that is gone.
    pub(crate) fn in_known_text(&self, frame: &Frame) -> bool {
        self.in_text(frame) || self.tables.is_gone_text(frame.pc.for_lookup())
    }
}

/// The frame that a strategy found.
pub(crate) struct Caller {
    pub(crate) pc: Pc,
    /// With `rip` and `rsp`.
    pub(crate) registers: Registers,
    pub(crate) trust: Trust,
    pub(crate) exception: Option<ExceptionFrame>,
    /// Where the return address stood.
    pub(crate) slot: Option<u64>,
    /// The canonical frame address of the callee.
    pub(crate) cfa: Option<u64>,
}

impl Caller {
    /// The caller's stack pointer; 0 if nothing tells it.
    pub(crate) fn sp(&self) -> u64 {
        self.registers.get(Register::Rsp).unwrap_or(0)
    }
}

/// The end of a walk at the registers of a system call, of which the instruction `syscall` put rip
/// into rcx and rflags into r11; it saved no stack pointer, and what lies in its place is stale.
pub(crate) fn system_call(mut registers: Registers) -> StopReason {
    registers.set(Register::Rsp, None);
    registers.set(Register::Rcx, Some(registers.rip));
    registers.cs = None;
    registers.ss = None;
    registers.flags = registers.get(Register::R11);
    StopReason::User(Box::new(registers))
}

/// Why a strategy found none.
pub(crate) enum Refusal {
    /// It has no rule for this frame.
    NotMine,
    /// It has one, but could not follow it; another one may try.
    Failed(StopReason),
    /// There is no caller.
    End(StopReason),
}

/// One way to find a caller.
pub(crate) type Strategy = fn(&Context<'_>, &Frame) -> Result<Caller, Refusal>;

/// In the order they are asked. The frame pointer does not touch frames outside of code: it would
/// skip the function that made the bad call.
pub(crate) const STRATEGIES: [Strategy; 8] = [
    orc::caller,
    cfi::caller,
    traced::caller,
    entry::caller,
    encoded_frame_pointer::caller,
    frame_pointer::caller,
    bad_call::caller,
    scan::caller,
];

/// Asked where nothing but a scan can help.
pub(crate) const LAST_RESORT: [Strategy; 1] = [scan::caller];
