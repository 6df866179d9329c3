// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reviewed reports: kept in the folder of the case, below the name of the guest, as
//! `crash.txt.snap` and `crash.json.snap`. A report that is another is written beside it, with
//! `.new`, until a person accepts or rejects it.
//!
//! Each has the [`Form`] that it was reviewed in. One of an earlier form is another report as soon
//! as the program says more or in other words; [`Upgrade`] tells that from another crash.

mod error;
mod facts;
mod form;
mod frames;
mod line;
mod pair;
mod pattern;
mod place;
#[cfg(test)]
mod sample;
mod snap;
mod upgrade;
mod waiting;
mod words;

use std::path::{Path, PathBuf};

use analyzer::report::Report;

pub use error::Error;
pub use facts::{Fact, Moved};
pub use form::Form;
pub use pattern::{Pattern, Piece};
pub(crate) use place::recording;
pub use upgrade::{Evidence, Judged, NoEvidence, Proof, Reviewed, Upgrade, Why};
pub use waiting::{Waiting, waiting};
pub use words::changes;

use pair::Pair;
use place::Place;

/// What is done with reviewed reports.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Review {
    /// Nothing.
    Off,
    /// Where one was reviewed, the report has to be the same; where none was, it is written for
    /// review.
    #[default]
    Auto,
    /// The same, and a report that nobody reviewed is a mismatch.
    Require,
}

/// What came of a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Compared {
    /// The same as the reviewed one.
    Same,
    /// Nobody has reviewed one; it was written for review.
    New,
    /// Not the same; it was written for review. The changes in words.
    Changed(Vec<String>),
    /// The reviewed one has an earlier form; it was written for review.
    Earlier(Upgrade),
}

/// A report of a case, in its stable forms.
#[derive(Debug, Clone, Copy)]
pub struct Stable<'a> {
    /// What the case is about.
    pub description: &'a str,
    /// The version of what it says.
    pub form: Form,
    /// As text.
    pub text: &'a str,
    /// As data.
    pub report: &'a Report,
}

/// The reviewed report of a case on a guest, which is of no use where the case expects no crash.
#[must_use]
pub fn reviewed(case: &Path, guest: &str) -> Option<PathBuf> {
    Some(Place::of_run(case, guest).text()).filter(|path| path.is_file())
}

/// Compares a report with the reviewed one of its case and guest.
///
/// # Errors
/// A file cannot be read or written, or the reviewed report is none or of a later form.
pub fn compare(
    case: &Path,
    guest: &str,
    stable: Stable<'_>,
    evidence: &dyn Evidence,
) -> Result<Compared, Error> {
    let place = Place::of_run(case, guest);
    let new = Pair::new(stable.description, stable.form, stable.text, stable.report);
    let old = Pair::reviewed(&place)?;
    let upgrade = upgrade::judge(&old, &new, evidence)?;
    if upgrade.is_none() && old.is_said_by(&new) {
        place.forget()?;
        return Ok(Compared::Same);
    }
    new.save(&place)?;
    Ok(match upgrade {
        Some(upgrade) => Compared::Earlier(upgrade),
        None if old.form().is_none() => Compared::New,
        None => Compared::Changed(old.changes(&new)),
    })
}

#[cfg(test)]
mod tests;
