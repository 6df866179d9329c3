// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a run tells of a dump besides the report: the object that held the bad value, who allocated
//! and freed it, registers and code of the fault.

use analyzer::machine::Machine;
use analyzer::report::Report;
use analyzer::report_facts::NatureName;

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
pub(crate) fn look(machine: &Machine<'_>, report: &Report) -> Looked {
    // Where tasks hang, the crashing CPU only took the interrupt that ended them.
    let fault = report.backtraces.does.is_none().then(|| fault_state::of(machine)).flatten();
    let looked = with(machine, report, || fault.clone());
    Looked { fault, ..looked }
}

/// The same without registers and code of the fault, which take longer than the rest.
pub(crate) fn look_at_object(machine: &Machine<'_>, report: &Report) -> Looked {
    with(machine, report, || fault_state::of(machine))
}

fn with(
    machine: &Machine<'_>,
    report: &Report,
    fault: impl FnOnce() -> Option<FaultState>,
) -> Looked {
    let expression = report.verdict.expression.as_deref();
    let (object, at) = expression.and_then(|it| object::of(machine, it)).unzip();
    let facts = &report.verdict.facts;
    let accessed = facts.address.as_deref().and_then(number);
    // Only what was free leaves its poison: then a register may lead to the object that it was read from.
    let was_free = matches!(facts.nature, Some(NatureName::Freed | NatureName::Poison));
    let fault = if was_free { fault() } else { None };
    let registers = fault.iter().flat_map(|fault| &fault.registers);
    let registers = registers.filter_map(|register| number(&register.value));
    let users = object_users::of(machine, at.flatten().into_iter().chain(accessed), registers);
    Looked { object, users, fault: None }
}

/// A number in hex, with or without what C writes before it.
fn number(text: &str) -> Option<u64> {
    u64::from_str_radix(text.strip_prefix("0x").unwrap_or(text), 16).ok()
}
