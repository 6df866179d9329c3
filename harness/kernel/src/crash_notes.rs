// SPDX-License-Identifier: MIT OR Apache-2.0
//! The registers that the kernel saved itself on its way to the capture kernel.
//!
//! `crash_save_cpu()` (`kernel/kexec_core.c`, before 4.3 `kernel/kexec.c`) writes an ELF note for
//! each CPU into the per-CPU buffer `crash_notes`. A dump that the capture kernel wrote has them as
//! its notes. A dump that QEMU wrote has the registers that the CPUs had when it was taken: after
//! the capture kernel started and failed (too little memory reserved, say) they are that kernel's,
//! and what the crashed one saved is the only trace of the fault's registers.

use vmcore::PtRegs;

use super::memory::VirtualMemory;
use super::{Kernel, Unavailable};

/// Bytes of an ELF note's header (`Elf64_Nhdr`).
const HEADER: usize = 12;
/// `NT_PRSTATUS`.
const PRSTATUS: u32 = 1;
/// Name of the note with its terminating zero, and the bytes it takes.
const NAME: &[u8] = b"CORE\0";
const NAME_ROOM: usize = 8;
/// Bytes of `struct elf_prstatus`.
const CONTENT: usize = 336;

impl Kernel<'_> {
    /// The registers that the kernel saved for `cpu`; none if it did not get that far.
    ///
    /// # Errors
    /// If the buffer cannot be found or read.
    pub fn saved_registers(&self, cpu: u32) -> Result<Option<PtRegs>, Unavailable> {
        let memory = |source| Unavailable::memory("crash_notes", source);
        let notes = self.read_u64(self.symbol("crash_notes")?).map_err(memory)?;
        if notes == 0 {
            return Ok(None);
        }
        let address = notes.wrapping_add(self.percpu_offset(cpu)?);
        let note = self.read_bytes(address, HEADER + NAME_ROOM + CONTENT).map_err(memory)?;
        Ok(registers(&note))
    }
}

/// The registers in a note; none if it is empty or another one.
fn registers(note: &[u8]) -> Option<PtRegs> {
    let word = |index: usize| {
        let bytes = note.get(4 * index..)?.first_chunk::<4>()?;
        Some(u32::from_le_bytes(*bytes))
    };
    let is_status = usize::try_from(word(0)?).ok()? == NAME.len()
        && usize::try_from(word(1)?).ok()? == CONTENT
        && word(2)? == PRSTATUS
        && note.get(HEADER..)?.starts_with(NAME);
    PtRegs::from_prstatus(note.get(HEADER + NAME_ROOM..)?).filter(|_| is_status)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A note as `append_elf_note()` writes it, its rip (the 17th of `pr_reg`) `rip`.
    fn note(rip: u64) -> Vec<u8> {
        let mut note = Vec::new();
        for word in [5_u32, 336, 1] {
            note.extend(word.to_le_bytes());
        }
        note.extend(b"CORE\0\0\0\0");
        note.extend([0; 336]);
        note[20 + 112 + 16 * 8..][..8].copy_from_slice(&rip.to_le_bytes());
        note
    }

    #[test]
    fn what_the_kernel_saved_is_read_back() {
        assert_eq!(registers(&note(0xffff_ffff_8100_0000)).unwrap().ip, 0xffff_ffff_8100_0000);
    }

    #[test]
    fn an_empty_a_foreign_and_a_cut_note_have_no_registers() {
        assert_eq!(registers(&[0; 356]), None);
        let mut foreign = note(1);
        foreign[8] = 2;
        assert_eq!(registers(&foreign), None);
        assert_eq!(registers(&note(1)[..300]), None);
        assert_eq!(registers(&[]), None);
    }
}
