// SPDX-License-Identifier: MIT OR Apache-2.0
//! Stacks of tasks that do not run, and return addresses that the kernel replaced, in the layouts
//! of 3.10 to 6.12. The kernel has frame pointers and no tables.

use analyzer::machine::Machine;
use analyzer::stacks::{NoWalk, Origin, TaskWalk};

use crate::cpus::cpus;
use crate::world::{Kind, World, with_kernel};

const TEXT: u64 = 0xffff_ffff_8100_0000;
const SCHEDULE: u64 = TEXT + 0x100;
const SWITCH_TO: u64 = TEXT + 0x300;
const FORK: u64 = TEXT + 0x400;
const HANDLER: u64 = TEXT + 0x500;
const REAL: u64 = TEXT + 0x640;
const STACK: u64 = 0xffff_ffff_8180_0000;
const STACK_END: u64 = STACK + 0x4000;
/// Where the scheduler left its words.
const SP: u64 = STACK + 0x3000;
/// Frame of the function that called the scheduler's.
const FRAME: u64 = STACK + 0x3100;
/// Where that function's return address stands.
const SLOT: u64 = FRAME + 8;
const TASK: u64 = 0xffff_ffff_8160_0000;
const LISTS: u64 = 0xffff_ffff_8170_0000;

/// A task asleep in a function at [`FRAME`], whose return address is `returns`.
fn world(more: &[(&str, u32, Kind)], returns: u64) -> World {
    let mut world = World::new();
    cpus(&mut world);
    world.structure("thread_struct", 16, &[("sp", 8, Kind::Number(8))]);
    fill(&mut world, more, returns);
    world
}

/// The rest of the world, after `thread_struct`.
fn fill(world: &mut World, more: &[(&str, u32, Kind)], returns: u64) {
    world.structure("llist_head", 8, &[("first", 0, Kind::Number(8))]);
    let mut members = vec![
        ("__state", 0, Kind::Number(4)),
        ("exit_state", 4, Kind::Number(4)),
        ("stack", 8, Kind::Number(8)),
        ("mm", 16, Kind::Number(8)),
        ("real_parent", 24, Kind::Number(8)),
        ("flags", 32, Kind::Number(4)),
        ("pid", 36, Kind::Number(4)),
        ("tgid", 40, Kind::Number(4)),
        ("cpu", 44, Kind::Number(4)),
        ("comm", 48, Kind::Text(16)),
        ("thread", 64, Kind::One("thread_struct")),
    ];
    members.extend_from_slice(more);
    world.structure("task_struct", 256, &members);
    world.put(TASK, &[0; 256]);
    world.put_u64(TASK + 8, STACK);
    world.put_u64(TASK + 72, SP);
    world.put(STACK, &[0; 0x4000]);
    world.put(TEXT, &[0x90; 0x1000]);
    world.put_u64(FRAME, 0);
    world.put_u64(SLOT, returns);
    for (name, address) in [
        ("_stext", TEXT),
        ("__schedule", SCHEDULE),
        ("pick_next_task", SCHEDULE + 0x80),
        ("__switch_to", SWITCH_TO),
        ("ret_from_fork", FORK),
        ("return_to_handler", HANDLER),
        ("_etext", TEXT + 0x1000),
    ] {
        world.symbol(name, address);
    }
    call(world, REAL, SWITCH_TO);
}

/// `call target` that returns to `address`.
fn call(world: &mut World, address: u64, target: u64) {
    let distance = target.wrapping_sub(address).to_le_bytes();
    world.put(address - 5, &[0xe8, distance[0], distance[1], distance[2], distance[3]]);
}

/// `struct inactive_task_frame` with a resume address in the scheduler, after `before` bytes of
/// members that only some trees have.
fn inactive(world: &mut World, before: u32) {
    let names = ["r15", "r14", "r13", "r12", "bx", "bp", "ret_addr"];
    let member = |(index, name)| (name, before + 8 * index, Kind::Number(8));
    let members: Vec<_> = (0_u32..).zip(names).map(member).collect();
    world.structure("inactive_task_frame", before + 56, &members);
    let at = SP + u64::from(before);
    world.put_u64(at + 40, FRAME);
    world.put_u64(at + 48, SCHEDULE + 0x40);
}

fn walked(world: &World) -> Result<TaskWalk, NoWalk> {
    let mut found = None;
    with_kernel(world, |kernel| {
        let task = kernel.task_at(TASK).expect("a task");
        found = Some(Machine::new(kernel).backtrace_of(&task));
    });
    found.expect("looked at")
}

