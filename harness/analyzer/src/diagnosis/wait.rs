// SPDX-License-Identifier: MIT OR Apache-2.0
//! CPUs that run without end, and tasks that wait without end.

use super::{Diagnosis, Grounds, Until, What};
use crate::claim::{Addresses, Claim};
use crate::express::Expression;
use crate::identify::FreedMemory;
use crate::kind::CrashKind;
use crate::source_line::SourceLine;

/// A CPU that ran without end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lockup {
    /// Who noticed.
    pub kind: LockupKind,
    /// What it does.
    pub hang: Hang,
    /// The lock that it waits for, or where the chain begins that it follows, as C.
    pub lock: Option<Expression>,
    /// The way in the module's code that leaves that lock taken.
    pub left: Option<Left>,
}

/// A way through a function that returns with a lock taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// The function.
    pub function: String,
    /// Where the way leaves the others; where the lock is taken, if it is each way.
    pub from: SourceLine,
    /// The last line that only this way has, if that is another one.
    pub by: Option<SourceLine>,
    /// Whether each way does so; else the others give it back.
    pub always: bool,
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
    /// Somebody who asked the kernel to crash.
    Asked,
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
    /// It waits for a spinlock that it has itself.
    Own(Own),
    /// It waits for a spinlock where none is.
    NoLock(NoLock),
    /// It waits for a spinlock that a task has which sleeps; that one's command's name.
    Asleep(String),
    /// It waits for a spinlock that a task has which another CPU runs; that one's command's name.
    Held(String),
    /// It waits for a spinlock that a CPU has which waits for one that it has.
    Circle(Vec<Member>),
    /// It follows a chain that has no end.
    Ring {
        /// How many objects it leads round through.
        entries: u64,
        /// What it asks of each, where nothing but that ends the loop.
        until: Option<Expression>,
    },
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
    /// Freed memory.
    Freed(FreedMemory),
    /// Memory of an object in use, as it was when it was allocated.
    NeverWritten {
        /// The object's cache.
        cache: String,
        /// Whether whoever waits is known to mean that object, and not one that was freed there.
        is_certain: bool,
    },
    /// A word that no lock has.
    Other,
}

/// How a CPU that waits for a spinlock has it already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Own {
    /// The code that waits took it before.
    Path,
    /// It took it to read, and waits for it to write.
    Upgraded {
        /// The function that took it, quoted, with its module.
        function: String,
        /// The line of that call.
        line: Option<SourceLine>,
    },
    /// Other code took it, on top of which the one that waits runs.
    Interrupted {
        /// The function that took it, quoted, with its module.
        function: String,
        /// The line of that call.
        line: Option<SourceLine>,
        /// What waits.
        by: Interruption,
        /// How the lock was taken.
        lock: Spin,
    },
}

/// What may run on top of other code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interruption {
    /// An interrupt.
    Interrupt,
    /// A softirq: a timer, a tasklet, the network.
    SoftIrq,
}

/// How a lock that is spun for is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spin {
    /// As a spinlock.
    Plain,
    /// To read.
    Read,
    /// To write.
    Write,
}

impl Interruption {
    /// It, in words.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Interrupt => "an interrupt",
            Self::SoftIrq => "a softirq",
        }
    }
}

impl Spin {
    /// The function that takes it so and keeps that away from the CPU.
    pub(crate) const fn without(self, it: Interruption) -> &'static str {
        match (self, it) {
            (Self::Plain, Interruption::Interrupt) => "spin_lock_irqsave()",
            (Self::Plain, Interruption::SoftIrq) => "spin_lock_bh()",
            (Self::Read, Interruption::Interrupt) => "read_lock_irqsave()",
            (Self::Read, Interruption::SoftIrq) => "read_lock_bh()",
            (Self::Write, Interruption::Interrupt) => "write_lock_irqsave()",
            (Self::Write, Interruption::SoftIrq) => "write_lock_bh()",
        }
    }
}

/// What the other CPUs do while one waits for a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OtherCpus {
    /// None runs anything that could have it.
    Idle,
    /// One runs.
    Busy,
    /// Not known.
    Unknown,
}

impl NoLock {
    /// Why the dump does not show which mistake it is, in words; `None` if it does.
    pub(crate) const fn doubt(&self) -> Option<&'static str> {
        match self {
            Self::NeverWritten { is_certain: false, .. } => Some(
                "either nobody has initialised it, or what is meant was freed and the memory has another owner by now",
            ),
            Self::NeverWritten { is_certain: true, .. } | Self::Freed(_) | Self::Other => None,
        }
    }
}

impl Lockup {
    /// The kind of crash.
    #[must_use]
    pub const fn kind(&self) -> CrashKind {
        match (&self.hang, self.kind) {
            (Hang::NoLock(NoLock::Freed(_)), _) => CrashKind::UseAfterFree,
            (Hang::NoLock(NoLock::NeverWritten { .. }), _) => CrashKind::Uninitialized,
            (Hang::Asleep(_), _) => CrashKind::SleepingInAtomic,
            // A spinlock's owner is on a CPU all the time. If nobody else is, it is this one.
            (Hang::Circle(_) | Hang::Own(_) | Hang::Lock(OtherCpus::Idle), _) => {
                CrashKind::Deadlock
            }
            (_, LockupKind::Soft | LockupKind::Asked) => CrashKind::SoftLockup,
            (_, LockupKind::Hard | LockupKind::Nmi { interrupts_off: true }) => {
                CrashKind::HardLockup
            }
            (_, LockupKind::Rcu) => CrashKind::RcuStall,
            (_, LockupKind::Nmi { interrupts_off: false }) => CrashKind::Nmi,
        }
    }
}

