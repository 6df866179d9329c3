// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is found out of one report of a text, with its files or without.

use std::cell::RefCell;
use std::collections::BTreeSet;

use klog::{Loaded, Modules, Place};
use unwind::{Pc, StopReason, Trust, Walk};

use super::TextInputs;
use super::chain::{chained, unwound};
use super::files::{Fit, TextFiles};
use super::guess::{behind_helpers, by_checker, by_message, judged};
use super::helpers::is_helper;
use super::log_report::{LogReport, Section};
use super::names::Names as Places;
use super::scene::TextScene;
use super::split::Split;
use super::stack::{Stack, TextFrame, frames, walk, without_panic, without_printing};
use crate::cause::diagnose;
use crate::context::{Begins, Walks};
use crate::diagnosis::Diagnosis;
use crate::formats::{self, Sort};
use crate::kind::CrashKind;
use crate::leads;
use crate::link::completed;
use crate::outside::is_outside;
use crate::symbol_name::source_name;
use crate::told::Told;
use kernel::oops::Oops;

/// What is found out of one report.
pub(super) struct Found<'a> {
    pub(super) scene: TextScene<'a>,
    pub(super) told: Told,
    pub(super) diagnosis: Diagnosis,
    /// The stack that the verdict is about.
    pub(super) stack: Stack,
    /// The stack of the `panic()` that ended the kernel.
    pub(super) panic: Option<Stack>,
    /// How the files of the kernel and of modules that were given fit.
    pub(super) doubts: Vec<(Option<String>, Fit)>,
}

impl<'a> Found<'a> {
    pub(super) fn new(inputs: &TextInputs<'a>, split: &Split, report: &LogReport) -> Self {
        let all = Files { inputs: *inputs, kernel: true, modules: true };
        let found = Self::with(&all, split, report);
        if !found.scene.differs() {
            return found;
        }
        // The code of the text is not that of the file: of whose file, the instruction's place tells.
        let at = found.stack.walk.frames.first().map(|frame| frame.pc.for_lookup());
        let module = at.and_then(|at| found.scene.files.at(at)).and_then(|(_, module)| module);
        let fewer = Files { kernel: module.is_some(), modules: module.is_none(), ..all };
        let mut found = Self::with(&fewer, split, report);
        found.doubts.push((module, Fit::Other));
        found
    }

    fn with(files: &Files<'a>, split: &Split, report: &LogReport) -> Self {
        let section = section(report);
        let own = section.map(|section| frames(section, report.is_fetch())).unwrap_or_default();
        let own = match is_of_panic(report, section) {
            true => without_panic(own),
            false => without_printing(own),
        };
        let end = split.end_of(report);
        let of_panic =
            end.of_panic().filter(|panic| !section.is_some_and(|own| std::ptr::eq(*panic, own)));
        let panic = of_panic
            .map(|section| without_panic(frames(section, false)))
            .filter(|frames| !frames.is_empty());
        let places: Vec<&Place> =
            own.iter().chain(panic.iter().flatten()).map(|frame| &frame.place).collect();
        let taints = report.modules.clone().or_else(|| split.modules());
        let (laid, doubts) = files.laid(split, &places, taints.as_ref());
        let scene = TextScene {
            files: laid,
            places: RefCell::new(Places::default()),
            real: RefCell::new(BTreeSet::new()),
            taints,
            is_tainted: report.cpu().and_then(|line| Some(line.taint.as_ref()?.contains('O'))),
            code: None,
            not_code: None,
            task: report.cpu().and_then(|line| line.pid.zip(line.comm.clone())),
            stack: None,
            error_code: report.die.map(|(error_code, _)| error_code),
        };
        let own = if is_elsewhere(report, &own) { of_headline(report) } else { own };
        let stack = placed(&scene, section, own, report.is_fetch());
        let panic = panic.map(|frames| placed(&scene, of_panic, frames, false));
        let scene = with_code(scene, section, &stack.walk, report.is_fetch());
        let told = told(report, end);
        let walks = Walks {
            fault: Walk {
                frames: completed(&scene, &stack.walk.frames),
                stop: stack.walk.stop.clone(),
            },
            panic: Walk { frames: Vec::new(), stop: StopReason::Root },
            entry: None,
            begins: match (report.is_fault(), is_of_panic(report, section)) {
                (true, _) => Begins::Fault,
                (false, true) => Begins::Panic,
                (false, false) => Begins::Report,
            },
        };
        let mut diagnosis = if report.begins.sort == Sort::Fault && walks.begins != Begins::Fault {
            Diagnosis::of_kind(told.kind.unwrap_or(CrashKind::Unknown))
        } else {
            diagnose(&scene, None, &walks, &told)
        };
        if !by_checker(report, &mut diagnosis) {
            by_message(&scene, &walks.fault.frames, &told, report, &mut diagnosis);
        }
        behind_helpers(&scene, &stack, report, &mut diagnosis);
        judged(report, &mut diagnosis);
        leads::find(&scene, &mut diagnosis);
        Self { scene, told, diagnosis, stack, panic, doubts }
    }

    /// The frame of the text that the address is of.
    pub(super) fn frame_at(&self, pc: Pc) -> Option<&TextFrame> {
        let at = self.stack.walk.frames.iter().position(|frame| frame.pc == pc)?;
        self.stack.frames.get(at)
    }
}

/// The files that are used.
#[derive(Clone, Copy)]
struct Files<'a> {
    inputs: TextInputs<'a>,
    kernel: bool,
    modules: bool,
}

