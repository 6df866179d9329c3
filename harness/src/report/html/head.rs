// SPDX-License-Identifier: MIT OR Apache-2.0
//! The head of the page: when the runs were made and of what, and which of them are shown.

use std::time::Duration;

use maud::{Markup, html};

use crate::run::invocation::Invocation;
use crate::units;
use guest::shown::visible;

/// Characters of a commit's hash that are shown.
const SHORT: usize = 12;

/// Date, length and commit, as far as they were noted.
pub(super) fn invocation(invocation: Option<&Invocation>) -> Markup {
    html! {
        @if let Some(Invocation { started, millis, commit }) = invocation {
            p.dim {
                time datetime=(visible(started)) { (visible(&day(started))) }
                ", took " (units::duration(Duration::from_millis(*millis)))
                @if let Some(commit) = commit {
                    @let short: String = commit.id.chars().take(SHORT).collect();
                    ", commit " code title=(visible(&commit.id)) { (visible(&short)) }
                    @if commit.changed { " with changes" }
                }
            }
        }
    }
}

/// A time as people write it.
fn day(time: &str) -> String {
    let parsed = time.parse::<jiff::Timestamp>();
    parsed.map_or_else(|_| time.to_owned(), |it| it.strftime("%Y-%m-%d %H:%M:%S UTC").to_string())
}

/// What is shown: by the style sheet alone, which looks at what is chosen.
pub(super) fn filter(good: usize, bad: usize) -> Markup {
    let choices = [("all", good + bad), ("failing", bad), ("passing", good)];
    html! {
        @if good + bad > 1 {
            fieldset.filter {
                legend { "show" }
                @for (name, count) in choices {
                    label {
                        input type="radio" name="show" id={ "show-" (name) } checked[name == "all"];
                        (name) " " (count)
                    }
                }
            }
        }
    }
}
