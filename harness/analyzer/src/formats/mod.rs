// SPDX-License-Identifier: MIT OR Apache-2.0
//! Lines by which the kernel itself says what happened: the one table of them.
//!
//! Each is a format of the kernel's own, matched from the line's beginning: what a module prints
//! about use-after-free checks is none of them. Written from the callers of `pr_alert()`,
//! `pr_err()`, `WARN()`, `die()` and `panic()` in `arch/x86/mm/fault.c`, `arch/x86/kernel/traps.c`,
//! `dumpstack.c` and `nmi.c`, `kernel/panic.c`, `kernel/watchdog.c`, `kernel/hung_task.c`,
//! `kernel/rcu/tree_stall.h`, `kernel/sched/core.c`, `lib/refcount.c`, `lib/list_debug.c`,
//! `lib/string_helpers.c`, `lib/ubsan.c`, `mm/usercopy.c`, `mm/slub.c`, `mm/oom_kill.c`,
//! `mm/kasan/report.c`, `mm/kfence/report.c` and `drivers/tty/sysrq.c`, 3.10 to 6.12.

mod beginnings;

pub use beginnings::{
    Beginning, Checked, Sort, begins, checked, is_consequence, is_stack_overflow, rule,
};

use memchr::memmem;

use crate::diagnosis::{Advice, Complaint, ListEntry};
use crate::kind::CrashKind;

/// What `panic()` prints before its words.
pub const PANIC: &str = "Kernel panic - not syncing: ";

/// A format: how the line begins, and what follows further on, in that order.
struct Format {
    start: &'static str,
    then: &'static [&'static str],
    kind: CrashKind,
}

const fn line(start: &'static str, kind: CrashKind) -> Format {
    Format { start, then: &[], kind }
}

