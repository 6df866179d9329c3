// SPDX-License-Identifier: MIT OR Apache-2.0
//! A machine with page tables, an array of `struct page` and one slab, in the layouts of 3.10 to
//! 6.12. What the allocator would have written is written here from the drawings in `mm/slub.c`.

use kernel::mm::page::PageUse;
use kernel::mm::slab::SlabPlace;
use kernel::mm::slab_layout::SlotPart;
use kernel::mm::slab_object::{ObjectState, SlabObject};
use vmcore::PhysAddr;

use crate::cpus::cpus;
use crate::world::{KERNEL_MAP, Kind, World, say, with_kernel};

/// Where all memory is mapped.
pub(crate) const DIRECT: u64 = 0xffff_8880_0000_0000;
pub(crate) const VMEMMAP: u64 = 0xffff_ea00_0000_0000;
/// Physical address of the top page table, and of the array of `struct page`.
const ROOT: u64 = 0x100_8000;
pub(crate) const PAGES: u64 = 0x4000_0000;
const PAGE_SIZE: u64 = 64;
/// Physical address of the slab.
const SLAB: u64 = 0x200_0000;
/// The first object's place, as the kernel uses it.
pub(crate) const OBJECTS: u64 = DIRECT + SLAB;
const DATA: u64 = KERNEL_MAP + 0x180_0000;
const CACHE: u64 = DATA;
const NODE: u64 = DATA + 0x1000;
const NAME: u64 = DATA + 0x2000;
const RANDOM: u64 = 0x1234_5678_9abc_def0;
/// Bytes from one object to the next.
const SIZE: u64 = 256;
/// Offset of the CPUs' own part of the cache, and CPU 1's.
const PER_CPU: u64 = 0x200;
const CPU_1: u64 = 0xffff_ffff_8150_1000 + PER_CPU;

/// How a kernel hides and describes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Generation {
    /// `struct page` describes slabs, free pointers are plain.
    Old,
    /// The same, and free pointers are hidden (4.14 to 5.6).
    Hidden,
    /// `struct slab`, and hidden with swapped bytes.
    New,
    /// The same, and a slab is a type of page (6.12).
    Typed,
}

pub(crate) const ALL: [Generation; 4] =
    [Generation::Old, Generation::Hidden, Generation::New, Generation::Typed];

impl Generation {
    /// What stands in a free object at `at` whose next one is `next`.
    fn stored(self, next: u64, at: u64) -> u64 {
        match self {
            Self::Old => next,
            Self::Hidden => next ^ RANDOM ^ at,
            Self::New | Self::Typed => next ^ RANDOM ^ at.swap_bytes(),
        }
    }
}

/// Physical address of a frame's `struct page`.
pub(crate) fn entry(frame: u64) -> u64 {
    PAGES + frame * PAGE_SIZE
}

/// A machine with one slab of sixteen objects. `layout`: size of the object, where the free pointer
/// is, bytes of the left red zone, flags.
pub(crate) fn machine(generation: Generation, layout: [u64; 4]) -> World {
    let mut world = World::new();
    cpus(&mut world);
    tables(&mut world);
    types(&mut world, generation);
    let [object_size, pointer, left, flags] = layout;
    world.symbol("nr_node_ids", DATA + 0x3000);
    world.put_u32(DATA + 0x3000, 1);
    world.put(NAME, b"things\0");
    world.put(CACHE, &[0; 128]);
    for (offset, value) in [
        (0, NAME),
        (8, object_size),
        (16, SIZE),
        (24, object_size),
        (32, pointer),
        (40, left),
        (48, RANDOM),
        (56, flags),
        (64, PER_CPU),
        (72, NODE),
    ] {
        world.put_u64(CACHE + offset, value);
    }
    for cpu in [0, 1, 9] {
        world.put(0xffff_ffff_8150_0000 + cpu * 4096 + PER_CPU, &[0; 32]);
    }
    world.ring(&[NODE]);
    let page = entry(SLAB >> 12);
    world.memory.write(page, &[0; 128]);
    let flag = if generation == Generation::Typed { 0 } else { 1 << 7 };
    world.memory.write_u64(page, flag);
    world.memory.write_u64(page + 8, CACHE);
    world.memory.write(page + 24, &[16, 0, 16, 0]);
    let kind: u32 = if generation == Generation::Typed { 0xf500_0000 } else { u32::MAX };
    world.memory.write(page + 48, &kind.to_le_bytes());
    world.memory.write(SLAB, &[0; 4096]);
    world
}

