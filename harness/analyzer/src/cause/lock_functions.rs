// SPDX-License-Identifier: MIT OR Apache-2.0
//! The kernel's functions that take and give back locks; the first argument of each is the lock.

use kernel::locks::LockKind;

use crate::scene::Scene;

/// What sort of lock a function takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LockSort {
    /// A spinlock.
    Spin,
    /// A lock for readers and writers that is spun for, to read.
    Read,
    /// The same, to write.
    Write,
    /// One that is slept for.
    Sleep(LockKind),
    /// Readers of a domain of SRCU, which their end is waited for.
    Srcu,
}

impl LockSort {
    /// Whether a lock of one sort may be one of the other, too.
    pub(super) fn is_of(self, other: Self) -> bool {
        let is_read_write = |sort| matches!(sort, Self::Read | Self::Write);
        self == other || is_read_write(self) && is_read_write(other)
    }

    /// Whether a CPU runs until it gets it.
    pub(super) const fn spins(self) -> bool {
        !matches!(self, Self::Sleep(_) | Self::Srcu)
    }
}

/// Functions that wait until they get a lock.
const TAKING: [(&str, LockSort); 52] = {
    use LockKind::{Mutex, RtMutex, RwSemaphore, Semaphore};
    use LockSort::{Read, Sleep, Spin, Srcu, Write};
    [
        ("__srcu_read_lock", Srcu),
        ("queued_spin_lock_slowpath", Spin),
        ("native_queued_spin_lock_slowpath", Spin),
        ("__pv_queued_spin_lock_slowpath", Spin),
        ("do_raw_spin_lock", Spin),
        ("_raw_spin_lock", Spin),
        ("_raw_spin_lock_bh", Spin),
        ("_raw_spin_lock_irq", Spin),
        ("_raw_spin_lock_irqsave", Spin),
        ("__ticket_spin_lock", Spin),
        ("ticket_spin_lock", Spin),
        ("__lock_text_start", Spin),
        ("pv_wait_node", Spin),
        ("queued_read_lock_slowpath", Read),
        ("queued_write_lock_slowpath", Write),
        ("_raw_read_lock", Read),
        ("_raw_read_lock_bh", Read),
        ("_raw_read_lock_irq", Read),
        ("_raw_read_lock_irqsave", Read),
        ("_raw_write_lock", Write),
        ("_raw_write_lock_bh", Write),
        ("_raw_write_lock_irq", Write),
        ("_raw_write_lock_irqsave", Write),
        ("mutex_lock", Sleep(Mutex)),
        ("mutex_lock_interruptible", Sleep(Mutex)),
        ("mutex_lock_killable", Sleep(Mutex)),
        ("mutex_lock_io", Sleep(Mutex)),
        ("__mutex_lock", Sleep(Mutex)),
        ("__mutex_lock_common", Sleep(Mutex)),
        ("__mutex_lock_slowpath", Sleep(Mutex)),
        ("__mutex_lock_killable_slowpath", Sleep(Mutex)),
        ("__mutex_lock_interruptible_slowpath", Sleep(Mutex)),
        ("rt_mutex_lock", Sleep(RtMutex)),
        ("down", Sleep(Semaphore)),
        ("down_interruptible", Sleep(Semaphore)),
        ("down_killable", Sleep(Semaphore)),
        ("__down", Sleep(Semaphore)),
        ("__down_common", Sleep(Semaphore)),
        ("__down_interruptible", Sleep(Semaphore)),
        ("down_read", Sleep(RwSemaphore)),
        ("down_read_killable", Sleep(RwSemaphore)),
        ("down_read_interruptible", Sleep(RwSemaphore)),
        ("rt_mutex_lock_interruptible", Sleep(RtMutex)),
        ("down_timeout", Sleep(Semaphore)),
        ("down_write", Sleep(RwSemaphore)),
        ("down_write_killable", Sleep(RwSemaphore)),
        ("rwsem_down_read_slowpath", Sleep(RwSemaphore)),
        ("rwsem_down_write_slowpath", Sleep(RwSemaphore)),
        ("rwsem_down_read_failed", Sleep(RwSemaphore)),
        ("rwsem_down_write_failed", Sleep(RwSemaphore)),
        ("call_rwsem_down_read_failed", Sleep(RwSemaphore)),
        ("call_rwsem_down_write_failed", Sleep(RwSemaphore)),
    ]
};

/// Functions that give a lock back.
const GIVING_BACK: [(&str, LockSort); 18] = {
    use LockKind::{Mutex, RtMutex, RwSemaphore, Semaphore};
    use LockSort::{Read, Sleep, Spin, Srcu, Write};
    [
        ("__srcu_read_unlock", Srcu),
        ("mutex_unlock", Sleep(Mutex)),
        ("rt_mutex_unlock", Sleep(RtMutex)),
        ("up", Sleep(Semaphore)),
        ("up_read", Sleep(RwSemaphore)),
        ("up_write", Sleep(RwSemaphore)),
        ("_raw_spin_unlock", Spin),
        ("_raw_spin_unlock_bh", Spin),
        ("_raw_spin_unlock_irq", Spin),
        ("_raw_spin_unlock_irqrestore", Spin),
        ("_raw_read_unlock", Read),
        ("_raw_read_unlock_bh", Read),
        ("_raw_read_unlock_irq", Read),
        ("_raw_read_unlock_irqrestore", Read),
        ("_raw_write_unlock", Write),
        ("_raw_write_unlock_bh", Write),
        ("_raw_write_unlock_irq", Write),
        ("_raw_write_unlock_irqrestore", Write),
    ]
};