const fn with(start: &'static str, then: &'static [&'static str], kind: CrashKind) -> Format {
    Format { start, then, kind }
}

impl Format {
    fn is(&self, text: &str) -> bool {
        // Of a large log, each line is asked for each format: most differ in their first byte.
        let (first, wanted) = (text.as_bytes().first(), self.start.as_bytes().first());
        if wanted.is_some() && first != wanted {
            return false;
        }
        let Some(rest) = text.strip_prefix(self.start) else { return false };
        let mut rest = rest.as_bytes();
        self.then.iter().all(|part| match memmem::find(rest, part.as_bytes()) {
            Some(at) => {
                rest = rest.get(at + part.len()..).unwrap_or_default();
                true
            }
            None => false,
        })
    }
}

/// First lines of crashes, but those of faults on memory, which the code tells better.
const HEADLINES: [Format; 14] = [
    line("SysRq : Trigger a crash", CrashKind::Sysrq),
    line("sysrq: Trigger a crash", CrashKind::Sysrq),
    // `%s stack guard page` since 5.16.
    with("BUG: ", &["stack guard page was hit at "], CrashKind::DoubleFault),
    line("kernel stack overflow (", CrashKind::StackOverflow),
    line("BUG: scheduling while atomic: ", CrashKind::SleepingInAtomic),
    line("BUG: sleeping function called from invalid context", CrashKind::SleepingInAtomic),
    line("kernel tried to execute NX-protected page", CrashKind::ExecOfNonExecutable),
    line("kernel BUG at ", CrashKind::Bug),
    line("double fault", CrashKind::DoubleFault),
    line("divide error", CrashKind::DivideError),
    line("invalid opcode", CrashKind::InvalidOpcode),
    line("general protection fault", CrashKind::GeneralProtection),
    line("CFI failure at ", CrashKind::UndefinedBehavior),
    line("UBSAN: ", CrashKind::UndefinedBehavior),
];

/// What the kernel gives to `panic()`.
const PANICS: [Format; 26] = [
    line("sysrq triggered crash", CrashKind::Sysrq),
    line("kernel stack overflow", CrashKind::StackOverflow),
    line("corrupted stack end detected inside scheduler", CrashKind::StackOverflow),
    line("low stack detected by irq handler", CrashKind::StackOverflow),
    line("stack-protector: Kernel stack is corrupted in: ", CrashKind::StackProtector),
    line("softlockup: hung tasks", CrashKind::SoftLockup),
    line("Hard LOCKUP", CrashKind::HardLockup),
    line("Watchdog detected hard LOCKUP on cpu ", CrashKind::HardLockup),
    line("hung_task: blocked tasks", CrashKind::HungTask),
    line("RCU Stall", CrashKind::RcuStall),
    line("scheduling while atomic", CrashKind::SleepingInAtomic),
    line("Out of memory: ", CrashKind::OutOfMemory),
    line("out of memory. ", CrashKind::OutOfMemory),
    line("Out of memory and no killable processes...", CrashKind::OutOfMemory),
    line("System is deadlocked on memory", CrashKind::OutOfMemory),
    // Who asked for it stands before since 6.2: `kernel: panic_on_warn set ...`.
    line("panic_on_warn set ...", CrashKind::Warn),
    line("kernel: panic_on_warn set ...", CrashKind::Warn),
    line("Fatal machine check", CrashKind::MachineCheck),
    line("Fatal local machine check", CrashKind::MachineCheck),
    line("Machine check", CrashKind::MachineCheck),
    line("Timeout: Not all CPUs entered broadcast exception handler", CrashKind::MachineCheck),
    line("NMI: Not continuing", CrashKind::Nmi),
    line("NMI IOCK error: Not continuing", CrashKind::Nmi),
    line("NMI: IOCK error: Not continuing", CrashKind::Nmi),
    line("An NMI occurred", CrashKind::Nmi),
    with("", &[": panic_on_warn set ..."], CrashKind::Warn),
];

/// Lines above a headline that say what was noticed there.
const DETAILS: [Format; 35] = [
    line("refcount_t: ", CrashKind::Refcount),
    line("list_add corruption", CrashKind::ListCorruption),
    line("list_del corruption", CrashKind::ListCorruption),
    line("list_add double add: ", CrashKind::ListCorruption),
    line("list_add_rcu corruption", CrashKind::ListCorruption),
    line("detected buffer overflow in ", CrashKind::Fortify),
    with("", &[": detected buffer overflow: ", " of buffer size "], CrashKind::Fortify),
    with("", &[": detected field-spanning write (size "], CrashKind::Fortify),
    with("Buffer overflow detected (", &[" < ", ")!"], CrashKind::Fortify),
    line("Buffer overflow detected!", CrashKind::Fortify),
    with("usercopy: Kernel memory ", &[" attempt detected "], CrashKind::Fortify),
    with("usercopy: kernel memory ", &[" attempt detected "], CrashKind::Fortify),
    line("BUG: scheduling while atomic: ", CrashKind::SleepingInAtomic),
    line("BUG: sleeping function called from invalid context", CrashKind::SleepingInAtomic),
    line("Voluntary context switch within RCU read-side", CrashKind::SleepingInAtomic),
    line("BUG: KASAN: double-free ", CrashKind::DoubleFree),
    line("BUG: KASAN: invalid-free ", CrashKind::DoubleFree),
    line("BUG: KASAN: null-ptr-deref in ", CrashKind::NullRead),
    line("BUG: KASAN: user-memory-access in ", CrashKind::UserAccess),
    line("BUG: KASAN: wild-memory-access in ", CrashKind::GeneralProtection),
    line("BUG: KASAN: slab-out-of-bounds in ", CrashKind::HeapOverflow),
    line("BUG: KASAN: slab-use-after-free in ", CrashKind::UseAfterFree),
    line("BUG: KASAN: use-after-free in ", CrashKind::UseAfterFree),
    with("BUG: KASAN: ", &["-out-of-bounds in "], CrashKind::OutOfBounds),
    line("BUG: KFENCE: use-after-free ", CrashKind::UseAfterFree),
    line("BUG: KFENCE: invalid free in ", CrashKind::DoubleFree),
    line("BUG: KFENCE: memory corruption in ", CrashKind::HeapOverflow),
    line("BUG: KFENCE: out-of-bounds ", CrashKind::HeapOverflow),
    line("UBSAN: ", CrashKind::UndefinedBehavior),
    line("CFI failure at ", CrashKind::UndefinedBehavior),
    with("BUG ", &["): Object already free"], CrashKind::DoubleFree),
    with("BUG ", &["): ", "Redzone overwritten"], CrashKind::HeapOverflow),
    with("BUG ", &["): Poison overwritten"], CrashKind::UseAfterFree),
    with("BUG ", &["): Invalid object pointer "], CrashKind::DoubleFree),
    with("BUG ", &["): Object corrupt"], CrashKind::HeapOverflow),
];

/// The kind that a headline tells alone; `None` for faults on memory, which the code tells better.
#[must_use]
pub fn headline(text: &str) -> Option<CrashKind> {
    if let Some(words) = text.strip_prefix(PANIC) {
        let known = PANICS.iter().find(|format| format.is(words));
        return Some(known.map_or(CrashKind::Panic, |format| format.kind));
    }
    // Since 6.12 `__die()` puts this before its words.
    let text = text.strip_prefix("Oops: ").unwrap_or(text);
    HEADLINES.iter().find(|format| format.is(text)).map(|format| format.kind)
}

/// What sort of crash a headline is of, in words that neither another boot nor a change of lines
/// elsewhere in a file changes.
#[must_use]
pub fn class(text: &str) -> String {
    if let Some(words) = text.strip_prefix(PANIC) {
        return match PANICS.iter().find(|format| format.is(words)) {
            Some(format) => format.kind.name(),
            None => format!("panic {}", without_numbers(words)),
        };
    }
    let text = text.strip_prefix("Oops: ").unwrap_or(text);
    let null = ["BUG: kernel NULL pointer", "BUG: unable to handle kernel NULL pointer"];
    if null.iter().any(|start| text.starts_with(start)) {
        return "null-pointer".to_owned();
    }
    if ADDRESSES.iter().any(|start| text.starts_with(start)) && text.starts_with("BUG: ") {
        return "page-fault".to_owned();
    }
    if let Some(place) = text.strip_prefix("kernel BUG at ") {
        let file = place.rsplit_once(':').map_or(place, |(file, _)| file);
        return format!("bug {}", file.rsplit('/').next().unwrap_or(file));
    }
    let known = HEADLINES.iter().find(|format| format.is(text));
    known.map_or_else(|| without_numbers(text), |format| format.kind.name())
}

/// The words that have no digit in them.
fn without_numbers(text: &str) -> String {
    let is_word = |word: &&str| !word.bytes().any(|byte| byte.is_ascii_digit());
    text.split_whitespace().filter(is_word).collect::<Vec<_>>().join(" ")
}

/// The kind that a line above a headline tells, if it is one by which the kernel says what it noticed.
#[must_use]
pub fn detail(text: &str) -> Option<CrashKind> {
    DETAILS.iter().find(|format| format.is(text)).map(|format| format.kind)
}

/// What a line of `lib/refcount.c` complains of.
#[must_use]
pub fn complaint(text: &str) -> Complaint {
    match text.strip_prefix("refcount_t: ") {
        Some(words) if words.starts_with("underflow; ") => Complaint::Underflow,
        Some(words) if words.starts_with("addition on 0; ") => Complaint::FromZero,
        Some(words) if words.starts_with("increment on 0; ") => Complaint::FromZero,
        Some(words) if words.starts_with("saturated; ") => Complaint::Saturated,
        _ => Complaint::Other,
    }
}

/// What a line of `lib/list_debug.c` complains of.
#[must_use]
pub fn list_complaint(text: &str) -> ListEntry {
    let is_out = |rest: &str| {
        rest.contains("->next is LIST_POISON1") || rest.contains("->prev is LIST_POISON2")
    };
    match text.strip_prefix("list_del corruption, ") {
        Some(rest) if is_out(rest) => ListEntry::OutAlready,
        _ if text.starts_with("list_add double add: ") => ListEntry::InAlready,
        _ => ListEntry::Unknown,
    }
}

/// The function of the C library of which a check found that it would run over a buffer.
#[must_use]
pub fn overflowing(text: &str) -> Option<&str> {
    let name = match text.strip_prefix("detected buffer overflow in ") {
        Some(name) => name.trim_end(),
        None => text.split_once(": detected buffer overflow: ")?.0,
    };
    let is_name = name.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'_');
    (is_name && !name.is_empty()).then(|| name.strip_prefix("__fortify_").unwrap_or(name))
}

