// SPDX-License-Identifier: MIT OR Apache-2.0
//! The accesses to memory of one instruction, and the operand that made the faulting one bad.

use iced_x86::{
    Decoder, DecoderOptions, Instruction, InstructionInfoFactory, Mnemonic, OpAccess, OpKind,
    Register, UsedMemory,
};

use crate::diagnosis::{Symptom, Use};
use crate::flow::{held, number};
use crate::identify::{BELOW_NULL, NULL_PAGE};
use crate::scene::Scene;

/// Bit of the page fault's error code: it was a write.
pub(super) const WRITE: u64 = 2;

/// One access to memory by the faulting instruction.
pub(super) struct Access {
    memory: UsedMemory,
    /// The register with the number of the bit, where the instruction takes one from memory: its
    /// upper bits say in which word.
    bit: Option<Register>,
    /// Address of its first byte.
    pub(super) address: u64,
    /// What it does.
    pub(super) how: Use,
    /// Bytes.
    pub(super) size: u8,
}

/// The operand that makes an address bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Suspect {
    /// A pointer in a register.
    Pointer(Register),
    /// A number in a register that leads from a good pointer to a bad address.
    Index {
        /// The register with the number.
        register: Register,
        /// The pointer.
        from: u64,
    },
    /// None: the address stands in the instruction.
    None,
}

impl Access {
    /// The access of `instruction` at the reported address; without one, the first that the dump
    /// cannot satisfy.
    pub(super) fn faulting(
        scene: &dyn Scene,
        instruction: &Instruction,
        registers: &[Option<u64>; 16],
        reported: Option<u64>,
    ) -> Option<Self> {
        let mut factory = InstructionInfoFactory::new();
        let used = factory.info(instruction).used_memory();
        let mut accesses: Vec<Self> = used
            .iter()
            .filter_map(|memory| Self::new(scene, instruction, memory, registers))
            .collect();
        // Of an instruction that reads and writes, the processor says which it was at.
        let error = scene.error_code();
        let is_by = |access: &Self| match error.map(|error| error & WRITE != 0) {
            Some(true) => access.how != Use::Read,
            Some(false) => access.how != Use::Write,
            None => true,
        };
        let exact = |access: &Self| reported == Some(access.address);
        let by_start = accesses.iter().position(|access| exact(access) && is_by(access));
        let by_start = by_start.or_else(|| accesses.iter().position(exact));
        let best = by_start.or_else(|| {
            accesses.iter().position(|access| match reported {
                Some(reported) => access.has(reported) && is_by(access),
                // One that runs over the end of a page may fault on its last bytes alone.
                None => [access.address, access.last()]
                    .iter()
                    .any(|at| scene.is_mapped(*at) == Some(false)),
            })
        });
        let has = |access: &Self| reported.is_some_and(|reported| access.has(reported));
        let best = best.or_else(|| accesses.iter().position(has));
        let best = best.or_else(|| {
            // Up to 5.10 the kernel computes the address of a general protection fault without
            // having decoded the displacement (`get_kernel_gp_address`, arch/x86/kernel/traps.c).
            let wild = |access: &Self| access.symptom() == Symptom::NonCanonical;
            let is =
                |access: &Self| Some(access.without_displacement()) == reported && wild(access);
            accesses.iter().position(is)
        })?;
        Some(accesses.swap_remove(best))
    }

    fn new(
        scene: &dyn Scene,
        instruction: &Instruction,
        memory: &UsedMemory,
        registers: &[Option<u64>; 16],
    ) -> Option<Self> {
        let touched = !matches!(memory.access(), OpAccess::None | OpAccess::NoMemAccess);
        let size = u8::try_from(memory.memory_size().size()).ok().filter(|_| touched)?;
        let bit = bit_register(instruction);
        let word = match bit {
            Some(register) => words_away(held(registers, number(register)?)?, register, size),
            None => 0,
        };
        let address = address(scene, memory, registers)?.wrapping_add_signed(word);
        let how = match memory.access() {
            OpAccess::Write | OpAccess::CondWrite => Use::Write,
            OpAccess::ReadWrite | OpAccess::ReadCondWrite => Use::Change,
            _ => Use::Read,
        };
        Some(Self { memory: *memory, bit, address, how, size })
    }

