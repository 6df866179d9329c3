// SPDX-License-Identifier: MIT OR Apache-2.0
//! The stack of the fault: who called whom.

use analyzer::frame_values::ArgumentText;
use analyzer::report::{Does, Frame, Repeats, Task};
use maud::{Markup, html};

use super::{legend, wide, with_code};
use crate::run::outcome::RunResult;
use guest::shown::visible;

/// Frames of the kernel that are shown behind the last one of a module: who called it.
const CALLERS: usize = 2;
/// Fewer frames are not worth a fold.
const FOLDED: usize = 3;

pub(super) fn frames(run: &RunResult) -> &[Frame] {
    run.report.as_ref().map_or(&[], |report| &report.backtraces.fault)
}

/// The frames, inlined ones set in; of tasks that hang each other up, one stack after the other.
pub(super) fn backtrace(run: &RunResult) -> Option<Markup> {
    let report = run.report.as_ref()?;
    let stacks = &report.backtraces;
    let first = table(&stacks.fault)?;
    let named = |task: &Task, does: Does| html! { p { (party(task, does)) } };
    Some(html! {
        @if let (Some(task), Some(does)) = (&report.task, stacks.does) { (named(task, does)) }
        (first)
        @for other in &stacks.others {
            (named(&other.task, other.does))
            @if let Some(table) = table(&other.frames) { (table) }
        }
    })
}

/// A task, and what it does.
fn party(task: &Task, does: Does) -> Markup {
    let does = does.words();
    let comm = task.comm.as_deref().unwrap_or("?");
    html! { "task " code { (visible(comm)) } @if let Some(pid) = task.pid { " (pid " (pid) ")" } ", which " (does) }
}

/// The frames, with the kernel's tail folded: how it came to the module's code is rarely the question.
fn table(frames: &[Frame]) -> Option<Markup> {
    if frames.is_empty() {
        return None;
    }
    let (shown, tail) = frames.split_at(tail(frames));
    let functions = tail.iter().filter(|frame| !frame.inlined).count();
    let stack = html! {
        (rows(shown, true))
        @if !tail.is_empty() {
            details {
                summary { (tail.len()) " more frames of the kernel, " (functions) " of them not inlined" }
                (rows(tail, false))
            }
        }
    };
    Some(wide("backtrace", &stack))
}

/// Where the tail begins; at the end where no module is on the stack.
fn tail(frames: &[Frame]) -> usize {
    let last = frames.iter().rposition(|frame| frame.module.is_some());
    let begin = last.map_or(frames.len(), |last| last + 1 + CALLERS);
    if begin + FOLDED > frames.len() { frames.len() } else { begin }
}

fn rows(frames: &[Frame], is_headed: bool) -> Markup {
    html! {
        table.stack.mono {
            @if is_headed {
                thead { tr { th.number { "#" } th { "function" } th { "place" } th { "found by" } } }
            }
            tbody { @for frame in frames { (row(frame)) } }
        }
    }
}

fn row(frame: &Frame) -> Markup {
    let (trust, why) = match frame.inlined {
        true => ("inlined".to_owned(), legend::INLINED),
        false => (legend::name(frame.trust), legend::trust(frame.trust)),
    };
    let class = match (frame.inlined, frame.module.is_some()) {
        (true, true) => Some("inlined module"),
        (true, false) => Some("inlined"),
        (false, true) => Some("module"),
        (false, false) => None,
    };
    html! {
        tr class=[class] {
            td.number { (frame.index) }
            td.function {
                (visible(&function(frame)))
                @if !frame.arguments.is_empty() { br; (arguments(frame)) }
            }
            td { (visible(&place(frame))) }
            td title=(why) { (trust) }
        }
        @if let Some(it) = frame.repeats {
            tr.boundary {
                td colspan="4" { (again(it)) }
            }
        }
        @if let Some(boundary) = &frame.boundary {
            tr.boundary { td colspan="4" { "— " (with_code(boundary)) " —" } }
        }
    }
}

/// How often the functions above come again.
fn again(of: Repeats) -> String {
    match of.frames {
        1 => format!("the last function comes {} times more", of.times),
        frames => format!("the last {frames} functions come {} times more", of.times),
    }
}

/// The arguments; of one that the code did not keep the reason is the tooltip.
fn arguments(frame: &Frame) -> Markup {
    html! {
        span.arguments {
            @for (number, text) in frame.arguments.iter().enumerate() {
                @if number > 0 { ", " }
                @match ArgumentText::parse(text) {
                    Some(ArgumentText { name, value: Err(why) }) => {
                        (visible(name)) "=" span.lost title=(visible(why)) { "?" }
                    }
                    _ => (visible(text)),
                }
            }
        }
    }
}

fn function(frame: &Frame) -> String {
    let name = name(frame);
    let at = match (&frame.offset, &frame.size) {
        (Some(offset), Some(size)) => format!("+{offset}/{size}"),
        _ => String::new(),
    };
    let module = frame.module.as_deref().map(|module| format!(" [{module}]"));
    format!("{name}{at}{}", module.unwrap_or_default())
}

/// The function, or the address where there is none.
pub(super) fn name(frame: &Frame) -> &str {
    frame.function.as_deref().or(frame.address.as_deref()).unwrap_or("?")
}

fn place(frame: &Frame) -> String {
    match (&frame.file, frame.line) {
        (Some(file), Some(line)) => format!("{file}:{line}"),
        (Some(file), None) => file.clone(),
        _ => String::new(),
    }
}
