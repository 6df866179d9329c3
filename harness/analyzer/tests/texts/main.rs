// SPDX-License-Identifier: MIT OR Apache-2.0
//! Texts of crashes: of guests' own logs, in every form that people and programs keep them in. What has
//! to come out is what the marks in the modules' sources say.

#![expect(clippy::unwrap_used, reason = "what cannot go on fails the test")]

use analyzer::report::{Confidence, CrashKind, Report, Trust};
use analyzer::text::{TextError, TextInputs, TextLog};
use analyzer::{Files, ModuleFiles};

/// An entry of a list that was taken out and used, in `watchset_report`.
const OOPS: &str = include_str!("oops-6.1.txt");
/// A reference given back twice, in `shmbuf_detach`, and `panic_on_warn`.
const WARN: &str = include_str!("warn-6.1.txt");
/// Two tasks that wait for each other's mutex, in `acctmove_move`, and khungtaskd's panic.
const HUNG: &str = include_str!("hung-6.1.txt");
/// CentOS 7's 3.10: a call through NULL in `process_bprm_put`, of which the kernel was not sure.
const EL7: &str = include_str!("../../../../tests/seed/vmcore-dmesg.txt");

/// No files.
struct Nothing;

impl ModuleFiles for Nothing {
    fn module(&self, _name: &str, _: Option<&[u8]>) -> Option<Files<'_>> {
        None
    }
}

fn report(text: &str) -> Report {
    let log = TextLog::read(text.as_bytes()).unwrap_or_else(|error| panic!("{error}\n{text}"));
    log.analyze(&TextInputs { vmlinux: None, modules: &Nothing }).report
}

/// Kind, function and module.
fn blamed(report: &Report) -> (CrashKind, &str, Option<&str>) {
    let culprit = report.verdict.culprit.as_ref().unwrap();
    (report.verdict.kind, culprit.function.as_deref().unwrap(), culprit.module.as_deref())
}

/// Each line of a text without its time.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(|line| line.split_once("] ").map_or(line, |(_, words)| words))
}

fn each(text: &str, write: impl Fn(&str) -> String) -> String {
    words(text).map(write).collect()
}

#[test]
fn the_kind_and_the_modules_function_are_told_without_files() {
    assert_eq!(
        blamed(&report(OOPS)),
        (CrashKind::ListCorruption, "watchset_report", Some("watchset"))
    );
    assert_eq!(blamed(&report(WARN)), (CrashKind::Refcount, "shmbuf_detach", Some("shmbuf")));
    assert_eq!(blamed(&report(HUNG)), (CrashKind::HungTask, "acctmove_move", Some("acctmove")));
    assert_eq!(blamed(&report(EL7)), (CrashKind::NullCall, "process_bprm_put", Some("process")));
}

#[test]
fn nothing_is_proven_by_a_text() {
    for text in [OOPS, WARN, HUNG, EL7] {
        assert_ne!(report(text).verdict.confidence, Confidence::Proven);
    }
}

/// What the kernel printed of registers, code and task is in the report as it was printed.
#[test]
fn what_the_text_says_is_in_the_report() {
    let report = report(OOPS);
    let task = report.task.unwrap();
    assert_eq!((task.comm.as_deref(), task.pid, task.cpu), (Some("sh"), Some(89), Some(0)));
    assert_eq!(report.kernel.release.as_deref(), Some("6.1.0-57-cloud-amd64"));
    assert_eq!(report.kernel.taint.as_deref(), Some("OE"));
    let said: Vec<&str> = report.verdict.evidence.iter().map(|it| it.claim.as_str()).collect();
    assert!(said.contains(&"rbx holds 0xdead000000000100"), "{said:#?}");
    let reads = "watchset_report+0x44/0xb0 [watchset] reads 4 bytes at 0xdead000000000110";
    assert!(said.contains(&reads), "{said:#?}");
    let frames = &report.backtraces.fault;
    // The fault, and the trace without its guesses.
    assert_eq!(frames.len(), 9);
    assert!(frames[1..].iter().all(|frame| frame.trust == Trust::Told));
    assert_eq!(frames[8].boundary.as_deref(), Some("user mode, rip 0x47b7a0"));
    let outside = |module: &&analyzer::report::Module| module.taint.is_some();
    let own: Vec<&str> = report.modules.iter().filter(outside).map(|it| &*it.name).collect();
    assert_eq!(own, ["watchset"]);
}