fn tables(world: &mut World) {
    say(world, &format!("SYMBOL(init_top_pgt)={:x}", KERNEL_MAP + ROOT));
    // Present, writable, large: a gigabyte each.
    for (number, (address, physical)) in (1..).zip([(DIRECT, 0), (VMEMMAP, PAGES), (KERNEL_MAP, 0)])
    {
        let table = ROOT + number * 4096;
        world.memory.write(table, &[0; 4096]);
        world.memory.write_u64(ROOT + (address >> 39 & 0x1ff) * 8, table | 3);
        world.memory.write_u64(table + (address >> 30 & 0x1ff) * 8, physical | 0x83);
    }
}

fn types(world: &mut World, generation: Generation) {
    let number = Kind::Number(8);
    world.structure("list_head", 16, &[("next", 0, number), ("prev", 8, number)]);
    world.structure("atomic_t", 4, &[("counter", 0, Kind::Number(4))]);
    let slab = [
        ("slab_cache", 8, number),
        ("freelist", 16, number),
        ("inuse", 24, Kind::Number(2)),
        ("objects", 26, Kind::Number(2)),
        ("frozen", 28, Kind::Number(1)),
        ("next", 32, number),
        ("slab_list", 32, Kind::One("list_head")),
    ];
    let mut page = vec![
        ("flags", 0, number),
        ("mapping", 24, number),
        ("index", 32, number),
        ("private", 40, number),
        ("compound_head", 56, number),
        ("_refcount", 52, Kind::One("atomic_t")),
        ("_mapcount", 48, Kind::One("atomic_t")),
        ("compound_order", 20, Kind::Number(1)),
        ("lru", 8, Kind::One("list_head")),
    ];
    let mut flags = vec![("PG_locked", 0), ("PG_head", 6), ("__NR_PAGEFLAGS", 20)];
    match generation {
        Generation::Old | Generation::Hidden => page.extend(slab),
        Generation::New | Generation::Typed => world.structure("slab", 64, &slab),
    }
    if generation == Generation::Typed {
        page.push(("page_type", 48, Kind::Number(4)));
        world.enumeration("pagetype", &[("PGTY_buddy", 0xf0), ("PGTY_slab", 0xf5)]);
        say(world, &format!("NUMBER(PAGE_SLAB_MAPCOUNT_VALUE)={}", 0xf5_u64 << 24));
        say(world, &format!("NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)={}", 0xf0_u64 << 24));
    } else {
        flags.insert(1, ("PG_slab", 7));
        say(world, "NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)=-129");
    }
    world.enumeration("pageflags", &flags);
    world.structure("page", u32::try_from(PAGE_SIZE).expect("small"), &page);
    let mut cache = vec![
        ("name", 0, number),
        ("object_size", 8, number),
        ("size", 16, number),
        ("inuse", 24, number),
        ("offset", 32, number),
        ("red_left_pad", 40, number),
        ("flags", 56, number),
        ("cpu_slab", 64, number),
        ("node", 72, number),
    ];
    if generation != Generation::Old {
        cache.push(("random", 48, number));
    }
    world.structure("kmem_cache", 128, &cache);
    let own = if generation == Generation::Old { "page" } else { "slab" };
    world.structure(
        "kmem_cache_cpu",
        32,
        &[("freelist", 0, number), (own, 8, number), ("partial", 16, number)],
    );
    world.structure("kmem_cache_node", 64, &[("partial", 0, Kind::One("list_head"))]);
}

/// Links free objects, by their numbers; the address of the first.
fn link(world: &mut World, generation: Generation, pointer: u64, left: u64, list: &[u64]) -> u64 {
    let start = |index: u64| OBJECTS + index * SIZE + left;
    for (place, index) in list.iter().enumerate() {
        let next = list.get(place + 1).map_or(0, |next| start(*next));
        let at = start(*index) + pointer;
        world.memory.write_u64(at - DIRECT, generation.stored(next, at));
    }
    list.first().map_or(0, |first| start(*first))
}

fn object(world: &World, address: u64) -> Option<SlabObject> {
    let mut found = None;
    with_kernel(world, |kernel| {
        let physical = kernel.space().physical(address).expect("mapped");
        let slab = kernel.slab_at(physical).expect("a page").expect("a slab");
        found = kernel.slab_object(slab, address);
    });
    found
}

