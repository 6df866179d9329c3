// SPDX-License-Identifier: MIT OR Apache-2.0
//! Why reviewed reports cannot be used.

use std::io;
use std::path::PathBuf;

use super::Form;
use crate::error::Failure;
use crate::exit::Exit;

/// Why reviewed reports cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read or written.
    #[error("{}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// It is something else.
    #[error("{} is not a file with a reviewed text", .0.display())]
    NoSnap(PathBuf),
    /// The number of the form is none, or there are several.
    #[error("{} does not say in its head, in one number, of which form it is", .0.display())]
    Form(PathBuf),
    /// Text and data were not reviewed together.
    #[error("{} and its data are not of one form: {text} and {data}", path.display())]
    TwoForms {
        /// The text's file.
        path: PathBuf,
        /// Form of the text.
        text: Form,
        /// Form of the data.
        data: Form,
    },
    /// What changed cannot be told by this program.
    #[error("the reviewed report was written by a newer repro: it has {theirs}, this one {ours}")]
    Newer {
        /// Form of the reviewed report.
        theirs: Form,
        /// Form of the report that it is compared with.
        ours: Form,
    },
}

impl Error {
    /// The failure that it leads to.
    #[must_use]
    pub fn failure(&self, message: impl Into<String>) -> Failure {
        let (exit, hint) = match self {
            Self::NoSnap(_) | Self::Form(_) | Self::TwoForms { .. } => {
                (Exit::SetupError, Some("take it from your repository again, or review it anew"))
            }
            Self::Newer { .. } => {
                (Exit::SetupError, Some("use the repro that the report was reviewed with"))
            }
            Self::Io { .. } => (Exit::WriteFailed, None),
        };
        let failure = Failure::new(exit, message).caused_by(self);
        match hint {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }
}

/// An error of the system, with the path that it is about.
pub(super) fn at(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Error {
    let path = path.into();
    |source| Error::Io { path, source }
}
