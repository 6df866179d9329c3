// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is particular to ELF vmcores.

use synth::{Elf, Memory, Segment};
use vmcore::{Absent, LoadSegment, PhysAddr, Problem, VirtAddr, Vmcore};

use crate::sample::{Seen, assert_holds, memory, notes, see};

/// More than 65534 segments do not fit in the ELF header.
#[test]
fn number_of_segments_in_the_first_section_header() {
    let elf = Elf { extended_numbering: true, notes: notes(), ..Elf::of(&memory(), 0) };
    assert_holds(&elf.write(), &memory());
}

/// `/proc/vmcore` has the kernel's text in a segment of its own and in that of the RAM it lies
/// in; a text segment of which the file holds less must not hide what the other one holds.
#[test]
fn kernel_text_is_in_two_segments() {
    let text: Vec<u8> = [3, 4, 5].into_iter().flat_map(Memory::telling_page).collect();
    let ram: Vec<u8> = (1..=8).flat_map(Memory::telling_page).collect();
    let ram =
        Segment { virt: 0xffff_8880_0000_1000, phys: 0x1000, size: ram.len() as u64, stored: ram };
    for stored in [text.clone(), text[..4096].to_vec(), Vec::new()] {
        let text = Segment { virt: 0xffff_ffff_8100_0000, phys: 0x3000, size: 0x3000, stored };
        for segments in [[text.clone(), ram.clone()], [ram.clone(), text.clone()]] {
            let file =
                Elf { segments: segments.to_vec(), notes: notes(), ..Elf::default() }.write();
            let vmcore = Vmcore::open(&file).unwrap();
            for pfn in 1..=8 {
                assert_eq!(see(&vmcore, pfn), Seen::Bytes(Memory::telling_page(pfn)), "page {pfn}");
            }
            assert_eq!(vmcore.memory_bytes(), 8 * 4096);
            let expected = segments.map(|segment| LoadSegment {
                virt: VirtAddr(segment.virt),
                phys: PhysAddr(segment.phys),
                size: segment.size,
            });
            assert_eq!(vmcore.load_segments(), expected);
        }
    }
}

/// The first megabyte ends at 0x9ec00 on some machines, in the middle of a page.
#[test]
fn segment_that_ends_inside_a_page() {
    let page = Memory::telling_page(0x9e);
    let segment = Segment { virt: 0, phys: 0x9e000, size: 0xc00, stored: page[..0xc00].to_vec() };
    let file = Elf { segments: vec![segment], notes: notes(), ..Elf::default() }.write();
    let vmcore = Vmcore::open(&file).unwrap();
    let mut bytes = [0; 0x100];
    vmcore.read_physical(PhysAddr(0x9eb00), &mut bytes).unwrap();
    assert_eq!(bytes[..], page[0xb00..0xc00]);
    let absent = vmcore.read_physical(PhysAddr(0x9eb01), &mut bytes).unwrap_err();
    assert_eq!(absent, Absent::NotRam { address: PhysAddr(0x9ec00) });
}

#[test]
fn segments_without_a_sensible_address_are_named_and_skipped() {
    let good = Segment { virt: 0, phys: 0x1000, size: 4096, stored: Memory::telling_page(1) };
    let nowhere = Segment { phys: u64::MAX, ..good.clone() };
    let wraps = Segment { phys: u64::MAX - 4095, size: 8192, ..good.clone() };
    let segments = vec![nowhere, good, wraps];
    let file = Elf { segments, notes: notes(), ..Elf::default() }.write();
    let vmcore = Vmcore::open(&file).unwrap();
    // The program header with the notes is number 0.
    let bad = [Problem::BadSegment { index: 1 }, Problem::BadSegment { index: 3 }];
    assert_eq!(vmcore.problems(), bad);
    assert_eq!(see(&vmcore, 1), Seen::Bytes(Memory::telling_page(1)));
}
