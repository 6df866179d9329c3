// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a run tells of a dump besides the report: the object that held the bad value, who allocated
//! and freed it, registers and code of the fault.

use std::path::Path;

use analyzer::report::Report;
use debugger::Session;

use crate::analysis::{self, Symbols};
use crate::run::fault_state::{self, FaultState};
use crate::run::object;
use crate::run::object_users::{self, ObjectUsers};
use crate::run::outcome::Object;

/// What a dump has besides the report.
#[derive(Debug, Default)]
pub(crate) struct Looked {
    pub(crate) object: Option<Object>,
    pub(crate) users: Option<ObjectUsers>,
    pub(crate) fault: Option<FaultState>,
}

/// Looks into a dump. What cannot be found is not there: the report itself tells what is missing.
pub(crate) fn look(vmcore: &[impl AsRef<Path>], symbols: &Symbols, report: &Report) -> Looked {
    let look = |session: &mut Session<'_, '_>| within(session, report);
    analysis::ask(vmcore, symbols, look).unwrap_or_default()
}

fn within(session: &Session<'_, '_>, report: &Report) -> Looked {
    let machine = session.machine();
    let expression = report.verdict.expression.as_deref();
    let (object, at) = expression.and_then(|it| object::of(machine, it)).unzip();
    // Where tasks hang, the crashing CPU only took the interrupt that ended them.
    let fault = report.backtraces.does.is_none().then(|| fault_state::of(session)).flatten();
    let accessed = report.verdict.facts.address.as_deref().and_then(number);
    let registers = fault.iter().flat_map(|fault| &fault.registers);
    let registers = registers.filter_map(|register| number(&register.value));
    let users = object_users::of(machine, at.flatten().into_iter().chain(accessed), registers);
    Looked { object, users, fault }
}

/// A number in hex, with or without what C writes before it.
fn number(text: &str) -> Option<u64> {
    u64::from_str_radix(text.strip_prefix("0x").unwrap_or(text), 16).ok()
}
