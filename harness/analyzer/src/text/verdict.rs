// SPDX-License-Identifier: MIT OR Apache-2.0
//! The report of a text.

use klog::Source;
use unwind::Pc;

use super::TextInputs;
use super::files::Fit;
use super::found::Found;
use super::log_report::LogReport;
use super::scene::TextScene;
use super::split::Split;
use super::stack::Stack;
use crate::analyze::Analysis;
use crate::backtrace::{self, Line, lines};
use crate::blame::culprit;
use crate::claim::Addresses;
use crate::express::Names as _;
use crate::findings::Findings;
use crate::kernel_header::is_kernel_header;
use crate::kind::CrashKind;
use crate::message;
use crate::printer::{Raw, Stable};
use crate::report::{
    Backtraces, Culprit, Dump, Frame, Kernel, Module, Panic, Report, SCHEMA_VERSION, TEXT, Task,
};
use crate::signature::{self, root_signature, signature};
use crate::symbol_name::source_name;
use crate::verdict::verdict;
use debuginfo::SourceFrame;

/// The report about the one of them.
#[expect(clippy::indexing_slicing, reason = "`main` was found among the reports")]
pub(super) fn analysis(inputs: &TextInputs<'_>, split: &Split, main: usize) -> Analysis {
    let report = &split.reports[main];
    let found = Found::new(inputs, split, report);
    let view = View { inputs, split, report, found: &found };
    let raw = view.report(&mut Unmade { raw: Raw(&found.scene), scene: &found.scene });
    let stable = view.report(&mut Stable::new(&found.scene));
    let panic = Some(raw.backtraces.panic.as_slice()).filter(|panic| !panic.is_empty());
    let signature_input = view.signature_input(&raw, panic);
    Analysis { report: raw, stable, signature_input }
}

/// Prints addresses as the text has them, and none that it has not.
struct Unmade<'a> {
    raw: Raw<'a>,
    scene: &'a TextScene<'a>,
}

impl Addresses for Unmade<'_> {
    fn code(&mut self, address: u64) -> String {
        self.raw.code(address)
    }

    fn data(&mut self, value: u64) -> String {
        self.raw.data(value)
    }

    fn field(&mut self, address: u64) -> Option<String> {
        let is_told = self.scene.real.borrow().contains(&address);
        is_told.then(|| self.raw.field(address)).flatten()
    }

    fn is_stable(&self) -> bool {
        false
    }
}

/// What a report is made of.
struct View<'v, 'a> {
    inputs: &'v TextInputs<'a>,
    split: &'v Split,
    report: &'v LogReport,
    found: &'v Found<'a>,
}

impl View<'_, '_> {
    fn report(&self, addresses: &mut dyn Addresses) -> Report {
        let found = self.found;
        let at_fault = found.diagnosis.pc.and_then(|pc| self.culprit(pc));
        let headline = found.told.headline.as_ref();
        let message = headline.map(|headline| message::printed(headline, addresses));
        let verdict = verdict(&found.diagnosis, at_fault, message.as_deref(), addresses);
        let fault = self.frames(&found.stack, addresses);
        let panic = found.panic.as_ref().map(|stack| self.frames(stack, addresses));
        let stable = addresses.is_stable();
        let mut report = Report {
            schema_version: SCHEMA_VERSION,
            kernel: self.kernel(stable),
            dump: Dump { format: Some(TEXT.to_owned()), ..Dump::default() },
            panic: Panic { message },
            task: self.task(stable),
            verdict,
            signature: None,
            root_signature: None,
            backtraces: Backtraces { fault, ..Backtraces::default() },
            modules: self.modules(stable),
            findings: self.findings().list(addresses),
            earlier: Vec::new(),
            reports: Vec::new(),
        };
        report.root_signature = root_signature(&report);
        report.signature = Some(signature(&self.signature_input(&report, panic.as_deref())));
        report.backtraces.panic = panic.unwrap_or_default();
        if !stable {
            report.reports = self
                .split
                .reports
                .iter()
                .map(|one| one.entry(std::ptr::eq(one, self.report)))
                .collect();
        }
        report
    }

    /// The lines that the signature is made of: of a CPU that hangs, a dump's begin where `panic()` was
    /// called; of a task that hangs, with its own stack.
    fn signature_input(&self, report: &Report, panic: Option<&[Frame]>) -> String {
        let is_hung = self.report.kind() == Some(CrashKind::HungTask);
        let panic = panic.filter(|_| !is_hung);
        signature::input(report, panic.unwrap_or(&report.backtraces.fault))
    }

    fn frames(&self, stack: &Stack, addresses: &mut dyn Addresses) -> Vec<Frame> {
        let scene = &self.found.scene;
        let mut all: Vec<Line> = Vec::new();
        for line in lines(scene, &stack.walk) {
            let told = stack.frames.get(line.place.0);
            let has_files = scene.image_at(line.pc.for_lookup()).is_some();
            let Some(told) = told.filter(|_| !has_files) else {
                all.push(line);
                continue;
            };
            let of = |place: &klog::Place, inlined| Line {
                source: source(place, inlined),
                inlined,
                boundary: None,
                ..line.clone()
            };
            all.extend(told.inlined.iter().map(|place| of(place, true)));
            all.push(Line {
                boundary: line.boundary.clone(),
                repeats: line.repeats,
                ..of(&told.place, false)
            });
        }
        let mut frames = backtrace::frames(&all, addresses);
        for frame in frames.iter_mut().filter(|frame| frame.size.as_deref() == Some("0x0")) {
            (frame.offset, frame.size) = (None, None);
        }
        frames
    }

