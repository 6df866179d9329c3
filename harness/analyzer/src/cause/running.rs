// SPDX-License-Identifier: MIT OR Apache-2.0
//! A machine that had not crashed when the dump was taken: what each CPU does, and who waits.

use super::everybody::{Everybody, called};
use super::sleeper::sleeper;
use super::{lockup, place, waiting};
use crate::claim::Claim;
use crate::diagnosis::{Diagnosis, Doing, Grounds, Involved, What};
use crate::kind::CrashKind;
use crate::machine::Machine;
use crate::scene::Scene as _;
use crate::told::Told;
use kernel::tasks::Task;

/// CPUs, and tasks that wait, that are named.
const NAMED: usize = 8;

/// What a machine does that goes on; where a module of it hangs, that.
pub(crate) fn running(machine: &Machine<'_>) -> Diagnosis {
    let told = Told { kind: Some(CrashKind::Sysrq), ..Told::default() };
    let spins = lockup::of_all(machine, &told).filter(Diagnosis::is_of_lock);
    let hangs = || waiting::locked(machine);
    let mut diagnosis = spins.or_else(hangs).unwrap_or_else(|| Diagnosis {
        grounds: Grounds::Shown,
        ..Diagnosis::new(What::Running { oopsed: false })
    });
    let is_calm = matches!(diagnosis.what, What::Running { .. });
    for (cpu, task) in machine.kernel().running().iter().take(NAMED) {
        diagnosis.evidence.push(on_cpu(machine, *cpu, task));
        if is_calm && task.pid != 0 {
            diagnosis.involved.push(Involved { task: task.address, does: Doing::OnCpu });
        }
    }
    let asleep = Everybody::new(machine).filter(|_| is_calm);
    if let Some(all) = asleep {
        for task in all.asleep().take(NAMED) {
            diagnosis.evidence.extend(sleeps(&all, task));
            diagnosis.involved.push(Involved { task: task.address, does: Doing::Waits });
        }
    }
    diagnosis
}

fn on_cpu(machine: &Machine<'_>, cpu: u32, task: &Task) -> Claim {
    let claim = Claim::new(Some(true)).volatile(format!("CPU {cpu}: "));
    if task.pid == 0 {
        return claim.text("idle");
    }
    claim.text(format!("task {} runs", called(task))).text(match machine.backtrace_of(task) {
        Ok(_) => "",
        Err(_) => ", its registers are not in the dump",
    })
}

/// A task that sleeps where nothing interrupts it.
fn sleeps(all: &Everybody<'_, '_>, task: &Task) -> Option<Claim> {
    let frames = all.stack(task);
    let frame = frames.get(sleeper(all.machine, Some(all.machine), &frames))?;
    let claim = Claim::new(Some(true)).text(format!("task {}", called(task)));
    let claim = claim.volatile(format!(" (pid {})", task.pid));
    let claim = claim.text(format!(" sleeps in {}", place(all.machine, frame)));
    Some(claim.at(all.machine.source_line(frame.pc.for_lookup()).as_ref()))
}
