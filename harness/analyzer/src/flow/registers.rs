// SPDX-License-Identifier: MIT OR Apache-2.0
//! General registers as small numbers, and sets of them.

use iced_x86::Register;

/// Registers of a function's first six arguments (System V AMD64 psABI, section 3.2.3).
pub const ARGUMENTS: [Register; 6] =
    [Register::RDI, Register::RSI, Register::RDX, Register::RCX, Register::R8, Register::R9];

/// The sixteen general registers in the order of their encoding: rax 0, rcx 1, … r15 15.
pub fn number(register: Register) -> Option<u8> {
    let full = register.full_register();
    if !full.is_gpr64() {
        return None;
    }
    u8::try_from(full as u32 - Register::RAX as u32).ok()
}

/// The 64-bit register with that number.
pub fn full(number: u8) -> Register {
    Register::RAX + u32::from(number & 15)
}

/// What the register with that number holds, if it is known.
pub fn held(registers: &[Option<u64>; 16], number: u8) -> Option<u64> {
    registers.get(usize::from(number)).copied().flatten()
}

/// A set of general registers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RegisterSet(u16);

impl RegisterSet {
    /// Registers that a callee may change (System V AMD64 psABI, section 3.2.1).
    pub const CALLER_SAVED: Self = Self(0b0000_1111_1100_0111);

    /// Adds one register.
    pub fn insert(&mut self, number: u8) {
        self.0 |= 1 << (number & 15);
    }

    /// Takes all registers of another set out.
    pub fn remove_all(&mut self, other: Self) {
        self.0 &= !other.0;
    }

    /// Adds all registers of another set.
    pub fn insert_all(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// Whether the register is in the set.
    pub fn contains(self, number: u8) -> bool {
        self.0 & (1 << (number & 15)) != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_register_have_its_number() {
        assert_eq!(number(Register::EAX), Some(0));
        assert_eq!(number(Register::SIL), Some(6));
        assert_eq!(number(Register::R15D), Some(15));
        assert_eq!(number(Register::RIP), None);
        assert_eq!(number(Register::GS), None);
        assert_eq!(full(12), Register::R12);
    }

    #[test]
    fn the_abi_keeps_rbx_rbp_rsp_and_r12_to_r15() {
        let kept: Vec<u8> = (0..16).filter(|&n| !RegisterSet::CALLER_SAVED.contains(n)).collect();
        let names: Vec<Register> = kept.into_iter().map(full).collect();
        use Register::{R12, R13, R14, R15, RBP, RBX, RSP};
        assert_eq!(names, [RBX, RSP, RBP, R12, R13, R14, R15]);
    }
}
