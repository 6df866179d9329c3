// SPDX-License-Identifier: MIT OR Apache-2.0
//! VMCOREINFO that is only in the dump's memory.

use kernel::{FoundInfo, Kernel, find_info};
use synth::{Elf, Memory, notes};
use vmcore::{PhysAddr, Problem, Vmcore};

/// Where the kernel's text is, virtual and physical, and its top page table behind it.
const TEXT: u64 = 0xffff_ffff_8100_0000;
const TEXT_PHYSICAL: u64 = 0x100_0000;
const ROOT: u64 = 0x1a0_0000;
/// Where all memory is mapped.
const DIRECT_MAP: u64 = 0xffff_8880_0000_0000;
/// Present, writable, large.
const LARGE: u64 = 0x83;
/// Present, writable.
const TABLE: u64 = 3;

fn text(extra: &str) -> String {
    format!(
        "OSRELEASE=6.1.0\nSYMBOL(_stext)={TEXT:x}\nSYMBOL(swapper_pg_dir)=ffffffff81a00000\n\
         NUMBER(phys_base)=0\nKERNELOFFSET=0\n{extra}"
    )
}

/// A machine whose tables map the kernel's image and the first 256 GiB.
fn machine() -> Memory {
    machine_with(0)
}

/// The same with a bit that each entry of the tables has besides.
fn machine_with(bit: u64) -> Memory {
    let mut memory = Memory::new();
    memory.write(TEXT_PHYSICAL, &[0x90; 8192]);
    let (upper, middle, direct) = (ROOT + 0x1000, ROOT + 0x2000, ROOT + 0x3000);
    memory.write_u64(ROOT + 8 * 511, upper | bit | TABLE);
    memory.write_u64(upper + 8 * 510, middle | bit | TABLE);
    memory.write_u64(middle + 8 * 8, TEXT_PHYSICAL | bit | LARGE);
    memory.write_u64(middle + 8 * 13, ROOT | bit | LARGE);
    memory.write_u64(ROOT + 8 * 273, direct | bit | TABLE);
    for gigabyte in 0..256 {
        memory.write_u64(direct + 8 * gigabyte, (gigabyte << 30) | bit | LARGE);
    }
    memory
}

/// The dump as QEMU writes it, of a CPU that was in user mode: CR3 is the second of the two tables
/// that page table isolation has.
fn dump(memory: &Memory) -> Vec<u8> {
    dump_with(memory, 0)
}

/// The same with a bit that CR3 has besides.
fn dump_with(memory: &Memory, bit: u64) -> Vec<u8> {
    let cr = [0x8005_0033, 0, 0, ROOT | bit | 0x1000, 0x6f0];
    let notes = [notes::prstatus(1, &[0; 27]), notes::qemu_cpu(cr, 0, 0)].concat();
    Elf { notes, ..Elf::of(memory, 0) }.write()
}

fn found(file: &[u8]) -> Option<FoundInfo> {
    find_info(&Vmcore::open(&file).expect("a dump"))
}

fn at(address: u64, text: &str) -> Option<FoundInfo> {
    Some(FoundInfo { address: PhysAddr(address), text: text.as_bytes().to_vec() })
}

/// Since 4.13 the note has a page of its own; in a large machine it may be anywhere.
#[test]
fn note_in_a_page_of_its_own_is_found_by_the_pointer_in_the_image() {
    let (far, text) = (0x30_1234_5000, text(""));
    let mut memory = machine();
    memory.write(far, &notes::vmcoreinfo(&text));
    memory.write_u64(TEXT_PHYSICAL + 0x1008, DIRECT_MAP + far);
    assert_eq!(found(&dump(&memory)), at(far, &text));
}