    /// Whether the address is that of one of its bytes.
    pub(super) fn has(&self, address: u64) -> bool {
        address.wrapping_sub(self.address) < u64::from(self.size.max(1))
    }

    /// Address of its last byte.
    fn last(&self) -> u64 {
        self.address.wrapping_add(u64::from(self.size.saturating_sub(1)))
    }

    /// The address less the number in the instruction.
    pub(super) fn without_displacement(&self) -> u64 {
        self.address.wrapping_sub(self.memory.displacement())
    }

    /// What the address alone tells.
    pub(super) fn symptom(&self) -> Symptom {
        let canonical =
            matches!(self.address >> 47, 0 | 0x1_ffff) || matches!(self.address >> 56, 0 | 0xff);
        match self.address < NULL_PAGE {
            _ if !canonical => Symptom::NonCanonical,
            true => Symptom::Null,
            false => Symptom::Bad,
        }
    }

    /// Whether it is the memory operand of the instruction, and not one that the instruction implies.
    pub(super) fn is_operand_of(&self, instruction: &Instruction) -> bool {
        instruction.memory_base() == self.memory.base()
            && instruction.memory_index() == self.memory.index()
            && self.bit.is_none()
    }

    /// Whether either of two registers may have made the address bad: the dump does not tell whether
    /// anything is mapped where the pointer leads.
    pub(super) fn is_ambiguous(
        &self,
        scene: &dyn Scene,
        value: impl Fn(Register) -> Option<u64>,
    ) -> bool {
        let has_number = self.memory.index() != Register::None || self.bit.is_some();
        let base = value(self.memory.base());
        has_number
            && base.is_some_and(|base| !is_null(Some(base)) && scene.is_mapped(base).is_none())
    }

    /// The operand that makes the address bad: the pointer, unless that is fine and a number leads
    /// away from it.
    pub(super) fn suspect(
        &self,
        scene: &dyn Scene,
        value: impl Fn(Register) -> Option<u64>,
    ) -> Suspect {
        let fine = |register| {
            let value = value(register).filter(|value| *value >= NULL_PAGE);
            value.filter(|value| scene.is_mapped(*value) == Some(true))
        };
        let (base, index) = (self.memory.base(), self.memory.index());
        match (base, index, self.bit) {
            (base, Register::None, Some(register)) if is_general(base) => match fine(base) {
                Some(from) => Suspect::Index { register, from },
                None => Suspect::Pointer(base),
            },
            (Register::None | Register::RIP, Register::None, None) => Suspect::None,
            (Register::None | Register::RIP, Register::None, Some(register)) => {
                let from = self.memory.displacement();
                Suspect::Index { register, from }
            }
            (Register::None, register, _) => {
                // `table(,%rdi,8)`: the displacement is the address of a static array.
                let from = self.memory.displacement();
                let is_table = scene.is_mapped(from) == Some(true);
                match is_table {
                    true => Suspect::Index { register, from },
                    false => Suspect::Pointer(register),
                }
            }
            (base, Register::None, _) => {
                // `slots(%rax)`: so is that of one whose element the register has the distance of.
                let from = self.memory.displacement();
                match from.cast_signed() < 0 && scene.is_mapped(from) == Some(true) {
                    true => Suspect::Index { register: base, from },
                    false => Suspect::Pointer(base),
                }
            }
            (base, index, _) => match (fine(base), fine(index)) {
                (Some(from), _) => Suspect::Index { register: index, from },
                // Of two registers that are added, either may be the pointer.
                (None, Some(from)) if self.memory.scale() == 1 && !is_null(value(base)) => {
                    Suspect::Index { register: base, from }
                }
                (None, _) if self.is_in_base(scene, &value) => Suspect::Pointer(base),
                (None, _) => Suspect::Pointer(index),
            },
        }
    }

