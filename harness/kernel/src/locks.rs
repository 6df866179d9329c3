// SPDX-License-Identifier: MIT OR Apache-2.0
//! Locks: who holds them and who waits.
//!
//! What tells the owner changed over time. A `mutex` has a pointer `owner` to the task since 3.x
//! where the kernel spins on owners, and since 4.10 an `owner` word whose low three bits are flags.
//! A `rw_semaphore` has the writer's task in `owner` (4.x, with small numbers as marks), and since
//! 5.3 a word with flags in its low bits; its count says whether a writer or readers have it. A
//! spinlock never knows its owner (but with `CONFIG_DEBUG_SPINLOCK`); the queued form (4.2, and
//! RHEL's 3.10) knows the last CPU that waits.

use super::memory::VirtualMemory;
use super::object::Object;
use super::queued_lock::WordState;
use super::{Kernel, Listing, Unavailable};

/// Waiters of one lock that are listed.
const MAX_WAITERS: usize = 1 << 16;
/// Flags of a mutex's owner word (`MUTEX_FLAGS`, `kernel/locking/mutex.c`).
const MUTEX_FLAGS: u64 = 7;
/// Of them: it was handed to the task that the word names, which waits still (`MUTEX_FLAG_PICKUP`).
const MUTEX_PICKUP: u64 = 4;
/// Flags of an `rw_semaphore`'s owner word (`RWSEM_OWNER_FLAGS_MASK`, `kernel/locking/rwsem.c`).
const RWSEM_FLAGS: u64 = 3;
/// Of them: readers have it, and the task is one of them (`RWSEM_READER_OWNED`).
const RWSEM_READERS: u64 = 1;
/// Count of an `rw_semaphore` since 5.3: a writer has it; the number of readers is above bit 8.
const RWSEM_WRITER: u64 = 1;
const RWSEM_READER_SHIFT: u32 = 8;
/// Bit of an `rt_mutex`'s owner word: somebody waits (`RT_MUTEX_HAS_WAITERS`).
const RT_FLAGS: u64 = 1;

/// Kinds of locks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LockKind {
    /// `struct mutex`.
    Mutex,
    /// `struct rw_semaphore`.
    RwSemaphore,
    /// `struct rt_mutex`.
    RtMutex,
    /// `struct semaphore`, which has no owner.
    Semaphore,
    /// `spinlock_t`, `raw_spinlock_t`.
    Spin,
}

impl LockKind {
    /// Its structure's tag.
    #[must_use]
    pub const fn structure(self) -> &'static str {
        match self {
            Self::Mutex => "mutex",
            Self::RwSemaphore => "rw_semaphore",
            Self::RtMutex => "rt_mutex",
            Self::Semaphore => "semaphore",
            Self::Spin => "raw_spinlock",
        }
    }

    /// Tag of what stands on a waiter's stack.
    const fn waiter(self) -> Option<&'static str> {
        match self {
            Self::Mutex => Some("mutex_waiter"),
            Self::RwSemaphore => Some("rwsem_waiter"),
            Self::Semaphore => Some("semaphore_waiter"),
            Self::RtMutex | Self::Spin => None,
        }
    }
}

/// Who holds a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    /// Nobody.
    Nobody,
    /// The task with that `task_struct`.
    Task(u64),
    /// Readers; the last one that took it is named where it is known, and may have released it.
    Readers {
        /// How many, where the kernel counts them.
        count: Option<u64>,
        /// The `task_struct` of one that took it.
        last: Option<u64>,
    },
    /// Somebody: this kind of lock does not know who.
    Somebody,
}

/// A lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lock {
    /// What it is.
    pub kind: LockKind,
    /// Address.
    pub address: u64,
    /// Who holds it.
    pub holder: Holder,
    /// Whether that is a task which it was given to and which has not run since: it waits still.
    pub is_handed_over: bool,
    /// `task_struct`s of those that sleep until it is free, in their order.
    pub waiters: Vec<u64>,
    /// Of a queued spinlock: the CPU at the end of the queue, and whether one more is about to get
    /// it.
    pub queue: Option<SpinQueue>,
}

