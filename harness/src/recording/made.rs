// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which report was made of a crash when it was recorded: so that a recording is never taken for
//! one of another crash of the same case.

use analyzer::render;
use analyzer::report::{Report, STABLE_FORM};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// The report that was made of a crash, as its form and the hash of its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    form: u32,
    sha256: String,
}

impl Made {
    /// Of a report that this program made, in the stable form.
    #[must_use]
    pub fn of(stable: &Report) -> Self {
        Self::new(STABLE_FORM, &render::text(stable))
    }

    /// Of the text of a report of some form; line ends at its end do not count.
    #[must_use]
    pub fn new(form: u32, text: &str) -> Self {
        let hash = Sha256::digest(text.trim_end_matches('\n').as_bytes());
        Self { form, sha256: hash.iter().map(|byte| format!("{byte:02x}")).collect() }
    }
}
