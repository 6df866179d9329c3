// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is at an address, in words.

use analyzer::identify::{AddressRegion, identify};
use analyzer::machine::Machine;

use crate::slabs::{ALL, DIRECT, Generation, OBJECTS, machine};
use crate::world::{KERNEL_MAP, World, with_kernel};

fn words(world: &World, address: u64) -> String {
    let mut words = String::new();
    with_kernel(world, |kernel| words = identify(&Machine::new(kernel), address).to_string());
    words
}

#[test]
fn each_kind_of_value_has_its_words() {
    let mut world = machine(Generation::New, [200, 96, 0, 0]);
    world.symbol("table", KERNEL_MAP + 0x1c0_0000);
    for (value, expected) in [
        (0, "NULL"),
        (0x18, "NULL + 0x18"),
        (u64::MAX - 11, "error code -12 (-ENOMEM) taken for a pointer"),
        (0x6b6b_6b6b_6b6b_6b73, "poison: contents of a freed slab object (POISON_FREE), + 0x8"),
        (0xdead_0000_0000_0122, "poison: prev of a deleted list entry (LIST_POISON2)"),
        (0x0123_0000_0000_0000, "non-canonical address: nothing can be there"),
        (u64::from_le_bytes(*b"/bin/sh\0"), "text \"/bin/sh\", no address"),
        (OBJECTS + 0x110, "slab object of things (200 bytes), allocated, 0x10 bytes in"),
    ] {
        assert_eq!(words(&world, value), expected);
    }
    assert!(words(&world, KERNEL_MAP + 0x1c0_0004).starts_with("table+0x4/"));
}

#[test]
fn parts_of_the_address_space() {
    for generation in ALL {
        let world = machine(generation, [200, 96, 0, 0]);
        with_kernel(&world, |kernel| {
            let machine = Machine::new(kernel);
            let region = |address| identify(&machine, address).region;
            assert_eq!(region(DIRECT + 0x1234), AddressRegion::DirectMap);
            assert_eq!(region(0xffff_ea00_0008_0000), AddressRegion::PageArray);
            assert_eq!(region(0xffff_c900_0000_0000), AddressRegion::Vmalloc);
            assert_eq!(region(0xffff_fe00_0000_1000), AddressRegion::EntryArea);
            assert_eq!(region(0xffff_ffff_ff57_8000), AddressRegion::Fixmap);
            assert_eq!(region(0x7fff_0000_0000), AddressRegion::User);
            assert_eq!(region(KERNEL_MAP + 0x10), AddressRegion::Image);
            let entry = identify(&machine, 0xffff_ea00_0008_0010);
            assert_eq!(entry.page_entry, Some(0x2000));
        });
    }
}