impl<'a> Files<'a> {
    /// Lays the files of what the places are in, and says how each fits; what does not is left out.
    fn laid(
        &self,
        split: &Split,
        places: &[&Place],
        listed: Option<&Modules>,
    ) -> (TextFiles<'a>, Vec<(Option<String>, Fit)>) {
        let mut laid = TextFiles::of(split.release());
        let mut fits = Vec::new();
        if let Some(files) = self.inputs.vmlinux.filter(|_| self.kernel) {
            fits.push((None, laid.take_kernel(files, split.kernel_offset, places)));
        }
        // A module that left no frame may have a part in it.
        let is_own = |it: &&Loaded| is_outside(&it.taint);
        let own = listed.iter().flat_map(|list| &list.loaded).filter(is_own);
        let on_stack = places.iter().filter_map(|place| place.module.as_deref());
        let named: BTreeSet<&str> =
            on_stack.clone().chain(own.map(|it| it.name.as_str())).collect();
        for module in named.into_iter().filter(|_| self.modules) {
            if let Some(fit) = laid.take_module(module, self.inputs.modules, places)
                && (fit == Fit::Other || on_stack.clone().any(|it| it == module))
            {
                fits.push((Some(module.to_owned()), fit));
            }
        }
        (laid, fits)
    }
}

/// The stack that a report is about: of `panic()`, if it was called by what is wrong itself or by a
/// check; a hang's is that of the task or CPU that hangs.
pub(super) fn section(report: &LogReport) -> Option<&Section> {
    let is_own = !report.is_fault() && report.begins.sort != Sort::Hang;
    report.of_panic().filter(|_| is_own).or_else(|| report.section())
}

/// Whether a report has no stack, or only one that the function it names is not on: another task's.
fn is_elsewhere(report: &LogReport, frames: &[TextFrame]) -> bool {
    let is_told = matches!(report.begins.sort, Sort::Rule | Sort::Check);
    let place = report.place().filter(|_| is_told);
    let name = |place: &Place| place.symbol.as_ref().map(|symbol| symbol.name.clone());
    let is_there = |place: &Place| frames.iter().any(|frame| name(&frame.place) == name(place));
    // What only helps may not be on the stack of who called it.
    let helps = |place: &Place| name(place).is_none_or(|name| is_helper(source_name(&name), None));
    frames.is_empty() || place.is_some_and(|place| !is_there(&place) && !helps(&place))
}

/// The function that the first line names, where the report has no stack.
fn of_headline(report: &LogReport) -> Vec<TextFrame> {
    let place = report.place();
    let frame = |place| TextFrame {
        place,
        inlined: Vec::new(),
        trust: Trust::Told,
        is_interrupted: true,
        is_behind: false,
        registers: None,
    };
    place.map(frame).into_iter().collect()
}

pub(super) fn is_of_panic(report: &LogReport, section: Option<&Section>) -> bool {
    section.zip(report.of_panic()).is_some_and(|(one, other)| std::ptr::eq(one, other))
}

/// What the lines say, as a dump's log would; `end` is the report that ended the kernel, if it ended by that.
pub(super) fn told(report: &LogReport, end: &LogReport) -> Told {
    if let Some(oops) = Oops::last(&end.lines) {
        let mut told = Told::read(&end.lines, Some(&oops));
        if !std::ptr::eq(report, end) {
            let own = Told::of_report(&report.headline, report.kind(), &report.lines);
            told = Told { headline: told.headline, ..own };
        }
        // What is fatal may stand farther above than a dump's log is looked at.
        if told.kind == Some(CrashKind::Warn)
            && told.detail.as_deref().is_none_or(|it| formats::detail(it).is_none())
        {
            told.kind = report.kind().or(told.kind);
            let is_detail = formats::detail(&report.headline).is_some();
            told.detail = told.detail.or_else(|| is_detail.then(|| report.headline.clone()));
        }
        return told;
    }
    let mut told = Told::of_report(&report.headline, report.kind(), &report.lines);
    if report.is_headless {
        told.headline = None;
    }
    told
}

fn placed(
    scene: &TextScene<'_>,
    section: Option<&Section>,
    frames: Vec<TextFrame>,
    is_fetch: bool,
) -> Stack {
    // What neither has a name nor an address is of no use to anybody.
    let frames: Vec<TextFrame> =
        frames.into_iter().filter(|frame| scene.locate(&frame.place).is_some()).collect();
    let frames = chained(scene, frames, is_fetch);
    let user = section.and_then(|section| section.user);
    let mut walk = walk(user, &frames, |place| scene.locate(place));
    unwound(scene, &mut walk.frames);
    Stack { frames, walk }
}

/// The scene with the code and the words of the stack that the report has.
fn with_code<'a>(
    mut scene: TextScene<'a>,
    section: Option<&Section>,
    walk: &Walk,
    is_fetch: bool,
) -> TextScene<'a> {
    let Some((section, first)) = section.zip(walk.frames.first()) else { return scene };
    if section.rip.is_none() {
        return scene;
    }
    scene.not_code = Some(first.pc.address()).filter(|_| is_fetch);
    scene.code = section.code.clone().map(|code| {
        let before = u64::try_from(code.before).unwrap_or(0);
        (first.pc.address().wrapping_sub(before), code)
    });
    scene.stack =
        section.registers.general.get(4).copied().flatten().map(|sp| (sp, section.words.clone()));
    scene
}
