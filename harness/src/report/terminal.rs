// SPDX-License-Identifier: MIT OR Apache-2.0
//! The run in a terminal, on stderr: a live line for the phase that goes on, a final line for each
//! that is over. Off a terminal there are final lines only.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::io::Write;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::line::{
    BAD, DIM, DOUBTFUL, GOOD, PLACE, below, below_with, hint, outcome_verb, phase_verb, verb,
    verb_with,
};
use crate::error::Failure;
use crate::events::{Accel, CaptureMethod, Counts, Event, Phase, Reporter, Stamped};
use crate::run::matrix::Rated;
use crate::run::outcome::{Difference, EARLIER, Outcome, REPORT, RunResult};
use crate::run::plan::BootWay;
use crate::run::rate::Rate;
use crate::units;
use guest::shown;

/// Console lines shown of a run that failed.
const TAIL_LINES: usize = 30;

/// Lines shown of what the trigger of a run printed that is not as expected.
const TRIGGER_LINES: usize = 10;

/// How often a phase that goes on says so where there is no live line.
const STATIC_INTERVAL: Duration = Duration::from_secs(10);

/// How often the live line is drawn.
const TICK: Duration = Duration::from_millis(100);

/// How much is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// Only the summary, and what failed.
    Quiet,
    /// Phases and verdicts.
    #[default]
    Normal,
    /// The guest's console too.
    Verbose,
}

/// How a terminal is used.
#[derive(Debug, Clone, Copy, Default)]
pub struct TerminalOptions {
    /// How much is shown.
    pub verbosity: Verbosity,
    /// Whether there is a live line.
    pub live: bool,
}

/// Writes lines for people.
pub struct Terminal {
    out: Box<dyn Write>,
    options: TerminalOptions,
    bar: Option<ProgressBar>,
    current: Option<(Phase, String)>,
    said: Option<Instant>,
    tail: VecDeque<String>,
    command_line: Option<String>,
    trigger_millis: u64,
    /// What was warned of: each run of a guest would say again that its compiler is not the kernel's.
    warned: BTreeSet<String>,
}

impl fmt::Debug for Terminal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Terminal").field("options", &self.options).finish_non_exhaustive()
    }
}

impl Terminal {
    /// A reporter that writes to `out`, which takes care of colours.
    #[must_use]
    pub fn new(out: Box<dyn Write>, options: TerminalOptions) -> Self {
        Self {
            out,
            options,
            bar: None,
            current: None,
            said: None,
            tail: VecDeque::new(),
            command_line: None,
            trigger_millis: 0,
            warned: BTreeSet::new(),
        }
    }

    /// Writes text above the live line. A terminal that is gone is no reason to stop the run.
    fn print(&mut self, text: &str) {
        let out = &mut self.out;
        let mut write = || {
            let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        };
        match &self.bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }

    fn normal(&mut self, text: &str) {
        if self.options.verbosity >= Verbosity::Normal {
            self.print(text);
        }
    }

    fn begin(&mut self, phase: Phase, what: &str) {
        self.clear();
        self.said = Some(Instant::now());
        let verb = phase_verb(phase, false);
        self.current = Some((phase, what.to_owned()));
        if !self.options.live || self.options.verbosity == Verbosity::Quiet {
            return;
        }
        let style = ProgressStyle::with_template("{prefix:>12.green.bold} {wide_msg} {elapsed}")
            .unwrap_or_else(|_| ProgressStyle::default_spinner());
        let bar = ProgressBar::new_spinner().with_style(style).with_prefix(verb);
        bar.set_message(shown::line(what));
        bar.enable_steady_tick(TICK);
        self.bar = Some(bar);
    }

    fn progress(&mut self, message: &str) {
        let Some((phase, what)) = self.current.clone() else { return };
        if let Some(bar) = &self.bar {
            bar.set_message(shown::line(&format!("{what}: {message}")));
            return;
        }
        if self.said.is_some_and(|said| said.elapsed() >= STATIC_INTERVAL) {
            self.said = Some(Instant::now());
            let name = phase_verb(phase, false);
            self.normal(&verb(GOOD, name, &format!("{what}: {message}")));
        }
    }

    fn clear(&mut self) {
        self.current = None;
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }

    fn finish_phase(&mut self, phase: Phase, millis: u64, what: &str) {
        self.clear();
        if phase == Phase::Trigger {
            self.trigger_millis = millis;
        }
        let name = phase_verb(phase, true);
        let text = match phase {
            // How long it took is told with the crash.
            Phase::Trigger => what.to_owned(),
            _ => format!("{what} ({})", time(millis)),
        };
        self.normal(&verb(GOOD, name, &text));
    }