/// Of a queued spinlock: the CPU at the end of the queue, and whether one more is about to get it.
pub type SpinQueue = (Option<u32>, bool);

impl Kernel<'_> {
    /// The lock of a kind at an address.
    ///
    /// # Errors
    /// If its layout is not known or it cannot be read.
    pub fn lock(&self, kind: LockKind, address: u64) -> Result<Lock, Unavailable> {
        let object = self.object(kind.structure(), address);
        let mut queue = None;
        let holder = match kind {
            LockKind::Mutex => self.mutex_holder(&object)?,
            LockKind::RwSemaphore => self.rwsem_holder(&object)?,
            LockKind::RtMutex => self.rt_holder(&object)?,
            LockKind::Semaphore => match object.int("count")? {
                1.. => Holder::Nobody,
                _ => Holder::Somebody,
            },
            LockKind::Spin => {
                let (holder, waits) = self.spin_state(&object)?;
                queue = waits;
                holder
            }
        };
        let waiters = match kind.waiter() {
            Some(waiter) => self.lock_waiters(waiter, &object)?.items,
            None => Vec::new(),
        };
        let word = (kind == LockKind::Mutex).then(|| object.number("owner.counter"));
        let is_handed_over = word.is_some_and(|word| word.is_ok_and(|it| it & MUTEX_PICKUP != 0));
        Ok(Lock { kind, address, holder, is_handed_over, waiters, queue })
    }

    fn mutex_holder(&self, mutex: &Object<'_, '_>) -> Result<Holder, Unavailable> {
        let word = match mutex.number("owner.counter") {
            Ok(word) => word,
            // An older one: the count tells whether it is held, the owner may be missing.
            Err(_) => {
                if mutex.int("count.counter")? == 1 {
                    return Ok(Holder::Nobody);
                }
                let owner = mutex.number("owner").unwrap_or(0);
                return Ok(if owner == 0 { Holder::Somebody } else { Holder::Task(owner) });
            }
        };
        Ok(match word & !MUTEX_FLAGS {
            0 => Holder::Nobody,
            task => Holder::Task(task),
        })
    }

    fn rwsem_holder(&self, rwsem: &Object<'_, '_>) -> Result<Holder, Unavailable> {
        let count = rwsem.number("count.counter").or_else(|_| rwsem.number("count"))?;
        if let Ok(word) = rwsem.number("owner.counter") {
            let task = Some(word & !RWSEM_FLAGS).filter(|task| *task != 0);
            let readers = count << 1 >> 1 >> RWSEM_READER_SHIFT;
            return Ok(match (count & RWSEM_WRITER != 0, readers, task) {
                (true, _, Some(task)) => Holder::Task(task),
                (true, _, None) => Holder::Somebody,
                (false, 0, _) => Holder::Nobody,
                (false, readers, task) => Holder::Readers {
                    count: Some(readers),
                    last: task.filter(|_| word & RWSEM_READERS != 0),
                },
            });
        }
        // Up to 5.2 the low half counts who is active and the upper half, below zero, says that
        // there is a writer or that somebody waits. Who waits, then, is not told from a writer; the owner
        // is, where the kernel keeps one: a reader leaves its mark there, in RHEL 7 with its task.
        let active = count & 0xffff_ffff;
        let owner = rwsem.number("owner").unwrap_or(0);
        let task = Some(owner & !RWSEM_FLAGS).filter(|task| *task != 0);
        Ok(match (active, task) {
            (0, _) => Holder::Nobody,
            (active, last) if owner & RWSEM_READERS != 0 => {
                Holder::Readers { count: Some(active), last }
            }
            (_, Some(task)) => Holder::Task(task),
            (active, _) if count.cast_signed() >= 0 => {
                Holder::Readers { count: Some(active), last: None }
            }
            _ => Holder::Somebody,
        })
    }

    fn rt_holder(&self, rt: &Object<'_, '_>) -> Result<Holder, Unavailable> {
        let word = rt.number("rtmutex.owner").or_else(|_| rt.number("owner"))?;
        Ok(match word & !RT_FLAGS {
            0 => Holder::Nobody,
            task => Holder::Task(task),
        })
    }

    /// Of the three forms: queued (a byte that says locked, one that says pending, the last waiter
    /// above), tickets (head and tail), and a plain number.
    fn spin_state(
        &self,
        lock: &Object<'_, '_>,
    ) -> Result<(Holder, Option<SpinQueue>), Unavailable> {
        let debugged = lock.number("owner").ok().filter(|owner| *owner != u64::MAX && *owner != 0);
        let held = |held: bool| match (held, debugged) {
            (false, _) => Holder::Nobody,
            (true, Some(task)) => Holder::Task(task),
            (true, None) => Holder::Somebody,
        };
        if let Ok(pair) = lock.number("raw_lock.head_tail") {
            let bits = self.field("raw_spinlock", "raw_lock.head_tail")?.size.max(2) * 4;
            let (head, tail) = (pair & ((1 << bits) - 1), pair >> bits);
            return Ok((held(head != tail), None));
        }
        let word = self.queued_spin(lock.number("raw_lock.val.counter")?);
        Ok((held(word.state != WordState::Free), Some((word.last, word.pending))))
    }

    fn lock_waiters(
        &self,
        waiter: &str,
        lock: &Object<'_, '_>,
    ) -> Result<Listing<u64>, Unavailable> {
        let link = self.field(waiter, "list")?.offset;
        let task = self.field(waiter, "task")?.offset;
        let entries =
            self.list(lock.address_of("wait_list")?, MAX_WAITERS, "the waiters of a lock");
        let mut found = Listing { items: Vec::new(), damage: entries.damage };
        for entry in entries.items {
            match self.read_u64(entry.wrapping_sub(link).wrapping_add(task)) {
                Ok(task) => found.items.push(task),
                Err(source) => found.damage.push(Unavailable::memory("a waiter of a lock", source)),
            }
        }
        Ok(found)
    }

    /// The lock that a sleeping task waits for, found by the note that it left on its own stack:
    /// a waiter that names the task and is part of a ring of which one member, the lock's head, is
    /// no waiter. Proven by that ring, whatever the stack's frames say.
    #[must_use]
    pub fn awaited_lock(&self, task: &super::tasks::Task, kind: LockKind) -> Option<u64> {
        let waiter = kind.waiter()?;
        let link = self.field(waiter, "list").ok()?.offset;
        let owner = self.field(waiter, "task").ok()?.offset;
        let head = self.field(kind.structure(), "wait_list").ok()?.offset;
        let stack = self.task_stack(task).filter(|stack| stack.low != 0)?;
        let size = usize::try_from(stack.high.checked_sub(stack.low)?).ok()?;
        let bytes = self.read_bytes(stack.low, size).ok()?;
        for (index, word) in bytes.chunks_exact(8).enumerate() {
            let value = u64::from_le_bytes(word.try_into().unwrap_or_default());
            if value != task.address {
                continue;
            }
            let at = stack.low.wrapping_add((index as u64) * 8);
            let entry = at.wrapping_sub(owner).wrapping_add(link);
            if let Some(start) = self.ring_head(entry, link, owner, task.address) {
                let lock = start.wrapping_sub(head);
                let found = self.lock(kind, lock).ok()?;
                if found.waiters.contains(&task.address) {
                    return Some(lock);
                }
            }
        }
        None
    }

    /// The member of a ring that is no waiter: none of the others' tasks has it on its stack.
    fn ring_head(&self, entry: u64, link: u64, owner: u64, task: u64) -> Option<u64> {
        let linked = |at: u64| -> Option<u64> {
            let next = self.read_u64(at).ok()?;
            (self.read_u64(next.wrapping_add(8)).ok()? == at).then_some(next)
        };
        let mut at = linked(entry)?;
        for _ in 0..MAX_WAITERS {
            if at == entry {
                return None;
            }
            let named = self.read_u64(at.wrapping_sub(link).wrapping_add(owner)).ok();
            let is_waiter = named.is_some_and(|named| {
                named == task
                    || self
                        .task_at(named)
                        .ok()
                        .and_then(|other| self.task_stack(&other))
                        .is_some_and(|stack| (stack.low..stack.high).contains(&at))
            });
            if !is_waiter {
                return Some(at);
            }
            at = linked(at)?;
        }
        None
    }
}