/// The network device that waits for its last reference, and its usage count (`net/core/dev.c`, 3.10 to 6.12):
/// `unregister_netdevice: waiting for tun0 to become free. Usage count = -3`.
#[must_use]
pub fn device_in_use(text: &str) -> Option<(&str, i64)> {
    let rest = text.strip_prefix("unregister_netdevice: waiting for ")?;
    let (device, count) = rest.split_once(" to become free. Usage count = ")?;
    let count = count.split_whitespace().next()?.parse().ok()?;
    (!device.is_empty() && !device.contains(' ')).then_some((device, count))
}

/// First lines of faults on memory, and of general protection faults, up to the address.
const ADDRESSES: [&str; 6] = [
    "BUG: kernel NULL pointer dereference, address: ",
    "BUG: unable to handle page fault for address: ",
    "BUG: unable to handle kernel NULL pointer dereference at ",
    "BUG: unable to handle kernel paging request at ",
    "general protection fault, probably for non-canonical address ",
    "general protection fault, maybe for address ",
];

/// The address of the access that a headline names; `(null)` up to 4.x is 0.
#[must_use]
pub fn accessed(headline: &str) -> Option<u64> {
    let text = headline.strip_prefix("Oops: ").unwrap_or(headline);
    let after = ADDRESSES.iter().find_map(|start| text.strip_prefix(start))?;
    let word = after.trim_start().split([' ', ':']).next()?;
    if word == "(null)" {
        return Some(0);
    }
    u64::from_str_radix(word.trim_start_matches("0x"), 16).ok()
}

