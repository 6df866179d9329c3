// SPDX-License-Identifier: MIT OR Apache-2.0
//! How a run ended: what ended the kernel, or that it survived; and what became of the trigger.

use maud::{Markup, html};

use super::super::run_words::how_it_ended;
use super::wide;
use crate::events::CrashSign;
use crate::run::ExecRun;
use crate::run::outcome::{Outcome, RunResult};
use guest::shown::visible;

/// What ended the kernel, or that nothing did.
const fn what(run: &RunResult) -> &'static str {
    match (&run.crash, &run.trigger, run.outcome) {
        (Some(crash), _, _) => sign(crash.sign),
        (None, _, Outcome::Skipped) => "it was not started",
        (None, _, Outcome::InfraError) => "the run could not be judged",
        (None, _, Outcome::NotBuilt) => "the modules were not built",
        (None, Some(_), _) => "the kernel survived",
        (None, None, _) => "the kernel survived, and the trigger was not started",
    }
}

const fn sign(sign: CrashSign) -> &'static str {
    match sign {
        CrashSign::Console => "the kernel crashed, as its console tells",
        CrashSign::Pvpanic => "the kernel panicked, as it told QEMU",
        CrashSign::CaptureKernel => "the kernel crashed, and the capture kernel started",
        CrashSign::AgentClosed => "the guest went silent, its port was closed without a word",
        CrashSign::Hang => "the kernel hung, until an NMI made it panic",
        CrashSign::Reset => "the CPU was reset without a word",
        CrashSign::Complaint => "the kernel complained and went on; the guest was stopped there",
    }
}

/// What ended the run, how the trigger ended and the last that it printed, and what QEMU said.
pub(super) fn ended(run: &RunResult) -> Markup {
    let message = run.crash.as_ref().and_then(|crash| crash.message.as_deref());
    html! {
        p {
            (what(run))
            @if let Some(crash) = &run.crash { " (phase " code { (crash.phase) } ")" }
            @if let Some(message) = message { ": " code { (visible(message)) } }
            @if let Some(ending) = &run.ending { ": " (visible(&how_it_ended(ending, run))) }
        }
        @if let Some(trigger) = &run.trigger {
            p { "trigger: " (visible(&trigger.headline())) }
            @for line in trigger.exec.iter().flat_map(ExecRun::lines) { p { (visible(&line)) } }
            @if !trigger.output.is_empty() {
                (printed("the last that the trigger printed", trigger.output.iter()))
            }
        }
        @if let Some(words) = &run.qemu_stderr {
            (printed("the last that QEMU printed", words.lines()))
        }
    }
}

fn printed(what: &str, lines: impl Iterator<Item = impl AsRef<str>>) -> Markup {
    let text = html! { pre { @for line in lines { span { (visible(line.as_ref())) } } } };
    html! { p.dim { (what) ":" } (wide(what, &text)) }
}
