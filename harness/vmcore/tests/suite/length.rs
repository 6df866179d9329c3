// SPDX-License-Identifier: MIT OR Apache-2.0
//! The true length of a dump on a raw disk.

use synth::{Elf, Kdump, Packing, Page, flatten};
use vmcore::{Error, Foreign, Vmcore, true_length};

use crate::sample::{assert_holds, memory, notes};

/// A disk with the file at its start and something else behind it.
fn disk(file: &[u8], behind: u8) -> Vec<u8> {
    let mut disk = file.to_vec();
    disk.resize(file.len() + 100_000, behind);
    disk
}

#[test]
fn dump_on_a_larger_disk_is_cut_to_its_length() {
    let mut files = Packing::ALL.map(|packing| Kdump::new(packing).write(&memory())).to_vec();
    let erase_info = b"erase symbol".to_vec();
    files.push(Kdump { erase_info, notes: notes(), ..Kdump::default() }.write(&memory()));
    files.push(Kdump { split: Some((8, 2048)), ..Kdump::default() }.write(&memory()));
    files.push(Elf { notes: notes(), ..Elf::of(&memory(), 0) }.write());
    files.push(Elf { extended_numbering: true, ..Elf::of(&memory(), 0) }.write());
    files.push(flatten(&Kdump::default().write(&memory()), 3000));
    for file in files {
        for behind in [0, 0xff] {
            let length = true_length(&disk(&file, behind)).unwrap();
            assert_eq!(length, file.len() as u64);
        }
    }
}

/// The disk is a dump like any other: what lies behind the dump changes nothing.
#[test]
fn disk_can_be_read_without_cutting_it() {
    let file = Kdump { notes: notes(), ..Kdump::default() }.write(&memory());
    assert_holds(&disk(&file, 0xff), &memory());
}

#[test]
fn unfinished_dump_has_a_length_too() {
    let mut memory = memory();
    memory.set(4100, Page::Unwritten);
    let file = Kdump { incomplete: true, ..Kdump::default() }.write(&memory);
    assert_eq!(true_length(&disk(&file, 0)).unwrap(), file.len() as u64);
}

#[test]
fn dump_that_does_not_fit_on_the_disk() {
    let kdump = Kdump::default().write(&memory());
    let elf = Elf::of(&memory(), 0).write();
    let flat = flatten(&kdump, 3000);
    for file in [kdump, elf, flat] {
        let error = true_length(&&file[..file.len() - 1]).unwrap_err();
        assert!(matches!(error, Error::Cut { .. }), "{error}");
        assert!(Vmcore::open(&&file[..file.len() - 1]).is_ok());
    }
}

#[test]
fn empty_disk_is_no_dump() {
    let error = true_length(&vec![0_u8; 8192]).unwrap_err();
    assert_eq!(error, Error::Foreign(Foreign::Zeros));
}

/// QEMU ends its ELF dumps with the section of section names.
#[test]
fn sections_behind_the_memory_count() {
    let mut file = Elf::of(&memory(), 0).write();
    let table = file.len();
    file.resize(table + 128, 0);
    let names = b"\0.shstrtab\0";
    let mut put = |at: usize, value: u64| file[at..at + 8].copy_from_slice(&value.to_le_bytes());
    put(40, table as u64);
    put(60, 2);
    // sh_type SHT_STRTAB, sh_offset, sh_size of the second section.
    put(table + 64 + 4, 3);
    put(table + 64 + 24, table as u64 + 128);
    put(table + 64 + 32, names.len() as u64);
    file.extend(names);
    assert_eq!(true_length(&disk(&file, 0xff)).unwrap(), file.len() as u64);
}
