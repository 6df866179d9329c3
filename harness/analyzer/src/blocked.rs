// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tasks that wait for locks, who holds these, and circles of tasks that wait for each other.

use crate::express::Names as _;
use crate::machine::Machine;
use crate::symbol_name::source_name;
use kernel::locks::{Holder, Lock, LockKind};
use kernel::tasks::{Task, TaskState};

/// Functions in which a task sleeps or spins for a lock, by the beginning of their names.
const WAITING: [(&str, LockKind); 11] = [
    ("__mutex_lock", LockKind::Mutex),
    ("mutex_lock", LockKind::Mutex),
    ("__ww_mutex_lock", LockKind::Mutex),
    ("rwsem_down_", LockKind::RwSemaphore),
    ("call_rwsem_down_", LockKind::RwSemaphore),
    ("rt_mutex_slowlock", LockKind::RtMutex),
    ("__down", LockKind::Semaphore),
    ("native_queued_spin_lock_slowpath", LockKind::Spin),
    ("queued_spin_lock_slowpath", LockKind::Spin),
    ("_raw_spin_lock", LockKind::Spin),
    ("__raw_spin_lock", LockKind::Spin),
];
/// Names of the parameter that has the lock.
const PARAMETERS: [&str; 3] = ["lock", "sem", "rwsem"];
/// Frames that are looked at from the innermost on.
const NEAR: usize = 12;

/// A task that waits for a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocked {
    /// The task.
    pub task: Task,
    /// The lock.
    pub lock: Lock,
    /// Whether the lock's own list of waiters has the task; else its stack's arguments tell.
    pub listed: bool,
    /// Who asked for the lock: the function that called the lock's own.
    pub caller: Option<String>,
}

impl Blocked {
    /// The task that holds the lock, if that is known.
    #[must_use]
    pub const fn holder(&self) -> Option<u64> {
        match self.lock.holder {
            Holder::Task(task) => Some(task),
            _ => None,
        }
    }
}

impl Machine<'_> {
    /// All tasks that wait for a lock, in the order of the kernel's list.
    ///
    /// Sleeping tasks are looked at if they sleep for a lock's sake by the functions on their
    /// stacks; a running task if it spins.
    #[must_use]
    pub fn blocked(&self) -> Vec<Blocked> {
        let tasks = self.kernel().tasks().map(|all| all.items.as_slice()).unwrap_or_default();
        tasks.iter().filter_map(|task| self.blocked_on(task)).collect()
    }

    /// The lock that a task waits for, if it waits for one.
    #[must_use]
    pub fn blocked_on(&self, task: &Task) -> Option<Blocked> {
        if matches!(task.state, TaskState::Exited | TaskState::Idle | TaskState::Stopped) {
            return None;
        }
        let walk = self.backtrace_of(task).ok()?.walk;
        let mut found = None;
        for (index, frame) in walk.frames.iter().take(NEAR).enumerate() {
            let Some((name, _)) = self.symbol_at(frame.pc.for_lookup()) else { continue };
            let name = source_name(&name);
            let kind = WAITING.iter().find(|(start, _)| name.starts_with(start));
            match (kind, &found) {
                (Some((_, kind)), None) => found = Some((index, *kind)),
                (Some(_), Some(_)) | (None, None) => {}
                (None, Some(_)) => break,
            }
        }
        let (first, kind) = found?;
        let last = (first..walk.frames.len().min(first + NEAR)).find(|index| {
            let Some(frame) = walk.frames.get(*index) else { return false };
            let pc = frame.pc.for_lookup();
            let name = self.symbol_at(pc).map(|(name, _)| source_name(&name).to_owned());
            !name.is_some_and(|name| WAITING.iter().any(|(start, _)| name.starts_with(start)))
        });
        let caller = last.and_then(|index| {
            let pc = walk.frames.get(index)?.pc.for_lookup();
            self.symbol_at(pc).map(|(name, _)| name)
        });
        if let Some(address) = self.kernel().awaited_lock(task, kind) {
            let lock = self.kernel().lock(kind, address).ok()?;
            return Some(Blocked { task: task.clone(), lock, listed: true, caller });
        }
        let address = (first..last.unwrap_or(first + 1)).find_map(|index| {
            let values = self.frame_values(&walk, index, false);
            let value = values.iter().find(|value| PARAMETERS.contains(&value.name.as_str()))?;
            self.frame_number(&walk, index, value)
        })?;
        let lock = self.kernel().lock(kind, address).ok()?;
        // A lock that nobody holds is waited for by nobody: the argument is another one's.
        (lock.holder != Holder::Nobody).then(|| Blocked {
            task: task.clone(),
            lock,
            listed: false,
            caller,
        })
    }
}

/// Circles of tasks each of which waits for a lock that the next one holds, by their addresses;
/// each circle once, beginning with the task that comes first in `blocked`.
#[must_use]
pub fn circles(blocked: &[Blocked]) -> Vec<Vec<u64>> {
    let next =
        |task: u64| blocked.iter().find(|one| one.task.address == task).and_then(Blocked::holder);
    let mut found: Vec<Vec<u64>> = Vec::new();
    for start in blocked {
        let mut path = vec![start.task.address];
        let first = start.task.address;
        while let Some(holder) = path.last().and_then(|last| next(*last)) {
            if holder == first {
                let known = |circle: &Vec<u64>| circle.contains(&first);
                if !found.iter().any(known) {
                    found.push(path);
                }
                break;
            }
            // A circle further on is found from one of its own.
            if path.contains(&holder) {
                break;
            }
            path.push(holder);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocked(task: u64, holder: u64) -> Blocked {
        let task = Task {
            address: task,
            pid: 1,
            tgid: 1,
            comm: "t".to_owned(),
            state: TaskState::Uninterruptible,
            cpu: None,
            stack: 0,
            mm: 0,
            parent: 0,
            flags: 0,
        };
        let lock = Lock {
            kind: LockKind::Mutex,
            address: 0x100 + holder,
            is_handed_over: false,
            holder: Holder::Task(holder),
            waiters: vec![task.address],
            queue: None,
        };
        Blocked { task, lock, listed: true, caller: None }
    }

    #[test]
    fn two_tasks_that_wait_for_each_other_are_one_circle() {
        let all = [blocked(1, 2), blocked(2, 1), blocked(3, 1)];
        assert_eq!(circles(&all), [vec![1, 2]]);
    }

    #[test]
    fn a_chain_without_an_end_in_itself_is_no_circle() {
        assert_eq!(circles(&[blocked(1, 2), blocked(2, 3)]), Vec::<Vec<u64>>::new());
        assert_eq!(circles(&[blocked(1, 1)]), [vec![1]], "a task that waits for itself");
    }
}
