// SPDX-License-Identifier: MIT OR Apache-2.0
//! Page tables written by hand (Intel SDM volume 3, chapter 4) and walked by the kernel view.

use std::cell::RefCell;
use std::collections::BTreeMap;

use kernel::VirtualMemory;
use kernel::paging::{Format, PhysicalMemory};
use kernel::space::{AddressSpace, Layout};
use kernel::{Level, Unreadable};
use vmcore::{Absent, PhysAddr};

const PRESENT: u64 = 1;
const WRITABLE: u64 = 2;
const LARGE: u64 = 1 << 7;
const PROT_NONE: u64 = 1 << 8;
const NO_EXECUTE: u64 = 1 << 63;

/// Memory of pages that were written; others are left out of the dump.
#[derive(Default)]
struct Ram {
    words: RefCell<BTreeMap<u64, u64>>,
    pages: RefCell<BTreeMap<u64, ()>>,
    next_table: RefCell<u64>,
    end_pfn: Option<u64>,
}

impl Ram {
    fn new() -> Self {
        let ram = Self { end_pfn: Some(1 << 24), ..Self::default() };
        *ram.next_table.borrow_mut() = 0x10_0000;
        ram
    }

    fn table(&self) -> u64 {
        let mut next = self.next_table.borrow_mut();
        let table = *next;
        *next += 4096;
        self.pages.borrow_mut().insert(table, ());
        table
    }

    fn put(&self, physical: u64, value: u64) {
        self.pages.borrow_mut().insert(physical & !0xfff, ());
        self.words.borrow_mut().insert(physical, value);
    }

    fn get(&self, physical: u64) -> u64 {
        self.words.borrow().get(&physical).copied().unwrap_or(0)
    }

    /// Writes the entry that `shift` chooses for `address`, with the tables above it.
    fn map(&self, root: u64, top: u32, address: u64, shift: u32, entry: u64) {
        let mut table = root;
        let mut at = top;
        loop {
            let slot = table + (address >> at & 0x1ff) * 8;
            if at == shift {
                return self.put(slot, entry);
            }
            if self.get(slot) == 0 {
                self.put(slot, self.table() | PRESENT | WRITABLE);
            }
            table = self.get(slot) & !0xfff;
            at -= 9;
        }
    }
}

impl PhysicalMemory for Ram {
    fn read(&self, address: PhysAddr, buf: &mut [u8]) -> Result<(), Absent> {
        for (byte, at) in buf.iter_mut().zip(address.0..) {
            if !self.pages.borrow().contains_key(&(at & !0xfff)) {
                return Err(Absent::NotRam { address: PhysAddr(at) });
            }
            *byte = self.get(at & !7).to_le_bytes()[usize::try_from(at & 7).expect("below eight")];
        }
        Ok(())
    }

    fn end_pfn(&self) -> Option<u64> {
        self.end_pfn
    }
}

const FOUR: Format = Format { five_levels: false, encryption_mask: 0 };
const FIVE: Format = Format { five_levels: true, encryption_mask: 0 };

fn walk(ram: &Ram, format: Format, root: u64, address: u64) -> Result<(u64, u64), Unreadable> {
    let mapping = format.walk(ram, PhysAddr(root), address)?;
    Ok((mapping.physical.0, mapping.page_bytes()))
}

#[test]
fn pages_of_each_size_with_four_and_five_levels() {
    for (format, top, address) in
        [(FOUR, 39, 0xffff_9d63_8765_4321_u64), (FIVE, 48, 0xff3a_edc8_fe66_a0c1_u64)]
    {
        for (shift, frame) in [(12, 0x1_2345_6000_u64), (21, 0x1_2340_0000), (30, 0x1_4000_0000)] {
            let ram = Ram::new();
            let root = ram.table();
            let large = if shift == 12 { 0 } else { LARGE };
            ram.map(root, top, address, shift, frame | large | PRESENT);
            let offset = address & ((1 << shift) - 1);
            assert_eq!(walk(&ram, format, root, address), Ok((frame + offset, 1 << shift)));
        }
    }
}