    fn console(&mut self, line: &str) {
        if self.tail.len() == TAIL_LINES {
            self.tail.pop_front();
        }
        self.tail.push_back(line.to_owned());
        if self.options.verbosity >= Verbosity::Verbose {
            self.print(&format!("{DIM}{}{DIM:#}\n", shown::line(line)));
        } else if let (Some(bar), Some((_, what))) = (&self.bar, &self.current) {
            bar.set_message(shown::line(&format!("{what}: {line}")));
        }
    }

    fn crashed(&mut self, phase: Phase, message: Option<&str>) {
        let message = message.unwrap_or("without a word on the console");
        let when = match phase {
            Phase::Trigger => format!("after {}", time(self.trigger_millis)),
            _ => format!("in the {phase} phase"),
        };
        self.normal(&verb(GOOD, "Crashed", &format!("{when}: {message}")));
    }

    fn warn(&mut self, message: &str) {
        self.normal(&verb(DOUBTFUL, "Warning", message));
    }

    fn run_finished(&mut self, result: &RunResult) {
        self.clear();
        let failed = result.outcome == Outcome::InfraError;
        let mut text = head(result);
        text.push_str(&body(result));
        if failed && !self.tail.is_empty() {
            text.push_str(&verb(BAD, "Console", &format!("last {} lines", self.tail.len())));
            for line in &self.tail {
                text.push_str(&below_with(DIM, line));
            }
        }
        if let Some(command_line) = self.command_line.take().filter(|_| failed) {
            text.push_str(&verb(BAD, "Command", "as in qemu.txt"));
            text.push_str(&below(&command_line));
        }
        if let Some(artifacts) = &result.artifacts {
            text.push_str(&verb_with(GOOD, "Artifacts", PLACE, &format!("{artifacts}/")));
        }
        if let Some(words) = result.failure.as_ref().and_then(|failure| failure.hint.as_ref()) {
            text.push_str(&hint(words));
        }
        let RunResult { case, guest, .. } = result;
        let has = |key: &str| result.differences.iter().any(|difference| difference.key == key);
        if has(REPORT) {
            text.push_str(&hint(&format!("look at the new report: repro review {case}")));
        } else if has(EARLIER) {
            text.push_str(&hint(&format!(
                "if a run of before was kept, `repro review --upgrade --from DIR {case}` tells whether \
                 only the form changed; else look at the new report: repro review {case}"
            )));
        } else if result.outcome == Outcome::Mismatched {
            text.push_str(&hint(&format!(
                "if this is the new truth, edit [expect] of case {case} or add \
                 [guest.{guest}.expect]"
            )));
        }
        if result.outcome == Outcome::Reproduced {
            self.normal(&text);
        } else {
            self.print(&text);
        }
        self.tail.clear();
        self.command_line = None;
    }

    fn rated(&mut self, rated: &Rated) {
        let Rated { case, guest, reproduced, judged, .. } = rated;
        let rate = Rate { hits: *reproduced, of: *judged };
        let style = if rated.flaky { BAD } else { GOOD };
        let name = if rated.flaky { "Flaky" } else { "Rate" };
        self.print(&verb(style, name, &format!("{case}@{guest}: {rate}")));
    }

    fn finished(&mut self, at_ms: u64, counts: Counts, failure: Option<&Failure>) {
        self.clear();
        if let Some(failure) = failure {
            self.print(&failure_text(failure));
        }
        if counts.total() == 0 {
            return;
        }
        let style = if counts.reproduced + counts.skipped == counts.total() { GOOD } else { BAD };
        let runs = if counts.total() == 1 { "run" } else { "runs" };
        let text = format!(
            "[{}] {} {runs}: {} reproduced, {} mismatched, {} not reproduced, {} infra errors, {} \
             skipped",
            time(at_ms),
            counts.total(),
            counts.reproduced,
            counts.mismatched,
            counts.not_reproduced,
            counts.infra_errors,
            counts.skipped
        );
        self.print(&format!("------------\n{}", verb(style, "Summary", &text)));
    }
}

impl Reporter for Terminal {
    fn event(&mut self, stamped: &Stamped) {
        match &stamped.event {
            Event::PhaseStarted { phase, what } => self.begin(*phase, what),
            Event::Progress { message } => self.progress(message),
            Event::ExecBegan { step } => self.progress(&step.to_string()),
            Event::PhaseFinished { phase, millis, what } => {
                self.finish_phase(*phase, *millis, what);
            }
            Event::MachineStarted { command_line, .. } => {
                self.command_line = Some(command_line.clone());
            }
            Event::AccelRejected { accel, reason } => {
                self.clear();
                self.warn(&format!("{reason}; {accel} is not used on this host"));
            }
            Event::Console { line, .. } => self.console(line),
            Event::CrashSeen { phase, message, .. } => self.crashed(*phase, message.as_deref()),
            Event::CaptureFellBack { to, reason } => {
                self.warn(&format!("{reason}; next way: {to}"));
            }
            Event::Note { warning: true, message } => {
                if self.warned.insert(message.clone()) {
                    self.warn(message);
                }
            }
            Event::Note { message, .. } if self.options.verbosity >= Verbosity::Verbose => {
                self.print(&verb(GOOD, "Note", message));
            }
            Event::Step { number, of, what } => {
                self.print(&verb(GOOD, "Bisecting", &format!("step {number} of {of}: {what}")));
            }
            Event::RunFinished { result } => self.run_finished(result),
            Event::Rated(rated) => self.rated(rated),
            Event::Finished { counts, failure } => {
                self.finished(stamped.at_ms, *counts, failure.as_ref());
            }
            Event::Started { .. }
            | Event::RunStarted { .. }
            | Event::ModuleLoaded { .. }
            | Event::TriggerExited { .. }
            | Event::Note { .. } => {}
        }
    }
}

