// SPDX-License-Identifier: MIT OR Apache-2.0
//! Memory that is not in the dump: which kind of absence, in which words, and from which byte on.

use synth::{Elf, Kdump, Memory, Packing, Page};
use vmcore::{Absent, Lost, PhysAddr, Problem, Vmcore};

use crate::sample::{assert_pages, memory, notes};

fn read(vmcore: &Vmcore<'_>, address: u64, length: usize) -> Result<Vec<u8>, Absent> {
    let mut bytes = vec![0; length];
    vmcore.read_physical(PhysAddr(address), &mut bytes).map(|()| bytes)
}

#[test]
fn reads_cross_pages_and_stop_at_the_first_absent_byte() {
    let kdump = Kdump::new(Packing::Lzo).write(&memory());
    let elf = Elf::of(&memory(), 0).write();
    for file in [kdump, elf] {
        let vmcore = Vmcore::open(&file).unwrap();
        let expected: Vec<u8> = [7, 8, 9].into_iter().flat_map(Memory::telling_page).collect();
        assert_eq!(read(&vmcore, 0x7ffc, 8).unwrap(), expected[0xffc..0x1004]);
        assert_eq!(read(&vmcore, 0x7000, 0x3000).unwrap(), expected);
        assert_eq!(read(&vmcore, 0x7123, 0x2456).unwrap(), expected[0x123..0x123 + 0x2456]);
        assert_eq!(read(&vmcore, 0x7123, 0).unwrap(), []);
        // Page 10 is no memory, page 13 was excluded.
        let absent = read(&vmcore, 0x9ff0, 0x20).unwrap_err();
        assert_eq!(absent, Absent::NotRam { address: PhysAddr(0xa000) });
        let absent = read(&vmcore, 0xcff8, 16).unwrap_err();
        assert_eq!(absent.address(), PhysAddr(0xd000));
        assert!(matches!(absent, Absent::Excluded { .. }), "{absent}");
    }
}

#[test]
fn end_of_the_address_space_is_no_memory() {
    let kdump = Kdump::new(Packing::Lzo).write(&memory());
    let elf = Elf::of(&memory(), 0).write();
    for file in [kdump, elf] {
        let vmcore = Vmcore::open(&file).unwrap();
        for (address, length) in [(u64::MAX, 1), (u64::MAX - 3, 8), (1 << 52, 8), (u64::MAX, 8192)]
        {
            let absent = read(&vmcore, address, length).unwrap_err();
            assert!(matches!(absent, Absent::NotRam { .. }), "{absent}");
        }
    }
}

#[test]
fn each_absence_has_its_words() {
    let mut memory = Memory::new();
    memory.set(1, Page::Excluded);
    memory.set(2, Page::Unwritten);
    memory.set(4, Page::Kept(Memory::telling_page(4)));
    let kdump = Kdump { dump_level: 17, ..Kdump::new(Packing::Lzo) }.write(&memory);
    let vmcore = Vmcore::open(&kdump).unwrap();
    let words = |address| read(&vmcore, address, 8).unwrap_err().to_string();
    assert_eq!(
        words(0x1010),
        "physical memory at 0x1010 was left out of the dump (dump level 17 leaves out zero, free pages)"
    );
    assert_eq!(
        words(0x2020),
        "physical memory at 0x2020 is lost: the dump was not written to its end"
    );
    assert_eq!(words(0x3030), "there is no memory at 0x3030");
    let mut cut = kdump.clone();
    cut.truncate(kdump.len() - 1);
    let vmcore = Vmcore::open(&cut).unwrap();
    let words = read(&vmcore, 0x4000, 8).unwrap_err().to_string();
    assert!(words.starts_with("physical memory at 0x4000 is lost: the file was cut ("), "{words}");
}

/// A writer that runs out of space leaves the descriptors of the rest empty and says so in the
/// header.
#[test]
fn incomplete_kdump() {
    let mut memory = memory();
    for pfn in [2047, 2048, 4096, 4100] {
        memory.set(pfn, Page::Unwritten);
    }
    let kdump = Kdump { incomplete: true, notes: notes(), ..Kdump::new(Packing::Lzo) };
    let file = kdump.write(&memory);
    let vmcore = Vmcore::open(&file).unwrap();
    assert_eq!(vmcore.problems(), [Problem::MarkedIncomplete]);
    assert!(!vmcore.info().complete);
    assert_pages(&vmcore, &memory);
}

/// An incomplete ELF vmcore has its last program headers zeroed, so that memory without a
/// segment may be memory that was not written.
#[test]
fn incomplete_elf() {
    let mut elf = Elf { incomplete: true, notes: notes(), ..Elf::of(&memory(), 0) };
    for segment in elf.segments.iter_mut().skip(2) {
        *segment = synth::Segment { virt: 0, phys: 0, stored: Vec::new(), size: 0 };
    }
    let file = elf.write();
    let vmcore = Vmcore::open(&file).unwrap();
    assert_eq!(vmcore.problems(), [Problem::MarkedIncomplete]);
    assert_eq!(vmcore.load_segments().len(), 2);
    assert_eq!(read(&vmcore, 0x1000, 16).unwrap(), Memory::telling_page(1)[..16]);
    let absent = read(&vmcore, 0x3f000, 16).unwrap_err();
    assert_eq!(absent, Absent::Lost { address: PhysAddr(0x3f000), why: Lost::NotWritten });
}

/// `makedumpfile -d 1` leaves out pages of zeros and nothing else; what is left out is known then.
#[test]
fn what_level_1_leaves_out_is_zeros() {
    let at_level = |dump_level| Kdump { dump_level, ..Kdump::default() }.write(&memory());
    let file = at_level(1);
    let vmcore = Vmcore::open(&file).unwrap();
    let expected = [Memory::noisy_page(12)[4088..].to_vec(), vec![0; 8]].concat();
    assert_eq!(read(&vmcore, 0xcff8, 16).unwrap(), expected);
    let absent = read(&vmcore, 0xa000, 8).unwrap_err();
    assert_eq!(absent, Absent::NotRam { address: PhysAddr(0xa000) });
    let file = at_level(3);
    let absent = read(&Vmcore::open(&file).unwrap(), 0xd000, 8).unwrap_err();
    assert!(matches!(absent, Absent::Excluded { .. }), "{absent}");
}
