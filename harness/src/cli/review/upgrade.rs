// SPDX-License-Identifier: MIT OR Apache-2.0
//! `repro review --upgrade`: reports of an earlier form, all that changed alike at once.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::super::CommandResult;
use super::super::options;
use super::kept::Kept;
use super::{HEAD, answer, lines};
use crate::error::Failure;
use crate::exit::Exit;
use crate::review::{Form, Judged, Pattern, Proof, Upgrade, Waiting};
use guest::shown;

/// Names and changes of a group that are listed.
const MOST: usize = 8;

/// What is done with the reports in which only the form changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    Ask,
    Accept,
    List,
}

/// A change of many reports.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Change {
    from: Form,
    to: Form,
    pattern: Pattern,
}

/// A report in which only the form changed.
struct FormOnly<'w> {
    waiting: &'w Waiting,
    proof: Proof,
}

/// The reports of an earlier form.
#[derive(Default)]
struct Sorted<'w> {
    /// Only the form changed, by what changed.
    form_only: BTreeMap<Change, Vec<FormOnly<'w>>>,
    /// More changed, or nobody can tell: why.
    more: Vec<(&'w Waiting, Vec<String>)>,
    /// Reports that are no matter of the form.
    others: usize,
}

/// Looks at all that wait.
pub(super) fn run(waiting: &[Waiting], kept: &Kept<'_>, how: How) -> CommandResult {
    let mut sorted = Sorted::default();
    for one in waiting {
        sorted.add(one, kept);
    }
    if sorted.form_only.is_empty() && sorted.more.is_empty() {
        options::print("no report that waits was reviewed in an earlier form\n")?;
        return Ok(Exit::Ok);
    }
    options::print_made(&sorted.text())?;
    let accepts = match how {
        _ if sorted.form_only.is_empty() => false,
        How::Accept => true,
        How::List => false,
        How::Ask => {
            let count = reports(sorted.count());
            options::print(&format!("accept the {count} in which only the form changed? [y/N] "))?;
            answer()?.is_some_and(|answer| matches!(answer.as_str(), "y" | "yes"))
        }
    };
    if accepts {
        sorted.accept()?;
    }
    Ok(if sorted.more.is_empty() { Exit::Ok } else { Exit::CaseFailed })
}

impl<'w> Sorted<'w> {
    fn add(&mut self, one: &'w Waiting, kept: &Kept<'_>) {
        let earlier = one.reviewed_form().is_some_and(|reviewed| reviewed < one.form());
        if earlier && one.form() != Form::OURS {
            let (theirs, ours) = (one.form(), Form::OURS);
            let why = format!("made by another repro: {theirs}, and this one writes {ours}");
            self.more.push((one, vec![why, "run it again: repro test".to_owned()]));
            return;
        }
        match one.upgrade(&kept.of(one)) {
            Ok(None) => self.others += 1,
            Ok(Some(Upgrade { from, to, judged: Judged::FormOnly(proof) })) => {
                let change = Change { from, to, pattern: one.pattern() };
                let alike = self.form_only.entry(change).or_default();
                alike.push(FormOnly { waiting: one, proof });
            }
            Ok(Some(Upgrade { judged: Judged::More(why), .. })) => {
                self.more.push((one, why.words()));
            }
            Err(error) => self.more.push((one, vec![error.to_string()])),
        }
    }

    fn count(&self) -> usize {
        self.form_only.values().map(Vec::len).sum()
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for (change, alike) in &self.form_only {
            text.push_str(&changed_alike(change, alike));
        }
        for (one, why) in &self.more {
            let name = shown::line(&one.name());
            let _ = writeln!(text, "{HEAD}{name}{HEAD:#} stays: more than the form changed");
            for words in some(why) {
                let _ = writeln!(text, "  * {words}");
            }
            text.push('\n');
        }
        if self.others > 0 {
            let count = reports(self.others);
            let _ = writeln!(text, "{count} of no earlier form: repro review\n");
        }
        text
    }

    fn accept(&self) -> Result<(), Failure> {
        let mut accepted = 0;
        for FormOnly { waiting: one, .. } in self.form_only.values().flatten() {
            let failed = |error: crate::review::Error| {
                error.failure(format!("cannot change the report of {}", one.name()))
            };
            // Whoever was asked may have taken his time.
            if one.is_current().map_err(failed)? {
                one.accept().map_err(failed)?;
                accepted += 1;
            } else {
                options::complain(&format!("{} changed meanwhile and stays\n", one.name()))?;
            }
        }
        options::print(&format!("accepted {}\n", reports(accepted)))
    }
}

/// A change, the reports that have it, and the lines of one of them.
fn changed_alike(change: &Change, alike: &[FormOnly<'_>]) -> String {
    let Change { from, to, pattern } = change;
    let count = reports(alike.len());
    let mut text = format!("{HEAD}only the form changed in {count}{HEAD:#}: {from} to {to}\n");
    for proof in [Proof::Evidence, Proof::Facts, Proof::Words] {
        let by = alike.iter().filter(|one| one.proof == proof);
        let names: Vec<String> = by.map(|one| one.waiting.name()).collect();
        if !names.is_empty() {
            let _ = writeln!(text, "  {}: {}", known_by(proof), some(&names).join(", "));
        }
    }
    let pieces: Vec<String> = pattern.pieces().map(ToString::to_string).collect();
    for piece in some(&pieces) {
        let _ = writeln!(text, "  * {piece}");
    }
    for one in alike.iter().map(|one| one.waiting).take(1).filter(|one| !lines(one).is_empty()) {
        let _ = writeln!(text, "\n  as in {}:\n{}", shown::line(&one.name()), lines(one));
    }
    text
}

const fn known_by(proof: Proof) -> &'static str {
    match proof {
        Proof::Evidence => "the crash that was reviewed, analyzed again, is this one",
        Proof::Facts => "all that a form does not change is the same",
        Proof::Words => "each word is the same",
    }
}

/// The first of many, as they may be shown.
fn some(all: &[String]) -> Vec<String> {
    let mut shown: Vec<String> = all.iter().take(MOST).map(|one| shown::line(one)).collect();
    let more = all.len().saturating_sub(MOST);
    shown.extend((more > 0).then(|| format!("and {more} more")));
    shown
}

fn reports(count: usize) -> String {
    if count == 1 { "1 report".to_owned() } else { format!("{count} reports") }
}
