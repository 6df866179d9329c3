// SPDX-License-Identifier: MIT OR Apache-2.0
//! A thread of the guest in words.

use guest::shown;
use protocol::Process;

/// `sleep (87) sleeps in hrtimer_nanosleep`.
pub(super) fn words(process: &Process) -> String {
    let Process { tid, comm, state, at, held, .. } = process;
    let does = match state {
        'R' if *held => "runs in the kernel and does not return from it".to_owned(),
        'R' => "runs".to_owned(),
        'S' | 'D' | 'I' => "sleeps".to_owned(),
        'T' | 't' => "is stopped".to_owned(),
        other => format!("is in state {other}"),
    };
    let at = at.as_ref().map(|at| format!(" in {}", shown::field(at))).unwrap_or_default();
    let held = if *held && *state != 'R' { " and takes no signal" } else { "" };
    format!("{} ({tid}) {does}{at}{held}", shown::field(comm))
}
