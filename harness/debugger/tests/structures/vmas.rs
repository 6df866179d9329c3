// SPDX-License-Identifier: MIT OR Apache-2.0
//! Mappings of a process, as a list (to 6.0) and as a maple tree (6.1 and later); vmalloc areas.

use crate::world::{KERNEL_MAP, Kind, World, with_kernel};

const DATA: u64 = KERNEL_MAP + 0x180_0000;
const MM: u64 = DATA;
const VMAS: u64 = DATA + 0x1000;
const NODES: u64 = DATA + 0x8000;

/// Mappings of `count` pages each 0x3000 bytes apart, with a hole behind each.
fn world(more: &[(&str, u32, Kind)], count: u64) -> World {
    let mut world = World::new();
    let number = Kind::Number(8);
    world.structure("maple_tree", 16, &[("ma_root", 8, number)]);
    let members: Vec<_> = [("mmap", 0, number)].into_iter().chain(more.iter().copied()).collect();
    let members = if more.is_empty() { members } else { more.to_vec() };
    world.structure("mm_struct", 64, &members);
    world.structure(
        "vm_area_struct",
        64,
        &[
            ("vm_start", 0, number),
            ("vm_end", 8, number),
            ("vm_next", 16, number),
            ("vm_flags", 24, number),
            ("vm_file", 32, number),
            ("vm_pgoff", 40, number),
        ],
    );
    world.put(MM, &[0; 64]);
    for index in 0..count {
        let at = VMAS + index * 64;
        world.put(at, &[0; 64]);
        world.put_u64(at, start(index));
        world.put_u64(at + 8, start(index) + 0x2000);
        world.put_u64(at + 24, 5);
        let next = if index + 1 < count { at + 64 } else { 0 };
        world.put_u64(at + 16, next);
    }
    world
}

fn start(index: u64) -> u64 {
    0x40_0000 + index * 0x3000
}

fn starts(world: &World) -> (Vec<u64>, Vec<String>) {
    let mut found = (Vec::new(), Vec::new());
    with_kernel(world, |kernel| {
        let all = kernel.vmas(MM).expect("a layout");
        found.0 = all.items.iter().map(|vma| vma.start).collect();
        found.1 = all.damage.iter().map(ToString::to_string).collect();
    });
    found
}

fn expected(count: u64) -> Vec<u64> {
    (0..count).map(start).collect()
}

#[test]
fn mappings_of_a_list() {
    let mut world = world(&[], 5);
    world.put_u64(MM, VMAS);
    assert_eq!(starts(&world), (expected(5), vec![]));
    with_kernel(&world, |kernel| {
        let found = kernel.vma_at(MM, start(2) + 0x1fff).expect("a layout").expect("a mapping");
        assert_eq!((found.start, found.rights().as_str()), (start(2), "r-xp"));
        assert_eq!(kernel.vma_at(MM, start(2) + 0x2000), Ok(None));
    });
    // The last one leads back to the second.
    world.put_u64(VMAS + 4 * 64 + 16, VMAS + 64);
    let (found, damage) = starts(&world);
    assert_eq!((found, damage.len()), (expected(5), 1));
}

/// Writes a node and its pointer: ranges end with the pivots; the last slot has none.
fn node(world: &mut World, number: u64, kind: u64, slots: &[u64], pivots: &[u64]) -> u64 {
    let (first, pivot) = if kind == 3 { (80, 8) } else { (128, 8) };
    let at = NODES + number * 256;
    world.put(at, &[0; 256]);
    for (index, slot) in (0_u64..).zip(slots) {
        world.put_u64(at + first + index * 8, *slot);
    }
    for (index, end) in (0_u64..).zip(pivots) {
        world.put_u64(at + pivot + index * 8, *end);
    }
    at | kind << 3 | 4 | 2
}

/// Arrays of words in the node: 15 pivots and 16 slots in a leaf, 9 and 10 above.
fn maple(count: u64) -> World {
    let mut world = world(&[("mm_mt", 16, Kind::One("maple_tree"))], count);
    world.structure("pointer", 8, &[("value", 0, Kind::Number(8))]);
    let words = |count| Kind::Many("pointer", count);
    world.structure("maple_range_64", 256, &[("pivot", 8, words(15)), ("slot", 128, words(16))]);
    world.structure("maple_arange_64", 256, &[("pivot", 8, words(9)), ("slot", 80, words(10))]);
    world
}

/// Slots and pivots of a leaf: before each mapping a hole.
fn leaf(range: std::ops::Range<u64>, end: u64) -> (Vec<u64>, Vec<u64>) {
    let (mut slots, mut pivots) = (Vec::new(), Vec::new());
    for index in range {
        slots.extend([0, VMAS + index * 64]);
        pivots.extend([start(index) - 1, start(index) + 0x1fff]);
    }
    slots.push(0);
    pivots.push(end);
    (slots, pivots)
}

#[test]
fn mappings_of_a_maple_tree() {
    let mut world = maple(9);
    let (low, high) = (leaf(0..5, start(5) - 0x1000), leaf(5..9, u64::MAX));
    let first = node(&mut world, 1, 1, &low.0, &low.1);
    let second = node(&mut world, 2, 1, &high.0, &high.1);
    let root = node(&mut world, 0, 3, &[first, second], &[start(5) - 0x1000, u64::MAX]);
    world.put_u64(MM + 24, root);
    assert_eq!(starts(&world), (expected(9), vec![]));
    // A node that leads to itself ends, and is told.
    let root = node(&mut world, 0, 3, &[root, second], &[start(5) - 0x1000, u64::MAX]);
    world.put_u64(MM + 24, root);
    let (found, damage) = starts(&world);
    assert_eq!((found.len(), damage.len()), (4, 1));
}

