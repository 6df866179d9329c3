// SPDX-License-Identifier: MIT OR Apache-2.0
//! Large machines: what opening and reading costs does not grow with their memory, but for one
//! bitmap, which has a bit for each page.

use std::cell::Cell;

use synth::{Elf, Kdump, Memory, Page, ram};
use vmcore::{PhysAddr, Ram, RamRange, ReadAt, ReadError, Vmcore};

use crate::sample::{VMCOREINFO, notes};

/// A file that counts the bytes read from it.
struct Counted {
    bytes: Vec<u8>,
    read: Cell<u64>,
}

impl Counted {
    fn new(bytes: Vec<u8>) -> Self {
        Self { bytes, read: Cell::new(0) }
    }
}

impl ReadAt for Counted {
    fn len(&self) -> u64 {
        ReadAt::len(&self.bytes)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), ReadError> {
        self.read.set(self.read.get() + buffer.len() as u64);
        self.bytes.read_at(offset, buffer)
    }
}

/// A machine of so many GiB with a page at its end and every 1000th page left out.
fn machine(gibibytes: u64) -> Memory {
    let mut memory = Memory::new();
    let pages = gibibytes << 18;
    for pfn in (0..pages).step_by(1000) {
        memory.set(pfn, Page::Excluded);
    }
    for pfn in [1, pages / 2 + 1, pages - 1] {
        memory.set(pfn, Page::Kept(Memory::telling_page(pfn)));
    }
    memory
}

/// Bytes read to open a dump and to read the three pages of its machine.
fn cost(file: &Counted, gibibytes: u64) -> u64 {
    let vmcore = Vmcore::open(file).expect("a dump");
    let pages = gibibytes << 18;
    for pfn in [1, pages / 2 + 1, pages - 1] {
        let mut page = vec![0; 4096];
        vmcore.read_physical(PhysAddr(pfn * 4096), &mut page).expect("a page of the dump");
        assert_eq!(page, Memory::telling_page(pfn));
    }
    file.read.get()
}

#[test]
fn compressed_dump_of_64_gib_costs_its_bitmap() {
    let cost = |gibibytes| {
        let vmcoreinfo = VMCOREINFO.to_owned();
        let kdump = Kdump { notes: notes(), vmcoreinfo, ..Kdump::default() };
        cost(&Counted::new(kdump.write(&machine(gibibytes))), gibibytes)
    };
    // A bit for each of 2^24 pages is 2 MiB.
    let (small, large) = (cost(1), cost(64));
    assert!(large < small + (2 << 20) + 4096, "{small} bytes for 1 GiB, {large} for 64 GiB");
}

#[test]
fn elf_dump_of_64_gib_costs_its_program_headers() {
    let cost = |gibibytes| {
        let memory = machine(gibibytes);
        let elf = Elf { notes: notes(), extended_numbering: true, ..Elf::of(&memory, 0) };
        let headers = 56 * elf.segments.len() as u64;
        cost(&Counted::new(elf.write()), gibibytes) - headers
    };
    assert_eq!(cost(1), cost(64));
}

#[test]
fn raw_ram_costs_what_is_read() {
    let memory = machine(1);
    let (bytes, _) = ram(&memory, &[(0, 1 << 24)]);
    let file = Counted::new(bytes);
    let whole = RamRange { start: PhysAddr(0), size: 1 << 24, offset: 0 };
    let ram = Ram { ranges: vec![whole], ..Ram::default() };
    let vmcore = Vmcore::from_ram(&file, &ram).unwrap();
    vmcore.read_physical(PhysAddr(0x1010), &mut [0; 24]).unwrap();
    assert_eq!(file.read.get(), 24);
}
