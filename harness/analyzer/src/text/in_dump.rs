// SPDX-License-Identifier: MIT OR Apache-2.0
//! The reports of a dump's own log, diagnosed with the dump's code and names.

use klog::{Line, Place};
use unwind::{Trust, Walk};

use super::found::{is_of_panic, section, told};
use super::guess::{behind_helpers, by_checker, by_message, judged};
use super::log_report::LogReport;
use super::split::{Split, Splitter};
use super::stack::{self, TextFrame, frames, without_panic, without_printing};
use crate::cause::diagnose;
use crate::context::{Begins, Walks};
use crate::diagnosis::Diagnosis;
use crate::formats::Sort;
use crate::kind::CrashKind;
use crate::link::completed;
use crate::scene::Scene;
use crate::told::Told;
use kernel::log::LogLine;
use unwind::StopReason;

/// The reports of a log; their numbers are those of its lines, from 1.
pub(crate) fn reports(log: &[LogLine]) -> Vec<LogReport> {
    let mut splitter = Splitter::default();
    for (number, line) in (1..).zip(log) {
        splitter.take(Line {
            number,
            nanoseconds: Some(line.nanoseconds),
            level: Some(line.level),
            caller: line.caller,
            text: line.text.clone(),
        });
    }
    let Split { reports, .. } = splitter.finish();
    reports
}

/// The stack that a report has, without the frames that only print or panic, and whether it is of `panic()`.
fn own_frames(report: &LogReport) -> (Vec<TextFrame>, bool) {
    let section = section(report);
    let own = section.map(|section| frames(section, report.is_fetch())).unwrap_or_default();
    let is_panic = is_of_panic(report, section);
    let mut own = if is_panic { without_panic(own) } else { without_printing(own) };
    if own.iter().any(|frame| frame.trust == Trust::Told) {
        own.retain(|frame| frame.trust != Trust::Scan);
    }
    (own, is_panic)
}

/// The stack that the kernel printed in a report, up to the first function of a module that the dump does not have any
/// more; and that function.
pub(crate) fn printed(
    report: &LogReport,
    locate: &dyn Fn(&Place) -> Option<u64>,
) -> (Walk, Option<Place>) {
    let user = section(report).and_then(|section| section.user);
    let (mut own, _) = own_frames(report);
    let next = known(&mut own, locate);
    (stack::walk(user, &own, locate), next)
}

/// Leaves the frames up to the first one of a module that the dump does not have any more, and gives that: who is behind
/// it did not call what is before.
fn known(frames: &mut Vec<TextFrame>, locate: &dyn Fn(&Place) -> Option<u64>) -> Option<Place> {
    let is_lost =
        |frame: &TextFrame| frame.place.module.is_some() && locate(&frame.place).is_none();
    let at = frames.iter().position(is_lost)?;
    frames.drain(at..).next().map(|frame| frame.place)
}

/// What a report came down to, and the stack that it is about.
pub(crate) fn diagnosed(
    scene: &dyn Scene,
    report: &LogReport,
    locate: &dyn Fn(&Place) -> Option<u64>,
) -> (Told, Diagnosis, Walk) {
    let (mut own, is_panic) = own_frames(report);
    known(&mut own, locate);
    let walk = stack::walk(section(report).and_then(|section| section.user), &own, locate);
    let told = told(report, report);
    let fault = Walk { frames: completed(scene, &walk.frames), stop: walk.stop.clone() };
    let begins = match (report.is_fault(), is_panic) {
        (true, _) => Begins::Fault,
        (false, true) => Begins::Panic,
        (false, false) => Begins::Report,
    };
    let panic = Walk { frames: Vec::new(), stop: StopReason::Root };
    let walks = Walks { fault, panic, entry: None, begins };
    let mut diagnosis = if report.begins.sort == Sort::Fault && begins != Begins::Fault {
        Diagnosis::of_kind(told.kind.unwrap_or(CrashKind::Unknown))
    } else {
        diagnose(scene, None, &walks, &told)
    };
    if !by_checker(report, &mut diagnosis) {
        by_message(scene, &walks.fault.frames, &told, report, &mut diagnosis);
    }
    let placed = own.into_iter().filter(|frame| locate(&frame.place).is_some()).collect();
    let stack = stack::Stack { frames: placed, walk };
    behind_helpers(scene, &stack, report, &mut diagnosis);
    judged(report, &mut diagnosis);
    (told, diagnosis, walks.fault)
}

#[cfg(test)]
mod tests {
    use klog::Symbol;
    use unwind::Trust;

    use super::*;

    fn frame(name: &str, module: Option<&str>) -> TextFrame {
        let symbol = Some(Symbol { name: name.to_owned(), extent: Some((1, 2)) });
        let place = Place { symbol, module: module.map(str::to_owned), ..Place::default() };
        TextFrame {
            place,
            inlined: Vec::new(),
            trust: Trust::Told,
            is_interrupted: false,
            is_behind: false,
            registers: None,
        }
    }

    /// `list_del` called by a function of a module that is lost, which `vfs_write` called: `vfs_write` called no
    /// `list_del`.
    #[test]
    fn who_is_behind_a_function_that_is_lost_is_not_taken_for_its_caller() {
        let trace =
            || vec![frame("list_del", None), frame("drop", Some("m")), frame("vfs_write", None)];
        let of_kernel = |place: &Place| place.module.is_none().then_some(1);
        let mut frames = trace();
        let next = known(&mut frames, &of_kernel).and_then(|place| place.symbol);
        assert_eq!(next.map(|symbol| symbol.name).as_deref(), Some("drop"));
        assert_eq!(frames.len(), 1);
        let mut frames = trace();
        assert_eq!(known(&mut frames, &|_| Some(1)), None);
        assert_eq!(frames.len(), 3);
    }
}