#[test]
fn an_empty_tree_and_one_of_a_single_entry() {
    let mut world = maple(1);
    assert_eq!(starts(&world), (vec![], vec![]));
    world.put_u64(MM + 24, VMAS);
    assert_eq!(starts(&world), (expected(1), vec![]));
}

/// One tree (to 6.8) or one for each of `vmap_nodes` (6.9 and later).
#[test]
fn vmalloc_areas_in_both_generations() {
    const AREAS: u64 = DATA + 0x4000;
    for nodes in [false, true] {
        let mut world = World::new();
        let number = Kind::Number(8);
        world.structure("rb_node", 24, &[("rb_right", 8, number), ("rb_left", 16, number)]);
        world.structure(
            "vmap_area",
            64,
            &[
                ("va_start", 0, number),
                ("va_end", 8, number),
                ("rb_node", 16, Kind::One("rb_node")),
                ("subtree_max_size", 56, number),
                ("vm", 56, number),
            ],
        );
        world.structure(
            "vm_struct",
            64,
            &[
                ("addr", 8, number),
                ("size", 16, number),
                ("flags", 24, number),
                ("nr_pages", 32, Kind::Number(4)),
                ("caller", 40, number),
            ],
        );
        for (index, start) in [(0, 0x2000), (1, 0x1000), (2, 0x5000)] {
            let at = AREAS + index * 64;
            world.put(at, &[0; 64]);
            world.put_u64(at, start);
            world.put_u64(at + 8, start + 0x1000);
        }
        world.put_u64(AREAS + 24, AREAS + 128 + 16);
        world.put_u64(AREAS + 32, AREAS + 64 + 16);
        let vm = DATA + 0x5000;
        world.put_u64(AREAS + 128 + 56, vm);
        for (offset, value) in [(8, 0x5000), (16, 0x1000), (24, 2), (32, 1), (40, 0x1234)] {
            world.put_u64(vm + offset, value);
        }
        let root = DATA + 0x6000;
        world.put(root, &[0; 64]);
        if nodes {
            world.structure("busy", 16, &[("root", 8, number)]);
            world.structure("vmap_node", 32, &[("busy", 8, Kind::One("busy"))]);
            world.symbol("vmap_nodes", DATA + 0x7000);
            world.symbol("nr_vmap_nodes", DATA + 0x7008);
            world.put_u64(DATA + 0x7000, root);
            world.put_u32(DATA + 0x7008, 2);
            world.put_u64(root + 32 + 16, AREAS + 16);
        } else {
            world.symbol("vmap_area_root", root);
            world.put_u64(root, AREAS + 16);
        }
        with_kernel(&world, |kernel| {
            let start = |address| kernel.vm_area_at(address).expect("a tree").map(|one| one.start);
            assert_eq!(start(0x2abc), Some(0x2000));
            assert_eq!(start(0x1000), Some(0x1000));
            assert_eq!(start(0x4fff), None);
            let user = kernel.vm_area_at(0x5000).expect("a tree").expect("an area").user;
            let user = user.expect("a vm_struct");
            assert_eq!((user.kind, user.pages, user.caller), ("vmalloc", 1, 0x1234));
        });
    }
}

/// To 4.6 areas that were freed stay in the tree, with a flag, until many are unmapped at once: of 3.10's
/// `struct vmap_area` (`include/linux/vmalloc.h`) flags come behind the addresses.
#[test]
fn areas_that_wait_to_be_unmapped_are_none_of_those_in_use() {
    let mut world = World::new();
    let number = Kind::Number(8);
    world.structure("list_head", 16, &[("next", 0, number)]);
    world.structure("rb_node", 24, &[("rb_right", 8, number), ("rb_left", 16, number)]);
    world.structure(
        "vmap_area",
        104,
        &[
            ("va_start", 0, number),
            ("va_end", 8, number),
            ("flags", 16, number),
            ("rb_node", 24, Kind::One("rb_node")),
            ("list", 48, Kind::One("list_head")),
            ("vm", 80, number),
        ],
    );
    let (used, freed, freeing) = (DATA + 0x3000, DATA + 0x3080, DATA + 0x3100);
    for (area, start, flags) in [(used, 0x2000, 0), (freed, 0x1000, 1), (freeing, 0x5000, 2)] {
        world.put(area, &[0; 104]);
        world.put_u64(area, start);
        world.put_u64(area + 8, start + 0x1000);
        world.put_u64(area + 16, flags);
    }
    world.put_u64(used + 24 + 8, freeing + 24);
    world.put_u64(used + 24 + 16, freed + 24);
    let (root, head) = (DATA + 0x6000, DATA + 0x6010);
    world.symbol("vmap_area_root", root);
    world.put_u64(root, used + 24);
    world.symbol("vmap_area_list", head);
    world.ring(&[head, freed + 48, used + 48, freeing + 48]);
    with_kernel(&world, |kernel| {
        let start = |address| kernel.vm_area_at(address).expect("a tree").map(|one| one.start);
        assert_eq!([start(0x2abc), start(0x1abc), start(0x5abc)], [Some(0x2000), None, None]);
        let was = |address| kernel.freed_vm_area_at(address).expect("a tree").map(|one| one.start);
        assert_eq!([was(0x2abc), was(0x1abc), was(0x5abc)], [None, Some(0x1000), Some(0x5000)]);
        let all = kernel.vm_areas().expect("a list");
        let starts: Vec<u64> = all.items.iter().map(|area| area.start).collect();
        assert_eq!((starts.as_slice(), all.damage.len()), ([0x2000].as_slice(), 0));
    });
}
