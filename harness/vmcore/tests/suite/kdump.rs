// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is particular to kdump-compressed dumps.

use synth::{Kdump, Memory, Packing, Page};
use vmcore::{Absent, Lost, Pfn, PhysAddr, Vmcore};

use crate::sample::{Seen, VMCOREINFO, assert_holds, assert_pages, memory, notes, see, truth};

fn sound(version: i32) -> Kdump {
    let vmcoreinfo = VMCOREINFO.to_owned();
    Kdump { version, notes: notes(), vmcoreinfo, ..Kdump::default() }
}

#[test]
fn every_header_version_has_what_it_can_have() {
    for version in 1..=6 {
        let file = sound(version).write(&memory());
        let vmcore = Vmcore::open(&file).unwrap();
        assert_eq!(vmcore.info().header_version, Some(version.cast_unsigned()));
        assert_pages(&vmcore, &memory());
        let release = vmcore.vmcoreinfo().os_release();
        assert_eq!(release, (version >= 3).then_some("6.1.0-synth"), "version {version}");
        assert_eq!(vmcore.cpus().len(), if version >= 4 { 2 } else { 0 }, "version {version}");
    }
}

/// The notes may start right where an old version's sub-header ends: what lies there is not to
/// be taken for the fields of a later version.
#[test]
fn old_sub_headers_end_where_their_version_ends() {
    for (version, end) in [(1, 12), (2, 32), (3, 48), (4, 64), (5, 80)] {
        let kdump = Kdump { notes: Vec::new(), vmcoreinfo: String::new(), ..sound(version) };
        let mut file = kdump.write(&memory());
        file[4096 + end..4096 + 200].fill(0x77);
        let vmcore = Vmcore::open(&file).unwrap();
        assert_eq!(vmcore.info().split, None);
        assert_pages(&vmcore, &memory());
    }
}

/// makedumpfile puts VMCOREINFO among the notes and points at it from the sub-header; other
/// writers do only the first.
#[test]
fn vmcoreinfo_is_found_in_the_notes_too() {
    let file = Kdump { vmcoreinfo: String::new(), ..sound(6) }.write(&memory());
    let vmcore = Vmcore::open(&file).unwrap();
    assert_eq!(vmcore.vmcoreinfo().kaslr_offset(), Some(0x24c0_0000));
}

/// A dump that is not filtered may have a single bitmap: no page is excluded, those that are
/// not there are no memory.
#[test]
fn single_bitmap() {
    let mut memory = memory();
    memory.pages.retain(|_, page| *page != Page::Excluded);
    assert_holds(&Kdump { one_bitmap: true, ..sound(6) }.write(&memory), &memory);
}

/// Version 6 has a 64-bit number of pages because the 32-bit one overflows at 16 TiB.
#[test]
fn number_of_pages_past_32_bits_comes_from_the_sub_header() {
    let mut file = sound(6).write(&memory());
    file[440..444].fill(0xff);
    assert_holds(&file, &memory());
    let mut old = sound(5).write(&memory());
    old[440..444].copy_from_slice(&10_u32.to_le_bytes());
    assert_eq!(Vmcore::open(&old).unwrap().info().max_pfn, Pfn(10));
}

#[test]
fn larger_blocks() {
    let mut memory = Memory::new();
    let page = |pfn: u64| [Memory::telling_page(pfn), Memory::noisy_page(pfn)].concat();
    memory.set(3, Page::Kept(page(3)));
    memory.set(4, Page::Excluded);
    let file = Kdump { block_size: 8192, ..sound(6) }.write(&memory);
    let vmcore = Vmcore::open(&file).unwrap();
    assert_eq!(vmcore.info().page_size, 8192);
    let mut bytes = [0; 8192];
    vmcore.read_physical(PhysAddr(3 * 8192), &mut bytes).unwrap();
    assert_eq!(bytes[..], page(3));
}

/// One file of a set written by `makedumpfile --split`: its bitmap is that of the whole dump,
/// its descriptors start with its own first page.
#[test]
fn file_of_a_split_set() {
    let memory = memory();
    for (first, past) in [(0, 64), (8, 2048), (64, 4097), (4096, 5000)] {
        for version in [2, 6] {
            let file = Kdump { split: Some((first, past)), ..sound(version) }.write(&memory);
            let vmcore = Vmcore::open(&file).unwrap();
            assert_eq!(vmcore.info().split, Some(Pfn(first)..Pfn(past)));
            for pfn in 0..memory.max_pfn() {
                let here = (first..past).contains(&pfn);
                let expected = match truth(&memory, pfn) {
                    Seen::Bytes(_) if !here => Seen::Lost,
                    truth => truth,
                };
                assert_eq!(see(&vmcore, pfn), expected, "page {pfn} of {first}..{past}");
            }
        }
    }
    let file = Kdump { split: Some((64, 5000)), ..sound(6) }.write(&memory);
    let vmcore = Vmcore::open(&file).unwrap();
    let absent = vmcore.read_physical(PhysAddr(0x7000), &mut [0; 4]).unwrap_err();
    assert_eq!(
        absent,
        Absent::Lost { address: PhysAddr(0x7000), why: Lost::OtherFile { pfn: Pfn(7) } }
    );
}

#[test]
fn packing_of_each_page_is_its_own() {
    let mut memory = Memory::new();
    for pfn in 0..40 {
        let page = if pfn % 3 == 0 { Memory::noisy_page(pfn) } else { Memory::telling_page(pfn) };
        memory.set(pfn, Page::Kept(page));
    }
    for packing in Packing::ALL {
        let kdump = Kdump { packing, ..sound(6) };
        assert_holds(&kdump.write(&memory), &memory);
    }
}

/// The bitmaps fill whole blocks; what a writer leaves in the bits past the last page is no page.
#[test]
fn bits_past_the_last_page_do_not_count() {
    let kdump = sound(6);
    let mut file = kdump.write_parts(&memory());
    let half = (file.bitmaps.end - file.bitmaps.start) / 2;
    let last = usize::try_from(memory().max_pfn()).unwrap();
    for bitmap in [file.bitmaps.start, file.bitmaps.start + half] {
        file.bytes[bitmap + last / 8] |= 0xff << (last % 8);
        file.bytes[bitmap + last / 8 + 1..bitmap + half].fill(0xff);
    }
    assert_holds(&file.bytes, &memory());
    let vmcore = Vmcore::open(&file.bytes).unwrap();
    assert_eq!((vmcore.memory_bytes(), vmcore.dumped_bytes()), (21 * 4096, 15 * 4096));
    assert_eq!(vmcore::true_length(&file.bytes).unwrap(), file.bytes.len() as u64);
}
