// SPDX-License-Identifier: MIT OR Apache-2.0
//! Why the kernel crashed, whatever the crash was.
//!
//! Faults on memory are [`fault`](crate::fault)'s. Here is what else ends a kernel: checks that
//! failed, watchdogs that lost patience, and `panic()`. The log tells which of them it was; who
//! did it is looked for on the stacks.

mod bug;
mod divide;
mod exhausted;
mod lock;
mod lockup;
mod reported;
mod waiting;

use unwind::Frame;

use crate::blame::blamed;
use crate::claim::Claim;
use crate::context::Walks;
use crate::fault::{Diagnosis, examine};
use crate::machine::Machine;
use crate::message;
use crate::printer::CodeNames as _;
use crate::report::CrashKind;
use crate::stacks::overrun::overrun;
use crate::symbol_name::source_name;
use crate::told::Told;

/// The diagnosis of a crash whose registers are known.
pub(crate) fn diagnose(machine: &Machine<'_>, walks: &Walks, told: &Told) -> Diagnosis {
    if told.kind.is_none_or(message::may_be_a_consequence)
        && let Some(diagnosis) = overrun(machine, &walks.fault)
    {
        return diagnosis;
    }
    let mut diagnosis = kind_of(machine, walks, told);
    if let Some(detail) = &told.detail {
        let claim = Claim::new(Some(true)).text("the kernel's log says: ");
        diagnosis.evidence.insert(0, message::quoted(claim, detail.trim_end()));
    }
    diagnosis
}

fn kind_of(machine: &Machine<'_>, walks: &Walks, told: &Told) -> Diagnosis {
    let frames = walks.fault.frames.as_slice();
    match told.kind {
        _ if walks.is_fault => faulted(machine, walks, told),
        Some(CrashKind::SoftLockup | CrashKind::HardLockup | CrashKind::RcuStall) => {
            lockup::diagnose(machine, frames, told)
        }
        Some(CrashKind::Nmi) => lockup::awoken(machine, frames, told)
            .unwrap_or_else(|| reported::diagnose(machine, frames, told)),
        Some(CrashKind::HungTask) => waiting::hung(machine, told)
            .unwrap_or_else(|| reported::diagnose(machine, frames, told)),
        _ => reported::diagnose(machine, frames, told),
    }
}

fn faulted(machine: &Machine<'_>, walks: &Walks, told: &Told) -> Diagnosis {
    let frames = walks.fault.frames.as_slice();
    let of_kind = |kind| Diagnosis {
        pc: frames.get(blamed(machine, frames, 0)).map(|frame| frame.pc),
        ..Diagnosis::new(kind)
    };
    match told.kind {
        Some(CrashKind::DoubleFault | CrashKind::StackOverflow) => {
            let memory = || memory(machine, frames, told);
            let of_kind = || of_kind(CrashKind::DoubleFault);
            exhausted::exhausted(machine, &walks.fault).or_else(memory).unwrap_or_else(of_kind)
        }
        // Older kernels write through NULL for sysrq-c; later ones call `panic()`.
        Some(CrashKind::Sysrq) => reported::diagnose(machine, frames, told),
        Some(CrashKind::DivideError) => divide::diagnose(machine, frames),
        None
        | Some(CrashKind::GeneralProtection | CrashKind::Panic | CrashKind::ExecOfNonExecutable) => {
            let kind = told.kind.unwrap_or(CrashKind::Unknown);
            memory(machine, frames, told).unwrap_or_else(|| of_kind(kind))
        }
        Some(kind) => bug::diagnose(machine, frames, kind),
    }
}

fn memory(machine: &Machine<'_>, frames: &[Frame], told: &Told) -> Option<Diagnosis> {
    let address = told.headline.as_deref().and_then(message::address);
    examine(machine, frames, address)
}

/// Name of the frame's function as in the source; `?` if it has none.
fn name(machine: &Machine<'_>, frame: &Frame) -> String {
    let code = machine.code_name(frame.pc.for_lookup());
    code.map_or_else(|| "?".to_owned(), |code| source_name(&code.symbol).to_owned())
}

/// Name and module of the frame's function, for sentences.
fn place(machine: &Machine<'_>, frame: &Frame) -> String {
    let module = machine.code_name(frame.pc.for_lookup()).and_then(|code| code.module);
    let module = module.map(|module| format!(" [{module}]")).unwrap_or_default();
    format!("`{}{module}`", name(machine, frame))
}
