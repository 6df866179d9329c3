// SPDX-License-Identifier: MIT OR Apache-2.0
//! A report that is as its case expects, held to the one that somebody reviewed.

use analyzer::Analysis;

use crate::error::Failure;
use crate::recording::Recorded;
use crate::review::{self, Compared, Form, Judged, Proof, Review, Stable, Upgrade};
use crate::run::outcome::{Difference, EARLIER, Outcome, REPORT, RunResult};
use crate::run::recorder::Recorder;
use crate::run::select::Selected;

/// Names a reviewed report that nothing is held to: the case expects no crash.
pub(super) fn none_is_needed(selected: &Selected, recorder: &mut Recorder<'_>) {
    let (case, guest) = (&selected.case.folder, &selected.guest.name);
    if let Some(path) = review::reviewed(case, guest) {
        let name = &selected.case.name;
        recorder.warn(format!(
            "{name} expects no crash (outcome = \"none\"), and {} was reviewed when it did: remove it",
            path.display()
        ));
    }
}

/// Holds a report to the reviewed one.
pub(super) fn hold(
    selected: &Selected,
    review: Review,
    analysis: &Analysis,
    result: &mut RunResult,
    recorder: &mut Recorder<'_>,
) -> Result<(), Failure> {
    if review == Review::Off {
        return Ok(());
    }
    let (case, guest) = (&selected.case.folder, &selected.guest.name);
    let report = &analysis.stable;
    let text = analyzer::render::text(report);
    let description = &selected.case.manifest.summary;
    let stable = Stable { description, form: Form::OURS, text: &text, report };
    let compared = review::compare(case, guest, stable, &Recorded::of(case, guest));
    let compared = compared.map_err(|error| {
        error.failure(format!(
            "cannot compare the report of {} with the reviewed one",
            result.name()
        ))
    })?;
    judge(compared, review, result, recorder);
    Ok(())
}

fn judge(compared: Compared, review: Review, result: &mut RunResult, recorder: &mut Recorder<'_>) {
    result.waits = compared != Compared::Same;
    match compared {
        Compared::Same => {}
        Compared::New if review == Review::Require => {
            differ(result, REPORT, "as it was reviewed", ["nobody has reviewed one".to_owned()]);
        }
        Compared::New => {}
        Compared::Changed(words) => differ(result, REPORT, "as it was reviewed", words),
        Compared::Earlier(upgrade) => earlier(&upgrade, result, recorder),
    }
}

/// A report whose reviewed one has an earlier form: another crash is a mismatch. One in which only
/// the form changed is none, so that a new version of this program alone fails no pipeline; but it
/// is said, since until it is accepted, runs are held to the facts alone and not to each word.
fn earlier(upgrade: &Upgrade, result: &mut RunResult, recorder: &mut Recorder<'_>) {
    let Upgrade { from, to, judged } = upgrade;
    let forms = format!("{} was reviewed in {from}, and this program writes {to}", result.name());
    match judged {
        Judged::FormOnly(Proof::Words) => {
            recorder.note(format!("{forms}, which says the same: repro review --upgrade"));
        }
        Judged::FormOnly(Proof::Evidence | Proof::Facts) => recorder.warn(format!(
            "{forms}: the same crash in other words, which `repro review --upgrade` accepts"
        )),
        Judged::More(why) => {
            let expected = format!("the crash that was reviewed, in {from}; this is {to}");
            differ(result, EARLIER, &expected, why.words());
        }
    }
}

fn differ(
    result: &mut RunResult,
    key: &str,
    expected: &str,
    words: impl IntoIterator<Item = String>,
) {
    result.outcome = Outcome::Mismatched;
    result.differences.extend(words.into_iter().map(|got| Difference {
        key: key.to_owned(),
        expected: expected.to_owned(),
        got,
    }));
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;

    use super::*;
    use crate::events::{Bus, Event, Reporter, Stamped};
    use crate::review::Why;

    /// Warnings that were told.
    #[derive(Debug, Default, Clone)]
    struct Warnings(Rc<RefCell<Vec<String>>>);

    impl Reporter for Warnings {
        fn event(&mut self, stamped: &Stamped) {
            if let Event::Note { warning: true, message } = &stamped.event {
                self.0.borrow_mut().push(message.clone());
            }
        }
    }

    /// How a run that is as its case expects is judged then, and what was warned of.
    fn judged(compared: Compared, review: Review) -> (RunResult, Vec<String>) {
        let mut result = RunResult::new("mine".to_owned(), "guest-b".to_owned());
        result.outcome = Outcome::Reproduced;
        let warnings = Warnings::default();
        let mut bus = Bus::new(vec![Box::new(warnings.clone())]);
        judge(compared, review, &mut result, &mut Recorder::new(&mut bus));
        let told = warnings.0.borrow().clone();
        (result, told)
    }

    fn earlier(judged: Judged) -> Compared {
        Compared::Earlier(Upgrade { from: Form(1), to: Form(2), judged })
    }

    #[test]
    fn only_another_form_is_a_warning_and_fails_nothing() {
        for review in [Review::Auto, Review::Require] {
            for proof in [Proof::Evidence, Proof::Facts] {
                let (result, told) = judged(earlier(Judged::FormOnly(proof)), review);
                assert_eq!((result.outcome, result.differences), (Outcome::Reproduced, Vec::new()));
                assert_eq!(
                    told,
                    [
                        "mine@guest-b was reviewed in form 1, and this program writes form 2: the same \
                      crash in other words, which `repro review --upgrade` accepts"
                    ]
                );
            }
            let (result, told) = judged(earlier(Judged::FormOnly(Proof::Words)), review);
            assert_eq!((result.outcome, told), (Outcome::Reproduced, Vec::new()));
        }
    }

    #[test]
    fn another_crash_of_an_earlier_form_is_a_mismatch_of_its_own() {
        let why = [
            Why::Evidence(vec!["the kind changed".to_owned()]),
            Why::NoData("the reviewed report has no data".to_owned()),
        ];
        for why in why {
            for review in [Review::Auto, Review::Require] {
                let words = why.words();
                let (result, told) = judged(earlier(Judged::More(why.clone())), review);
                assert_eq!((result.outcome, told), (Outcome::Mismatched, Vec::new()));
                assert_eq!(result.differences[0].key, EARLIER);
                assert_eq!(result.differences[0].got, words[0]);
            }
        }
    }

    #[test]
    fn the_same_form_with_other_words_is_a_mismatch_as_ever() {
        let (result, _) = judged(Compared::Changed(vec!["words".to_owned()]), Review::Auto);
        assert_eq!(result.outcome, Outcome::Mismatched);
        assert_eq!(result.differences[0].key, REPORT);
    }

    #[test]
    fn a_report_that_nobody_reviewed_is_wrong_only_where_that_is_required() {
        assert_eq!(judged(Compared::New, Review::Auto).0.outcome, Outcome::Reproduced);
        assert_eq!(judged(Compared::New, Review::Require).0.outcome, Outcome::Mismatched);
    }
}
