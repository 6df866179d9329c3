// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tasks as in CentOS 7's 3.10: `thread_info` at the low end of a stack of 16 KiB, and after it the
//! mark (`STACK_END_MAGIC`) that tells a stack that grew too far.

use crate::world::{Kind, World, padded};

/// `STACK_END_MAGIC`, the word after `thread_info`.
pub(crate) const MARK: u64 = 0x57ac_6e9d;

/// The structures of tasks, with what is read of every task.
pub(crate) fn structures(world: &mut World) {
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
}

/// A task with its `thread_info` on its stack, in a thread group of its own; in no list of tasks.
pub(crate) fn old_task(world: &mut World, task: u64, stack: u64, (pid, comm): (u32, &str)) {
    world.put(task, &[0; 512]);
    world.put_u64(task + 8, stack);
    world.put_u32(task + 92, pid);
    world.put_u32(task + 96, pid);
    world.ring(&[task + 112]);
    world.put(task + 128, &padded(comm, 16));
    world.put_u64(task + 144 + 24, stack + 0x4000);
    world.put_u64(stack, task);
}
