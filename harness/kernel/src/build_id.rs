// SPDX-License-Identifier: MIT OR Apache-2.0
//! The build-id of the kernel, from its own notes in memory.
//!
//! VMCOREINFO has it since 5.9 only, and several stable kernels write a wrong one there. The section `.notes` lies
//! in the kernel's image in every version, from `__start_notes` to `__stop_notes`
//! (`include/asm-generic/vmlinux.lds.h`).

use super::memory::VirtualMemory;
use super::{Kernel, Unavailable};

/// Longest section that is read.
const MOST: u64 = 64 << 10;
/// Owner and type of the note (`NT_GNU_BUILD_ID` of elf.h).
const OWNER: &[u8] = b"GNU\0";
const TYPE: u32 = 3;

impl Kernel<'_> {
    /// The kernel's build-id. Needs no `vmlinux`.
    ///
    /// # Errors
    /// If neither the notes in memory nor VMCOREINFO have it.
    pub fn build_id(&self) -> Result<Vec<u8>, Unavailable> {
        self.noted_build_id().or_else(|why| self.info().build_id().ok_or(why))
    }

    fn noted_build_id(&self) -> Result<Vec<u8>, Unavailable> {
        let (start, end) = (self.symbol("__start_notes")?, self.symbol("__stop_notes")?);
        let none = || Unavailable::Damaged("the kernel's notes have no build-id".to_owned());
        let length = end.checked_sub(start).filter(|length| *length <= MOST).ok_or_else(none)?;
        let length = usize::try_from(length).map_err(|_| none())?;
        let notes = self
            .read_bytes(start, length)
            .map_err(|source| Unavailable::memory("the kernel's notes", source))?;
        find(&notes).map(<[u8]>::to_vec).ok_or_else(none)
    }
}

/// The build-id among notes, each of which is three words, a name and what it says, padded to words
/// (gABI, "Note Section").
fn find(mut notes: &[u8]) -> Option<&[u8]> {
    loop {
        let word = |at: usize| {
            let bytes = notes.get(at..)?.first_chunk()?;
            usize::try_from(u32::from_le_bytes(*bytes)).ok()
        };
        let (name, length, kind) = (word(0)?, word(4)?, word(8)?);
        let rest = notes.get(12..)?;
        let said = rest.get(name.checked_next_multiple_of(4)?..)?;
        let content = said.get(..length)?;
        if rest.get(..name)? == OWNER && u32::try_from(kind).ok()? == TYPE && length > 0 {
            return Some(content);
        }
        notes = said.get(length.checked_next_multiple_of(4)?..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(name: &[u8], kind: u32, content: &[u8]) -> Vec<u8> {
        let length = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap().to_le_bytes();
        let mut bytes = [length(name), length(content), kind.to_le_bytes()].concat();
        for part in [name, content] {
            bytes.extend(part);
            bytes.resize(bytes.len().next_multiple_of(4), 0);
        }
        bytes
    }

    #[test]
    fn the_build_id_is_found_behind_other_notes() {
        let notes = [
            note(b"Xen\0", 6, b"linux\0"),
            note(b"Linux\0", 0, &[0; 4]),
            note(b"GNU\0", 3, &[7; 20]),
            note(b"Xen\0", 3, b"x"),
        ];
        assert_eq!(find(&notes.concat()).unwrap(), [7; 20]);
        assert_eq!(find(&notes[..2].concat()), None);
        assert_eq!(find(&notes.concat()[..70]), None);
        assert_eq!(find(&[0xff; 64]), None);
    }
}
