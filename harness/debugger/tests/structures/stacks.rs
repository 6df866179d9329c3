// SPDX-License-Identifier: MIT OR Apache-2.0
//! Stacks of CPUs before and after 5.2.

use unwind::{Stack, StackKind};

use crate::cpus::cpus;
use crate::world::{Kind, World, with_kernel};

const AREA: u64 = 0xffff_ffff_8150_0000;
const TOP: u64 = 0xffff_ffff_81a0_4000;

fn stack(kind: StackKind, low: u64, high: u64) -> Stack {
    Stack { kind, low, high }
}

/// The pointer is at the top, eight bytes below it since 5.12, 64 below before 4.9.
#[test]
fn the_interrupt_stack_by_pointers_of_all_versions() {
    for (name, below) in [("hardirq_stack_ptr", 0), ("hardirq_stack_ptr", 8), ("irq_stack_ptr", 64)]
    {
        let mut world = World::new();
        cpus(&mut world);
        world.structure("irq_stack", 0x4000, &[]);
        world.symbol(name, 0x10);
        world.put_u64(AREA + 0x10, TOP - below);
        with_kernel(&world, |kernel| {
            assert_eq!(kernel.cpu_stacks(0), [stack(StackKind::Irq, TOP - 0x4000, TOP)]);
        });
    }
}

/// 5.2 and later: guard pages lie between the stacks and belong to none.
#[test]
fn exception_stacks_in_the_entry_area() {
    let mut world = World::new();
    cpus(&mut world);
    let members = [
        ("DF_stack_guard", 0, Kind::Text(0x1000)),
        ("DF_stack", 0x1000, Kind::Text(0x2000)),
        ("NMI_stack_guard", 0x3000, Kind::Text(0x1000)),
        ("NMI_stack", 0x4000, Kind::Text(0x2000)),
    ];
    world.structure("cea_exception_stacks", 0x6000, &members);
    let members = [
        ("entry_stack_page", 0x1000, Kind::Text(0x1000)),
        ("estacks", 0x8000, Kind::One("cea_exception_stacks")),
    ];
    world.structure("cpu_entry_area", 0x1_0000, &members);
    world.structure("entry_stack", 0x1000, &[]);
    world.symbol("cea_exception_stacks", 0x18);
    let base = 0xffff_fe00_0000_9000;
    world.put_u64(AREA + 0x18, base);
    with_kernel(&world, |kernel| {
        let expected = [
            stack(StackKind::DoubleFault, base + 0x1000, base + 0x3000),
            stack(StackKind::Nmi, base + 0x4000, base + 0x6000),
            stack(StackKind::Entry, base - 0x7000, base - 0x6000),
        ];
        assert_eq!(kernel.cpu_stacks(0), expected);
    });
}

/// CentOS 7's 3.10: tops at 0x8000, 0x9000, 0xb000 and 0xc000 of the per-CPU area, debug is twice
/// as large.
#[test]
fn exception_stacks_of_3_10() {
    const SIZES: u64 = 0xffff_ffff_8140_6000;
    let kinds = [StackKind::DoubleFault, StackKind::Nmi, StackKind::Debug, StackKind::MachineCheck];
    for (has_sizes, extra) in [(true, 0), (false, 0), (false, 1)] {
        let mut world = World::new();
        cpus(&mut world);
        world.symbol("orig_ist", 0x40);
        world.put(AREA + 0x40, &[0; 56]);
        let tops = [TOP, TOP + 0x1000, TOP + 0x3000, TOP + 0x4000];
        // To 3.14 upstream had a stack for stack faults before the others.
        let all = std::iter::repeat_n(TOP - 0x1000, extra).chain(tops);
        for (slot, top) in (0..).zip(all) {
            world.put_u64(AREA + 0x40 + slot * 8, top);
        }
        if has_sizes {
            world.symbol("exception_stack_sizes", SIZES);
            for (slot, size) in (0..).zip([4096, 4096, 8192, 4096]) {
                world.put_u32(SIZES + slot * 4, size);
            }
        }
        with_kernel(&world, |kernel| {
            let sizes = [0x1000, 0x1000, 0x2000, 0x1000];
            let expected: Vec<Stack> = (kinds.iter().zip(tops))
                .zip(sizes)
                .map(|((kind, top), size)| stack(*kind, top - size, top))
                .collect();
            assert_eq!(kernel.cpu_stacks(0), expected);
        });
    }
}
