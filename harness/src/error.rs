// SPDX-License-Identifier: MIT OR Apache-2.0
//! A failure that is told to a person: what, an exit code, and one hint.

use std::error::Error as StdError;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::exit::Exit;

/// A failure outside this program's control, with the exit code it leads to.
///
/// The message carries its causes already, outermost first, so that it can be kept in an event
/// or a file as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Failure {
    /// Code the invocation ends with if nothing outweighs it.
    pub exit: Exit,
    /// What failed, in lower case and without a full stop.
    pub message: String,
    /// The causes, outermost first.
    pub causes: Vec<String>,
    /// What a person can do about it.
    pub hint: Option<String>,
}

impl Failure {
    /// A failure with a message of its own.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), causes: Vec::new(), hint: None }
    }

    /// A failure that another error tells about; its sources become the causes.
    pub fn from_error(exit: Exit, error: &(dyn StdError + 'static)) -> Self {
        let mut failure = Self::new(exit, error.to_string());
        failure.add_sources(error);
        failure
    }

    /// Adds an error and its sources as causes.
    #[must_use]
    pub fn caused_by(mut self, error: &(dyn StdError + 'static)) -> Self {
        self.causes.push(error.to_string());
        self.add_sources(error);
        self
    }

    /// Adds what a person can do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The innermost cause, for a list of what failed.
    pub(crate) fn reason(&self) -> String {
        self.causes.last().unwrap_or(&self.message).clone()
    }

    fn add_sources(&mut self, error: &(dyn StdError + 'static)) {
        let mut source = error.source();
        while let Some(error) = source {
            self.causes.push(error.to_string());
            source = error.source();
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        self.causes.iter().try_for_each(|cause| write!(f, ": {cause}"))
    }
}

impl StdError for Failure {}
