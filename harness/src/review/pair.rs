// SPDX-License-Identifier: MIT OR Apache-2.0
//! A report as it is kept: the text that a person accepts, and the data that changes are told from.

use analyzer::report::Report;

use super::place::Place;
use super::snap::{Snap, pending};
use super::{Error, Form, changes};

/// A report as it is kept; there may be one of the two.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Pair {
    pub(super) text: Option<Snap>,
    pub(super) data: Option<Snap>,
}

impl Pair {
    /// A report that was just made.
    pub(super) fn new(description: &str, form: Form, text: &str, report: &Report) -> Self {
        let data = Snap::new(description, form, &analyzer::render::json(report));
        Self { text: Some(Snap::new(description, form, text)), data: Some(data) }
    }

    /// The one that was reviewed.
    pub(super) fn reviewed(place: &Place) -> Result<Self, Error> {
        let pair = Self { text: Snap::load(&place.text())?, data: Snap::load(&place.data())? };
        pair.of_one_form(place)
    }

    /// The one that waits for a review.
    pub(super) fn waiting(place: &Place) -> Result<Self, Error> {
        let [text, data] = [place.text(), place.data()].map(|path| pending(&path));
        Self { text: Snap::load(&text)?, data: Snap::load(&data)? }.of_one_form(place)
    }

    fn of_one_form(self, place: &Place) -> Result<Self, Error> {
        match (&self.text, &self.data) {
            (Some(text), Some(data)) if text.form != data.form => {
                Err(Error::TwoForms { path: place.text(), text: text.form, data: data.form })
            }
            _ => Ok(self),
        }
    }

    /// Writes it for review.
    pub(super) fn save(&self, place: &Place) -> Result<(), Error> {
        for (snap, path) in [(&self.text, place.text()), (&self.data, place.data())] {
            if let Some(snap) = snap {
                snap.save(&pending(&path))?;
            }
        }
        Ok(())
    }

    /// Its form; `None` where there is no report.
    pub(super) fn form(&self) -> Option<Form> {
        self.text.as_ref().or(self.data.as_ref()).map(|snap| snap.form)
    }

    pub(super) fn text(&self) -> &str {
        self.text.as_ref().map_or("", |snap| snap.text.as_str())
    }

    /// Whether a newer report says the same, word for word, as far as there is this one.
    pub(super) fn is_said_by(&self, new: &Self) -> bool {
        let same = |old: &Option<Snap>, new: &Option<Snap>| {
            old.as_ref().is_none_or(|old| new.as_ref().is_some_and(|new| new.text == old.text))
        };
        self.form().is_some() && same(&self.text, &new.text) && same(&self.data, &new.data)
    }

    /// What changed, in words: by the data where both have it, else by the first line that is
    /// another.
    pub(super) fn changes(&self, new: &Self) -> Vec<String> {
        if let Some((old, new)) = self.report().zip(new.report()).filter(|(old, new)| old != new) {
            return changes(&old, &new);
        }
        if self.is_said_by(new) {
            return vec!["nothing but the number of the form".to_owned()];
        }
        let mut pairs = self.text().lines().zip(new.text().lines());
        let count = |pair: &Self| pair.text().lines().count();
        vec![match pairs.find(|(old, new)| old != new) {
            Some((old, new)) => format!("`{}` is now `{}`", old.trim(), new.trim()),
            None => format!("{} lines are now {}", count(self), count(new)),
        }]
    }

    pub(super) fn report(&self) -> Option<Report> {
        self.data.as_ref().and_then(|data| serde_json::from_str(&data.text).ok())
    }
}
