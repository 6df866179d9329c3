// SPDX-License-Identifier: MIT OR Apache-2.0
//! Memory behind page tables that are not in the dump.

use kernel::{Around, Kernel, Unreadable, VirtualMemory as _};

use crate::world::{KERNEL_MAP, Kind, World, say, with_kernel};

/// The top page table, and the variables and structures that tell of the mappings.
const ROOT: u64 = KERNEL_MAP + 0x1a0_0000;
const BASES: u64 = KERNEL_MAP + 0x120_0000;
const AREA: u64 = KERNEL_MAP + 0x121_0000;
const WORD: u64 = KERNEL_MAP + 0x160_0120;
/// Where all memory, an area and the array of `struct page` are mapped, the first two by tables that are lost.
const DIRECT: u64 = 0xffff_8880_0000_0000;
const VMALLOC: u64 = 0xffff_c900_0000_0000;
const PAGES: u64 = 0xffff_ea00_0000_0000;
const LOST: u64 = 0x300_0003;

fn world() -> World {
    let mut world = World::new();
    say(&mut world, &format!("SYMBOL(init_top_pgt)={ROOT:x}"));
    world.put(ROOT, &[0; 2 * 4096]);
    world.put_u64(ROOT + 8 * 511, (ROOT - KERNEL_MAP + 0x1000) | 3);
    // The image, by a page of 1 GiB.
    world.put_u64(ROOT + 0x1000 + 8 * 510, 0x83);
    world.put_u64(ROOT + 8 * 273, LOST);
    world.put_u64(ROOT + 8 * 402, LOST);
    world.put_u64(WORD, 0x1234_5678);
    world
}

fn with_bases(world: &mut World) {
    for (at, (name, base)) in
        [("page_offset_base", DIRECT), ("vmemmap_base", PAGES)].iter().enumerate()
    {
        let place = BASES + 8 * at as u64;
        world.symbol(name, place);
        world.put_u64(place, *base);
    }
}

/// An area of two pages, the second of which is that of [`WORD`].
fn with_area(world: &mut World) {
    let word = Kind::Number(8);
    world.structure("rb_node", 24, &[("rb_right", 8, word), ("rb_left", 16, word)]);
    let members = [
        ("va_start", 0, word),
        ("va_end", 8, word),
        ("rb_node", 16, Kind::One("rb_node")),
        ("vm", 40, word),
    ];
    world.structure("vmap_area", 64, &members);
    let members =
        ["addr", "size", "flags", "pages", "nr_pages", "caller"].iter().zip((8_u32..).step_by(8));
    let members: Vec<(&str, u32, Kind)> = members.map(|(name, at)| (*name, at, word)).collect();
    world.structure("vm_struct", 64, &members);
    world.structure("page", 64, &[("flags", 0, word)]);
    world.symbol("vmap_area_root", AREA);
    let in_map = |address: u64| address - KERNEL_MAP + DIRECT;
    let frame = (WORD - KERNEL_MAP) / 4096;
    let words = [
        (AREA, in_map(AREA + 0x100 + 16)),
        (AREA + 0x100, VMALLOC),
        (AREA + 0x108, VMALLOC + 0x3000),
        (AREA + 0x118, 0),
        (AREA + 0x120, 0),
        (AREA + 0x128, in_map(AREA + 0x200)),
        (AREA + 0x208, VMALLOC),
        (AREA + 0x210, 0x3000),
        (AREA + 0x218, 2),
        (AREA + 0x220, in_map(AREA + 0x300)),
        (AREA + 0x228, 2),
        (AREA + 0x230, 0),
        (AREA + 0x300, PAGES + 64 * (frame - 1)),
        (AREA + 0x308, PAGES + 64 * frame),
    ];
    for (at, value) in words {
        world.put_u64(at, value);
    }
}

fn read(kernel: &Kernel<'_>, address: u64) -> Result<u64, Unreadable> {
    kernel.read_u64(address)
}

#[test]
fn all_memory_is_found_by_where_the_kernel_says_that_it_is_mapped() {
    let mut world = world();
    with_bases(&mut world);
    with_kernel(&world, |kernel| {
        assert_eq!(kernel.read_around(), Around::default());
        assert_eq!(read(kernel, WORD), Ok(0x1234_5678));
        assert_eq!(kernel.read_around(), Around::default(), "the tables have it");
        assert_eq!(read(kernel, WORD - KERNEL_MAP + DIRECT), Ok(0x1234_5678));
        assert_eq!(kernel.read_around(), Around { direct_map: true, areas: false });
        // Behind the end of memory.
        assert!(read(kernel, DIRECT + (1 << 40)).is_err());
    });
}

#[test]
fn a_page_of_an_area_is_found_by_the_list_of_its_pages() {
    let mut world = world();
    with_bases(&mut world);
    with_area(&mut world);
    with_kernel(&world, |kernel| {
        assert_eq!(read(kernel, VMALLOC + 0x1120), Ok(0x1234_5678));
        assert_eq!(kernel.read_around(), Around { direct_map: true, areas: true });
        // The guard page, and what is in no area.
        assert!(read(kernel, VMALLOC + 0x2000).is_err());
        assert!(read(kernel, VMALLOC + 0x8000).is_err());
    });
}

#[test]
fn what_nothing_tells_stays_unreadable_and_says_which_table_is_missing() {
    with_kernel(&world(), |kernel| {
        for address in [WORD - KERNEL_MAP + DIRECT, VMALLOC + 0x1120] {
            let error = read(kernel, address).expect_err("nothing tells where it is");
            assert!(matches!(error, Unreadable::TableAbsent { .. }), "{error}");
        }
    });
}