    /// Whether the pointer is in the base of the two registers that nothing is at, as far as their values tell: what is
    /// multiplied is a number, and of two that are not the only one that may be an address is the pointer.
    ///
    /// Example: of `r->data[n]` the compiler took `n` for the base, as it just had to widen it.
    fn is_in_base(&self, scene: &dyn Scene, value: impl Fn(Register) -> Option<u64>) -> bool {
        let is_address = |register| value(register).is_some_and(|it| scene.may_be_address(it));
        let (base, index) = (self.memory.base(), self.memory.index());
        self.memory.scale() != 1 || is_address(base) || !is_address(index)
    }

    /// Of two registers that are added and that nothing is at, the one that is not the `suspect`, where their values do
    /// not tell which of them is the pointer.
    pub(super) fn rival(
        &self,
        scene: &dyn Scene,
        suspect: Register,
        value: impl Fn(Register) -> Option<u64>,
    ) -> Option<Register> {
        let (base, index) = (self.memory.base(), self.memory.index());
        let is_address = |register| value(register).map(|it| scene.may_be_address(it));
        let is_pair = is_general(base) && is_general(index) && self.memory.scale() == 1;
        let is_open = is_pair && suspect == base && is_address(base) == is_address(index);
        is_open.then_some(index)
    }
}

/// Decodes the instruction at the address.
pub(super) fn decode(bytes: &[u8], address: u64) -> Option<Instruction> {
    let instruction = Decoder::with_ip(64, bytes, address, DecoderOptions::NONE).decode();
    (!instruction.is_invalid()).then_some(instruction)
}

fn is_general(register: Register) -> bool {
    number(register).is_some()
}

/// Whether it is NULL, or a little before it.
fn is_null(value: Option<u64>) -> bool {
    value.is_some_and(|value| !(NULL_PAGE..BELOW_NULL).contains(&value))
}

/// The register of `bt` and its like that has the number of a bit in memory, which may lie far away.
fn bit_register(instruction: &Instruction) -> Option<Register> {
    let is_bit = matches!(
        instruction.mnemonic(),
        Mnemonic::Bt | Mnemonic::Btc | Mnemonic::Btr | Mnemonic::Bts
    );
    let is_far = is_bit
        && instruction.op0_kind() == OpKind::Memory
        && instruction.op1_kind() == OpKind::Register;
    is_far.then(|| instruction.op1_register())
}

/// Bytes from the memory operand to the word of `size` bytes that has the bit.
fn words_away(value: u64, register: Register, size: u8) -> i64 {
    let unused = 64_u32.saturating_sub(u32::try_from(register.size()).unwrap_or(8) * 8);
    let bit = (value << unused).cast_signed() >> unused;
    let size = i64::from(size.max(1));
    bit.div_euclid(size * 8).wrapping_mul(size)
}

/// Address of the memory operand, if it depends on known registers only. What is accessed through
/// `gs` is the CPU's own memory.
fn address(scene: &dyn Scene, memory: &UsedMemory, registers: &[Option<u64>; 16]) -> Option<u64> {
    memory.virtual_address(0, |register, _, _| match register {
        Register::CS | Register::DS | Register::ES | Register::SS => Some(0),
        Register::GS => scene.per_cpu_base(),
        Register::FS => None,
        _ => {
            let value = held(registers, number(register)?)?;
            Some(if register.size() == 4 { value & 0xffff_ffff } else { value })
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bits_number_leads_to_its_word() {
        assert_eq!(words_away(3, Register::RAX, 8), 0);
        assert_eq!(words_away(64, Register::RAX, 8), 8);
        assert_eq!(words_away(1 << 20, Register::RAX, 8), 1 << 17);
        assert_eq!(words_away(u64::MAX, Register::RAX, 8), -8);
        // Only the register's own bits count.
        assert_eq!(words_away(0xffff_ffff_0000_0020, Register::EAX, 4), 4);
    }
}
