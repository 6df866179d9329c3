// SPDX-License-Identifier: MIT OR Apache-2.0
//! Registers as an `NT_PRSTATUS` note holds them.

use crate::le;

/// Offset of `pr_pid` in `struct elf_prstatus` on x86-64.
const PR_PID: usize = 32;
/// Offset of `pr_reg`.
const PR_REG: usize = 112;

/// A CPU's registers in the order of x86-64's `struct pt_regs`, and the two segment bases that
/// follow them in `struct user_regs_struct` (`arch/x86/include/asm/user_64.h`, all versions).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is the register of its name")]
pub struct PtRegs {
    pub r15: u64,
    pub r14: u64,
    pub r13: u64,
    pub r12: u64,
    pub bp: u64,
    pub bx: u64,
    pub r11: u64,
    pub r10: u64,
    pub r9: u64,
    pub r8: u64,
    pub ax: u64,
    pub cx: u64,
    pub dx: u64,
    pub si: u64,
    pub di: u64,
    pub orig_ax: u64,
    pub ip: u64,
    pub cs: u64,
    pub flags: u64,
    pub sp: u64,
    pub ss: u64,
    pub fs_base: u64,
    pub gs_base: u64,
}

impl PtRegs {
    /// The registers in the content of an `NT_PRSTATUS` note, `None` if it is too short for
    /// x86-64's `struct elf_prstatus` (`include/linux/elfcore.h`).
    #[must_use]
    pub fn from_prstatus(content: &[u8]) -> Option<Self> {
        let at = |index: usize| le::u64(content, PR_REG + 8 * index);
        Some(Self {
            r15: at(0)?,
            r14: at(1)?,
            r13: at(2)?,
            r12: at(3)?,
            bp: at(4)?,
            bx: at(5)?,
            r11: at(6)?,
            r10: at(7)?,
            r9: at(8)?,
            r8: at(9)?,
            ax: at(10)?,
            cx: at(11)?,
            dx: at(12)?,
            si: at(13)?,
            di: at(14)?,
            orig_ax: at(15)?,
            ip: at(16)?,
            cs: at(17)?,
            flags: at(18)?,
            sp: at(19)?,
            ss: at(20)?,
            fs_base: at(21)?,
            gs_base: at(22)?,
        })
    }
}

/// The pid in the content of an `NT_PRSTATUS` note.
pub(crate) fn prstatus_pid(content: &[u8]) -> Option<i32> {
    le::i32(content, PR_PID)
}
