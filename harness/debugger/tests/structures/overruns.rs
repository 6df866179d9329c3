// SPDX-License-Identifier: MIT OR Apache-2.0
//! Stacks of 3.10 that grew past their end, where no guard page stops them.

use crate::cpus::cpus;
use crate::old_tasks::{MARK, old_task, structures};
use crate::world::{Kind, World, with_kernel};

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
    structures(&mut world);
    world.structure("rq", 64, &[("idle", 8, Kind::Number(8))]);
    world.symbol("runqueues", RUNQUEUES);
    world.symbol("init_task", INIT);
    for (number, comm) in (0_u64..).zip(["swapper/0", "deep", "victim"]) {
        world.put(stack(number), &[0; 0x4000]);
        let pid = u32::try_from(number).expect("small");
        old_task(&mut world, at(number), stack(number), (pid, comm));
        if number > 0 {
            world.put_u64(stack(number) + 104, MARK);
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
