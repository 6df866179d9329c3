// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a file says about its identity: the build-id note and `.modinfo`.

use object::LittleEndian as LE;
use object::elf;
use object::read::elf::NoteIterator;

use crate::elf::Elf;

/// Descriptor of the GNU build-id note: `.notes` of a kernel, `.note.gnu.build-id` of a module.
pub(crate) fn build_id(elf: &Elf<'_>) -> Option<Vec<u8>> {
    elf.sections.iter().filter(|section| section.kind == elf::SHT_NOTE).find_map(|section| {
        let mut notes = NoteIterator::<elf::FileHeader64<LE>>::new(LE, 4, section.data).ok()?;
        while let Ok(Some(note)) = notes.next() {
            if note.name() == elf::ELF_NOTE_GNU && note.n_type(LE) == elf::NT_GNU_BUILD_ID {
                return Some(note.desc().to_vec());
            }
        }
        None
    })
}

/// First value of a key in `.modinfo`: strings `key=value`, each ended by a zero byte.
pub(crate) fn modinfo<'d>(elf: &Elf<'d>, key: &str) -> Option<&'d str> {
    let (_, section) = elf.section(".modinfo")?;
    section.data.split(|&byte| byte == 0).find_map(|entry| {
        let value = entry.strip_prefix(key.as_bytes())?.strip_prefix(b"=")?;
        std::str::from_utf8(value).ok()
    })
}

/// Name in `.gnu_debuglink`: up to the first zero byte; a checksum of the file follows.
pub(crate) fn debug_link<'d>(elf: &Elf<'d>) -> Option<&'d str> {
    let (_, section) = elf.section(".gnu_debuglink")?;
    let name = section.data.split(|&byte| byte == 0).next()?;
    std::str::from_utf8(name).ok().filter(|name| !name.is_empty() && !name.contains('/'))
}