/// The text given to `panic()`.
#[must_use]
pub fn panic_words(headline: &str) -> String {
    headline.strip_prefix(PANIC).unwrap_or(headline).trim_end().to_owned()
}

/// Name and pid in `INFO: task name:123 blocked for more than 10 seconds.` (of one that was killed, `can't
/// die for more than`); the name may hold colons.
#[must_use]
pub fn hung_task(text: &str) -> Option<(&str, i32)> {
    let rest = text.strip_prefix("INFO: task ")?;
    let waits = [" blocked for more than ", " can't die for more than "];
    let (before, _) = waits.iter().find_map(|words| rest.split_once(words))?;
    let (name, pid) = before.rsplit_once(':')?;
    Some((name, pid.parse().ok()?))
}

/// What makes a complaint of the kernel end it that ended nothing: of the allocator by the taint that it sets
/// (`slab_bug()`, `bad_page()`), of a check by being a warning.
#[must_use]
pub fn advice(headline: &str) -> Option<Advice> {
    if headline.starts_with("BUG: Bad ") || headline.starts_with("BUG ") {
        return Some(Advice::PanicOnBadPage);
    }
    let begins = begins(headline)?;
    (begins.sort == Sort::Check).then_some(Advice::PanicOnWarn)
}

/// Task and count in `note: sh[90] exited with preempt_count 1`: of who died with a spinlock held
/// (`make_task_dead()`, `kernel/exit.c`; `do_exit()` before).
#[must_use]
pub fn kept_atomic(text: &str) -> Option<(i32, u32)> {
    let (task, rest) = text.strip_prefix("note: ")?.split_once("] exited with ")?;
    let (_, pid) = task.rsplit_once('[')?;
    let count = rest.split_once("preempt_count ")?.1;
    let count = count.split_whitespace().next()?.parse().ok().filter(|count| *count > 0)?;
    Some((pid.parse().ok()?, count))
}

