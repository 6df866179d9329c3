// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the badges, the colours and the words of the page mean. The same words are the tooltips.

use analyzer::report::{Confidence, Trust};
use maud::{Markup, html};
use serde::Serialize;

use super::badge;
use crate::run::matrix::Status;
use crate::run::outcome::Outcome;

const STATUSES: [Status; 7] = [
    Status::As(Outcome::Reproduced),
    Status::As(Outcome::Mismatched),
    Status::As(Outcome::NotReproduced),
    Status::Flaky,
    Status::As(Outcome::NotBuilt),
    Status::As(Outcome::InfraError),
    Status::As(Outcome::Skipped),
];
const CONFIDENCES: [Confidence; 3] = [Confidence::Proven, Confidence::Likely, Confidence::Unknown];
const TRUSTS: [Trust; 8] = [
    Trust::Exact,
    Trust::Cfi,
    Trust::Orc,
    Trust::FramePointer,
    Trust::Jumped,
    Trust::Told,
    Trust::Call,
    Trust::Scan,
];
/// Whether a step of the evidence holds: each has its mark.
const STEPS: [Option<bool>; 3] = [Some(true), Some(false), None];

/// What it means that a case came out so.
pub(super) const fn status(status: Status) -> &'static str {
    match status {
        Status::As(Outcome::Reproduced) => {
            "came out as the case expects: crashed, survived, or was refused"
        }
        Status::As(Outcome::Mismatched) => "came out otherwise than the case expects",
        Status::As(Outcome::NotReproduced) => "the crash that the case expects did not come",
        Status::As(Outcome::NotBuilt) => "its modules do not compile, or are not for that kernel",
        Status::As(Outcome::InfraError) => {
            "could not be judged: something went wrong before or after"
        }
        Status::As(Outcome::Skipped) => "was not started, or stopped by who started it",
        Status::Flaky => "some runs are as the case expects and some are not",
    }
}

/// How far the evidence of a verdict carries.
pub(super) const fn confidence(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::Proven => {
            "each step was checked on the dump, and the expression gives the bad value"
        }
        Confidence::Likely => "the code says so, but not all that is needed to check it is there",
        Confidence::Unknown => "what happened is known, but not why",
    }
}

/// How a frame was found.
pub(super) const fn trust(trust: Trust) -> &'static str {
    match trust {
        Trust::Exact => "by registers that were saved: certain",
        Trust::Cfi => "by the rules of DWARF's call frame information",
        Trust::Orc => "by the rules of the kernel's own ORC tables",
        Trust::FramePointer => "by the chain of saved frame pointers",
        Trust::Jumped => "it went on with a jump and left nothing on the stack: by its code",
        Trust::Told => "the kernel's own trace in its log has it",
        Trust::Call => "by the return address of a call that went to a bad address",
        Trust::Scan => "a word on the stack that looks like a return address: may be stale",
    }
}

/// What the functions are that have no frame of their own.
pub(super) const INLINED: &str = "the compiler put it into the function below";

/// The mark of a step of the evidence: its class and its meaning with it.
pub(super) const fn step(confirmed: Option<bool>) -> (&'static str, &'static str, &'static str) {
    match confirmed {
        Some(true) => ("✓", "good", "confirmed by the dump"),
        Some(false) => ("✗", "bad", "not so in the dump"),
        None => ("?", "doubt", "cannot be checked"),
    }
}

/// The badge of a confidence.
pub(crate) fn confidence_badge(of: Confidence) -> Markup {
    let class = match of {
        Confidence::Proven => "good",
        Confidence::Likely => "doubt",
        Confidence::Unknown => "plain",
    };
    html! { span class={ "badge " (class) } title=(confidence(of)) { (name(of)) } }
}

/// The name of one of a closed list, as the JSON forms have it.
pub(super) fn name(of: impl Serialize) -> String {
    let json = serde_json::to_value(of).unwrap_or_default();
    json.as_str().unwrap_or_default().to_owned()
}

/// All of it, folded.
pub(super) fn legend() -> Markup {
    html! {
        details.legends {
            summary { "What the badges, colours and words mean" }
            (list("How a case came out", STATUSES.map(|it| (badge(it), status(it)))))
            (list("How far a verdict carries",
                CONFIDENCES.map(|it| (confidence_badge(it), confidence(it)))))
            (list("Evidence", STEPS.map(|it| {
                let (mark, class, words) = step(it);
                (html! { span class={ "badge " (class) } { (mark) } }, words)
            })))
            (list("Beside the evidence", [
                (html! { span.badge { "→" } }, "what to look at next"),
                (html! { span.badge.doubt { "A001" } },
                    "what is missing, doubtful or worth knowing, by its number in docs/findings.md"),
            ]))
            (list("How a frame of a stack was found",
                TRUSTS.map(|it| (html! { code { (name(it)) } }, trust(it)))))
            (list("In stacks, sources and values", [
                (html! { span.sample.module { "m" } }, "the code of a module; the kernel's own has no colour"),
                (html! { code { "inlined" } }, INLINED),
                (html! { span.lost { "?" } }, "a value that the code did not keep: its tooltip says why"),
                (html! { span.sample.fault { "x" } }, "the line, the instruction or the member at fault"),
            ]))
            (list("Squares of earlier invocations", [
                (html! { span.history { span.good { "A" } } }, "as expected; the same letter is the same crash"),
                (html! { span.history { span.bad { "B" } } }, "not as expected; another letter is another crash"),
                (html! { span.history { span.good { "·" } } }, "no crash"),
            ]))
        }
    }
}

fn list<const N: usize>(heading: &str, items: [(Markup, &str); N]) -> Markup {
    html! {
        h3 { (heading) }
        dl { @for (mark, words) in items { div { dt { (mark) } dd { (words) } } } }
    }
}

#[cfg(test)]
mod tests {
    use schemars::{JsonSchema, schema_for};

    use super::*;

    /// How many words a closed list has.
    fn count<T: JsonSchema>() -> usize {
        let schema = serde_json::to_value(schema_for!(T)).unwrap();
        schema["oneOf"].as_array().unwrap().len()
    }

    #[test]
    fn every_badge_and_word_is_in_the_legend() {
        assert_eq!(TRUSTS.len(), count::<Trust>());
        assert_eq!(CONFIDENCES.len(), count::<Confidence>());
        assert_eq!(STATUSES.len(), count::<Outcome>() + 1, "and the flaky");
        let legend = legend().into_string();
        for word in TRUSTS.map(name).into_iter().chain(STATUSES.map(Status::name)) {
            assert!(legend.contains(&format!(">{word}<")), "{word} is not in {legend}");
        }
    }
}
