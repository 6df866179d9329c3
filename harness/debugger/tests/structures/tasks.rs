// SPDX-License-Identifier: MIT OR Apache-2.0
//! Lists of tasks and threads in the layouts of 3.10, 4.9 to 5.15 and 6.1.

use kernel::tasks::{Task, TaskState};
use kernel::{Kernel, Listing};

use crate::cpus::cpus;
use crate::world::{Kind, World, padded, with_kernel};

const INIT: u64 = 0xffff_ffff_8160_0000;
const RUNQUEUES: u64 = 0x200;
const AREA: u64 = 0xffff_ffff_8150_0000;
const SIZE: u64 = 512;
const STACKS: u64 = 0xffff_ffff_8180_0000;
const SIGNALS: u64 = 0xffff_ffff_8190_0000;

/// Which members there are.
#[derive(Clone, Copy, PartialEq)]
enum Layout {
    /// `state`, `thread_group`, CPU at the bottom of the stack.
    Old,
    /// `state`, `thread_node`, `task_struct.cpu`.
    Middle,
    /// `__state`, `thread_node`, `thread_info.cpu` inside.
    New,
}

fn world(layout: Layout) -> World {
    let mut world = World::new();
    cpus(&mut world);
    world.structure("list_head", 16, &[("next", 0, Kind::Number(8))]);
    world.structure("thread_info", 24, &[("cpu", 16, Kind::Number(4))]);
    let mut members = vec![
        ("exit_state", 32, Kind::Number(4)),
        ("stack", 40, Kind::Number(8)),
        ("mm", 48, Kind::Number(8)),
        ("real_parent", 56, Kind::Number(8)),
        ("flags", 64, Kind::Number(4)),
        ("pid", 68, Kind::Number(4)),
        ("tgid", 72, Kind::Number(4)),
        ("comm", 80, Kind::Text(16)),
        ("tasks", 96, Kind::One("list_head")),
        ("signal", 128, Kind::Number(8)),
        ("thread_group", 136, Kind::One("list_head")),
    ];
    members.push(match layout {
        Layout::New => ("__state", 24, Kind::Number(4)),
        _ => ("state", 24, Kind::Number(8)),
    });
    match layout {
        Layout::Old => {}
        Layout::Middle => members.push(("cpu", 76, Kind::Number(4))),
        Layout::New => members.push(("thread_info", 0, Kind::One("thread_info"))),
    }
    if layout != Layout::Old {
        members.push(("thread_node", 152, Kind::One("list_head")));
        world.structure("signal_struct", 64, &[("thread_head", 16, Kind::One("list_head"))]);
    }
    world.structure("task_struct", 512, &members);
    world.structure("rq", 64, &[("idle", 8, Kind::Number(8))]);
    world.symbol("runqueues", RUNQUEUES);
    world.symbol("init_task", INIT);

    // Number 0 is the idle task of CPU 0, 1 that of CPU 9, 2 to 4 are a process, 5 another.
    let named = ["swapper/0", "swapper/9", "daemon", "worker-1", "worker-2", "init"];
    for (number, comm) in (0_u32..).zip(named) {
        task(&mut world, layout, number, comm);
    }
    world.put_u64(AREA + RUNQUEUES + 8, at(0));
    world.put_u64(AREA + 9 * 4096 + RUNQUEUES + 8, at(1));
    world.ring(&[at(0) + 96, at(2) + 96, at(5) + 96]);
    for group in [&[2_u64, 3, 4][..], &[5]] {
        if layout == Layout::Old {
            let links: Vec<u64> = group.iter().map(|number| at(*number) + 136).collect();
            world.ring(&links);
        } else {
            let signal = SIGNALS + group[0] * 64;
            let nodes = group.iter().map(|number| at(*number) + 152);
            let links: Vec<u64> = std::iter::once(signal + 16).chain(nodes).collect();
            world.ring(&links);
            for number in group {
                world.put_u64(at(*number) + 128, signal);
            }
        }
    }
    world
}