/// What of those is inlined where the kernel is built without preemption (`include/linux/spinlock_api_smp.h`,
/// `CONFIG_INLINE_*_UNLOCK*`).
const INLINED: [&str; 6] = [
    "__raw_spin_unlock",
    "__raw_spin_unlock_irq",
    "__raw_read_unlock",
    "__raw_read_unlock_irq",
    "__raw_write_unlock",
    "__raw_write_unlock_irq",
];

/// What the function waits for that has the code at the address; `None` if it waits for no lock.
pub(super) fn taking(machine: &dyn Scene, pc: u64) -> Option<LockSort> {
    let name = machine.kernel_function(pc)?;
    TAKING.iter().find(|(function, _)| *function == name).map(|(_, sort)| *sort)
}

/// Functions that take a lock which another task gives back, and give it back for another one.
const FOR_OTHERS: [&str; 2] = ["down_read_non_owner", "up_read_non_owner"];

/// Whether the function at the address takes or gives back a lock for another task.
pub(super) fn is_for_others(machine: &dyn Scene, function: u64) -> bool {
    machine.is_in(function, &FOR_OTHERS)
}

/// Functions that take a lock only if it is free.
const TRYING: [(&str, LockSort); 12] = {
    use LockKind::{Mutex, RtMutex, RwSemaphore, Semaphore};
    use LockSort::{Read, Sleep, Spin, Write};
    [
        ("mutex_trylock", Sleep(Mutex)),
        ("atomic_dec_and_mutex_lock", Sleep(Mutex)),
        ("rt_mutex_trylock", Sleep(RtMutex)),
        ("down_trylock", Sleep(Semaphore)),
        ("down_read_trylock", Sleep(RwSemaphore)),
        ("down_write_trylock", Sleep(RwSemaphore)),
        ("_raw_spin_trylock", Spin),
        ("_raw_spin_trylock_bh", Spin),
        ("_atomic_dec_and_lock", Spin),
        ("_atomic_dec_and_lock_irqsave", Spin),
        ("_raw_read_trylock", Read),
        ("_raw_write_trylock", Write),
    ]
};

/// Whether the function at the address takes a lock of that sort only if it is free.
pub(super) fn tries(machine: &dyn Scene, function: u64, sort: LockSort) -> bool {
    let name = machine.kernel_function(function);
    let known = name.and_then(|name| TRYING.iter().find(|(known, _)| *known == name));
    known.is_some_and(|(_, known)| known.is_of(sort))
}

/// Functions that wait until others have given a lock back, and take none.
const WAITING: [(&str, LockSort); 3] = [
    ("synchronize_srcu", LockSort::Srcu),
    ("synchronize_srcu_expedited", LockSort::Srcu),
    ("__synchronize_srcu", LockSort::Srcu),
];

/// What the function waits for that has the code at the address, whether it takes it or not.
pub(super) fn waiting(machine: &dyn Scene, pc: u64) -> Option<LockSort> {
    let name = machine.kernel_function(pc)?;
    let all = TAKING.iter().chain(&WAITING);
    all.into_iter().find(|(function, _)| *function == name).map(|(_, sort)| *sort)
}

/// Functions that come back without the lock where a signal arrives.
const MAY_FAIL: [&str; 9] = [
    "mutex_lock_interruptible",
    "mutex_lock_killable",
    "down_interruptible",
    "down_killable",
    "down_read_killable",
    "down_read_interruptible",
    "down_write_killable",
    "down_timeout",
    "rt_mutex_lock_interruptible",
];

/// Whether the function that takes a lock may come back without it.
pub(super) fn may_fail(machine: &dyn Scene, function: u64) -> bool {
    machine.is_in(function, &MAY_FAIL)
}

/// Whether the function at the address gives a lock of that sort back.
pub(super) fn gives_back(machine: &dyn Scene, function: u64, sort: LockSort) -> bool {
    let name = machine.kernel_function(function);
    let known = name.and_then(|name| GIVING_BACK.iter().find(|(known, _)| *known == name));
    known.is_some_and(|(_, known)| known.is_of(sort))
}

/// Whether the instruction at the address is of a function that gives a lock back and was inlined.
pub(super) fn gives_back_inline(machine: &dyn Scene, pc: u64) -> bool {
    let chain = machine.image_at(pc).and_then(|image| image.source(pc).found());
    let inlined = |name: &str| INLINED.contains(&name);
    chain.is_some_and(|chain| chain.iter().any(|it| it.function.as_deref().is_some_and(inlined)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_function_stands_in_the_tables_once() {
        let mut names: Vec<&str> = TAKING.iter().map(|(name, _)| *name).collect();
        names.extend(TRYING.iter().map(|(name, _)| *name));
        names.extend(GIVING_BACK.iter().map(|(name, _)| *name).chain(INLINED));
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
