// SPDX-License-Identifier: MIT OR Apache-2.0
//! The recording of the crash that a report was made of.

use std::fs;
use std::path::{Path, PathBuf};

use analyzer::report::Report;

use super::{EXTENSION, Made, Recording};
use crate::review::{self, Evidence, Form, Reviewed};

/// The recording that a case may have of a guest.
#[derive(Debug, Clone)]
pub struct Recorded {
    path: PathBuf,
}

impl Recorded {
    /// That of a case, by its folder, and a guest.
    #[must_use]
    pub fn of(case: &Path, guest: &str) -> Self {
        Self { path: review::recording(case, guest, EXTENSION) }
    }
}

impl Evidence for Recorded {
    /// A recording that does not say of which report it is, or of another one, may be of another
    /// crash; one that lacks what this program looks at gives another report than the dump did.
    fn again(&self, reviewed: Reviewed<'_>) -> Option<Report> {
        let recording = Recording::from_bytes(&fs::read(&self.path).ok()?).ok()?;
        let Form(form) = reviewed.form;
        if recording.about.made != Some(Made::new(form, reviewed.text)) {
            return None;
        }
        recording.replay().ok().map(|(_, analysis)| analysis.stable)
    }
}