/// Idle tasks and two processes, all of them asleep.
pub(crate) fn sleeping() -> World {
    world(Layout::New)
}

fn at(number: u64) -> u64 {
    INIT + number * SIZE
}

fn task(world: &mut World, layout: Layout, number: u32, comm: &str) {
    let (address, stack) = (at(number.into()), STACKS + u64::from(number) * 0x4000);
    world.put(address, &[0; 512]);
    world.put_u64(address + 40, stack);
    world.put_u32(address + 68, number);
    world.put_u32(address + 72, if (2..5).contains(&number) { 2 } else { number });
    world.put(address + 80, &padded(comm, 16));
    let cpu = match layout {
        Layout::Old => stack + 16,
        Layout::Middle => address + 76,
        Layout::New => address + 16,
    };
    world.put_u32(cpu, 9);
    // Sleeps, and what else the version puts there (TASK_FREEZABLE since 6.1).
    let state = if layout == Layout::New { 0x2001 } else { 1 };
    world.put_u32(address + 24, state);
}

fn listed(kernel: &Kernel<'_>) -> Listing<Task> {
    kernel.tasks().expect("tasks").clone()
}

fn comms(tasks: &Listing<Task>) -> Vec<&str> {
    tasks.items.iter().map(|task| task.comm.as_str()).collect()
}

#[test]
fn idle_tasks_processes_and_threads_in_all_layouts() {
    for layout in [Layout::Old, Layout::Middle, Layout::New] {
        with_kernel(&world(layout), |kernel| {
            let tasks = listed(kernel);
            let expected = ["swapper/0", "swapper/9", "daemon", "worker-1", "worker-2", "init"];
            assert_eq!(comms(&tasks), expected);
            assert_eq!(tasks.damage, []);
            let worker = &tasks.items[3];
            assert_eq!((worker.pid, worker.tgid, worker.cpu), (3, 2, Some(9)));
            assert_eq!(worker.state, TaskState::Interruptible);
            assert_eq!(tasks.items[0].cpu, Some(0));
        });
    }
}

#[test]
fn a_list_of_tasks_in_a_circle_keeps_what_came_before() {
    let mut world = world(Layout::New);
    world.put_u64(at(5) + 96, at(2) + 96);
    with_kernel(&world, |kernel| {
        let tasks = listed(kernel);
        assert_eq!((tasks.items.len(), tasks.damage.len()), (6, 1));
        assert!(tasks.damage[0].to_string().contains("circle"), "{}", tasks.damage[0]);
    });
}

/// The threads of one process are lost; its first thread and the others stay.
#[test]
fn a_broken_list_of_threads_costs_only_those() {
    let mut world = world(Layout::New);
    world.put_u64(at(2) + 152, 0x18);
    with_kernel(&world, |kernel| {
        let tasks = listed(kernel);
        assert!(comms(&tasks).ends_with(&["daemon", "init"]), "{:?}", comms(&tasks));
        assert_eq!(tasks.damage.len(), 2, "{:?}", tasks.damage);
        assert!(tasks.damage[0].to_string().contains("user-space address"));
    });
}

#[test]
fn a_process_has_page_tables_and_a_kernel_thread_has_none() {
    let mut world = world(Layout::New);
    world.structure("mm_struct", 64, &[("pgd", 8, Kind::Number(8))]);
    world.put_u64(at(5) + 48, SIGNALS + 0x1000);
    world.put_u64(SIGNALS + 0x1008, 0xffff_ffff_8123_4000);
    with_kernel(&world, |kernel| {
        let tasks = listed(kernel);
        let root = kernel.user_tables(&tasks.items[5]);
        assert_eq!(root, Ok(vmcore::PhysAddr(0x123_4000)));
        let words = kernel.user_tables(&tasks.items[2]).unwrap_err().to_string();
        assert_eq!(words, "daemon (pid 2) is a kernel thread");
    });
}