/// The same log as many programs write it.
#[test]
fn every_form_gives_the_same_verdict() {
    let plain = report(OOPS);
    let forms: [(&str, String); 15] = [
        ("no times", each(OOPS, |line| format!("{line}\n"))),
        ("callers", each(OOPS, |line| format!("[    1.877491][   T89] {line}\n"))),
        ("levels", each(OOPS, |line| format!("<1>[    1.877491] {line}\n"))),
        (
            "syslog",
            each(OOPS, |line| format!("Nov 29 10:11:12 web1 kernel: [    1.877491] {line}\n")),
        ),
        ("journald", each(OOPS, |line| format!("Nov 29 10:11:12 web1 kernel: {line}\n"))),
        (
            "iso",
            each(OOPS, |line| format!("2026-11-29T10:11:12.123456+00:00 web1 kernel: {line}\n")),
        ),
        ("kmsg", each(OOPS, |line| format!("1,4955,1877491,-;{line}\n"))),
        ("kmsg with callers", each(OOPS, |line| format!("1,4955,1877491,-,caller=T89;{line}\n"))),
        ("differences", each(OOPS, |line| format!("[  +0.000047] {line}\n"))),
        ("dates", each(OOPS, |line| format!("[Sun Nov 29 10:11:12 2026] {line}\n"))),
        ("lost brackets", each(OOPS, |line| format!("    1.877491] {line}\n"))),
        ("terminal", each(OOPS, |line| format!("\x1b[0m[    1.877491] \x1b[31m{line}\x1b[0m\r\n"))),
        ("html", OOPS.replace('<', "&lt;").replace('>', "&gt;")),
        ("twice", OOPS.lines().map(|line| format!("{line}\n{line}\n")).collect()),
        (
            "collapsed",
            OOPS.lines()
                .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ") + "\n")
                .collect(),
        ),
    ];
    for (form, text) in forms {
        let found = report(&text);
        assert_eq!(blamed(&found), blamed(&plain), "{form}");
        assert_eq!(found.signature, plain.signature, "{form}");
        assert_eq!(found.reports.len(), 1, "{form}");
    }
}

#[test]
fn lines_of_other_programs_between_are_left_out() {
    let mixed: String =
        OOPS.lines().map(|line| format!("{line}\nexecuting program 3:\nsh: RBX: no\n")).collect();
    assert_eq!(blamed(&report(&mixed)), blamed(&report(OOPS)));
    let syslog = each(OOPS, |line| {
        format!("Nov 29 10:11:12 web1 kernel: {line}\nNov 29 10:11:12 web1 sshd[7]: BUG: x\n")
    });
    let found = report(&syslog);
    assert_eq!(blamed(&found), blamed(&report(OOPS)));
    assert_eq!(found.reports.len(), 1);
}

/// Two CPUs print at the same time; each line says who printed it.
#[test]
fn reports_of_two_tasks_are_taken_apart_by_their_callers() {
    let one = words(OOPS).map(|line| format!("[    1.877491][   T89] {line}\n"));
    let other = words(WARN).map(|line| format!("[    1.877491][   T90] {line}\n"));
    let mut mixed = String::new();
    let (mut one, mut other) = (one, other);
    loop {
        let (first, second) = (one.next(), other.next());
        if first.is_none() && second.is_none() {
            break;
        }
        mixed.extend(first);
        mixed.extend(second);
    }
    let found = report(&mixed);
    let functions: Vec<Option<&str>> =
        found.reports.iter().map(|it| it.function.as_deref()).collect();
    assert_eq!(functions, [Some("watchset_report"), Some("refcount_warn_saturate")]);
    assert_eq!(blamed(&found), blamed(&report(OOPS)));
}

#[test]
fn all_reports_are_listed_and_the_first_that_can_be_the_cause_is_judged() {
    let oom = "[    0.900000] sh invoked oom-killer: gfp_mask=0x1, order=0\n[    0.900001] Call Trace:\n[    0.900002]  dump_header+0x4a/0x1e0\n";
    let found = report(&format!("{oom}{WARN}{OOPS}"));
    let kinds: Vec<Option<CrashKind>> = found.reports.iter().map(|it| it.kind).collect();
    assert_eq!(kinds, [Some(CrashKind::OutOfMemory), Some(CrashKind::Refcount), None]);
    let main: Vec<bool> = found.reports.iter().map(|it| it.main).collect();
    assert_eq!(main, [false, true, false]);
    assert_eq!(found.reports[0].line, 1);
    assert_eq!(found.reports[2].line, 4 + WARN.lines().count());
    assert_eq!(found.reports[2].time.as_deref(), Some("1.875224"));
    assert_eq!(blamed(&found), (CrashKind::Refcount, "shmbuf_detach", Some("shmbuf")));
}