/// With SME or SEV all entries and CR3 have the C-bit: 47 on EPYC of Zen 1 and 2, 51 since.
#[test]
fn the_encryption_bit_of_cr3_is_that_of_the_tables() {
    for bit in [47, 51] {
        let text = text(&format!("NUMBER(sme_mask)={}\n", 1_u64 << bit));
        let mut memory = machine_with(1 << bit);
        memory.write(0x30_1234_5000, &notes::vmcoreinfo(&text));
        memory.write_u64(TEXT_PHYSICAL + 0x1008, DIRECT_MAP + 0x30_1234_5000);
        let file = dump_with(&memory, 1 << bit);
        assert_eq!(found(&file), at(0x30_1234_5000, &text));
        let mut vmcore = Vmcore::open(&file).unwrap();
        vmcore.adopt_vmcoreinfo(PhysAddr(0x30_1234_5000), text.as_bytes());
        let kernel = Kernel::open(&vmcore, None).unwrap();
        let physical = |address| kernel.space().mapping(address).map(|there| there.physical.0);
        assert_eq!(physical(TEXT + 0x1008), Ok(TEXT_PHYSICAL + 0x1008));
        assert_eq!(physical(DIRECT_MAP + 0x30_1234_5000), Ok(0x30_1234_5000));
        assert_eq!(kernel.space().direct_map().map(|map| map.base), Some(DIRECT_MAP));
    }
}

/// To 4.12 it is a variable of the kernel.
#[test]
fn note_inside_the_image_is_found() {
    let text = text("");
    let mut memory = machine();
    memory.write(TEXT_PHYSICAL + 0x1a34, &notes::vmcoreinfo(&text));
    assert_eq!(found(&dump(&memory)), at(TEXT_PHYSICAL + 0x1a34, &text));
}

#[test]
fn without_registers_all_memory_is_looked_through() {
    let text = text("");
    let mut memory = machine();
    memory.write(0x30_0000, &notes::vmcoreinfo(&text));
    let file = Elf::of(&memory, 0).write();
    assert_eq!(found(&file), at(0x30_0000, &text));
    let file = synth::Kdump::default().write(&memory);
    assert_eq!(found(&file), at(0x30_0000, &text));
}

/// A copy of another kernel's VMCOREINFO may lie in the page cache; a capture kernel has its own.
#[test]
fn a_note_counts_only_if_its_kernel_is_there_and_more_if_that_crashed() {
    let crashed = text("CRASHTIME=1700000000\n");
    let mut memory = machine();
    let elsewhere = text("").replace("phys_base)=0", "phys_base)=4096");
    memory.write(0x20_0000, &notes::vmcoreinfo(&elsewhere));
    assert_eq!(found(&Elf::of(&memory, 0).write()), None);
    memory.write(0x30_0000, &notes::vmcoreinfo(&text("")));
    memory.write(0x40_0000, &notes::vmcoreinfo(&crashed));
    assert_eq!(found(&Elf::of(&memory, 0).write()), at(0x40_0000, &crashed));
}

#[test]
fn notes_that_are_cut_or_too_long_are_none() {
    let mut memory = machine();
    // The last bytes of all memory.
    let note = notes::vmcoreinfo(&text(""));
    memory.write(0x1a0_3ff0, &note[..16]);
    let mut long = note;
    long[4..8].copy_from_slice(&0xffff_0000_u32.to_le_bytes());
    memory.write(0x30_0000, &long);
    assert_eq!(found(&dump(&memory)), None);
}

#[test]
fn a_dump_that_adopts_it_says_so_and_opens() {
    let text = text("");
    let mut memory = machine();
    memory.write(0x30_0000, &notes::vmcoreinfo(&text));
    let file = dump(&memory);
    let mut vmcore = Vmcore::open(&file).unwrap();
    assert!(Kernel::open(&vmcore, None).is_err());
    vmcore.adopt_vmcoreinfo(PhysAddr(0x30_0000), text.as_bytes());
    let problem = Problem::VmcoreinfoFound { address: PhysAddr(0x30_0000) };
    assert_eq!(vmcore.problems(), [problem]);
    let kernel = Kernel::open(&vmcore, None).unwrap();
    assert_eq!(kernel.info().os_release(), Some("6.1.0"));
}
