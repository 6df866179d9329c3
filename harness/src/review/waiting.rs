// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reports that wait for a review.

use std::path::Path;

use super::pair::Pair;
use super::pattern::Pattern;
use super::place::{self, Place};
use super::{Error, Evidence, Form, Upgrade, upgrade};

/// A report that waits for a review.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// Name of the case.
    pub case: String,
    /// Name of the guest.
    pub guest: String,
    /// What changed, in words; nothing where none was reviewed before.
    pub words: Vec<String>,
    place: Place,
    old: Pair,
    new: Pair,
}

impl Waiting {
    /// `case@guest`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}@{}{}", self.case, self.guest, self.place.suffix())
    }

    /// The reviewed text; empty where there is none.
    #[must_use]
    pub fn reviewed(&self) -> &str {
        self.old.text()
    }

    /// The text to review.
    #[must_use]
    pub fn text(&self) -> &str {
        self.new.text()
    }

    /// The new verdict's title.
    #[must_use]
    pub fn title(&self) -> Option<String> {
        self.new.report().map(|report| report.verdict.title)
    }

    /// The new verdict's sentence.
    #[must_use]
    pub fn summary(&self) -> Option<String> {
        self.new.report().map(|report| report.verdict.summary)
    }

    /// Form of the reviewed report; `None` where there is none.
    #[must_use]
    pub fn reviewed_form(&self) -> Option<Form> {
        self.old.form()
    }

    /// Form of the report to review.
    #[must_use]
    pub fn form(&self) -> Form {
        self.new.form().unwrap_or(Form::FIRST)
    }

    /// What is between the reviewed report and this one; `None` where they are of one form, or none
    /// was reviewed.
    ///
    /// # Errors
    /// The reviewed one has a later form.
    pub fn upgrade(&self, evidence: &dyn Evidence) -> Result<Option<Upgrade>, Error> {
        upgrade::judge(&self.old, &self.new, evidence)
    }

    /// What changed, without the names and numbers of this one report.
    #[must_use]
    pub fn pattern(&self) -> Pattern {
        Pattern::between(&self.old, &self.new)
    }

    /// Whether its files are still those that were read.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn is_current(&self) -> Result<bool, Error> {
        let (old, new) = (Pair::reviewed(&self.place)?, Pair::waiting(&self.place)?);
        Ok(old == self.old && new == self.new)
    }

    /// Makes it the reviewed one.
    ///
    /// # Errors
    /// A file cannot be renamed.
    pub fn accept(&self) -> Result<(), Error> {
        self.place.accept()
    }

    /// Throws it away.
    ///
    /// # Errors
    /// A file cannot be removed.
    pub fn reject(&self) -> Result<(), Error> {
        self.place.forget()?;
        self.place.remove_if_empty();
        Ok(())
    }
}

/// The reports of a case that wait for a review, by guest.
///
/// # Errors
/// A file cannot be read, or is no report.
pub fn waiting(case: &Path) -> Result<Vec<Waiting>, Error> {
    let mut all = Vec::new();
    for (guest, place) in Place::all(case)? {
        let new = Pair::waiting(&place)?;
        if new.text.is_none() {
            continue;
        }
        let old = Pair::reviewed(&place)?;
        let words = old.form().map(|_| old.changes(&new)).unwrap_or_default();
        all.push(Waiting { case: place::name(case), guest, words, place, old, new });
    }
    Ok(all)
}