#[test]
fn pat_bit_of_a_large_page_is_no_address_bit() {
    let ram = Ram::new();
    let root = ram.table();
    let address = 0xffff_8880_0020_0010;
    ram.map(root, 39, address, 21, 0x4000_0000 | 1 << 12 | LARGE | PRESENT);
    assert_eq!(walk(&ram, FOUR, root, address), Ok((0x4000_0010, 2 << 20)));
}

#[test]
fn rights_are_those_that_all_levels_allow() {
    let ram = Ram::new();
    let root = ram.table();
    let address = 0xffff_ffff_8100_0000;
    ram.map(root, 39, address, 12, 0x5000 | PRESENT | WRITABLE | NO_EXECUTE);
    let mapping = FOUR.walk(&ram, PhysAddr(root), address).unwrap();
    assert!(mapping.writable && !mapping.executable && !mapping.user);
    // The same with a table that forbids writing.
    let slot = root + (address >> 39 & 0x1ff) * 8;
    ram.put(slot, ram.get(slot) & !WRITABLE);
    assert!(!FOUR.walk(&ram, PhysAddr(root), address).unwrap().writable);
}

#[test]
fn an_entry_that_is_not_present_is_told_with_its_level() {
    let address = 0xff11_0000_0000_1000;
    let levels = [(48, Level::Pgd), (39, Level::P4d), (30, Level::Pud), (21, Level::Pmd)];
    for (shift, level) in levels.into_iter().chain([(12, Level::Pte)]) {
        let ram = Ram::new();
        let root = ram.table();
        ram.map(root, 48, address, shift, 0xa840);
        let expected = Unreadable::NotMapped { address, level, entry: 0xa840 };
        assert_eq!(walk(&ram, FIVE, root, address), Err(expected));
    }
}

#[test]
fn a_table_whose_page_is_missing_is_told_with_its_level() {
    let ram = Ram::new();
    let root = ram.table();
    let address = 0xffff_8880_0000_0000;
    ram.map(root, 39, address, 30, 0x7777_0000 | PRESENT);
    let error = walk(&ram, FOUR, root, address).unwrap_err();
    assert!(matches!(error, Unreadable::TableAbsent { level: Level::Pmd, .. }), "{error}");
}

#[test]
fn a_large_page_above_1_gib_is_damage() {
    let ram = Ram::new();
    let root = ram.table();
    let address = 0xffff_8880_0000_0000;
    ram.map(root, 39, address, 39, 0x8000_0000 | LARGE | PRESENT);
    let error = walk(&ram, FOUR, root, address).unwrap_err();
    assert!(matches!(error, Unreadable::Damaged { level: Level::P4d, .. }), "{error}");
}

/// The fix for L1TF stores the address of a page without access (`mprotect(PROT_NONE)`) inverted.
#[test]
fn l1tf_inverted_addresses_and_older_plain_ones() {
    let ram = Ram::new();
    let root = ram.table();
    let mask = 0x000f_ffff_ffff_f000_u64;
    let (new, old) = (0x7f00_0000_1000, 0x7f00_0000_2000);
    ram.map(root, 39, new, 12, (!0x1234_5000_u64 & mask) | PROT_NONE);
    ram.map(root, 39, old, 12, 0x1234_6000 | PROT_NONE);
    assert_eq!(walk(&ram, FOUR, root, new), Ok((0x1234_5000, 4096)));
    assert_eq!(walk(&ram, FOUR, root, old), Ok((0x1234_6000, 4096)));
}

/// With SME each entry has the C-bit (47 on the first EPYC) set.
#[test]
fn the_encryption_bit_is_no_address_bit() {
    let ram = Ram::new();
    let root = ram.table();
    let address = 0xffff_8880_0000_3008;
    ram.map(root, 39, address, 12, 0x9000 | PRESENT | 1 << 47);
    let format = Format { encryption_mask: 1 << 47, ..FOUR };
    assert_eq!(walk(&ram, format, root, address), Ok((0x9008, 4096)));
}

