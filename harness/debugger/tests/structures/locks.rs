// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who holds a lock, in the words of each generation, and what a sleeping task waits for.

use kernel::locks::{Holder, Lock, LockKind};
use kernel::tasks::{Task, TaskState};

use crate::world::{KERNEL_MAP, Kind, World, with_kernel};

const LOCK: u64 = KERNEL_MAP + 0x120_0000;
const TASK: u64 = KERNEL_MAP + 0x121_0000;
const STACK: u64 = KERNEL_MAP + 0x122_0000;

fn lists(world: &mut World) {
    let word = Kind::Number(8);
    world.structure("list_head", 16, &[("next", 0, word), ("prev", 8, word)]);
    world.structure("atomic_t", 4, &[("counter", 0, Kind::Number(4))]);
    world.structure("atomic_long_t", 8, &[("counter", 0, word)]);
    world.structure("mutex_waiter", 24, &[("list", 0, Kind::One("list_head")), ("task", 16, word)]);
    world.structure("rwsem_waiter", 24, &[("list", 0, Kind::One("list_head")), ("task", 16, word)]);
}

fn empty_list(world: &mut World, head: u64) {
    world.put_u64(head, head);
    world.put_u64(head + 8, head);
}

fn lock(world: &World, kind: LockKind) -> Lock {
    let mut found = None;
    with_kernel(world, |kernel| found = Some(kernel.lock(kind, LOCK).expect("a lock")));
    found.expect("the kernel was opened")
}

/// 4.10 and later: the low three bits of the owner are flags.
fn newer_mutex() -> World {
    let mut world = World::new();
    lists(&mut world);
    let members =
        [("owner", 0, Kind::One("atomic_long_t")), ("wait_list", 16, Kind::One("list_head"))];
    world.structure("mutex", 32, &members);
    empty_list(&mut world, LOCK + 16);
    world
}

#[test]
fn the_owner_of_a_mutex_is_a_word_with_flags() {
    let mut world = newer_mutex();
    world.put_u64(LOCK, 0);
    assert_eq!(lock(&world, LockKind::Mutex).holder, Holder::Nobody);
    world.put_u64(LOCK, TASK | 1);
    assert_eq!(lock(&world, LockKind::Mutex).holder, Holder::Task(TASK));
    assert!(!lock(&world, LockKind::Mutex).is_handed_over);
    // `MUTEX_FLAG_PICKUP`: the task that waited longest gets it when it runs.
    world.put_u64(LOCK, TASK | 5);
    assert_eq!(lock(&world, LockKind::Mutex).holder, Holder::Task(TASK));
    assert!(lock(&world, LockKind::Mutex).is_handed_over);
}

/// 3.10: a count, and the owner beside it where the kernel spins on owners.
#[test]
fn the_owner_of_a_mutex_of_3_10_is_a_pointer() {
    let mut world = World::new();
    lists(&mut world);
    let members = [
        ("count", 0, Kind::One("atomic_t")),
        ("wait_list", 8, Kind::One("list_head")),
        ("owner", 24, Kind::Number(8)),
    ];
    world.structure("mutex", 32, &members);
    empty_list(&mut world, LOCK + 8);
    world.put_u32(LOCK, 1);
    world.put_u64(LOCK + 24, 0);
    assert_eq!(lock(&world, LockKind::Mutex).holder, Holder::Nobody);
    world.put_u32(LOCK, u32::MAX);
    assert_eq!(lock(&world, LockKind::Mutex).holder, Holder::Somebody, "not written yet");
    world.put_u64(LOCK + 24, TASK);
    assert_eq!(lock(&world, LockKind::Mutex).holder, Holder::Task(TASK));
}

/// 5.3 and later: the count's lowest bit is a writer's, readers are counted from bit 8 on.
#[test]
fn readers_and_writers_of_a_semaphore_are_told_apart() {
    let mut world = World::new();
    lists(&mut world);
    let members = [
        ("count", 0, Kind::One("atomic_long_t")),
        ("owner", 8, Kind::One("atomic_long_t")),
        ("wait_list", 16, Kind::One("list_head")),
    ];
    world.structure("rw_semaphore", 32, &members);
    empty_list(&mut world, LOCK + 16);
    let mut holder = |count: u64, owner: u64| {
        world.put_u64(LOCK, count);
        world.put_u64(LOCK + 8, owner);
        lock(&world, LockKind::RwSemaphore).holder
    };
    assert_eq!(holder(0, 0), Holder::Nobody);
    assert_eq!(holder(1, TASK), Holder::Task(TASK));
    assert_eq!(holder(3, TASK), Holder::Task(TASK), "and somebody waits");
    let readers = Holder::Readers { count: Some(2), last: Some(TASK) };
    assert_eq!(holder(0x200, TASK | 1), readers);
    assert_eq!(holder(0x202, TASK | 1), readers, "and somebody waits");
}

