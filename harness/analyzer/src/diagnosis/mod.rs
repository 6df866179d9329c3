// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a crash came down to, as facts.
//!
//! What was found is a case of [`What`]; all that is said of it is derived here, each by one `match`
//! that knows every case: the [kind](What::kind), the words of title and sentence
//! (`words`), the next step (`next`) and whether it may be called proven (`proof`).

mod advice;
mod aftermath;
mod check;
mod given;
mod how;
mod lead;
mod lead_words;
mod nature;
mod next;
mod pointer;
mod proof;
mod until;
mod wait;
mod words;

use unwind::Pc;

use crate::claim::{Addresses, Claim};
use crate::express::Expression;
use crate::kind::CrashKind;
use crate::source_line::SourceLine;
use crate::stacks::Exhaustion;

pub use advice::Advice;
pub use aftermath::Aftermath;
pub use check::{Check, CheckKind, Complaint, Freed, ListEntry, Overflow};
pub use given::{Given, GivenObject};
pub use how::Use;
pub use lead::{About, Lead, Made, Passed, Room, Site, Table};
pub use nature::{Nature, Owner, Place, TextPlace};
pub use pointer::{BadPointer, Elsewhere, Mistaken, Role, Symptom, Test};
pub use proof::{Blame, Doubt, Grounds};
pub use until::{Condition, Relation, Right, Until};
pub use wait::{
    Event, Hang, Held, Interruption, Left, Lockup, LockupKind, Member, NoLock, OtherCpus, Own,
    Spin, Waiting,
};
pub use words::Words;

/// What a crash came down to.
#[derive(Debug, Clone)]
pub struct Diagnosis {
    /// What happened.
    pub what: What,
    /// Instruction at fault, for the culprit's line; its frame's program counter otherwise.
    pub pc: Option<Pc>,
    /// How far the steps carry.
    pub grounds: Grounds,
    /// How the code at `pc` is tied to what happened.
    pub blame: Blame,
    /// The function of the kernel that the code at fault called and that noticed or faulted.
    pub helper: Option<String>,
    /// The steps.
    pub evidence: Vec<Claim>,
    /// Why nothing better is known, in words.
    pub unknown: Option<String>,
    /// Where the kernel complained of a module before.
    pub complained: Option<Complained>,
    /// What the function of the kernel was given that complained.
    pub given: Option<Given>,
    /// What the code of modules can be searched for.
    pub about: Option<About>,
    /// Where to look next.
    pub leads: Vec<Lead>,
    /// What would show more the next time.
    pub advice: Option<Advice>,
    /// What came of it, where it happened before the crash.
    pub aftermath: Option<Aftermath>,
    /// The tasks that it is about, where that is not the one that crashed; the first is at `pc`.
    pub involved: Vec<Involved>,
}

/// What the kernel complained of before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complained {
    /// The module's line.
    pub line: SourceLine,
    /// What the function that complained was given.
    pub given: Option<Given>,
}

/// A task that has a part in what happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Involved {
    /// Its `task_struct`.
    pub task: u64,
    /// What it does.
    pub does: Doing,
}

/// What a task does that has a part in a hang.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doing {
    /// It waits.
    Waits,
    /// It has what others wait for.
    Holds,
    /// Its CPU runs without end.
    Runs,
    /// It was on a CPU.
    OnCpu,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A pointer was bad.
    Pointer(BadPointer),
    /// A size that no object has was given to a function of the C library.
    Size(BadSize),
    /// A division failed.
    Division(Division),
    /// A stack was used up.
    Exhausted(Exhaustion),
    /// A check failed: of the module, or one of the kernel's own.
    Check(Check),
    /// A CPU that ran without end.
    Lockup(Lockup),
    /// A task that waits without end.
    Waiting(Waiting),
    /// Somebody asked for the crash by sysrq.
    Requested,
    /// Nothing: the machine ran when the dump was taken.
    Running {
        /// A task had died of an oops before.
        oopsed: bool,
    },
    /// Nothing is known but the kind.
    Kind(CrashKind),
}

/// A size that no object has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadSize {
    /// The function that it was given to.
    pub function: &'static str,
    /// The size, taken as a signed number: below 0.
    pub size: i64,
    /// The size as C.
    pub expression: Option<Expression>,
}

