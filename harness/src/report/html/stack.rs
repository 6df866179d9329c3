// SPDX-License-Identifier: MIT OR Apache-2.0
//! The stack of the fault: who called whom, and how much of it each took.

use analyzer::report::{Does, Frame, Task};
use maud::{Markup, html};

use super::{wide, with_code};
use crate::run::outcome::RunResult;
use crate::units;
use guest::shown::visible;

fn frames(run: &RunResult) -> &[Frame] {
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

fn table(frames: &[Frame]) -> Option<Markup> {
    if frames.is_empty() {
        return None;
    }
    let table = html! {
        table.mono {
            tr { th.number { "#" } th { "function" } th { "place" } th { "found by" } }
            @for frame in frames { (row(frame)) }
        }
    };
    Some(wide("backtrace", &table))
}

fn row(frame: &Frame) -> Markup {
    let trust = serde_json::to_value(frame.trust).unwrap_or_default();
    let trust = if frame.inlined { "inlined" } else { trust.as_str().unwrap_or_default() };
    html! {
        tr class=[frame.inlined.then_some("inlined")] {
            td.number { (frame.index) }
            td.function {
                (visible(&function(frame)))
                @if !frame.arguments.is_empty() {
                    br;
                    span.arguments { (visible(&frame.arguments.join(", "))) }
                }
            }
            td { (visible(&place(frame))) }
            td { (trust) }
        }
        @if let Some(it) = frame.repeats {
            tr.boundary {
                td colspan="4" { "the last " (it.frames) " frames come " (it.times) " times more" }
            }
        }
        @if let Some(boundary) = &frame.boundary {
            tr.boundary { td colspan="4" { "— " (with_code(boundary)) " —" } }
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
fn name(frame: &Frame) -> &str {
    frame.function.as_deref().or(frame.address.as_deref()).unwrap_or("?")
}

fn place(frame: &Frame) -> String {
    match (&frame.file, frame.line) {
        (Some(file), Some(line)) => format!("{file}:{line}"),
        (Some(file), None) => file.clone(),
        _ => String::new(),
    }
}

/// A bar for the stack that each function takes, the innermost at the top.
pub(super) fn picture(run: &RunResult) -> Option<Markup> {
    let sized: Vec<(&Frame, u64)> =
        frames(run).iter().filter_map(|frame| Some((frame, frame.stack_bytes?))).collect();
    let most = sized.iter().map(|(_, bytes)| *bytes).max().filter(|most| *most > 0)?;
    let total: u64 = sized.iter().map(|(_, bytes)| *bytes).sum();
    Some(html! {
        p.dim { (units::bytes(total)) " in " (sized.len()) " functions" }
        table.bars.mono {
            @for (frame, bytes) in &sized {
                @let percent = bytes.saturating_mul(100) / most;
                tr {
                    td { (visible(name(frame))) }
                    td.number { (bytes) " B" }
                    td.picture { span.bar style={ "width:" (percent) "%" } {} }
                }
            }
        }
    })
}
