// SPDX-License-Identifier: MIT OR Apache-2.0
//! Random damage: whatever the bytes, the readers return.

use proptest::prelude::*;
use synth::{Elf, Kdump, Memory, Packing, Page, flatten};
use vmcore::Vmcore;

use crate::exercise::exercise;
use crate::sample::{VMCOREINFO, assert_pages, notes, small_memory};

/// One sound dump of each sort.
fn sound() -> Vec<Vec<u8>> {
    let memory = small_memory();
    let mut files = Vec::new();
    for packing in Packing::ALL {
        let vmcoreinfo = VMCOREINFO.to_owned();
        let kdump = Kdump { notes: notes(), vmcoreinfo, ..Kdump::new(packing) };
        files.push(kdump.write(&memory));
    }
    files.push(Kdump { split: Some((2, 6)), ..Kdump::default() }.write(&memory));
    files.push(Elf { notes: notes(), ..Elf::of(&memory, 0) }.write());
    files.push(Elf { extended_numbering: true, ..Elf::of(&memory, 0) }.write());
    let flat: Vec<Vec<u8>> = files.iter().map(|file| flatten(file, 2000)).collect();
    files.extend(flat);
    files
}

/// Bytes where headers are, which damage has to hit more often than chance would.
fn place(length: usize) -> impl Strategy<Value = usize> {
    prop_oneof![0..600_usize, 4096..4400_usize, 8192..8400_usize, 0..length]
        .prop_map(move |at| at.min(length - 1))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2048) })]

    #[test]
    fn damaged_bytes_never_panic(
        (file, damage, length) in prop::sample::select(sound()).prop_flat_map(|file| {
            let length = file.len();
            let damage = prop::collection::vec((place(length), any::<u8>()), 1..12);
            (Just(file), damage, length / 2..=length)
        })
    ) {
        let mut file = file;
        for (at, byte) in damage {
            file[at] = byte;
        }
        file.truncate(length);
        exercise(&file);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(48) })]

    #[test]
    fn any_memory_comes_back(
        pages in prop::collection::btree_map(0..2500_u64, 0..4_u8, 0..24),
        packing in prop::sample::select(Packing::ALL.to_vec()),
        chunk in 500..9000_usize,
    ) {
        let mut memory = Memory::new();
        for (pfn, kind) in pages {
            memory.set(pfn, match kind {
                0 => Page::Excluded,
                1 => Page::Kept(vec![0; 4096]),
                2 => Page::Kept(Memory::noisy_page(pfn)),
                _ => Page::Kept(Memory::telling_page(pfn)),
            });
        }
        let kdump = Kdump::new(packing).write(&memory);
        for file in [Elf::of(&memory, 0).write(), flatten(&kdump, chunk), kdump] {
            assert_pages(&Vmcore::open(&file).unwrap(), &memory);
        }
    }
}