/// Whether the line begins a report that is long: what it is about stands far above what ends it.
#[must_use]
pub fn begins_long_report(text: &str) -> bool {
    ["BUG: KASAN: ", "BUG: KFENCE: ", "UBSAN: "].iter().any(|start| text.starts_with(start))
}

/// Whether the report is of an access that a page fault told of.
#[must_use]
pub fn is_by_page_fault(text: &str) -> bool {
    text.starts_with("BUG: KFENCE: ")
}

/// Whether a CPU says of itself that it held RCU up: `INFO: rcu_sched self-detected stall on CPU`.
#[must_use]
pub fn is_own_stall(text: &str) -> bool {
    let words = text.trim_start_matches("rcu:").trim_start();
    words.strip_prefix("INFO: ").is_some_and(|rest| rest.contains(" self-detected stall on CPU"))
}

/// The CPU in `watchdog: BUG: soft lockup - CPU#1 stuck for 22s!`, `Watchdog detected hard LOCKUP on
/// cpu 1` (behind `CPU0: ` since 6.5: who found it) or, for RCU's stalls, `rcu: \t1-....: (5250 ticks this
/// GP)`; in 3.10, `\t3: (5250 ticks this GP)` or `INFO: rcu_sched detected stalls on CPUs/tasks: { 3}`.
#[must_use]
pub fn stuck_cpu(text: &str) -> Option<u32> {
    let number = |text: &str| {
        let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        text[..digits].parse().ok()
    };
    let by = ["watchdog: ", "NMI watchdog: "].iter().find_map(|by| text.strip_prefix(by));
    let words = by.unwrap_or(text);
    let words = match words.strip_prefix("CPU").and_then(|rest| rest.split_once(": ")) {
        Some((finder, rest)) if finder.parse::<u32>().is_ok() => rest,
        _ => words,
    };
    let lockups = ["BUG: soft lockup - CPU#", "Watchdog detected hard LOCKUP on cpu "];
    if let Some(after) = lockups.iter().find_map(|start| words.strip_prefix(start)) {
        return number(after);
    }
    let stalled = text.trim_start_matches("rcu:").trim_start();
    if let Some(rest) = stalled.strip_prefix("INFO: ") {
        let stalls = [" detected stalls on CPUs/tasks:", " self-detected stall on CPU"];
        let after = stalls.iter().find_map(|words| rest.split_once(words))?.1;
        return number(after.trim_start().strip_prefix("{ ")?);
    }
    let (cpu, rest) = stalled.split_once(['-', ':'])?;
    let is_stall = rest.contains("ticks this GP)") || rest.contains("GPs behind)");
    is_stall.then(|| cpu.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines of `make_task_dead()` (6.1) and `do_exit()` (3.10 to 5.16).
    #[test]
    fn the_function_that_would_overflow_is_told() {
        assert_eq!(overflowing("detected buffer overflow in __fortify_strlen"), Some("strlen"));
        assert_eq!(overflowing("detected buffer overflow in memcpy"), Some("memcpy"));
        let later = "memcpy: detected buffer overflow: 64 byte write of buffer size 16";
        assert_eq!(overflowing(later), Some("memcpy"));
        assert_eq!(overflowing("detected buffer overflow in "), None);
        assert_eq!(overflowing("usercopy: detected"), None);
    }

    #[test]
    fn a_device_in_use_is_told_with_its_count() {
        let text = "unregister_netdevice: waiting for tun0 to become free. Usage count = -3";
        assert_eq!(device_in_use(text), Some(("tun0", -3)));
        // With its trackers, the kernel says more.
        let more = "unregister_netdevice: waiting for eth0 to become free. Usage count = 2 (x)";
        assert_eq!(device_in_use(more), Some(("eth0", 2)));
        assert_eq!(device_in_use("unregister_netdevice: waiting for tun0"), None);
    }

    #[test]
    fn who_died_with_preemption_off_had_a_spinlock() {
        assert_eq!(kept_atomic("note: sh[90] exited with preempt_count 1"), Some((90, 1)));
        assert_eq!(kept_atomic("note: cat[7] exited with preempt_count 2"), Some((7, 2)));
        assert_eq!(kept_atomic("note: sh[90] exited with irqs disabled"), None);
        assert_eq!(kept_atomic("hwport: exited with preempt_count 1"), None);
    }

    #[test]
    fn hung_tasks_are_named_in_both_wordings() {
        let waits = "INFO: task kworker/0:1:12 blocked for more than 120 seconds.";
        assert_eq!(hung_task(waits), Some(("kworker/0:1", 12)));
        let dies = "INFO: task sh:7 can't die for more than 143 seconds.";
        assert_eq!(hung_task(dies), Some(("sh", 7)));
    }

    /// What modules print is none of the kernel's own formats, whatever words are in it.
    #[test]
    fn the_words_of_a_module_are_not_the_kernels() {
        for text in [
            "Kernel panic - not syncing: hwport: out of memory slots",
            "Kernel panic - not syncing: machine check of value 2 failed",
            "Kernel panic - not syncing: start: general protection of the slots",
        ] {
            assert_eq!(headline(text), Some(CrashKind::Panic), "{text}");
        }
        for text in [
            "hwport: use-after-free checks are on",
            "sessions: refcount_t: underflow is checked",
            "BUG in our list_add corruption check",
            "kernel BUG at mm/slub.c is not ours",
        ] {
            assert_eq!(detail(text), None, "{text}");
        }
    }

    /// Lines of real logs: guests of 5.10, 6.1 and 6.12, and CentOS 7.
    #[test]
    fn the_kernels_own_lines_are_known() {
        let headlines = [
            ("Kernel panic - not syncing: sysrq triggered crash", CrashKind::Sysrq),
            ("divide error: 0000 [#1] PREEMPT SMP NOPTI", CrashKind::DivideError),
            ("Oops: divide error: 0000 [#1] PREEMPT SMP", CrashKind::DivideError),
            (
                "Oops: general protection fault, probably for non-canonical address 0x6b6b6b6b6b6b6bab: 0000 [#1] PREEMPT SMP",
                CrashKind::GeneralProtection,
            ),
            (
                "BUG: TASK stack guard page was hit at 000000004e66dca5 (stack is 00000000e9c5e954..00000000d3dc610c)",
                CrashKind::DoubleFault,
            ),
            (
                "BUG: stack guard page was hit at ffffc90000123ff8 (stack is ffffc90000124000..ffffc90000127fff)",
                CrashKind::DoubleFault,
            ),
            ("Kernel panic - not syncing: kernel: panic_on_warn set ...", CrashKind::Warn),
            ("Kernel panic - not syncing: KFENCE: panic_on_warn set ...", CrashKind::Warn),
            (
                "Kernel panic - not syncing: Watchdog detected hard LOCKUP on cpu 1",
                CrashKind::HardLockup,
            ),
            ("Kernel panic - not syncing: NMI: Not continuing", CrashKind::Nmi),
        ];
        for (text, kind) in headlines {
            assert_eq!(headline(text), Some(kind), "{text}");
        }
        assert_eq!(
            headline("BUG: kernel NULL pointer dereference, address: 0000000000000018"),
            None
        );
        let details = [
            ("refcount_t: underflow; use-after-free.", CrashKind::Refcount),
            (
                "memcpy: detected buffer overflow: 64 byte write of buffer size 16",
                CrashKind::Fortify,
            ),
            (
                "memcpy: detected field-spanning write (size 40) of single field \"&x->name\" at x.c:9 (size 16)",
                CrashKind::Fortify,
            ),
            (
                "BUG kmalloc-64 (Tainted: G           OE     ): Right Redzone overwritten",
                CrashKind::HeapOverflow,
            ),
            (
                "BUG kmalloc-64 (Tainted: G    B      OE     ): Object already free",
                CrashKind::DoubleFree,
            ),
            (
                "BUG: KFENCE: use-after-free read in session_rate+0x10/0x20 [sessions]",
                CrashKind::UseAfterFree,
            ),
            (
                "usercopy: Kernel memory exposure attempt detected from SLUB object 'kmalloc-64' (offset 0, size 100)!",
                CrashKind::Fortify,
            ),
        ];
        for (text, kind) in details {
            assert_eq!(detail(text), Some(kind), "{text}");
        }
    }

    #[test]
    fn the_watchdogs_name_a_task_and_a_cpu() {
        let hung = "INFO: task a:b:77 blocked for more than 10 seconds.";
        assert_eq!(hung_task(hung), Some(("a:b", 77)));
        assert_eq!(
            stuck_cpu("watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [sh:311]"),
            Some(1)
        );
        assert_eq!(stuck_cpu("BUG: soft lockup - CPU#3 stuck for 22s! [sh:311]"), Some(3));
        let stall = "rcu: \t3-....: (5250 ticks this GP) idle=2d4c/1/0x4000000000000000";
        assert_eq!(stuck_cpu(stall), Some(3));
        // `kernel/rcutree.c`, `kernel/rcutree_plugin.h` of 3.10; `kernel/watchdog.c` of 6.12.
        for (text, cpu) in [
            (
                "INFO: rcu_sched detected stalls on CPUs/tasks: { 3} (detected by 1, t=6002 jiffies)",
                3,
            ),
            ("INFO: rcu_sched self-detected stall on CPU { 2}  (t=6000 jiffies g=97 c=96 q=0)", 2),
            ("\t3: (5250 ticks this GP) idle=2d4/1/0 softirq=5/5", 3),
            ("watchdog: CPU0: Watchdog detected hard LOCKUP on cpu 1", 1),
        ] {
            assert_eq!(stuck_cpu(text), Some(cpu), "{text}");
        }
        let tasks = "rcu: \tTasks blocked on level-0 rcu_node (CPUs 0-3): P311/1:b..l";
        assert_eq!(stuck_cpu(tasks), None);
        assert!(is_own_stall("rcu: INFO: rcu_preempt self-detected stall on CPU"));
        assert!(!is_own_stall("rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:"));
        assert_eq!(stuck_cpu("mymod: soft lockup - CPU#1"), None);
    }

    /// First lines as these kernels print them (log of a dump, and the sources named above).
    #[test]
    fn the_address_is_found_in_each_generation() {
        let lines = [
            ("BUG: kernel NULL pointer dereference, address: 0000000000000018", Some(0x18)),
            (
                "BUG: unable to handle page fault for address: ffffc90000123000",
                Some(0xffff_c900_0012_3000),
            ),
            ("BUG: unable to handle kernel NULL pointer dereference at           (null)", Some(0)),
            (
                "BUG: unable to handle kernel paging request at ffffc90000123000",
                Some(0xffff_c900_0012_3000),
            ),
            (
                "general protection fault, probably for non-canonical address 0xdead000000000108: 0000 [#1] SMP",
                Some(0xdead_0000_0000_0108),
            ),
            (
                "BUG: TASK stack guard page was hit at 000000004e66dca5 (stack is 00000000e9c5e954..00000000d3dc610c)",
                None,
            ),
            ("divide error: 0000 [#1] SMP", None),
            ("Kernel panic - not syncing: sysrq triggered crash", None),
        ];
        for (line, expected) in lines {
            assert_eq!(accessed(line), expected, "{line}");
        }
    }
}