/// 3.10 of RHEL 7: each reader adds one, a writer and each that waits take away 2^32 (a writer adds one
/// as well); the owner is a task, with both low bits set where it reads (`kernel/rwsem.h`).
#[test]
fn readers_of_a_semaphore_of_3_10_leave_their_mark() {
    let mut world = World::new();
    lists(&mut world);
    let members = [
        ("count", 0, Kind::Number(8)),
        ("wait_list", 16, Kind::One("list_head")),
        ("owner", 32, Kind::Number(8)),
    ];
    world.structure("rw_semaphore", 40, &members);
    empty_list(&mut world, LOCK + 16);
    let mut holder = |count: i64, owner: u64| {
        world.put_u64(LOCK, count.cast_unsigned());
        world.put_u64(LOCK + 32, owner);
        lock(&world, LockKind::RwSemaphore).holder
    };
    let waiting = -(1_i64 << 32);
    assert_eq!(holder(0, TASK | 3), Holder::Nobody, "what a reader left");
    assert_eq!(holder(waiting + 1, TASK), Holder::Task(TASK));
    let readers = |last| Holder::Readers { count: Some(2), last };
    assert_eq!(holder(2, TASK | 3), readers(Some(TASK)));
    assert_eq!(holder(waiting + 2, TASK | 3), readers(Some(TASK)), "and a writer waits");
    assert_eq!(holder(waiting + 2, 1), readers(None), "older: the mark alone");
    assert_eq!(holder(2, 0), readers(None), "no owner is kept");
    assert_eq!(holder(waiting + 1, 0), Holder::Somebody, "a writer, or one reads and one waits");
}

/// The queued form: locked, pending, and the CPU at the queue's end plus one from bit 18 on.
#[test]
fn a_queued_spinlock_knows_the_last_cpu_that_waits() {
    let mut world = World::new();
    lists(&mut world);
    world.structure("qspinlock", 4, &[("val", 0, Kind::One("atomic_t"))]);
    world.structure("raw_spinlock", 4, &[("raw_lock", 0, Kind::One("qspinlock"))]);
    let mut state = |value: u32| {
        world.put_u32(LOCK, value);
        let lock = lock(&world, LockKind::Spin);
        (lock.holder, lock.queue)
    };
    assert_eq!(state(0), (Holder::Nobody, Some((None, false))));
    assert_eq!(state(1), (Holder::Somebody, Some((None, false))));
    assert_eq!(state(0x101), (Holder::Somebody, Some((None, true))));
    assert_eq!(state(4 << 18 | 1), (Holder::Somebody, Some((Some(3), false))));
}

/// RHEL 6 and vanilla 3.10: the lock is held while head and tail differ.
#[test]
fn a_ticket_lock_is_held_while_its_halves_differ() {
    let mut world = World::new();
    lists(&mut world);
    world.structure("arch_spinlock", 4, &[("head_tail", 0, Kind::Number(4))]);
    world.structure("raw_spinlock", 4, &[("raw_lock", 0, Kind::One("arch_spinlock"))]);
    world.put_u32(LOCK, 0x0005_0005);
    assert_eq!(lock(&world, LockKind::Spin).holder, Holder::Nobody);
    world.put_u32(LOCK, 0x0006_0005);
    assert_eq!(lock(&world, LockKind::Spin).holder, Holder::Somebody);
}

/// The waiter on the task's own stack is in the ring of the lock's list; that leads to the lock,
/// whatever the registers and arguments of its frames still say.
#[test]
fn a_sleeping_task_leads_to_its_lock_by_the_waiter_on_its_stack() {
    let mut world = newer_mutex();
    world.structure("thread_union", 0x4000, &[("stack", 0, Kind::Number(8))]);
    world.put(STACK, &[0; 0x4000]);
    world.put_u64(LOCK, TASK + 0x1000);
    let waiter = STACK + 0x3000;
    // A stale word that names the task, too.
    world.put_u64(STACK + 0x2000, TASK);
    world.put_u64(waiter, LOCK + 16);
    world.put_u64(waiter + 8, LOCK + 16);
    world.put_u64(waiter + 16, TASK);
    world.put_u64(LOCK + 16, waiter);
    world.put_u64(LOCK + 24, waiter);
    let task = Task {
        address: TASK,
        pid: 7,
        tgid: 7,
        comm: "waits".to_owned(),
        state: TaskState::Uninterruptible,
        cpu: Some(0),
        stack: STACK,
        mm: 0,
        parent: TASK,
        flags: 0,
    };
    with_kernel(&world, |kernel| {
        assert_eq!(kernel.awaited_lock(&task, LockKind::Mutex), Some(LOCK));
        let other = Task { address: TASK + 0x1000, ..task.clone() };
        assert_eq!(kernel.awaited_lock(&other, LockKind::Mutex), None);
    });
}
