// SPDX-License-Identifier: MIT OR Apache-2.0
//! The stack of the fault: who called whom, and how much of it each took.

use std::fmt::Write as _;

use analyzer::report::Frame;

use super::{wide, with_code};
use crate::report::junit::plain;
use crate::run::outcome::RunResult;
use crate::units;

fn frames(run: &RunResult) -> &[Frame] {
    run.report.as_ref().map_or(&[], |report| &report.backtraces.fault)
}

/// The frames, inlined ones set in.
pub(super) fn backtrace(run: &RunResult) -> String {
    let frames = frames(run);
    if frames.is_empty() {
        return String::new();
    }
    let mut text = String::from(
        "<table class=\"mono\">\n<tr><th class=\"number\">#</th>\
         <th>function</th><th>place</th><th>found by</th></tr>\n",
    );
    for frame in frames {
        let class = if frame.inlined { " class=\"inlined\"" } else { "" };
        let trust = serde_json::to_value(frame.trust).unwrap_or_default();
        let trust = if frame.inlined { "inlined" } else { trust.as_str().unwrap_or_default() };
        let _ = writeln!(
            text,
            "<tr{class}><td class=\"number\">{}</td><td class=\"function\">{}{}</td><td>{}</td>\
             <td>{trust}</td></tr>",
            frame.index,
            plain(&function(frame)),
            arguments(frame),
            plain(&place(frame)),
        );
        if let Some(repeats) = frame.repeats {
            let words =
                format!("the last {} frames come {} times more", repeats.frames, repeats.times);
            let _ = writeln!(text, "<tr class=\"boundary\"><td colspan=\"4\">{words}</td></tr>");
        }
        if let Some(boundary) = &frame.boundary {
            let boundary = with_code(boundary);
            let _ =
                writeln!(text, "<tr class=\"boundary\"><td colspan=\"4\">— {boundary} —</td></tr>");
        }
    }
    text.push_str("</table>\n");
    wide("backtrace", &text)
}

fn arguments(frame: &Frame) -> String {
    if frame.arguments.is_empty() {
        return String::new();
    }
    format!("<br><span class=\"arguments\">{}</span>", plain(&frame.arguments.join(", ")))
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
pub(super) fn picture(run: &RunResult) -> String {
    let sized: Vec<(&Frame, u64)> =
        frames(run).iter().filter_map(|frame| Some((frame, frame.stack_bytes?))).collect();
    let most = sized.iter().map(|(_, bytes)| *bytes).max().unwrap_or(0);
    if most == 0 {
        return String::new();
    }
    let total: u64 = sized.iter().map(|(_, bytes)| *bytes).sum();
    let mut text = format!(
        "<p class=\"dim\">{} in {} functions</p>\n<table class=\"bars mono\">\n",
        units::bytes(total),
        sized.len()
    );
    for (frame, bytes) in sized {
        let percent = bytes.saturating_mul(100) / most;
        let _ = writeln!(
            text,
            "<tr><td>{}</td><td class=\"number\">{bytes} B</td><td class=\"picture\">\
             <span class=\"bar\" style=\"width:{percent}%\"></span></td></tr>",
            plain(name(frame))
        );
    }
    text.push_str("</table>\n");
    text
}