#[test]
fn canonical_means_48_or_57_bits() {
    assert!(!FOUR.is_canonical(0xdead_0000_0000_0100));
    assert!(!FOUR.is_canonical(0x0000_8000_0000_0000));
    assert!(FOUR.is_canonical(0xffff_8000_0000_0000));
    assert!(FIVE.is_canonical(0x0000_8000_0000_0000));
    assert!(FIVE.is_canonical(0xff00_0000_0000_0000));
    assert!(!FIVE.is_canonical(0xfe00_0000_0000_0000));
}

/// A kernel whose image is at physical 0x300_0000 and whose table is at its start.
fn kernel(ram: &Ram) -> Layout {
    let root = ram.table();
    Layout {
        phys_base: 0x10_0000 - 0x100_0000,
        image_size: 1 << 30,
        root: Some(0xffff_ffff_8100_0000 + root - 0x10_0000),
        format: FOUR,
    }
}

#[test]
fn the_address_space_tells_kinds_of_addresses_apart() {
    let ram = Ram::new();
    let layout = kernel(&ram);
    ram.map(0x10_0000, 39, 0xffff_c900_0000_0000, 12, 0x6000 | PRESENT);
    let space = AddressSpace::new(&ram, layout);
    let words = |address| space.read_u64(address).unwrap_err().to_string();
    assert_eq!(words(0x18), "0x0000000000000018: user-space address");
    assert_eq!(words(0xdead_0000_0000_0100), "0xdead000000000100: non-canonical address");
    assert_eq!(words(0xffff_c900_0000_1000), "0xffffc90000001000: not mapped (PTE entry is 0x0)");
    assert_eq!(words(0xffff_c900_0000_0008), "0xffffc90000000008: there is no memory at 0x6008");
}

#[test]
fn reads_cross_pages_that_lie_apart_and_repeat_from_the_cache() {
    let ram = Ram::new();
    let layout = kernel(&ram);
    let first = 0xffff_c900_0000_0000_u64;
    ram.map(0x10_0000, 39, first, 12, 0x9000 | PRESENT);
    ram.map(0x10_0000, 39, first + 4096, 12, 0x6000 | PRESENT);
    ram.put(0x9ff8, 0x1111_1111_1111_1111);
    ram.put(0x6000, 0x2222_2222_2222_2222);
    let space = AddressSpace::new(&ram, layout);
    for _ in 0..2 {
        assert_eq!(space.read_u64(first + 4092), Ok(0x2222_2222_1111_1111));
    }
}

/// The page at the top of the address space is mapped; what follows it is address 0.
#[test]
fn a_read_over_the_end_of_the_address_space_stops_there() {
    let ram = Ram::new();
    let layout = kernel(&ram);
    ram.map(0x10_0000, 39, 0xffff_ffff_ffff_f000, 12, 0x9000 | PRESENT);
    ram.put(0x9ff8, 7);
    let space = AddressSpace::new(&ram, layout);
    assert_eq!(space.read_u64(0xffff_ffff_ffff_fff8), Ok(7));
    assert_eq!(space.read_u64(0xffff_ffff_ffff_fffc), Err(Unreadable::User { address: 0 }));
}

#[test]
fn the_direct_map_is_found_behind_other_mappings() {
    let ram = Ram::new();
    let layout = kernel(&ram);
    // What the kernel keeps below the direct map (the LDT of a process, with PTI).
    ram.map(0x10_0000, 39, 0xffff_8800_0000_0000, 12, 0x9000 | PRESENT);
    let base = 0xffff_9d63_8000_0000_u64;
    for gib in 0..2_u64 {
        let entry = gib << 30 | LARGE | PRESENT;
        ram.map(0x10_0000, 39, base + (gib << 30), 30, entry);
    }
    let space = AddressSpace::new(&ram, layout);
    assert_eq!(space.direct_map().map(|map| map.base), Some(base));
}

#[test]
fn without_tables_in_the_dump_the_image_is_still_found() {
    let ram = Ram::new();
    let mut layout = kernel(&ram);
    layout.root = Some(0xffff_ffff_8800_0000);
    ram.put(0x10_0010, 0x1234);
    let space = AddressSpace::new(&ram, layout);
    assert_eq!(space.read_u64(0xffff_ffff_8100_0010), Ok(0x1234));
}
