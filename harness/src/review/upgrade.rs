// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tells a report that changed only because the program did from one of another crash.
//!
//! Best by the crash that was reviewed, analyzed again by this program: then nothing but the crash
//! can be another. Where its dump is gone, by the facts that a form does not change. What
//! can be told by neither has changed until a person says otherwise.

use analyzer::report::Report;

use super::facts::{Facts, Moved};
use super::pair::Pair;
use super::{Error, Form};

/// A reviewed report of an earlier form, and a new one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upgrade {
    /// Form of the reviewed report.
    pub from: Form,
    /// Form of the new one.
    pub to: Form,
    /// What is between them.
    pub judged: Judged,
}

/// What is between a reviewed report of an earlier form and a new one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judged {
    /// Nothing but the form.
    FormOnly(Proof),
    /// More, as far as can be told.
    More(Why),
}

/// How it is known that only the form changed, the strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Proof {
    /// Both say the same, word for word.
    Words,
    /// This program says of the crash that was reviewed what it says of the new one.
    Evidence,
    /// The facts that a form does not change are the same.
    Facts,
}

/// Why more than the form changed, as far as can be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// This program says something else of the crash that was reviewed.
    Evidence(Vec<String>),
    /// Facts that a form does not change are others.
    Facts(Vec<Moved>),
    /// The data of one of them is not there or is none; why.
    NoData(String),
}

impl Why {
    /// It in words, a line each.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        match self {
            Self::Evidence(changes) => changes.clone(),
            Self::Facts(moved) => moved.iter().map(ToString::to_string).collect(),
            Self::NoData(why) => vec![format!("nobody can tell what changed: {why}")],
        }
    }
}

/// A report that somebody reviewed.
#[derive(Debug, Clone, Copy)]
pub struct Reviewed<'a> {
    /// Its form.
    pub form: Form,
    /// Its text, without line ends at its end.
    pub text: &'a str,
}

/// Crashes that were kept.
pub trait Evidence {
    /// What this program says, in the stable form, of the very crash that a report was made of;
    /// `None` where that crash was not kept, or not all that the program looks at. A crash of which
    /// it is not sure that this was the one has to be left out.
    fn again(&self, reviewed: Reviewed<'_>) -> Option<Report>;
}

/// Nothing was kept.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoEvidence;

impl Evidence for NoEvidence {
    fn again(&self, _reviewed: Reviewed<'_>) -> Option<Report> {
        None
    }
}

/// What is between two reports; `None` where they are of one form.
pub(super) fn judge(
    old: &Pair,
    new: &Pair,
    evidence: &dyn Evidence,
) -> Result<Option<Upgrade>, Error> {
    let Some((from, to)) = old.form().zip(new.form()) else { return Ok(None) };
    if from > to && !old.is_said_by(new) {
        return Err(Error::Newer { theirs: from, ours: to });
    }
    let judged = if from >= to {
        return Ok(None);
    } else if old.is_said_by(new) {
        Judged::FormOnly(Proof::Words)
    } else if let Some(again) = again(old, from, evidence) {
        by_evidence(&again, new, to)
    } else {
        by_facts(old, new, from)
    };
    Ok(Some(Upgrade { from, to, judged }))
}

fn again(old: &Pair, form: Form, evidence: &dyn Evidence) -> Option<Report> {
    let text = old.text.as_ref()?.text.as_str();
    evidence.again(Reviewed { form, text })
}

fn by_evidence(again: &Report, new: &Pair, to: Form) -> Judged {
    let again = Pair::new("", to, &analyzer::render::text(again), again);
    match new.report() {
        Some(_) if again.is_said_by(new) => Judged::FormOnly(Proof::Evidence),
        _ => Judged::More(Why::Evidence(again.changes(new))),
    }
}

fn by_facts(old: &Pair, new: &Pair, from: Form) -> Judged {
    match facts(old, "reviewed").and_then(|old| Ok((old, facts(new, "new")?))) {
        Ok((old, new)) => match old.moved(&new, from) {
            moved if moved.is_empty() => Judged::FormOnly(Proof::Facts),
            moved => Judged::More(Why::Facts(moved)),
        },
        Err(why) => Judged::More(Why::NoData(why)),
    }
}

fn facts(pair: &Pair, which: &str) -> Result<Facts, String> {
    let data = pair.data.as_ref().ok_or_else(|| format!("the {which} report has no data"))?;
    Facts::read(&data.text)
        .map_err(|error| format!("the data of the {which} report cannot be read: {error}"))
}