#[test]
fn free_and_allocated_objects_of_each_generation() {
    for generation in ALL {
        let mut world = machine(generation, [200, 96, 0, 0]);
        let free = link(&mut world, generation, 96, 0, &[3, 5]);
        world.memory.write_u64(entry(SLAB >> 12) + 16, free);
        let own = link(&mut world, generation, 96, 0, &[7, 1]);
        world.put_u64(CPU_1, own);
        world.put_u64(CPU_1 + 8, VMEMMAP + (SLAB >> 12) * PAGE_SIZE);

        let found = object(&world, OBJECTS + 2 * SIZE + 0x18).expect("an object");
        assert_eq!(found.state, ObjectState::Allocated);
        assert_eq!((found.start, found.offset), (OBJECTS + 2 * SIZE, 0x18));
        assert_eq!((found.index, found.part), (2, SlotPart::Object));
        assert_eq!(found.slab.cache.name, "things");
        assert_eq!(found.place, Some(SlabPlace::Active(1)));
        for index in [3, 5] {
            let one = object(&world, OBJECTS + index * SIZE).expect("an object");
            assert_eq!(one.state, ObjectState::Free);
        }
        for index in [7, 1] {
            let one = object(&world, OBJECTS + index * SIZE).expect("an object");
            assert_eq!(one.state, ObjectState::FreeOnCpu(1));
        }
        // What a CPU keeps for itself counts as used in the slab, and is not allocated.
        with_kernel(&world, |kernel| assert_eq!(kernel.slab_allocated(&found.slab), Ok(14)));
        let behind = object(&world, OBJECTS + 2 * SIZE + 210).expect("an object");
        assert_eq!(behind.part, SlotPart::Tracking);
    }
}

#[test]
fn a_damaged_free_list_leaves_the_state_unknown() {
    for generation in ALL {
        let mut world = machine(generation, [200, 96, 0, 0]);
        let free = link(&mut world, generation, 96, 0, &[3, 5]);
        world.memory.write_u64(entry(SLAB >> 12) + 16, free);
        world.memory.write_u64(SLAB + 3 * SIZE + 96, 0x4141_4141_4141_4141);
        let found = object(&world, OBJECTS + 2 * SIZE).expect("an object");
        assert!(matches!(found.state, ObjectState::Unknown(_)), "{:?}", found.state);
    }
}

/// `slub_debug=ZP`: red zones 0xcc and 0xbb, 0x6b with 0xa5 at the end for what was freed.
#[test]
fn overwritten_red_zones_and_freed_contents_are_named() {
    let generation = Generation::New;
    let layout = [64, 64, 16, 0x400 | 0x800 | 0x8000_0000];
    let mut world = machine(generation, layout);
    let slot = |index: u64| SLAB + index * SIZE;
    for index in 0..16 {
        let red = if index == 4 { 0xbb } else { 0xcc };
        world.memory.write(slot(index), &[0x5a; 256]);
        world.memory.write(slot(index), &[red; 16]);
    }
    world.memory.write(slot(4) + 16, &[0x6b; 63]);
    world.memory.write(slot(4) + 16 + 63, &[0xa5]);
    let free = link(&mut world, generation, 64, 16, &[4]);
    world.memory.write_u64(entry(SLAB >> 12) + 16, free);
    let damage = |world: &World, index: u64| {
        object(world, OBJECTS + index * SIZE + 20).expect("an object").damage
    };
    assert_eq!((damage(&world, 3), damage(&world, 4)), (vec![], vec![]));
    world.memory.write(slot(3) + 15, &[0x41]);
    world.memory.write(slot(4) + 16 + 8, &[0]);
    assert_eq!(
        damage(&world, 3),
        ["red zone before it is overwritten at 0xffff88800200030f: 0x41 instead of 0xcc"]
    );
    assert_eq!(
        damage(&world, 4),
        ["freed contents is overwritten at 0xffff888002000418: 0x00 instead of 0x6b"]
    );
    let before = object(&world, OBJECTS + 3 * SIZE + 4).expect("an object");
    assert_eq!((before.part, before.offset), (SlotPart::LeftRedZone, -12));
}