#[test]
fn a_hangs_stack_is_the_tasks_and_the_panics_is_beside_it() {
    let report = report(HUNG);
    assert_eq!(
        report.panic.message.as_deref(),
        Some("Kernel panic - not syncing: hung_task: blocked tasks")
    );
    assert!(
        report
            .backtraces
            .fault
            .iter()
            .any(|frame| frame.function.as_deref() == Some("acctmove_move"))
    );
    assert_eq!(report.backtraces.panic[0].function.as_deref(), Some("watchdog.cold"));
    assert_eq!(report.task.unwrap().pid, Some(90));
}

/// Months of allocations that failed, and then a fault: it is kept and judged, whatever came before it.
#[test]
fn what_ended_the_kernel_is_not_hidden_by_what_came_before() {
    let failed = "[    0.900000] sh: page allocation failure: order:0, mode:0x1\n[    0.900001] Call Trace:\n\
                  [    0.900002]  warn_alloc+0x4a/0x1e0\n";
    let quiet = "[    0.900003] usb 1-1: reset\n".repeat(60);
    let found = report(&format!("{}{OOPS}", format!("{failed}{quiet}").repeat(300)));
    assert_eq!(blamed(&found), (CrashKind::ListCorruption, "watchset_report", Some("watchset")));
    assert!(found.reports.last().unwrap().main);
    assert!(found.findings.iter().any(|it| it.code == "A022"));
}

/// A driver of the kernel's own tree warned at boot; a module's fault ended the kernel a day later.
#[test]
fn a_warning_of_the_kernels_own_code_is_not_why_a_module_ended_it() {
    let warned = "[    3.000000] ------------[ cut here ]------------\n\
                  [    3.000000] WARNING: CPU: 0 PID: 1 at drivers/a.c:7 a_probe+0x1/0x20\n\
                  [    3.000000] CPU: 0 PID: 1 Comm: swapper/0 Not tainted 6.1.0 #1\n\
                  [    3.000000] RIP: 0010:a_probe+0x1/0x20\n[    3.000000] Call Trace:\n\
                  [    3.000000]  really_probe+0x1/0x20\n\
                  [    3.000000] ---[ end trace 0000000000000000 ]---\n";
    let found = report(&format!("{warned}{OOPS}"));
    assert_eq!(blamed(&found), (CrashKind::ListCorruption, "watchset_report", Some("watchset")));
    assert_eq!(found.reports.len(), 2);
    // Where nothing else happened, it is what there is to say.
    assert_eq!(blamed(&report(warned)), (CrashKind::Warn, "a_probe", None));
}

/// 3.10 writes through NULL where it is asked to crash.
#[test]
fn a_crash_that_was_asked_for_is_no_write_through_null() {
    let found = report(
        "[    1.507265] SysRq : Trigger a crash\n\
         [    1.508086] BUG: unable to handle kernel NULL pointer dereference at           (null)\n\
         [    1.508086] IP: [<ffffffffb7de2ae6>] sysrq_handle_crash+0x16/0x20\n\
         [    1.508086] PGD 3c03a067 PUD 3c02e067 PMD 0 \n\
         [    1.508086] Oops: 0002 [#1] SMP \n\
         [    1.508086] CPU: 0 PID: 580 Comm: sh Not tainted 3.10.0-1160.el7.x86_64 #4\n\
         [    1.508086] RIP: 0010:[<ffffffffb7de2ae6>]  [<ffffffffb7de2ae6>] sysrq_handle_crash+0x16/0x20\n\
         [    1.508086] Call Trace:\n\
         [    1.508086]  [<ffffffffb83b2a02>] __handle_sysrq.cold+0x46/0xfe\n\
         [    1.508086]  [<ffffffffb7de2e58>] write_sysrq_trigger+0x28/0x50\n",
    );
    assert_eq!(found.verdict.kind, CrashKind::Sysrq);
    assert_eq!(found.reports.len(), 1);
}

