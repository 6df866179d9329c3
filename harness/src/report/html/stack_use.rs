// SPDX-License-Identifier: MIT OR Apache-2.0
//! How much of a kernel stack each function took, where that matters.

use analyzer::report::{CrashKind, Frame};
use maud::{Markup, html};

use super::stack::{frames, name};
use crate::run::outcome::RunResult;
use crate::units;
use guest::shown::visible;

/// Bytes of a task's stack (`THREAD_SIZE`: `arch/x86/include/asm/page_64_types.h`, since 3.15 and in
/// RHEL 7; twice that with KASAN).
const STACK: u64 = 16 << 10;

/// A function on the stack, and how often it is there.
struct Part<'r> {
    frame: &'r Frame,
    bytes: u64,
    times: u64,
}

impl Part<'_> {
    const fn total(&self) -> u64 {
        self.bytes.saturating_mul(self.times)
    }
}

/// A bar for each function, the innermost at the top, and one for all with the stack's end; nothing
/// where less than half of it was used and the stack is not what it is about.
pub(super) fn picture(run: &RunResult) -> Option<Markup> {
    let parts = parts(frames(run));
    let total = parts.iter().map(Part::total).fold(0, u64::saturating_add);
    let kind = run.report.as_ref()?.verdict.kind;
    let most = parts.iter().map(Part::total).max().filter(|most| *most > 0)?;
    if kind != CrashKind::StackOverflow && total <= STACK / 2 {
        return None;
    }
    let count = parts.iter().map(|part| part.times).fold(0, u64::saturating_add);
    // The whole picture is as wide as the greater of both, and a little more.
    let whole = total.max(STACK).saturating_mul(21) / 20;
    let percent = |bytes: u64, of: u64| bytes.saturating_mul(100) / of;
    Some(html! {
        p.dim {
            (units::bytes(total)) " in " (count) " functions; the line is where a stack of "
            (units::bytes(STACK)) " ends"
        }
        div.gauge role="img" aria-label={ (units::bytes(total)) " of " (units::bytes(STACK)) } {
            span.bar style={ "width:" (percent(total, whole)) "%" } {}
            span.limit style={ "left:" (percent(STACK, whole)) "%" } {}
        }
        table.bars.mono {
            @for part in &parts {
                tr {
                    td { (visible(name(part.frame))) }
                    td.number {
                        (part.bytes) " B"
                        @if part.times > 1 { " × " (part.times) }
                    }
                    td.picture {
                        span.bar style={ "width:" (percent(part.total(), most)) "%" } {}
                    }
                }
            }
        }
    })
}

/// The functions whose size is known; of recursion that was folded, those that come again count as
/// often as they do.
fn parts(frames: &[Frame]) -> Vec<Part<'_>> {
    let mut all: Vec<(&Frame, u64)> = Vec::new();
    for frame in frames.iter().filter(|frame| !frame.inlined) {
        all.push((frame, 1));
        let Some(repeats) = frame.repeats else { continue };
        let round = usize::try_from(repeats.frames).unwrap_or(usize::MAX);
        for (_, times) in all.iter_mut().rev().take(round) {
            *times += u64::from(repeats.times);
        }
    }
    all.into_iter()
        .filter_map(|(frame, times)| Some(Part { frame, bytes: frame.stack_bytes?, times }))
        .collect()
}
