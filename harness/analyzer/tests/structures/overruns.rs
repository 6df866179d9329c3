// SPDX-License-Identifier: MIT OR Apache-2.0
//! Stacks of 3.10 that grew past their end, where no guard page stops them.

use crate::cpus::cpus;
use crate::world::{Kind, World, padded, with_kernel};

const INIT: u64 = 0xffff_ffff_8160_0000;
const STACKS: u64 = 0xffff_ffff_8180_0000;
const RUNQUEUES: u64 = 0x200;
const AREA: u64 = 0xffff_ffff_8150_0000;

fn at(number: u64) -> u64 {
    INIT + number * 512
}

fn stack(number: u64) -> u64 {
    STACKS + number * 0x4000
}

/// The first task, `deep` and `victim`; the first one's stack has no mark.
fn world() -> World {
    let mut world = World::new();
    cpus(&mut world);
    let number = Kind::Number(8);
    world.structure("list_head", 16, &[("next", 0, number)]);
    world.structure("thread_info", 104, &[("task", 0, number), ("cpu", 24, Kind::Number(4))]);
    world.structure("thread_struct", 184, &[("sp0", 24, number), ("sp", 32, number)]);
    let members = [
        ("state", 0, number),
        ("stack", 8, number),
        ("flags", 20, Kind::Number(4)),
        ("tasks", 64, Kind::One("list_head")),
        ("mm", 80, number),
        ("exit_state", 88, Kind::Number(4)),
        ("pid", 92, Kind::Number(4)),
        ("tgid", 96, Kind::Number(4)),
        ("real_parent", 104, number),
        ("thread_group", 112, Kind::One("list_head")),
        ("comm", 128, Kind::Text(16)),
        ("thread", 144, Kind::One("thread_struct")),
    ];
    world.structure("task_struct", 512, &members);
    world.structure("rq", 64, &[("idle", 8, number)]);
    world.symbol("runqueues", RUNQUEUES);
    world.symbol("init_task", INIT);
    for (number, comm) in (0_u64..).zip(["swapper/0", "deep", "victim"]) {
        world.put(at(number), &[0; 512]);
        world.put(stack(number), &[0; 0x4000]);
        world.put_u64(at(number) + 8, stack(number));
        world.put_u32(at(number) + 92, u32::try_from(number).expect("small"));
        world.ring(&[at(number) + 112]);
        world.put(at(number) + 128, &padded(comm, 16));
        world.put_u64(at(number) + 144 + 24, stack(number) + 0x4000);
        world.put_u64(stack(number), at(number));
        if number > 0 {
            world.put_u64(stack(number) + 104, 0x57ac_6e9d);
        }
    }
    world.ring(&[at(0) + 64, at(1) + 64, at(2) + 64]);
    for cpu in [0, 9] {
        world.put_u64(AREA + cpu * 4096 + RUNQUEUES + 8, INIT);
    }
    world
}

#[test]
fn a_stack_that_grew_over_its_mark_is_told() {
    let mut world = world();
    with_kernel(&world, |kernel| assert_eq!(kernel.overruns(), []));
    world.put_u64(stack(1) + 104, 0xffff_ffff_8100_0040);
    with_kernel(&world, |kernel| {
        let found = kernel.overruns();
        let found: Vec<_> = found.iter().map(|one| (one.task.comm.as_str(), one.end)).collect();
        assert_eq!(found, [("deep", stack(1) + 104)]);
    });
}

/// The overrun stack wrote over the victim's `task_struct`, so that it names a wrong stack.
#[test]
fn a_task_that_was_written_over_is_not_accused() {
    let mut world = world();
    world.put_u64(at(2) + 8, stack(0));
    with_kernel(&world, |kernel| assert_eq!(kernel.overruns(), []));
}