/// `slub_debug=P` of a cache with a constructor or with `SLAB_TYPESAFE_BY_RCU`: its free objects keep
/// what they are, only what is behind them is filled.
#[test]
fn contents_that_must_be_kept_are_no_overwritten_ones() {
    for (flags, expected) in [(0x800, 0), (0x800 | 0x8000_0000, 2)] {
        let mut world = machine(Generation::New, [64, 64, 0, flags]);
        world.memory.write(SLAB + 4 * SIZE + 72, &[0x5a; 184]);
        let free = link(&mut world, Generation::New, 64, 0, &[4]);
        world.memory.write_u64(entry(SLAB >> 12) + 16, free);
        let found = object(&world, OBJECTS + 4 * SIZE).expect("an object");
        assert_eq!(found.state, ObjectState::Free);
        assert_eq!(found.damage.len(), expected, "{:?}", found.damage);
    }
}

/// `slub_debug=PU`: since 6.1 the size that was asked for is noted behind who allocated and who
/// freed, of the objects of `kmalloc-*` caches, which have a flag for it (`SLAB_KMALLOC`). It is an
/// `unsigned int`, later an `unsigned long`.
#[test]
fn the_size_that_was_asked_for_is_no_overwritten_padding() {
    const FLAGS: u64 = 0x800 | 0x1_0000;
    // The free pointer and two tracks of 32 bytes lie behind an object of 64 bytes.
    let notes = 64 + 8 + 64;
    for (flags, size, expected) in [
        (FLAGS | 0x1000, &[40, 0, 0, 0][..], None),
        (FLAGS | 0x1000, &[40, 0, 0, 0, 0, 0, 0, 0], None),
        // Of an object that was never allocated.
        (FLAGS | 0x1000, &[0; 4], None),
        (FLAGS | 0x1000, &[40, 0, 0, 0, 0x5a, 0x41], Some(notes + 5)),
        (FLAGS | 0x1000, &[40, 0, 0, 0, 0, 0, 0, 0, 0x41], Some(notes + 8)),
        // Before 6.1, and of other caches, there is no such number.
        (FLAGS, &[40, 0, 0, 0], Some(notes)),
    ] {
        let mut world = machine(Generation::New, [64, 64, 0, flags]);
        let number = Kind::Number(8);
        let members = [("addr", 0, number), ("cpu", 12, Kind::Number(4))];
        world.structure("track", 32, &members);
        world.memory.write(SLAB + notes, &[0x5a; 256 - 136]);
        world.memory.write(SLAB + notes, size);
        let found = object(&world, OBJECTS).expect("an object");
        let places: Vec<bool> = found
            .damage
            .iter()
            .map(|words| {
                let at = OBJECTS + expected.unwrap_or_default();
                words.starts_with(&format!("padding is overwritten at 0x{at:016x}"))
            })
            .collect();
        let wanted: &[bool] = if expected.is_some() { &[true] } else { &[] };
        assert_eq!(places, wanted, "{flags:#x} {size:?}: {:?}", found.damage);
    }
}

/// SLUB takes all objects of a slab that it found damaged for used: they are on no list of free
/// objects any more, whatever they were.
#[test]
fn a_free_object_on_no_list_has_no_overwritten_red_zone() {
    let mut world = machine(Generation::New, [64, 64, 16, 0x400 | 0x800 | 0x8000_0000]);
    let slot = |index: u64| SLAB + index * SIZE;
    for (index, red) in [(2, 0xbb), (3, 0xcc)] {
        world.memory.write(slot(index), &[0x5a; 256]);
        world.memory.write(slot(index), &[red; 16]);
    }
    let found = object(&world, OBJECTS + 2 * SIZE + 20).expect("an object");
    assert_eq!(found.damage, Vec::<String>::new());
    assert_eq!(found.state, ObjectState::FreeByZones);
    let other = object(&world, OBJECTS + 3 * SIZE + 20).expect("an object");
    assert_eq!((other.state, other.damage), (ObjectState::Allocated, vec![]));
    // One byte that is not as the others is one that somebody wrote.
    world.memory.write(slot(2) + 3, &[0x41]);
    let found = object(&world, OBJECTS + 2 * SIZE + 20).expect("an object");
    assert_eq!(found.damage.len(), 1, "{:?}", found.damage);
}

/// `kmem -S CACHE`: slabs whose objects are all in use are on no list, and are found all the same.
#[test]
fn all_slabs_of_a_cache_are_found_in_memory() {
    let mut world = machine(Generation::New, [200, 96, 0, 0]);
    let free = link(&mut world, Generation::New, 96, 0, &[3]);
    world.memory.write_u64(entry(SLAB >> 12) + 16, free);
    with_kernel(&world, |kernel| {
        let cache = kernel.slab_cache(CACHE).expect("a cache");
        let slabs: Vec<u64> = kernel.slabs_of(&cache).iter().map(|slab| slab.base).collect();
        assert_eq!(slabs, [OBJECTS]);
        let other = kernel::mm::caches::SlabCache { address: CACHE + 1, ..cache };
        assert_eq!(kernel.slabs_of(&other), []);
    });
}

