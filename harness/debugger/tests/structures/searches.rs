// SPDX-License-Identifier: MIT OR Apache-2.0
//! `search` in a kernel with an image, a direct map and a vmalloc area.

use crate::world::{KERNEL_MAP, Kind, World, said, say};

/// Where the image and all memory are mapped, and a vmalloc area of one page and its guard.
const IMAGE: u64 = KERNEL_MAP + 0x100_0000;
pub(crate) const DIRECT: u64 = 0xffff_8880_0000_0000;
pub(crate) const VMALLOC: u64 = 0xffff_c900_0000_0000;
/// Physical addresses: the tables, memory that only the direct map has, and the area's page.
pub(crate) const ROOT: u64 = 0x1a0_0000;
const OTHER: u64 = 0x140_0000;
pub(crate) const PAGE_OF_AREA: u64 = 0x150_0000;
/// What is searched for.
const NEEDLE: u64 = 0x0123_4567_89ab_cdef;

pub(crate) fn world() -> World {
    let mut world = World::new();
    world.symbol("_text", IMAGE);
    world.symbol("_end", IMAGE + 0x20_0000);
    world.put_u64(IMAGE + 0x108, NEEDLE);
    world.memory.write_u64(OTHER + 0x10, NEEDLE);
    world.memory.write_u64(PAGE_OF_AREA + 0x20, NEEDLE);
    tables(&mut world);
    area(&mut world);
    world
}

/// Tables of four levels: two pages of 1 GiB, and one of 4 KiB for the area.
fn tables(world: &mut World) {
    say(world, &format!("SYMBOL(init_top_pgt)={:x}", KERNEL_MAP + ROOT));
    world.memory.write(ROOT, &[0; 6 * 4096]);
    let table = |number: u64| ROOT + number * 4096;
    for (at, entry) in [
        (table(0) + 273 * 8, table(1) | 3),
        (table(0) + 402 * 8, table(2) | 3),
        (table(0) + 511 * 8, table(5) | 3),
        (table(1), 0x83),
        (table(2), table(3) | 3),
        (table(3), table(4) | 3),
        (table(4), PAGE_OF_AREA | 3),
        (table(5) + 510 * 8, 0x83),
    ] {
        world.memory.write_u64(at, entry);
    }
}

fn area(world: &mut World) {
    const HEAD: u64 = IMAGE + 0x1000;
    const AREA: u64 = IMAGE + 0x1100;
    let word = Kind::Number(8);
    world.structure("list_head", 16, &[("next", 0, word), ("prev", 8, word)]);
    let members = [
        ("va_start", 0, word),
        ("va_end", 8, word),
        ("list", 16, Kind::One("list_head")),
        ("vm", 32, word),
    ];
    world.structure("vmap_area", 40, &members);
    world.symbol("vmap_area_list", HEAD);
    world.ring(&[HEAD, AREA + 16]);
    for (at, value) in [(0, VMALLOC), (8, VMALLOC + 0x2000), (32, 0)] {
        world.put_u64(AREA + at, value);
    }
}

/// Addresses that were found.
fn places(line: &str) -> Vec<u64> {
    let text = said(&world(), line);
    let address = |line: &str| u64::from_str_radix(line.split_once(": ")?.0, 16).ok();
    text.lines().filter_map(address).collect()
}

#[test]
fn all_of_the_kernels_memory_is_searched_and_each_place_told_once() {
    let all = [DIRECT + OTHER + 0x10, VMALLOC + 0x20, IMAGE + 0x108];
    assert_eq!(places("search 123456789abcdef"), all);
    assert_eq!(places("search -k 123456789abcdef"), all);
    assert_eq!(places("search -k -m ff 123456789abcd00"), all);
}

#[test]
fn a_search_begins_and_ends_where_that_is_typed() {
    assert_eq!(
        places("search -s ffffc90000000000 123456789abcdef"),
        [VMALLOC + 0x20, IMAGE + 0x108]
    );
    // Without what is mapped for itself, the direct map is where its memory is.
    let aliases = [IMAGE + 0x108 - KERNEL_MAP, OTHER + 0x10, PAGE_OF_AREA + 0x20];
    let aliases = aliases.map(|physical| DIRECT + physical);
    assert_eq!(places("search -e ffffc90000000000 123456789abcdef"), aliases);
    assert_eq!(places("search -s ffffc90000000000 -l 40 123456789abcdef"), [VMALLOC + 0x20]);
    assert!(places("search -s _text -e _text+0x108 123456789abcdef").is_empty());
    assert_eq!(places("search -s _text -e _text+0x110 123456789abcdef"), [IMAGE + 0x108]);
    let nothing = said(&world(), "search -s ffffc90000001000 -e ffffc90100000000 1");
    assert_eq!(nothing, "(nothing is mapped there)\n");
    let user = said(&world(), "search -s 1000 -l 8 1");
    assert!(user.contains("an address of user space"), "{user}");
    assert_eq!(said(&world(), "search -s _end -e _text 1"), "search: the range is empty\n");
}

#[test]
fn what_could_not_be_searched_is_said_where_nothing_is_found() {
    let found = said(&world(), "search 7777777777777777");
    assert!(found.starts_with("(not found)\n"), "{found}");
    let mut bare = World::new();
    bare.symbol("_text", IMAGE);
    bare.symbol("_end", IMAGE + 0x1000);
    bare.put_u64(IMAGE, NEEDLE);
    let found = said(&bare, "search 7777777777777777");
    assert!(found.starts_with("(not found; not searched: vmalloc areas ("), "{found}");
    assert!(found.contains("all other memory (where it is mapped is not known)"), "{found}");
}