/// A division by zero, or with a quotient that does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Division {
    /// The divisor.
    pub divisor: Option<u64>,
    /// The divisor as C.
    pub expression: Option<Expression>,
}

impl Complained {
    /// What it complained of, in words; `None` if no more is known than where.
    #[must_use]
    pub fn clause(&self, addresses: &dyn Addresses) -> Option<String> {
        let (line, given) = (addresses.line(&self.line), self.given.as_ref()?);
        Some(format!("before, the kernel complained at `{line}`, where {}", given.words()))
    }
}

impl Diagnosis {
    /// A diagnosis of which nothing is known but what happened.
    #[must_use]
    pub fn new(what: What) -> Self {
        Self {
            what,
            pc: None,
            grounds: Grounds::None,
            blame: Blame::default(),
            helper: None,
            evidence: Vec::new(),
            unknown: None,
            complained: None,
            given: None,
            about: None,
            leads: Vec::new(),
            advice: None,
            aftermath: None,
            involved: Vec::new(),
        }
    }

    /// A diagnosis of which only the kind is known.
    #[must_use]
    pub fn of_kind(kind: CrashKind) -> Self {
        Self::new(What::Kind(kind))
    }

    /// The kind.
    #[must_use]
    pub fn kind(&self) -> CrashKind {
        self.what.kind()
    }

    /// The C expression that held the bad value.
    #[must_use]
    pub fn expression(&self) -> Option<&Expression> {
        self.what.expression()
    }

    /// Whether a CPU waits for a lock, or where one should be.
    #[must_use]
    pub const fn is_of_lock(&self) -> bool {
        match &self.what {
            What::Lockup(it) => {
                use Hang as H;
                matches!(
                    it.hang,
                    H::Lock(_) | H::NoLock(_) | H::Asleep(_) | H::Held(_) | H::Circle(_)
                )
            }
            _ => false,
        }
    }

    /// Says that what it comes down to is not shown, and why, if nothing else was open before.
    pub(crate) fn leave_open(&mut self, why: &str) {
        self.grounds = self.grounds.max(Grounds::Inferred);
        self.unknown.get_or_insert_with(|| why.to_owned());
    }

    /// Leaves out claims that were made before.
    pub fn say_once(&mut self) {
        let mut said: Vec<Claim> = Vec::new();
        for claim in self.evidence.drain(..) {
            if !said.contains(&claim) {
                said.push(claim);
            }
        }
        self.evidence = said;
    }

    /// The bad pointer, if one was bad.
    #[must_use]
    pub const fn pointer(&self) -> Option<&BadPointer> {
        match &self.what {
            What::Pointer(pointer) => Some(pointer),
            _ => None,
        }
    }

    /// The same, to say more of it.
    pub const fn pointer_mut(&mut self) -> Option<&mut BadPointer> {
        match &mut self.what {
            What::Pointer(pointer) => Some(pointer),
            _ => None,
        }
    }
}

impl What {
    /// The kind of crash.
    #[must_use]
    pub fn kind(&self) -> CrashKind {
        match self {
            Self::Pointer(pointer) => pointer.kind(),
            Self::Size(_) => CrashKind::OutOfBounds,
            Self::Division(_) => CrashKind::DivideError,
            Self::Exhausted(_) => CrashKind::StackOverflow,
            Self::Check(check) => check.kind(),
            Self::Lockup(lockup) => lockup.kind(),
            Self::Waiting(waiting) => waiting.kind(),
            Self::Requested => CrashKind::Sysrq,
            Self::Running { .. } => CrashKind::Running,
            Self::Kind(kind) => *kind,
        }
    }

    /// The C expression of what was bad.
    #[must_use]
    pub fn expression(&self) -> Option<&Expression> {
        match self {
            Self::Pointer(pointer) => pointer.expression.as_ref(),
            Self::Size(size) => size.expression.as_ref(),
            Self::Division(division) => division.expression.as_ref(),
            Self::Check(check) => check.expression(),
            Self::Lockup(lockup) => lockup.lock.as_ref(),
            Self::Waiting(waiting) => waiting.subject(),
            Self::Exhausted(_) | Self::Requested | Self::Running { .. } | Self::Kind(_) => None,
        }
    }
}
