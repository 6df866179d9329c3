// SPDX-License-Identifier: MIT OR Apache-2.0
//! Why a step did not pass.

use std::io;

use protocol::ExecEnd;
use rustix::io::Errno;

/// What a step gives.
pub(crate) type Step = Result<(), Trouble>;

/// Why a step did not pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// It could not be tried here.
    Skipped(String),
    /// It went otherwise than it should.
    Failed(String),
}

impl Trouble {
    /// Something that a step needs was refused. What needs rights or a feature of the kernel may be
    /// refused to anybody; all else is there on every kernel.
    pub(crate) fn refused(what: &str, error: Errno) -> Self {
        let why = format!("{what}: {error}");
        match error {
            Errno::PERM
            | Errno::ACCESS
            | Errno::NOSYS
            | Errno::NODEV
            | Errno::NOTSUP
            | Errno::INVAL
            | Errno::NOSPC => Self::Skipped(why),
            _ => Self::Failed(why),
        }
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Failed(format!("cannot prepare it: {error}"))
    }
}

impl From<Errno> for Trouble {
    fn from(error: Errno) -> Self {
        io::Error::from(error).into()
    }
}

/// What is told of a step.
pub(crate) fn told(step: Step) -> ExecEnd {
    match step {
        Ok(()) => ExecEnd::Passed,
        Err(Trouble::Skipped(why)) => ExecEnd::Skipped { why },
        Err(Trouble::Failed(why)) => ExecEnd::Failed { why },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_refused_to_users_is_skipped_and_what_breaks_is_not() {
        let refused = |error| told(Err(Trouble::refused("mount", error)));
        assert!(matches!(refused(Errno::PERM), ExecEnd::Skipped { why } if why.contains("mount")));
        assert!(matches!(refused(Errno::IO), ExecEnd::Failed { .. }));
        assert_eq!(told(Ok(())), ExecEnd::Passed);
    }
}
