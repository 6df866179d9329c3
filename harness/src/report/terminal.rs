// SPDX-License-Identifier: MIT OR Apache-2.0
//! The run in a terminal, on stderr: a live line for the phase that goes on, a final line for each
//! that is over. Off a terminal there are final lines only. Of several runs each has one line; what is not as
//! expected is shown in full.

use std::collections::{BTreeSet, VecDeque};
use std::fmt;
use std::io::Write;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::line::{
    BAD, DIM, DOUBTFUL, GOOD, PLACE, VERB_COLUMNS, below, below_with, hint, phase_verb, verb,
    verb_with,
};
use super::run_words::{again, body, brief, head, not_under_kvm, says_the_same, summary, time};
use super::wrap::wrapped;
use crate::error::Failure;
use crate::events::{Accel, Counts, Event, Phase, Reporter, Stamped};
use crate::run::alike::Alike;
use crate::run::matrix::Rated;
use crate::run::outcome::{EARLIER, Outcome, REPORT, RunResult};
use crate::run::rate::Rate;
use guest::shown;

/// Console lines shown of a run that failed.
const TAIL_LINES: usize = 30;

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
    /// Columns to keep within; as many as a line takes without them.
    pub columns: Option<usize>,
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
    /// Runs that there will be, and those that are over.
    runs: (usize, usize),
    /// Runs whose reports wait for a review; repeated ones have one.
    waiting: BTreeSet<String>,
    /// The run that was stopped by who started it.
    interrupted: Option<String>,
    /// What was last shown in full, to say of the same again only that.
    shown: Option<RunResult>,
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
            runs: (0, 0),
            waiting: BTreeSet::new(),
            interrupted: None,
            shown: None,
            warned: BTreeSet::new(),
        }
    }

    /// Writes text above the live line. A terminal that is gone is no reason to stop the run.
    fn print(&mut self, text: &str) {
        let text = &wrapped(text, self.options.columns, VERB_COLUMNS + 1);
        let out = &mut self.out;
        let mut write = || {
            let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        };
        match &self.bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }

    /// Whether each run has one line.
    fn is_brief(&self) -> bool {
        self.runs.0 > 1 && self.options.verbosity < Verbosity::Verbose
    }

    /// Prints what tells of a single run how far it is.
    fn detail(&mut self, text: &str) {
        if !self.is_brief() {
            self.normal(text);
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
        let what = &match self.is_brief() {
            true => format!("{}/{} {what}", self.runs.1 + 1, self.runs.0),
            false => what.to_owned(),
        };
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
        self.detail(&verb(GOOD, name, &text));
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
        self.detail(&verb(GOOD, "Crashed", &format!("{when}: {message}")));
    }

    fn warn(&mut self, message: &str) {
        self.normal(&verb(DOUBTFUL, "Warning", message));
    }

    fn run_finished(&mut self, result: &RunResult) {
        self.clear();
        self.runs.1 += 1;
        if result.waits {
            self.waiting.insert(result.name());
        }
        if result.interrupted() {
            self.interrupted = Some(result.name());
            return self.forget();
        }
        let (of, number) = self.runs;
        let number = (of > 1).then_some((number, of));
        if result.outcome == Outcome::Reproduced && self.is_brief() {
            let not_kvm = self.not_kvm(result).map(not_under_kvm).unwrap_or_default();
            self.normal(&(brief(result, number) + &not_kvm));
            return self.forget();
        }
        if self.is_brief() && self.shown.as_ref().is_some_and(|shown| says_the_same(shown, result))
        {
            self.print(&again(result, number));
            return self.forget();
        }
        let text = self.in_full(result, number);
        self.shown = Some(result.clone());
        match result.outcome {
            Outcome::Reproduced => self.normal(&text),
            _ => self.print(&text),
        }
        self.forget();
    }

    /// Forgets what was of one run.
    fn forget(&mut self) {
        self.tail.clear();
        self.command_line = None;
    }

    /// Why a run was not under KVM, where nobody said so yet: each run would say the same of this machine.
    fn not_kvm<'r>(&mut self, result: &'r RunResult) -> Option<&'r str> {
        let reason = result.accel_reason.as_deref().filter(|_| result.accel == Some(Accel::Tcg))?;
        self.warned.insert(reason.to_owned()).then_some(reason)
    }

    fn in_full(&mut self, result: &RunResult, number: Option<(usize, usize)>) -> String {
        let failed = result.outcome == Outcome::InfraError;
        let mut text = head(result, number);
        text.push_str(&body(result, self.not_kvm(result)));
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
        text
    }

    fn rated(&mut self, rated: &Rated) {
        let Rated { case, guest, reproduced, judged, .. } = rated;
        let rate = Rate { hits: *reproduced, of: *judged };
        let style = if rated.flaky { BAD } else { GOOD };
        let name = if rated.flaky { "Flaky" } else { "Rate" };
        let mut text = verb(style, name, &format!("{case}@{guest}: {rate}"));
        for Alike { runs, title, first, .. } in &rated.alike {
            text.push_str(&below(&format!("{runs} × {title}, first in {first}")));
        }
        self.print(&text);
    }

    fn finished(&mut self, at_ms: u64, counts: Counts, failure: Option<&Failure>) {
        self.clear();
        if let Some(failure) = failure {
            self.print(&failure_text(failure));
        }
        if counts.total() == 0 {
            return;
        }
        if let Some(name) = self.interrupted.take() {
            let (of, number) = self.runs;
            let which = if of > 1 { format!(", run {number} of {of}") } else { String::new() };
            let text = format!("[{}] in {name}{which}", time(at_ms));
            return self.print(&verb(DOUBTFUL, "Interrupted", &text));
        }
        let style = if counts.is_good() { GOOD } else { BAD };
        let text = format!("[{}] {}", time(at_ms), summary(counts));
        self.print(&format!("------------\n{}", verb(style, "Summary", &text)));
        match self.waiting.len() {
            0 => {}
            1 => self.print(&hint("a report waits for a review: repro review")),
            more => self.print(&hint(&format!("{more} reports wait for a review: repro review"))),
        }
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
                self.warned.insert(reason.clone());
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
            Event::Started { runs, .. } => self.runs = (runs.len(), 0),
            Event::RunStarted { .. }
            | Event::ModuleLoaded { .. }
            | Event::TriggerExited { .. }
            | Event::Note { .. } => {}
        }
    }
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
