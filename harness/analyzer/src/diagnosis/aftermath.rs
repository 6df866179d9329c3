// SPDX-License-Identifier: MIT OR Apache-2.0
//! What ended a kernel that had been ill before.

use crate::express::Expression;

/// What came of a fault that the kernel survived at first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Aftermath {
    /// The task died with a lock held that another one waits for.
    Lock {
        /// The lock, as C.
        lock: Option<Expression>,
        /// The command's name of who waits.
        waiter: String,
    },
    /// The task died, and another one waits for what may have been its to do.
    Work {
        /// The command's name of who waits.
        waiter: String,
    },
    /// Somebody asked for the crash.
    Asked,
    /// The machine went on.
    Went,
    /// The machine was stopped right after it.
    Stopped,
    /// The kernel gave up later, for a reason of its own.
    Panic,
    /// The kernel crashed later, where nothing shows why.
    Wild,
    /// The kernel crashed later, in what handles an NMI.
    Nmi,
}

impl Aftermath {
    /// In words, behind what happened first.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Lock { lock: Some(lock), waiter } => {
                format!("the task died with `{lock}` held, which task `{waiter}` waits for")
            }
            Self::Lock { lock: None, waiter } => {
                format!("the task died with a lock held that task `{waiter}` waits for")
            }
            Self::Work { waiter } => {
                format!("the task died, and task `{waiter}` waits for what it likely had to do")
            }
            Self::Nmi => "the kernel crashed later, where it handles an NMI".to_owned(),
            Self::Asked => "the crash was asked for later".to_owned(),
            Self::Stopped => "the machine was stopped right after that".to_owned(),
            Self::Went => "the machine went on".to_owned(),
            Self::Panic => "the kernel gave up later".to_owned(),
            Self::Wild => "the kernel crashed later, where nothing shows why".to_owned(),
        }
    }
}