/// A function that has no frame pointer yet was called by whom 3.10 is not sure of: by the name in the
/// source, `cmdport_write`.
#[test]
fn the_caller_of_a_function_without_a_frame_is_on_the_stack() {
    let at = |offset: &str| {
        format!(
            "[    1.533056] BUG: unable to handle kernel paging request at 00000000010e60c0\n\
             [    1.533056] IP: [<ffffffffc01ca046>] cmdport_accept+{offset}/0x61 [cmdport]\n\
             [    1.533056] Oops: 0001 [#1] SMP \n\
             [    1.533056] Modules linked in: cmdport(O)\n\
             [    1.533056] CPU: 1 PID: 582 Comm: sh Tainted: G           O 3.10.0-1160.el7.x86_64 #4\n\
             [    1.533056] RIP: 0010:[<ffffffffc01ca046>]  [<ffffffffc01ca046>] \
             cmdport_accept+{offset}/0x61 [cmdport]\n\
             [    1.533056] Call Trace:\n\
             [    1.533056]  [<ffffffffc01ca022>] ? cmdport_write+0x22/0x40 [cmdport]\n\
             [    1.533056]  [<ffffffffb7c00d77>] vfs_write+0xc7/0x1f0\n"
        )
    };
    let names = |text: &str| -> Vec<Option<String>> {
        report(text).backtraces.fault.into_iter().map(|frame| frame.function).collect()
    };
    let some = |names: &[&str]| names.iter().map(|it| Some((*it).to_owned())).collect::<Vec<_>>();
    assert_eq!(names(&at("0x6")), some(&["cmdport_accept", "cmdport_write", "vfs_write"]));
    // Further in, it has one, and what the kernel is not sure of is left out.
    assert_eq!(names(&at("0x20")), some(&["cmdport_accept", "vfs_write"]));
}

#[test]
fn what_is_missing_is_said() {
    let codes =
        |report: &Report| report.findings.iter().map(|it| it.code.clone()).collect::<Vec<_>>();
    let cut: String = OOPS.lines().take(2).map(|line| format!("{line}\n")).collect();
    let found = report(&cut);
    assert!(found.reports[0].torn);
    assert!(codes(&found).contains(&"A021".to_owned()));
    let headless: String = OOPS.lines().skip(3).map(|line| format!("{line}\n")).collect();
    assert!(report(&headless).reports[0].torn);
    assert!(!report(OOPS).reports[0].torn);
}

#[test]
fn other_machines_are_named_and_refused() {
    let arm = "Unable to handle kernel NULL pointer dereference at virtual address 0000000000000000\n\
               Internal error: Oops: 0000000096000004 [#1] SMP\npstate: 60400009 (nZCv daif +PAN -UAO)\n\
               pc : f+0x1/0x2\nCall trace:\n f+0x1/0x2\n";
    let error = TextLog::read(arm.as_bytes()).unwrap_err();
    assert_eq!(error.to_string(), "the text is of a kernel for arm64; only x86-64 is read");
    let nothing = TextLog::read(b"Linux version 6.1\nall is well\n").unwrap_err();
    assert_eq!(nothing, TextError::NoReport { lines: 2 });
    assert!(nothing.to_string().ends_with("(2 lines were read)"), "{nothing}");
    let one = TextError::NoReport { lines: 1 }.to_string();
    assert!(one.ends_with("(1 line was read)"), "{one}");
}

#[test]
fn no_text_is_too_odd() {
    let binary: Vec<u8> =
        (0..1 << 20).map(|at: u32| at.wrapping_mul(2_654_435_761).to_le_bytes()[3]).collect();
    assert!(TextLog::read(&binary).is_err());
    assert!(TextLog::read(b"").is_err());
    assert!(TextLog::read(b"B").is_err());
    let mut long = b"[    1.0] BUG: KASAN: ".to_vec();
    long.extend(std::iter::repeat_n(b'x', 10 << 20));
    assert!(TextLog::read(&long).is_ok());
    // Each line alone, and each without its end.
    for line in [OOPS, WARN, HUNG, EL7].iter().flat_map(|text| text.lines()) {
        for end in (0..line.len()).step_by(7).filter(|end| line.is_char_boundary(*end)) {
            let text =
                format!("BUG: unable to handle page fault for address: 1\n{}\n", &line[..end]);
            let _any = report(&text);
        }
    }
}