/// The line that says how a run is judged: case, guest, accelerator, capture method, time.
fn head(result: &RunResult) -> String {
    let (name, style) = outcome_verb(result.outcome);
    let mut how = Vec::new();
    how.extend(result.accel.map(|accel| accel.to_string()));
    how.extend(result.boot.filter(|boot| *boot != BootWay::Cold).map(|boot| boot.to_string()));
    how.extend(result.capture.map(|method| format!("vmcore by {method}")));
    let how = if how.is_empty() { String::new() } else { format!(" [{}]", how.join(", ")) };
    let total = result.phases.values().sum();
    verb(style, name, &format!("{}{how} ({})", result.name(), time(total)))
}

/// What is below: the verdict or the failure, what was not as wished, where the time went.
fn body(result: &RunResult) -> String {
    let mut text = String::new();
    if let Some(report) = &result.report {
        text.push_str(&below(&shown::field(&report.verdict.summary)));
    }
    if let Some(failure) = &result.failure {
        text.push_str(&below(&failure.message));
        for cause in &failure.causes {
            text.push_str(&below(&format!("caused by: {cause}")));
        }
    }
    text.push_str(&differences(result));
    // Of a run that is as expected one line is enough to see that the trigger did something.
    let most = if result.outcome == Outcome::Reproduced { 1 } else { TRIGGER_LINES };
    for line in result.trigger.iter().flat_map(|trigger| trigger.lines(most)) {
        text.push_str(&below(&line));
    }
    if let Some(reason) = &result.accel_reason
        && result.accel == Some(Accel::Tcg)
    {
        text.push_str(&below(&format!("not under kvm: {reason}")));
    }
    if let Some(reason) = &result.boot_reason {
        text.push_str(&below(&format!("not from a snapshot: {reason}")));
    }
    if let Some(reason) = &result.capture_reason
        && result.capture.is_some()
    {
        let way = match result.capture {
            Some(CaptureMethod::Kdump | CaptureMethod::NmiKdump) => "fast",
            _ => "by kdump",
        };
        text.push_str(&below(&format!("not captured {way}: {reason}")));
    }
    if !result.phases.is_empty() {
        text.push_str(&below_with(DIM, &phases(&result.phases)));
    }
    text
}

fn differences(result: &RunResult) -> String {
    let mut text = String::new();
    for difference in &result.differences {
        let Difference { key, expected, got } = difference;
        let [key, expected, got] = [key, expected, got].map(|text| shown::field(text));
        text.push_str(&below(&format!("{key:<20} - {expected}")));
        text.push_str(&below(&format!("{:<20} + {got}", "")));
    }
    text
}

fn phases(phases: &BTreeMap<Phase, u64>) -> String {
    let words: Vec<_> =
        phases.iter().map(|(phase, millis)| format!("{phase} {}", time(*millis))).collect();
    words.join(", ")
}

/// An error outside of any run.
pub(crate) fn failure_text(failure: &Failure) -> String {
    let mut text = format!("{BAD}error:{BAD:#} {}\n", shown::lines(&failure.message));
    for cause in &failure.causes {
        text.push_str(&format!("  caused by: {}\n", shown::lines(cause)));
    }
    if let Some(words) = &failure.hint {
        text.push_str(&format!("\n{}", hint(words)));
    }
    text
}

fn time(millis: u64) -> String {
    units::duration(Duration::from_millis(millis))
}

#[cfg(test)]
mod tests {
    use super::super::hostile::Screen;
    use super::*;

    /// Sixty cases on a guest whose compiler is not the kernel's: the warning is one for all of them.
    #[test]
    fn a_warning_is_shown_once() {
        let screen = Screen::default();
        let mut terminal = Terminal::new(Box::new(screen.clone()), TerminalOptions::default());
        for message in ["gcc 4", "gcc 4", "no room", "gcc 4"] {
            let event = Event::Note { warning: true, message: message.to_owned() };
            terminal.event(&Stamped { at_ms: 1, run: None, event });
        }
        let shown = String::from_utf8(screen.0.borrow().clone()).unwrap();
        let count = |words: &str| shown.matches(words).count();
        assert_eq!((count("gcc 4"), count("no room")), (1, 1), "{shown}");
    }
}
