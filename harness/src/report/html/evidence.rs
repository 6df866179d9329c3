// SPDX-License-Identifier: MIT OR Apache-2.0
//! Why the verdict is what it is: the source, the steps, the object.

use maud::{Markup, html};

use super::{c, legend, wide, with_code};
use crate::run::outcome::RunResult;
use guest::shown::visible;

/// The lines around the one at fault.
pub(super) fn source(run: &RunResult) -> Option<Markup> {
    let excerpt = run.excerpt.as_ref()?;
    let mut state = c::State::at_start_of(&excerpt.text);
    let lines = html! {
        pre {
            @for (number, line) in (excerpt.first..).zip(&excerpt.text) {
                span class=[(number == excerpt.line).then_some("fault")] {
                    span.nr { (format!("{number:>5}")) }
                    " " (state.line(&line.replace('\t', "    ")))
                }
            }
        }
    };
    Some(html! { p.mono.dim { (visible(&excerpt.file)) } (wide("source", &lines)) })
}

/// The steps from the fault to the expression, and what to look at next.
pub(super) fn chain(run: &RunResult) -> Option<Markup> {
    let report = run.report.as_ref()?;
    let (steps, next) = (&report.verdict.evidence, &report.verdict.next);
    if steps.is_empty() && next.is_empty() && report.findings.is_empty() {
        return None;
    }
    Some(html! {
        ul.plain {
            @for step in steps {
                @let (mark, class, words) = legend::step(step.confirmed);
                li {
                    span class={ "badge " (class) } title=(words) { (mark) }
                    " " (with_code(&step.claim))
                }
            }
            @for next in next { li { span.badge { "→" } " " (with_code(next)) } }
            @for finding in &report.findings {
                li {
                    span.badge.doubt { (visible(&finding.code)) }
                    " " (with_code(&finding.message))
                }
            }
        }
    })
}

/// The object with its bad member marked.
pub(super) fn object(run: &RunResult) -> Option<Markup> {
    let object = run.object.as_ref()?;
    let lines = html! {
        pre {
            @for (number, line) in (0..).zip(&object.lines) {
                span class=[(number == object.bad).then_some("fault")] { (visible(line)) }
            }
        }
    };
    Some(html! { p.mono.dim { (visible(&object.expression)) } (wide("object", &lines)) })
}