/// Another task prints its own stack amidst a report that says which task it is about.
#[test]
fn the_stack_is_that_of_the_task_that_is_reported() {
    let text = "\
[    9.1] BUG: KASAN: slab-use-after-free in hwport_take+0x1/0x20 [hwport]
[    9.1] Read of size 8 at addr ffff888012345678 by task sh/311
[    9.1] CPU: 0 PID: 312 Comm: other Tainted: G           OE     6.12.9 #1
[    9.1] Call Trace:
[    9.1]  dump_stack_lvl+0x1/0x20
[    9.1]  should_fail_ex+0x1/0x20
[    9.1]  sock_sendmsg+0x1/0x20
[    9.1] CPU: 1 PID: 311 Comm: sh Tainted: G           OE     6.12.9 #1
[    9.1] Call Trace:
[    9.1]  dump_stack_lvl+0x1/0x20
[    9.1]  kasan_report+0x1/0x20
[    9.1]  hwport_take+0x1/0x20 [hwport]
[    9.1]  vfs_read+0x1/0x20
[    9.1] Freed by task 310:
[    9.1]  kfree+0x1/0x20
[    9.1]  hwport_drop+0x1/0x20 [hwport]
[    9.1] Modules linked in: hwport(OE)
";
    let found = report(text);
    assert_eq!(blamed(&found), (CrashKind::UseAfterFree, "hwport_take", Some("hwport")));
    let functions: Vec<&str> =
        found.backtraces.fault.iter().map(|frame| frame.function.as_deref().unwrap()).collect();
    assert_eq!(functions, ["kasan_report", "hwport_take", "vfs_read"]);
}

/// What faulted is the check that a compiler put in; the address is one of its own.
#[test]
fn a_check_that_faults_tells_of_the_access_it_checks() {
    let text = "\
[    9.1] general protection fault, probably for non-canonical address 0xdffffc0000000004: 0000 [#1] SMP KASAN
[    9.1] KASAN: null-ptr-deref in range [0x0000000000000020-0x0000000000000027]
[    9.1] CPU: 1 PID: 311 Comm: sh Tainted: G           OE     6.12.9 #1
[    9.1] RIP: 0010:hwport_take+0x11/0x20 [hwport]
[    9.1] Code: 48 89 c1 <80> 3c 10 00
[    9.1] RAX: dffffc0000000000 RBX: 0000000000000000 RCX: 0000000000000000
[    9.1] RDX: 0000000000000004 RSI: 0000000000000000 RDI: 0000000000000020
[    9.1] Call Trace:
[    9.1]  vfs_read+0x1/0x20
[    9.1] Modules linked in: hwport(OE)
";
    let found = report(text);
    assert_eq!(blamed(&found), (CrashKind::NullRead, "hwport_take", Some("hwport")));
    assert!(!found.verdict.summary.contains("0xdffffc"), "{}", found.verdict.summary);
}

/// lockdep says where the lock was to be taken; locks that are held are listed in the same way.
#[test]
fn a_broken_rule_of_locks_names_who_was_to_take_the_lock() {
    let text = "\
[    9.1] ======================================================
[    9.1] WARNING: possible circular locking dependency detected
[    9.1] 6.12.9 #1 Not tainted
[    9.1] ------------------------------------------------------
[    9.1] sh/311 is trying to acquire lock:
[    9.1] ffff888012345678 (&dev->lock){+.+.}-{3:3}, at: vdev_open+0x1/0x20
[    9.1] 
[    9.1] but task is already holding lock:
[    9.1] ffff888012345679 (&bus->lock){+.+.}-{3:3}, at: vbus_scan+0x1/0x20
[    9.1] 
[    9.1] stack backtrace:
[    9.1] CPU: 1 PID: 311 Comm: sh Not tainted 6.12.9 #1
[    9.1] Call Trace:
[    9.1]  dump_stack_lvl+0x1/0x20
[    9.1]  check_noncircular+0x1/0x20
[    9.1]  __mutex_lock+0x1/0x20
[    9.1]  vdev_open+0x1/0x20
[    9.1]  vbus_scan+0x9/0x20
";
    let found = report(text);
    assert_eq!(blamed(&found), (CrashKind::Lockdep, "vdev_open", None));
    assert_eq!(found.verdict.title, "possible circular locking dependency detected in vdev_open");
}

/// A warning that ended nothing is not called fatal.
#[test]
fn a_warning_that_the_kernel_survived_is_a_warning() {
    let survived: String = WARN
        .lines()
        .take_while(|line| !line.contains("Kernel panic"))
        .filter(|line| !line.contains("refcount_t"))
        .map(|line| format!("{line}\n"))
        .collect();
    assert!(report(&survived).verdict.title.starts_with("warning in "));
}