fn addresses(world: &World) -> Vec<u64> {
    let walk = walked(world).expect("a stack").walk;
    walk.frames.iter().map(|frame| frame.pc.address()).collect()
}

#[test]
fn sleeping_task_with_and_without_flags_in_its_frame() {
    for before in [0, 8] {
        let mut world = world(&[], REAL);
        inactive(&mut world, before);
        assert_eq!(walked(&world).map(|found| found.origin), Ok(Origin::Sleeping));
        assert_eq!(addresses(&world), [SCHEDULE + 0x40, REAL]);
    }
}

/// No address tells where a task of 3.10 goes on; the code of the scheduler does.
#[test]
fn sleeping_task_of_3_10() {
    let mut world = world(&[], REAL);
    world.put_u64(SP, FRAME);
    world.put_u64(SP + 8, 0x246);
    call(&mut world, SCHEDULE + 0x25, SWITCH_TO);
    assert_eq!(walked(&world).map(|found| found.origin), Ok(Origin::Sleeping));
    assert_eq!(addresses(&world), [SCHEDULE + 0x25, REAL]);

    // One that never ran has its registers at the top of its stack, and nothing else.
    world.put_u64(TASK + 72, STACK_END - 168);
    let found = walked(&world).expect("a stack");
    assert_eq!((found.origin, found.walk.frames[0].pc.address()), (Origin::NeverRan, FORK));
}

/// It sleeps in a system call: the words of cs, rflags and rsp are stale, the stack pointer is in
/// `thread.usersp`.
#[test]
fn user_registers_of_a_system_call_of_3_10() {
    const REGS: u64 = STACK_END - 168;
    let mut world = World::new();
    cpus(&mut world);
    let number = Kind::Number(8);
    world.structure("thread_struct", 24, &[("sp", 8, number), ("usersp", 16, number)]);
    fill(&mut world, &[], REAL);
    world.put_u64(SP, FRAME);
    call(&mut world, SCHEDULE + 0x25, SWITCH_TO);
    // The function called by the scheduler's caller is the one that `system_call` called.
    world.put_u64(FRAME, REGS - 16);
    world.put_u64(REGS - 16, 0x5555);
    world.put_u64(REGS - 8, FORK + 0x80);
    call(&mut world, FORK + 0x80, REAL - 0x40);
    for (offset, value) in [(32, 0x5555), (48, 0x206), (120, 59), (128, 0x46_1857), (136, 0xdead)] {
        world.put_u64(REGS + offset, value);
    }
    world.put_u64(REGS + 152, STACK + 0x800);
    world.put_u64(TASK + 80, 0x7ffe_bcee_f8c8);
    let walk = walked(&world).expect("a stack").walk;
    assert_eq!(walk.frames.len(), 3);
    let unwind::StopReason::User(registers) = walk.stop else { panic!("{:?}", walk.stop) };
    assert_eq!((registers.rip, registers.cs), (0x46_1857, Some(0x33)));
    assert_eq!(registers.get(unwind::Register::Rsp), Some(0x7ffe_bcee_f8c8));
    assert_eq!((registers.flags, registers.orig_rax), (Some(0x206), Some(59)));
}

#[test]
fn task_that_never_ran() {
    let mut world = world(&[], REAL);
    inactive(&mut world, 0);
    world.put_u64(SP + 48, FORK);
    let found = walked(&world).expect("a stack");
    assert_eq!(found.origin, Origin::NeverRan);
    assert_eq!(found.walk.frames[0].pc, unwind::Pc::Interrupted(FORK));
}

#[test]
fn tasks_without_a_stack_say_so() {
    let mut world = world(&[], REAL);
    inactive(&mut world, 0);
    world.put_u64(TASK + 72, STACK_END + 8);
    let why = walked(&world).expect_err("no stack pointer").to_string();
    assert_eq!(why, "its stack pointer 0xffffffff81804008 is not on its stack");
    world.put_u64(TASK + 8, 0);
    assert_eq!(walked(&world), Err(NoWalk::Freed));
}

/// `ret_stack` as an array of structures, and how its entries are told apart.
fn traced(entry: &[(&str, u32, Kind)], size: u32, stack: Kind) -> World {
    let more = [("ret_stack", 128, stack), ("curr_ret_stack", 136, Kind::Number(4))];
    let mut world = world(&more, HANDLER);
    inactive(&mut world, 0);
    world.structure("ftrace_ret_stack", size, entry);
    world.put_u64(TASK + 128, LISTS);
    world.put(LISTS, &[0; 0x1000]);
    world
}

