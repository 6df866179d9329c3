// SPDX-License-Identifier: MIT OR Apache-2.0
//! A kernel whose image lies lower in physical memory than KASLR put it in virtual memory, so that
//! `phys_base` is negative.

use kernel::{Kernel, VirtualMemory};
use synth::{Elf, Kdump, Memory, Segment, notes};
use vmcore::{PhysAddr, Vmcore};

/// Where the kernel's text is by KASLR, virtual and physical.
const TEXT: u64 = 0xffff_ffff_9c00_0000;
const TEXT_PHYSICAL: u64 = 0x220_0000;
/// `TEXT_PHYSICAL` less the distance of `TEXT` from `__START_KERNEL_map`: what the kernel prints as
/// a signed decimal number.
const PHYS_BASE: i64 = -434_110_464;
/// Something in the text.
const WORD: u64 = 0x1122_3344_5566_7788;

/// The image, and its top page table in it, of which nothing is filled in: the arithmetic alone has
/// to do.
fn memory() -> Memory {
    let mut memory = Memory::new();
    memory.write(TEXT_PHYSICAL, &[0x90; 4096]);
    memory.write_u64(TEXT_PHYSICAL + 0x123, WORD);
    memory
}

/// VMCOREINFO with a line of `phys_base` or without one.
fn info(line: &str) -> String {
    format!("OSRELEASE=6.1.0\nSYMBOL(_stext)={TEXT:x}\nKERNELOFFSET=1b000000\n{line}")
}

fn assert_translates(file: &[u8]) {
    let vmcore = Vmcore::open(&file).expect("a dump");
    assert_eq!(vmcore.phys_base(), Some(PHYS_BASE));
    let kernel = Kernel::open(&vmcore, None).expect("VMCOREINFO");
    assert_eq!(kernel.space().layout().phys_base, PHYS_BASE);
    assert_eq!(kernel.space().physical(TEXT + 0x123), Ok(PhysAddr(TEXT_PHYSICAL + 0x123)));
    assert_eq!(kernel.read_u64(TEXT + 0x123), Ok(WORD));
}

#[test]
fn phys_base_of_vmcoreinfo() {
    let line = format!("NUMBER(phys_base)={PHYS_BASE}\n");
    let notes = notes::vmcoreinfo(&info(&line));
    assert_translates(&Elf { notes: notes.clone(), ..Elf::of(&memory(), 0) }.write());
    // It counts, whatever the sub-header has.
    let vmcoreinfo = info(&line);
    let kdump = Kdump { notes, vmcoreinfo, phys_base: 0x1000, ..Kdump::default() };
    assert_translates(&kdump.write(&memory()));
}

/// Kernels before 4.10 do not print it.
#[test]
fn phys_base_of_the_sub_header() {
    let vmcoreinfo = info("");
    let kdump = Kdump { vmcoreinfo, phys_base: PHYS_BASE, ..Kdump::default() };
    assert_translates(&kdump.write(&memory()));
}

/// kexec-tools give `/proc/vmcore` a segment for the text with both of its addresses.
#[test]
fn phys_base_of_the_segment_of_the_text() {
    let mut elf =
        Elf { notes: notes::vmcoreinfo(&info("")), ..Elf::of(&memory(), 0xffff_8880 << 32) };
    let ram = elf.segments.first().unwrap().clone();
    let text = Segment { virt: TEXT, phys: TEXT_PHYSICAL, ..ram };
    elf.segments.push(text);
    assert_translates(&elf.write());
}
