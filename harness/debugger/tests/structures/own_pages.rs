// SPDX-License-Identifier: MIT OR Apache-2.0
//! Free pages that a CPU keeps for itself, in the layouts before and since 5.14.

use kernel::mm::page::PageUse;
use vmcore::PhysAddr;

use crate::slabs::{Generation, PAGES, VMEMMAP, entry, machine};
use crate::world::{Kind, World, with_kernel};

const NODE_DATA: u64 = 0xffff_ffff_8160_0000;
const NAME: u64 = NODE_DATA + 0x1000;
/// Offset of the CPUs' own part of the zone, and CPU 1's.
const PER_CPU: u64 = 0x800;
const CPU_1: u64 = 0xffff_ffff_8150_1000 + PER_CPU;
/// `struct per_cpu_pages.lists`, and where the link of `struct page` is.
const LISTS: u64 = 16;
const LINK: u64 = 8;
/// The frame that is free, and the first of several that are not.
const FREE: u64 = 0x2400;
const TAKEN: u64 = 0x2500;

/// A zone whose member `pointer` leads to each CPU's lists, `count` of them, `inside` bytes in.
fn zone(world: &mut World, pointer: &'static str, inside: u32, count: u32) {
    let number = Kind::Number(8);
    world.structure("atomic_long_t", 8, &[("counter", 0, number)]);
    world.structure(
        "zone",
        128,
        &[
            ("name", 0, number),
            ("zone_start_pfn", 8, number),
            ("spanned_pages", 16, number),
            ("present_pages", 24, number),
            ("vm_stat", 32, Kind::Many("atomic_long_t", 1)),
            (pointer, 64, number),
        ],
    );
    world.structure("pglist_data", 128, &[("node_zones", 0, Kind::Many("zone", 1))]);
    let size = 16 + 16 * count;
    world.structure("per_cpu_pages", size, &[("lists", 16, Kind::Many("list_head", count))]);
    if inside > 0 {
        world.structure("per_cpu_pageset", 256, &[("pcp", inside, Kind::One("per_cpu_pages"))]);
    }
    world.enumeration("migratetype", &[("MIGRATE_PCPTYPES", 3)]);
    world.symbol("contig_page_data", NODE_DATA);
    world.put(NODE_DATA, &[0; 128]);
    world.put_u64(NODE_DATA, NAME);
    world.put_u64(NODE_DATA + 24, 1 << 18);
    world.put_u64(NODE_DATA + 64, PER_CPU);
    world.put(NAME, b"Normal\0");
    for cpu in [0, 1, 9] {
        let lists = 0xffff_ffff_8150_0000 + cpu * 4096 + PER_CPU + u64::from(inside) + LISTS;
        for list in 0..u64::from(count) {
            world.put(lists + list * 16, &[0; 16]);
            world.ring(&[lists + list * 16]);
        }
    }
}

/// Puts the frame into CPU 1's list of that number.
fn put(world: &mut World, frame: u64, inside: u64, list: u64) {
    let head = CPU_1 + inside + LISTS + list * 16;
    let link = VMEMMAP + (entry(frame) - PAGES) + LINK;
    world.put_u64(head, link);
    world.put_u64(head + 8, link);
    world.memory.write_u64(entry(frame) + LINK, head);
    world.memory.write_u64(entry(frame) + LINK + 8, head);
}

fn uses(world: &World, frames: &[u64]) -> Vec<PageUse> {
    let mut uses = Vec::new();
    with_kernel(world, |kernel| {
        let used = |frame: &u64| kernel.page_at(PhysAddr(frame << 12)).expect("a page").used_for;
        uses = frames.iter().map(used).collect();
    });
    uses
}

fn frames(world: &mut World) {
    for frame in (FREE..FREE + 8).chain(TAKEN..TAKEN + 4) {
        world.memory.write(entry(frame), &[0; 64]);
        world.memory.write(entry(frame) + 48, &[0xff; 4]);
    }
    // The first of four that were taken together has the reference of all.
    world.memory.write(entry(TAKEN) + 52, &[1, 0, 0, 0]);
}

/// A page is free that is in a block of its CPU's list, and one that is none of those is not called
/// so, though it has as few references.
#[test]
fn pages_on_a_cpus_own_list_are_free() {
    // Its lists are of orders 0 to 3 and of huge pages; the eighth is the second of order 2.
    let mut world = machine(Generation::New, [200, 96, 0, 0]);
    frames(&mut world);
    zone(&mut world, "per_cpu_pageset", 0, 15);
    put(&mut world, FREE, 0, 7);
    let own = PageUse::FreeOnCpu { cpu: 1, order: 2 };
    let found = uses(&world, &[FREE, FREE + 3, FREE + 4, TAKEN, TAKEN + 3]);
    let none = PageUse::Unreferenced;
    assert_eq!(found, [own, own, none, PageUse::Kernel, none]);
}

#[test]
fn before_5_14_the_lists_are_of_single_pages() {
    let mut world = machine(Generation::New, [200, 96, 0, 0]);
    frames(&mut world);
    zone(&mut world, "pageset", 8, 3);
    put(&mut world, FREE, 8, 2);
    let own = PageUse::FreeOnCpu { cpu: 1, order: 0 };
    assert_eq!(uses(&world, &[FREE, FREE + 1]), [own, PageUse::Unreferenced]);
}