/// A task that waits without end, or who holds it up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Its command's name.
    pub comm: String,
    /// The lock that it waits for, as C.
    pub lock: Option<Expression>,
    /// What else it waits for.
    pub event: Event,
    /// The same, by its own code.
    pub until: Option<Until>,
    /// Whether it is on a CPU, and waits for nothing.
    pub runs: bool,
    /// The tasks that wait for each other, by their commands; empty if there is no circle.
    pub circle: Vec<Member>,
    /// What is known of who has the lock.
    pub held: Held,
    /// The way in the module's code that leaves the lock taken.
    pub left: Option<Left>,
}

/// A task of a circle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its command's name.
    pub comm: String,
    /// The lock that it waits for, as C.
    pub lock: Option<Expression>,
    /// What else it waits for.
    pub event: Event,
}

/// What a task waits for that waits for no lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// That another task finishes its work.
    Work,
    /// That a thread stops.
    Stop,
    /// That a reader under RCU ends.
    Readers,
    /// Not known.
    Unknown,
}

/// What is known of who has a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Held {
    /// Nothing, or the task waits for no lock.
    Unknown,
    /// The task has it, or what else another one waits for.
    For {
        /// The command's name of who waits.
        waiter: String,
        /// The lock, as C.
        lock: Option<Expression>,
        /// What else it waits for, if it waits for no lock.
        event: Option<Event>,
    },
    /// A task had it that has exited. Its name is not known: others may have had its memory since.
    Exited,
    /// The lock's word names a task whose stack does not show that it took the lock.
    Named {
        /// The command's name.
        comm: String,
        /// Whether that is the one who waits: its memory was another one's before, or it returned with the lock.
        is_waiter: bool,
    },
    /// A semaphore, which names nobody, and may be no lock: what one task waits for and another one tells.
    Down,
    /// There is no lock any more.
    Lost,
    /// It lies in a freed object of that cache.
    Freed(FreedMemory),
}

impl Left {
    /// The place to look at.
    #[must_use]
    pub fn place(&self) -> &SourceLine {
        self.by.as_ref().unwrap_or(&self.from)
    }

    /// In words, behind what waits.
    #[must_use]
    pub fn words(&self, addresses: &dyn Addresses) -> String {
        let (function, place) = (&self.function, addresses.line(self.place()));
        match self.always {
            true => {
                format!("likely kept by `{function}`, which takes it at `{place}` and ends with it")
            }
            false => format!("likely left taken by `{function}` on a way at `{place}`"),
        }
    }

    /// The function and where it does so.
    pub(super) fn whereabouts(&self, addresses: &dyn Addresses) -> String {
        let Self { function, from, .. } = self;
        match self.always {
            true => format!("`{function}` at `{}`", addresses.line(from)),
            false => format!("`{function}` on its way at `{}`", addresses.line(self.place())),
        }
    }

    /// What the code tells of it, of the lock as C.
    pub(super) fn claim(&self, lock: Option<&Expression>) -> Claim {
        let lock = lock.map_or_else(|| "the lock".to_owned(), |lock| format!("`{lock}`"));
        let Self { function, from, by, always } = self;
        let claim = Claim::new(Some(true));
        if *always {
            let words =
                format!("by its code, `{function}` ends with {lock} taken, on each way from `");
            return claim.text(words).line(from).text("` on");
        }
        let claim =
            claim.text(format!("by its code, `{function}` goes from `")).line(from).text("`");
        let claim = match by {
            Some(by) => claim.text(" by `").line(by).text("`"),
            None => claim,
        };
        claim.text(format!(" to its end with {lock} taken, which its other ways give back"))
    }
}

impl Diagnosis {
    /// Names the way that leaves the lock taken which somebody waits for.
    pub(crate) fn find_way(&mut self, left: Left) {
        self.evidence.push(left.claim(self.what.expression()));
        match &mut self.what {
            What::Lockup(it) => it.left = Some(left),
            What::Waiting(it) => it.left = Some(left),
            _ => {}
        }
        if self.grounds == Grounds::Shown {
            self.grounds = Grounds::Inferred;
            let words = "that control went that way is told by the code alone";
            self.unknown = Some(words.to_owned());
        }
    }

    /// The way that leaves a lock taken which nobody on a stack is seen to have.
    #[must_use]
    pub fn left(&self) -> Option<&Left> {
        match &self.what {
            What::Lockup(it) => it.left.as_ref(),
            What::Waiting(it) => it.way(),
            _ => None,
        }
    }
}

impl Waiting {
    /// What it waits for, as C.
    pub(super) fn subject(&self) -> Option<&Expression> {
        self.lock.as_ref().or_else(|| self.until.as_ref().map(Until::subject))
    }

    /// The way that leaves the lock taken that it waits for.
    pub(crate) const fn way(&self) -> Option<&Left> {
        self.left.as_ref()
    }

    /// The kind of crash.
    #[must_use]
    pub const fn kind(&self) -> CrashKind {
        match self.held {
            _ if !self.circle.is_empty() => CrashKind::Deadlock,
            Held::Freed(_) => CrashKind::UseAfterFree,
            _ => CrashKind::HungTask,
        }
    }
}
