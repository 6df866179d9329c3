// SPDX-License-Identifier: MIT OR Apache-2.0
//! The registers of one frame, as far as they are known.

use serde::{Deserialize, Serialize};

/// Number of 64-bit words in the kernel's `struct pt_regs`
/// (`arch/x86/include/uapi/asm/ptrace.h`; the same since 2.6).
pub const PT_REGS_WORDS: usize = 21;

/// A general register, numbered as DWARF does (System V ABI, AMD64 supplement, figure 3.36).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[repr(u8)]
#[expect(missing_docs, reason = "the names are the hardware's")]
pub enum Register {
    Rax,
    Rdx,
    Rcx,
    Rbx,
    Rsi,
    Rdi,
    Rbp,
    Rsp,
    R8,
    R9,
    R10,
    R11,
    R12,
    R13,
    R14,
    R15,
}

impl Register {
    /// All of them in the order of their DWARF numbers.
    pub const ALL: [Self; 16] = [
        Self::Rax,
        Self::Rdx,
        Self::Rcx,
        Self::Rbx,
        Self::Rsi,
        Self::Rdi,
        Self::Rbp,
        Self::Rsp,
        Self::R8,
        Self::R9,
        Self::R10,
        Self::R11,
        Self::R12,
        Self::R13,
        Self::R14,
        Self::R15,
    ];

    /// The registers by their numbers in instructions.
    pub const BY_NUMBER: [Self; 16] = [
        Self::Rax,
        Self::Rcx,
        Self::Rdx,
        Self::Rbx,
        Self::Rsp,
        Self::Rbp,
        Self::Rsi,
        Self::Rdi,
        Self::R8,
        Self::R9,
        Self::R10,
        Self::R11,
        Self::R12,
        Self::R13,
        Self::R14,
        Self::R15,
    ];

    /// Registers that a function has to give back unchanged (System V ABI), without `rsp`.
    pub const CALLEE_SAVED: [Self; 6] =
        [Self::Rbx, Self::Rbp, Self::R12, Self::R13, Self::R14, Self::R15];

    /// The register with this DWARF number; 16 (the return address) and above are none.
    pub fn from_dwarf(number: u16) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }

    fn index(self) -> usize {
        usize::from(self as u8)
    }
}

/// Lowest address of the kernel's half of the address space.
pub(crate) const KERNEL_HALF: u64 = 1 << 63;

/// Where each general register lies in `struct pt_regs`, as index of its word.
const PT_REGS_ORDER: [(Register, usize); 16] = [
    (Register::R15, 0),
    (Register::R14, 1),
    (Register::R13, 2),
    (Register::R12, 3),
    (Register::Rbp, 4),
    (Register::Rbx, 5),
    (Register::R11, 6),
    (Register::R10, 7),
    (Register::R9, 8),
    (Register::R8, 9),
    (Register::Rax, 10),
    (Register::Rcx, 11),
    (Register::Rdx, 12),
    (Register::Rsi, 13),
    (Register::Rdi, 14),
    (Register::Rsp, 19),
];
const ORIG_RAX: usize = 15;
const RIP: usize = 16;
const CS: usize = 17;
const FLAGS: usize = 18;
const SS: usize = 20;

/// The registers of one frame; `None` is a register nobody saved.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Registers {
    general: [Option<u64>; 16],
    /// Program counter: the interrupted instruction or a return address, see [`crate::Pc`].
    pub rip: u64,
    /// Code segment; its two low bits are the privilege level. Known from exception frames only.
    pub cs: Option<u64>,
    /// `rflags`. Known from exception frames only.
    pub flags: Option<u64>,
    /// Stack segment. Known from exception frames only.
    pub ss: Option<u64>,
    /// `orig_rax`: system call number, error code or vector. Known from exception frames only.
    pub orig_rax: Option<u64>,
}

impl Registers {
    /// Only the program counter and the stack pointer.
    pub fn at(rip: u64, rsp: u64) -> Self {
        let mut registers = Self { rip, ..Self::default() };
        registers.set(Register::Rsp, Some(rsp));
        registers
    }

    /// From the words of a full `struct pt_regs`, in the kernel's order (r15 first, ss last).
    pub fn from_pt_regs(words: &[u64; PT_REGS_WORDS]) -> Self {
        let mut registers = Self {
            rip: words[RIP],
            cs: Some(words[CS]),
            flags: Some(words[FLAGS]),
            ss: Some(words[SS]),
            orig_rax: Some(words[ORIG_RAX]),
            ..Self::default()
        };
        for (register, word) in PT_REGS_ORDER {
            registers.set(register, words.get(word).copied());
        }
        registers
    }

    /// Takes those that a call may change from a `struct pt_regs` of which `word` gives the words by
    /// their index.
    pub(crate) fn set_scratch(&mut self, word: impl Fn(u64) -> Option<u64>) {
        for (register, index) in PT_REGS_ORDER {
            if !Register::CALLEE_SAVED.contains(&register) && register != Register::Rsp {
                self.set(register, word(index as u64));
            }
        }
        self.orig_rax = word(ORIG_RAX as u64);
    }

    /// The value of a register, if it is known.
    #[expect(clippy::indexing_slicing, reason = "there are sixteen registers")]
    pub fn get(&self, register: Register) -> Option<u64> {
        self.general[register.index()]
    }

    /// Sets or forgets a register.
    #[expect(clippy::indexing_slicing, reason = "there are sixteen registers")]
    pub fn set(&mut self, register: Register, value: Option<u64>) {
        self.general[register.index()] = value;
    }

    /// Whether they were saved while user code ran. Unknown `cs` counts as kernel.
    pub fn is_user(&self) -> bool {
        // Only the selector's privilege level: with FRED (6.9 and later) the bits above the
        // selector hold event data.
        self.cs.is_some_and(|cs| cs & 3 != 0)
    }
}
