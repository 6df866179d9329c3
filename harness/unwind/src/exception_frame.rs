// SPDX-License-Identifier: MIT OR Apache-2.0
//! Registers that the CPU and the kernel's entry code saved on the stack.

use crate::{Memory, PT_REGS_WORDS, Register, Registers, StopReason};

/// Where saved registers lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExceptionFrame {
    /// Address of the `struct pt_regs`, or of the hardware's part of it.
    pub address: u64,
    /// Whether it is a whole `struct pt_regs`, or only the hardware's five words
    /// (rip, cs, rflags, rsp, ss).
    pub full: bool,
}

impl ExceptionFrame {
    /// Takes the registers. What a partial frame does not hold stays as in `inner`, the registers
    /// of the entry code: it has not changed them yet.
    pub(crate) fn registers(
        self,
        memory: &dyn Memory,
        inner: &Registers,
    ) -> Result<Registers, StopReason> {
        if self.full {
            Ok(Registers::from_pt_regs(&read_words::<PT_REGS_WORDS>(memory, self.address)?))
        } else {
            let [rip, cs, flags, rsp, ss] = read_words::<5>(memory, self.address)?;
            let mut registers = inner.clone();
            registers.rip = rip;
            registers.cs = Some(cs);
            registers.flags = Some(flags);
            registers.ss = Some(ss);
            registers.orig_rax = None;
            registers.set(Register::Rsp, Some(rsp));
            Ok(registers)
        }
    }
}

fn read_words<const N: usize>(memory: &dyn Memory, address: u64) -> Result<[u64; N], StopReason> {
    let mut words = [0; N];
    let mut at = address;
    for word in &mut words {
        *word = memory.read_u64(at).ok_or(StopReason::NoMemory { address: at })?;
        at = at.wrapping_add(8);
    }
    Ok(words)
}