/// `slub_debug=U` with return addresses in the notes, as to 5.17.
#[test]
fn who_allocated_and_freed_from_the_notes_themselves() {
    let mut world = machine(Generation::Old, [64, 0, 0, 0x1_0000]);
    let number = Kind::Number(8);
    world.structure("word", 8, &[("value", 0, number)]);
    world.structure(
        "track",
        64,
        &[
            ("addr", 0, number),
            ("addrs", 8, Kind::Many("word", 4)),
            ("cpu", 40, Kind::Number(4)),
            ("pid", 44, Kind::Number(4)),
            ("when", 48, number),
        ],
    );
    let notes = SLAB + 64;
    for (offset, value) in [(0, 0x1111), (8, 0x1110), (16, 0x2220), (48, 4_294_900_000)] {
        world.memory.write_u64(notes + offset, value);
    }
    world.memory.write(notes + 40, &[1, 0, 0, 0, 42, 0, 0, 0]);
    let found = object(&world, OBJECTS).expect("an object");
    let track = found.allocated.expect("a track");
    assert_eq!((track.caller, track.cpu, track.pid, track.when), (0x1111, 1, 42, 4_294_900_000));
    assert_eq!(track.stack, [0x1110, 0x2220]);
    assert_eq!((found.freed, found.unknown), (None, vec![]));
}

/// `slub_debug=U` with handles of the stack depot: each generation numbers its pools otherwise.
#[test]
fn who_allocated_from_the_stack_depot() {
    for (pools, plus) in [("stack_slabs", 0), ("stack_pools", 1)] {
        let mut world = machine(Generation::New, [64, 0, 0, 0x1_0000]);
        let number = Kind::Number(8);
        world.structure(
            "track",
            32,
            &[
                ("addr", 0, number),
                ("handle", 8, Kind::Number(4)),
                ("cpu", 12, Kind::Number(4)),
                ("pid", 16, Kind::Number(4)),
                ("when", 24, number),
            ],
        );
        world.bits("handle_parts", 4, &[("pool_index", 0, 17), ("offset", 17, 10)]);
        world.structure(
            "stack_record",
            32,
            &[
                ("size", 12, Kind::Number(4)),
                ("handle", 16, Kind::Number(4)),
                ("entries", 24, number),
            ],
        );
        let (table, pool) = (DATA + 0x4000, DATA + 0x5000);
        world.symbol(pools, table);
        world.put(table, &[0; 64]);
        world.put_u64(table + 3 * 8, pool);
        let handle: u32 = (3 + plus) | 5 << 17;
        let record = pool + 5 * 16;
        world.put_u32(record + 12, 2);
        world.put_u32(record + 16, handle);
        world.put_u64(record + 24, 0x1111);
        world.put_u64(record + 32, 0x2222);
        world.memory.write_u64(SLAB + 64, 0x1111);
        world.memory.write(SLAB + 72, &handle.to_le_bytes());
        let found = object(&world, OBJECTS).expect("an object");
        let track = found.allocated.expect("a track");
        assert_eq!((track.stack, track.no_stack), (vec![0x1111, 0x2222], None), "{pools}");
    }
}

#[test]
fn frames_of_a_free_block_are_free_wherever_in_it() {
    for (generation, kind) in [(Generation::New, 0xffff_ff7f_u32), (Generation::Typed, 0xf000_0000)]
    {
        let mut world = machine(generation, [200, 96, 0, 0]);
        let first = 0x2400_u64;
        for frame in first..first + 16 {
            world.memory.write(entry(frame), &[0; 64]);
            world.memory.write(entry(frame) + 48, &[0xff; 4]);
        }
        world.memory.write_u64(entry(first) + 40, 3);
        world.memory.write(entry(first) + 48, &kind.to_le_bytes());
        with_kernel(&world, |kernel| {
            let used = |frame: u64| kernel.page_at(PhysAddr(frame << 12)).expect("a page").used_for;
            assert_eq!(used(first + 7), PageUse::Free { order: 3 });
            assert_eq!(used(first + 8), PageUse::Unreferenced);
            assert_eq!(used(SLAB >> 12), PageUse::Slab);
        });
    }
}
