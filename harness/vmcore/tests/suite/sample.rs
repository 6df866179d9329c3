// SPDX-License-Identifier: MIT OR Apache-2.0
//! A small machine's memory, and the comparison of a dump with it.

use std::fmt;

use synth::{Memory, PAGE, Page};
use vmcore::{Absent, Lost, PhysAddr, ReadAt, Vmcore};

/// Pages of every sort, on both sides of places where a bitmap's bytes, words and strides of
/// counted bits end.
pub(crate) fn memory() -> Memory {
    let mut memory = Memory::new();
    for pfn in [1, 7, 8, 9, 63, 64, 2046, 2047, 2048, 2049, 4100] {
        memory.set(pfn, Page::Kept(Memory::telling_page(pfn)));
    }
    for pfn in [11, 2050] {
        memory.set(pfn, Page::Kept(vec![0; PAGE]));
    }
    for pfn in [12, 4096] {
        memory.set(pfn, Page::Kept(Memory::noisy_page(pfn)));
    }
    for pfn in [2, 13, 65, 2051, 4097, 4101] {
        memory.set(pfn, Page::Excluded);
    }
    memory
}

/// Fewer pages, for tests that try every damage.
pub(crate) fn small_memory() -> Memory {
    let mut memory = Memory::new();
    memory.set(1, Page::Kept(Memory::telling_page(1)));
    memory.set(2, Page::Kept(vec![0; PAGE]));
    memory.set(3, Page::Excluded);
    memory.set(6, Page::Kept(Memory::telling_page(6)));
    memory
}

/// VMCOREINFO of [`notes`].
pub(crate) const VMCOREINFO: &str = "OSRELEASE=6.1.0-synth\nPAGESIZE=4096\nKERNELOFFSET=24c00000\n";

/// Two CPUs and VMCOREINFO.
pub(crate) fn notes() -> Vec<u8> {
    let mut notes = synth::notes::prstatus(95, &[7; 27]);
    notes.extend(synth::notes::prstatus(0, &[9; 27]));
    notes.extend(synth::notes::vmcoreinfo(VMCOREINFO));
    notes
}

/// How a page looks to a reader, with what tells dumps apart left out.
#[derive(PartialEq, Eq)]
pub(crate) enum Seen {
    Bytes(Vec<u8>),
    Excluded,
    NotWritten,
    Lost,
    NotRam,
}

/// Short, because a page is 4096 numbers.
impl fmt::Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(f, "bytes {:02x?}…", bytes.get(..16).unwrap_or(bytes)),
            Self::Excluded => f.write_str("excluded"),
            Self::NotWritten => f.write_str("not written"),
            Self::Lost => f.write_str("lost"),
            Self::NotRam => f.write_str("no memory"),
        }
    }
}

/// Reads a whole page.
pub(crate) fn see(vmcore: &Vmcore<'_>, pfn: u64) -> Seen {
    let address = PhysAddr(pfn * 4096);
    let mut page = vec![0; PAGE];
    match vmcore.read_physical(address, &mut page) {
        Ok(()) => Seen::Bytes(page),
        Err(absent) => {
            assert_eq!(absent.address(), address);
            match absent {
                Absent::Excluded { .. } => Seen::Excluded,
                Absent::Lost { why: Lost::NotWritten, .. } => Seen::NotWritten,
                Absent::Lost { .. } => Seen::Lost,
                Absent::NotRam { .. } => Seen::NotRam,
            }
        }
    }
}

/// What a reader of a sound dump has to see.
pub(crate) fn truth(memory: &Memory, pfn: u64) -> Seen {
    match memory.pages.get(&pfn) {
        Some(Page::Kept(bytes)) => Seen::Bytes(bytes.clone()),
        Some(Page::Excluded) => Seen::Excluded,
        Some(Page::Unwritten) => Seen::NotWritten,
        None => Seen::NotRam,
    }
}

/// Opens a dump without problems and compares all of it with the memory it was written from.
pub(crate) fn assert_holds(file: &dyn ReadAt, memory: &Memory) {
    let vmcore = Vmcore::open(file).expect("a sound dump opens");
    assert_eq!(vmcore.problems(), []);
    assert!(vmcore.info().complete);
    assert_pages(&vmcore, memory);
}

/// Compares every page with the memory, and a few past its end.
pub(crate) fn assert_pages(vmcore: &Vmcore<'_>, memory: &Memory) {
    for pfn in 0..memory.max_pfn() + 3 {
        assert_eq!(see(vmcore, pfn), truth(memory, pfn), "page {pfn}");
    }
    // From the end to the start too, so that no page depends on what the cache holds.
    for pfn in (0..memory.max_pfn()).rev() {
        assert_eq!(see(vmcore, pfn), truth(memory, pfn), "page {pfn}");
    }
}
