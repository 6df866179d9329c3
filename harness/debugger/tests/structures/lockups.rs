// SPDX-License-Identifier: MIT OR Apache-2.0
//! Dumps of CPUs that a watchdog stopped, whole and cut.

use analyzer::ModuleFiles;
use analyzer::analyze::{Inputs, analyze};
use analyzer::report::{CrashKind, Report};
use debuginfo::Files;
use vmcore::Vmcore;

use crate::cpus::crashed_with;
use crate::world::World;

const TEXT: u64 = 0xffff_ffff_8100_0000;
const TASK: u64 = 0xffff_ffff_8160_0100;
/// Behind all the rest of the memory, so that a cut takes it first.
const STACK: u64 = 0xffff_ffff_8180_0000;
/// Inside of functions of 0x100 bytes each.
const PANIC: u64 = TEXT + 0x140;
const WATCHDOG: u64 = TEXT + 0x240;
const LOOP: u64 = TEXT + 0x340;

/// What the log says of a lockup, by kind; the crash is CPU 1's.
const LOCKUPS: [(CrashKind, &[&str]); 5] = [
    (
        CrashKind::SoftLockup,
        &[
            "watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [sh:1]",
            "CPU: 1 PID: 1 Comm: sh Tainted: G",
            "Kernel panic - not syncing: softlockup: hung tasks",
        ],
    ),
    // The watchdog of one CPU stops another.
    (
        CrashKind::HardLockup,
        &[
            "NMI watchdog: Watchdog detected hard LOCKUP on cpu 0",
            "Kernel panic - not syncing: Hard LOCKUP",
        ],
    ),
    (
        CrashKind::HardLockup,
        &[
            "NMI watchdog: Watchdog detected hard LOCKUP on cpu 1",
            "Kernel panic - not syncing: Hard LOCKUP",
        ],
    ),
    (
        CrashKind::RcuStall,
        &[
            "rcu: INFO: rcu_preempt self-detected stall on CPU",
            "rcu: \t1-....: (5250 ticks this GP) idle=2d4c/1/0x4000000000000000",
            "Kernel panic - not syncing: RCU Stall",
        ],
    ),
    (CrashKind::Nmi, &["Kernel panic - not syncing: NMI: Not continuing"]),
];

struct NoModules;

impl ModuleFiles for NoModules {
    fn module(&self, _name: &str, _: Option<&[u8]>) -> Option<Files<'_>> {
        None
    }
}

/// The task is the one of the dump's only note. `panic()` gave its own registers to the capture
/// kernel; the loop that was interrupted is further out on the stack.
fn locked_up(log: &[&str]) -> World {
    let mut world = crashed_with(1, 1, log);
    world.put(TEXT, &[0x90; 0x1000]);
    world.symbol("_stext", TEXT);
    for (name, inside) in [("panic", PANIC), ("watchdog_timer_fn", WATCHDOG), ("endless", LOOP)] {
        world.symbol(name, inside - 0x40);
        world.put(inside - 5, &[0xe8, 0, 0, 0, 0]);
    }
    world.symbol("_etext", TEXT + 0x1000);
    world.put_u64(TASK + 8, STACK);
    world.put(STACK, &[0; 0x4000]);
    world.put_u64(STACK + 0x3e08, WATCHDOG);
    world.put_u64(STACK + 0x3e80, LOOP);
    // Of struct pt_regs: ip, sp.
    world.registers[16] = PANIC;
    world.registers[19] = STACK + 0x3e00;
    world
}

fn report(dump: &[u8], vmlinux: &[u8]) -> Option<Report> {
    let core = Vmcore::open(&dump).ok()?;
    let inputs = Inputs { vmcore: &core, vmlinux: Some(vmlinux.into()), modules: &NoModules };
    Some(analyze(&inputs).ok()?.report)
}

/// The stack is what a cut takes first here: nothing but the registers of `panic()` is left, and
/// the log still tells that it was a lockup.
#[test]
fn a_lockup_whose_stack_is_cut_off_is_a_lockup_without_a_place() {
    for (kind, log) in LOCKUPS {
        let world = locked_up(log);
        let (dump, vmlinux) = (world.dump(), world.vmlinux());
        let whole = report(&dump, &vmlinux).expect("a report");
        assert_eq!(whole.verdict.kind, kind, "{log:?}");
        let cut = report(&dump[..dump.len() - 0x4000], &vmlinux).expect("a report");
        assert_eq!(cut.verdict.kind, kind, "{log:?}");
        assert_eq!(cut.verdict.culprit, None, "{log:?}");
        let names: Vec<_> = cut.backtraces.panic.iter().map(|frame| &frame.function).collect();
        assert_eq!(names, [&Some("panic".to_owned())], "{log:?}");
    }
}

#[test]
fn dumps_of_lockups_cut_anywhere_give_a_report_or_an_error() {
    for (_, log) in LOCKUPS {
        let world = locked_up(log);
        let (dump, vmlinux) = (world.dump(), world.vmlinux());
        let reports = (0..dump.len())
            .step_by(1000)
            .filter(|length| report(&dump[..*length], &vmlinux).is_some())
            .count();
        assert!(reports > 10, "{log:?}: {reports} of the cut dumps have the kernel in them");
    }
}