#[test]
fn traced_function_by_the_place_of_its_return_address() {
    let entry = [("ret", 0, Kind::Number(8)), ("retp", 40, Kind::Number(8))];
    let mut world = traced(&entry, 48, Kind::Number(8));
    // The second of three entries; it jumped to a traced function, which is the third. What lies
    // behind them is of functions that have returned.
    world.put_u32(TASK + 136, 2);
    for (index, ret, place) in
        [(0, TEXT + 0x700, SLOT + 0x40), (1, REAL, SLOT), (2, HANDLER, SLOT), (3, TEXT + 1, SLOT)]
    {
        world.put_u64(LISTS + index * 48, ret);
        world.put_u64(LISTS + index * 48 + 40, place);
    }
    assert_eq!(addresses(&world), [SCHEDULE + 0x40, REAL]);
    // The tracer has let go of all: nothing stands behind the trampoline.
    world.put_u32(TASK + 136, u32::MAX);
    assert_eq!(addresses(&world), [SCHEDULE + 0x40, HANDLER]);
}

#[test]
fn traced_function_of_3_10_by_its_order() {
    let mut world = traced(&[("ret", 0, Kind::Number(8))], 40, Kind::Number(8));
    world.put_u32(TASK + 136, 1);
    world.put_u64(LISTS, TEXT + 0x700);
    world.put_u64(LISTS + 40, REAL);
    assert_eq!(addresses(&world), [SCHEDULE + 0x40, REAL]);
}

/// 6.11 and later: words, with other data and a word of its own size behind each structure.
#[test]
fn traced_function_among_words() {
    let entry = [("ret", 0, Kind::Number(8)), ("retp", 16, Kind::Number(8))];
    let mut world = traced(&entry, 24, Kind::Words);
    world.put_u32(TASK + 136, 10);
    world.put_u64(LISTS, REAL);
    world.put_u64(LISTS + 16, SLOT);
    world.put_u64(LISTS + 48, TEXT + 0x700);
    world.put_u64(LISTS + 64, SLOT - 0x40);
    assert_eq!(addresses(&world), [SCHEDULE + 0x40, REAL]);
}

/// Two functions are probed; the second node is that of this return address.
fn nodes(world: &mut World, link: u64, place: u64, real: u64) {
    world.put(LISTS, &[0; 0x200]);
    for (node, slot, ret) in [(LISTS, SLOT - 0x40, TEXT + 0x700), (LISTS + 0x100, SLOT, REAL)] {
        world.put_u64(node + place, slot);
        world.put_u64(node + real, ret);
    }
    world.put_u64(LISTS + link, LISTS + 0x100 + link);
}

#[test]
fn probed_function_by_each_generation_of_lists() {
    let number = Kind::Number(8);
    for (member, trampoline, structure, place) in [
        ("rethooks", "arch_rethook_trampoline", "rethook_node", "frame"),
        ("kretprobe_instances", "__kretprobe_trampoline", "kretprobe_instance", "fp"),
    ] {
        let mut world = world(&[(member, 128, Kind::One("llist_head"))], TEXT + 0x580);
        inactive(&mut world, 0);
        world.symbol(trampoline, TEXT + 0x580);
        let members = [("llist", 16, number), ("ret_addr", 32, number), (place, 40, number)];
        world.structure(structure, 64, &members);
        nodes(&mut world, 16, 40, 32);
        world.put_u64(TASK + 128, LISTS + 16);
        assert_eq!(addresses(&world), [SCHEDULE + 0x40, REAL], "{member}");
    }
}

/// To 5.10 all tasks share a table; to 4.7 nothing tells the place.
#[test]
fn probed_function_by_the_table_of_all_tasks() {
    const TABLE: u64 = LISTS + 0x1000;
    let number = Kind::Number(8);
    for place in [Some("fp"), None] {
        let mut world = world(&[], TEXT + 0x580);
        inactive(&mut world, 0);
        world.symbol("kretprobe_trampoline", TEXT + 0x580);
        world.symbol("kretprobe_inst_table", TABLE);
        let mut members =
            vec![("hlist", 0, number), ("ret_addr", 24, number), ("task", 32, number)];
        members.extend(place.map(|name| (name, 40, number)));
        world.structure("kretprobe_instance", 64, &members);
        nodes(&mut world, 0, 40, 24);
        // The first one is another task's.
        world.put_u64(LISTS + 32, TASK + 0x1000);
        world.put_u64(LISTS + 0x100 + 32, TASK);
        world.put(TABLE, &[0; 512]);
        world.put_u64(TABLE + 8 * 63, LISTS);
        assert_eq!(addresses(&world), [SCHEDULE + 0x40, REAL], "{place:?}");
    }
}