    /// The code at fault; where no file tells its line, what a program wrote into the text.
    fn culprit(&self, pc: Pc) -> Option<Culprit> {
        let mut known = culprit(&self.found.scene, pc)?;
        if known.file.is_some() {
            return Some(known);
        }
        let Some(frame) = self.found.frame_at(pc) else { return Some(known) };
        let is_own = |source: &Source| !is_kernel_header(&source.file);
        let named = |place: &klog::Place| {
            let source = place.source.clone().filter(is_own)?;
            Some((source_name(&place.symbol.as_ref()?.name).to_owned(), source))
        };
        let chain: Vec<&klog::Place> = frame.inlined.iter().chain([&frame.place]).collect();
        let first = chain.iter().enumerate().find_map(|(at, place)| Some((at, named(place)?)));
        if let Some((at, (function, source))) = first {
            let outer = chain.get(at + 1..).unwrap_or_default().iter();
            let outer = outer.filter_map(|place| place.symbol.as_ref());
            known.inlined_into = outer.map(|symbol| source_name(&symbol.name).to_owned()).collect();
            known.function = Some(function);
            known.file = Some(source.file);
            known.line = Some(source.line);
        }
        Some(known)
    }

    fn kernel(&self, stable: bool) -> Kernel {
        let line = self.report.cpu();
        let taint = line.and_then(|line| line.taint.clone());
        if stable {
            return Kernel { taint, ..Kernel::default() };
        }
        let seconds = self.report.nanoseconds.map(|time| time / 1_000_000_000);
        Kernel {
            release: self.split.release(),
            version: line.and_then(|line| line.version.clone()),
            taint,
            uptime_seconds: seconds,
            ..Kernel::default()
        }
    }

    fn task(&self, stable: bool) -> Option<Task> {
        let told = &self.found.told;
        let line = self.report.cpu();
        let comm = told.hung_comm.clone().or_else(|| line?.comm.clone())?;
        let comm = Some(comm);
        if stable {
            return Some(Task { comm, ..Task::default() });
        }
        let cpu = line.filter(|_| told.hung.is_none()).and_then(|line| line.cpu);
        Some(Task { pid: told.hung.or_else(|| line?.pid), comm, cpu, address: None })
    }

    /// The modules that the text lists, and those on the stack that it does not.
    fn modules(&self, stable: bool) -> Vec<Module> {
        let scene = &self.found.scene;
        let listed = scene
            .taints
            .iter()
            .flat_map(|it| &it.loaded)
            .map(|it| (it.name.as_str(), it.taint.as_str()));
        let mut all: Vec<(&str, &str)> = listed.collect();
        for frame in &self.found.stack.frames {
            if let Some(module) = frame.place.module.as_deref()
                && !all.iter().any(|(name, _)| *name == module)
            {
                all.push((module, if scene.is_own(module) { "O" } else { "" }));
            }
        }
        let module = |(name, taint): (&str, &str)| Module {
            name: name.to_owned(),
            taint: Some(taint.to_owned()).filter(|taint| !taint.is_empty()),
            debug_info: scene.files.has(name),
            ..Module::default()
        };
        let is_shown = |(_, taint): &(&str, &str)| !stable || taint.contains('O');
        all.into_iter().filter(is_shown).map(module).collect()
    }

    fn findings(&self) -> Findings {
        let mut findings = Findings::default();
        let found = self.found;
        findings.text(self.report.is_torn(), self.report.is_cut, self.split.left_out);
        if self.inputs.vmlinux.is_none() {
            findings.text_without_vmlinux();
        }
        for (module, fit) in &found.doubts {
            match fit {
                Fit::Other => findings.other_build(module.as_deref()),
                Fit::Unknown => findings.unknown_build(module.as_deref()),
                Fit::Same => {}
            }
        }
        let mut without: Vec<&str> = Vec::new();
        for module in found.stack.frames.iter().filter_map(|frame| frame.place.module.as_deref()) {
            if !found.scene.files.has(module) && !without.contains(&module) {
                without.push(module);
            }
        }
        for module in without {
            findings.module_without_lines(module);
        }
        findings
    }
}

/// Function and line as the text has them.
fn source(place: &klog::Place, inlined: bool) -> Option<SourceFrame> {
    let told = place.source.as_ref();
    if told.is_none() && !inlined {
        return None;
    }
    let name = place.symbol.as_ref().map(|symbol| source_name(&symbol.name).to_owned());
    Some(SourceFrame {
        function: name,
        file: told.map(|source| source.file.clone()),
        line: told.map(|source| source.line),
        column: None,
        inlined,
    })
}
