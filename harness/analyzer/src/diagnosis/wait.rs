// SPDX-License-Identifier: MIT OR Apache-2.0
//! CPUs that run without end, and tasks that wait without end.

use crate::express::Expression;
use crate::kind::CrashKind;

/// A CPU that ran without end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lockup {
    /// Who noticed.
    pub kind: LockupKind,
    /// What it does.
    pub hang: Hang,
    /// The lock that it waits for, as C.
    pub lock: Option<Expression>,
}

/// Who noticed that a CPU ran without end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockupKind {
    /// The watchdog for CPUs that do not schedule.
    Soft,
    /// The watchdog for CPUs that take no interrupts.
    Hard,
    /// RCU.
    Rcu,
    /// Somebody outside, who sent an NMI.
    Nmi {
        /// Whether the CPU had interrupts off there.
        interrupts_off: bool,
    },
}

/// What a CPU does that runs without end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hang {
    /// It waits for a spinlock.
    Lock(OtherCpus),
    /// It waits for a spinlock where none is.
    NoLock(NoLock),
    /// It waits in a loop with `pause`.
    BusyWait,
    /// It runs.
    Running,
    /// Nothing of its stack can be read.
    Unknown,
}

/// What is where a lock should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoLock {
    /// A freed object.
    Freed {
        /// The object's cache.
        cache: String,
    },
    /// Memory of an object in use, as it was when it was allocated.
    NeverWritten {
        /// The object's cache.
        cache: String,
    },
    /// A word that no lock has.
    Other,
}

/// What the other CPUs do while one waits for a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OtherCpus {
    /// None runs anything that could have it.
    Idle,
    /// One runs.
    Busy,
    /// Not known; the code that waits has taken the lock itself.
    Itself,
    /// Not known.
    Unknown,
}

impl Lockup {
    /// The kind of crash.
    #[must_use]
    pub const fn kind(&self) -> CrashKind {
        match (&self.hang, self.kind) {
            (Hang::NoLock(NoLock::Freed { .. }), _) => CrashKind::UseAfterFree,
            (Hang::NoLock(NoLock::NeverWritten { .. }), _) => CrashKind::Uninitialized,
            // A spinlock's owner is on a CPU all the time. If nobody else is, it is this one.
            (Hang::Lock(OtherCpus::Idle | OtherCpus::Itself), _) => CrashKind::Deadlock,
            (_, LockupKind::Soft) => CrashKind::SoftLockup,
            (_, LockupKind::Hard | LockupKind::Nmi { interrupts_off: true }) => {
                CrashKind::HardLockup
            }
            (_, LockupKind::Rcu) => CrashKind::RcuStall,
            (_, LockupKind::Nmi { interrupts_off: false }) => CrashKind::Nmi,
        }
    }
}

/// A task that waits without end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Its command's name.
    pub comm: String,
    /// The lock that it waits for, as C.
    pub lock: Option<Expression>,
    /// The tasks that wait for each other, by their commands, with the locks as C; empty if there
    /// is no circle.
    pub circle: Vec<(String, Option<Expression>)>,
}

impl Waiting {
    /// The kind of crash.
    #[must_use]
    pub const fn kind(&self) -> CrashKind {
        if self.circle.is_empty() { CrashKind::HungTask } else { CrashKind::Deadlock }
    }
}
