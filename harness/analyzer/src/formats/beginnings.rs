// SPDX-License-Identifier: MIT OR Apache-2.0
//! First lines of reports, and what sort of report each begins: what tells where in a log one ends and
//! the next one begins.
//!
//! Besides the files that the table above them is written from: `kernel/locking/lockdep.c`,
//! `spinlock_debug.c`, `kernel/kcsan/report.c`, `mm/kmsan/report.c`, `mm/page_alloc.c`, `mm/memory.c`,
//! `kernel/fork.c`, `kernel/workqueue.c`, `lib/smp_processor_id.c` and `lib/debugobjects.c`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::{DETAILS, Format, HEADLINES, PANIC, line, with};
use crate::kind::CrashKind;

/// What sort of report a line begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// The processor refused to go on: a fault, a trap.
    Fault,
    /// A check that failed.
    Check,
    /// A rule of locks that was broken, or may be.
    Rule,
    /// Something does not go on.
    Hang,
    /// Memory is short.
    Memory,
    /// `panic()`.
    Panic,
    /// Somebody asked for it.
    Asked,
}

/// The first line of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Beginning {
    /// What sort of report.
    pub sort: Sort,
    /// The kind; `None` for faults on memory, which the code tells better.
    pub kind: Option<CrashKind>,
}

struct First {
    format: Format,
    sort: Sort,
}

const fn first(sort: Sort, format: Format) -> First {
    First { format, sort }
}

use CrashKind as K;

/// Those that are in no other table, in the order in which they are tried.
const FIRST: &[First] = &[
    first(Sort::Fault, line("BUG: kernel NULL pointer dereference", K::NullRead)),
    first(Sort::Fault, line("BUG: unable to handle ", K::BadRead)),
    first(Sort::Fault, line("Unable to handle kernel ", K::BadRead)),
    first(Sort::Fault, line("stack segment: ", K::GeneralProtection)),
    first(Sort::Fault, line("segment-related general protection fault", K::GeneralProtection)),
    first(Sort::Fault, line("int3: ", K::InvalidOpcode)),
    first(Sort::Fault, line("bounds: ", K::OutOfBounds)),
    first(Sort::Fault, line("alignment check: ", K::GeneralProtection)),
    first(Sort::Fault, line("segment not present: ", K::GeneralProtection)),
    first(Sort::Fault, line("invalid TSS: ", K::GeneralProtection)),
    first(Sort::Fault, line("control protection fault: ", K::UndefinedBehavior)),
    first(Sort::Fault, line("PANIC: double fault", K::DoubleFault)),
    first(Sort::Fault, line("traps: PANIC: double fault", K::DoubleFault)),
    first(Sort::Fault, line("traps: Missing ENDBR: ", K::UndefinedBehavior)),
    first(Sort::Fault, line("Missing ENDBR: ", K::UndefinedBehavior)),
    first(Sort::Fault, line("Oops: ", K::Unknown)),
    first(Sort::Check, line("BUG: KMSAN: uninit-value in ", K::Uninitialized)),
    first(Sort::Check, line("BUG: KMSAN: use-after-free in ", K::UseAfterFree)),
    first(Sort::Check, line("BUG: KMSAN: ", K::Uninitialized)),
    first(Sort::Check, line("BUG: KCSAN: ", K::DataRace)),
    first(Sort::Check, line("BUG: KASAN: null-ptr-deref", K::NullRead)),
    first(Sort::Check, line("BUG: KASAN: user-memory-access", K::UserAccess)),
    first(Sort::Check, line("BUG: KASAN: wild-memory-access", K::GeneralProtection)),
    first(Sort::Check, line("BUG: KASAN: ", K::Bug)),
    first(Sort::Check, line("BUG: KFENCE: ", K::HeapOverflow)),
    first(Sort::Check, line("BUG: Bad page ", K::BadPage)),
    first(Sort::Check, line("BUG: Bad rss-counter ", K::BadPage)),
    first(Sort::Check, line("BUG: non-zero ", K::BadPage)),
    first(Sort::Check, line("BUG: memory leak", K::MemoryLeak)),
    first(Sort::Hang, line("BUG: soft lockup - CPU#", K::SoftLockup)),
    first(Sort::Hang, line("watchdog: BUG: soft lockup - CPU#", K::SoftLockup)),
    first(Sort::Hang, line("NMI watchdog: BUG: soft lockup - CPU#", K::SoftLockup)),
    first(Sort::Hang, line("Watchdog detected hard LOCKUP on cpu ", K::HardLockup)),
    first(Sort::Hang, line("watchdog: Watchdog detected hard LOCKUP on cpu ", K::HardLockup)),
    first(Sort::Hang, line("NMI watchdog: Watchdog detected hard LOCKUP on cpu ", K::HardLockup)),
    first(
        Sort::Hang,
        with("watchdog: CPU", &[": Watchdog detected hard LOCKUP on cpu "], K::HardLockup),
    ),
    first(Sort::Hang, with("INFO: task ", &[" blocked for more than "], K::HungTask)),
    first(Sort::Hang, with("INFO: task ", &[" can't die for more than "], K::HungTask)),
    first(Sort::Hang, with("INFO: ", &[" detected stall"], K::RcuStall)),
    first(Sort::Hang, with("INFO: ", &[" self-detected stall"], K::RcuStall)),
    first(Sort::Hang, with("rcu: INFO: ", &["stall"], K::RcuStall)),
    first(Sort::Hang, with("INFO: rcu", &[" detected expedited stalls on "], K::RcuStall)),
    first(Sort::Hang, line("BUG: workqueue lockup - ", K::HungTask)),
    first(Sort::Rule, line("BUG: held lock freed!", K::Lockdep)),
    first(Sort::Rule, line("BUG: bad unlock balance detected!", K::Lockdep)),
    first(Sort::Rule, line("BUG: bad contention detected!", K::Lockdep)),
    first(Sort::Rule, line("BUG: lock held ", K::Lockdep)),
    first(Sort::Rule, with("BUG: ", &["/", " still has locks held!"], K::Lockdep)),
    first(Sort::Rule, with("BUG: ", &["/", " still has locks held"], K::Lockdep)),
    first(Sort::Rule, line("BUG: spinlock ", K::Lockdep)),
    first(Sort::Rule, line("BUG: rwlock ", K::Lockdep)),
    first(Sort::Rule, line("BUG: rwlock-", K::Lockdep)),
    first(Sort::Rule, line("BUG: workqueue leaked lock or atomic: ", K::Lockdep)),
    first(Sort::Rule, line("BUG: using ", K::Lockdep)),
    first(Sort::Rule, line("BUG: MAX_", K::Lockdep)),
    first(Sort::Rule, line("BUG: Invalid wait context ", K::Lockdep)),
    first(Sort::Rule, line("WARNING: possible ", K::Lockdep)),
    first(Sort::Rule, line("WARNING: inconsistent lock state", K::Lockdep)),
    first(Sort::Rule, line("WARNING: suspicious RCU usage", K::Lockdep)),
    first(Sort::Rule, line("WARNING: held lock freed!", K::Lockdep)),
    first(Sort::Rule, line("WARNING: bad unlock balance detected!", K::Lockdep)),
    first(Sort::Rule, line("WARNING: bad contention detected!", K::Lockdep)),
    first(Sort::Rule, line("WARNING: lock held when returning to user space!", K::Lockdep)),
    first(Sort::Rule, line("WARNING: nested lock was not taken", K::Lockdep)),
    first(Sort::Rule, line("WARNING: Nested lock was not taken", K::Lockdep)),
    first(Sort::Rule, with("WARNING: ", &["/", " still has locks held!"], K::Lockdep)),
    first(
        Sort::Rule,
        with("WARNING: ", &["IRQ-safe -> ", "IRQ-unsafe lock order detected"], K::Lockdep),
    ),
    first(Sort::Rule, line("INFO: possible ", K::Lockdep)),
    first(Sort::Rule, line("INFO: inconsistent lock state", K::Lockdep)),
    first(Sort::Rule, line("INFO: suspicious ", K::Lockdep)),
    first(Sort::Rule, line("INFO: trying to register non-static key", K::Lockdep)),
    first(Sort::Check, line("WARNING: CPU: ", K::Warn)),
    // Since 6.17: `WARNING: fs/dcache.c:829 at fast_dput+0x334/0x430, CPU#1: sh/311`.
    first(Sort::Check, with("WARNING: ", &[":", " at ", ", CPU#"], K::Warn)),
    first(Sort::Check, line("WARNING: at", K::Warn)),
    first(Sort::Check, line("WARNING: kernel stack ", K::Warn)),
    first(Sort::Check, with("ODEBUG: ", &[" hint: "], K::Warn)),
    first(Sort::Memory, with("", &[": page allocation failure: order:"], K::AllocationFailure)),
    first(Sort::Memory, with("", &[": page allocation failure. order:"], K::AllocationFailure)),
    first(Sort::Memory, with("", &[" invoked oom-killer: "], K::OutOfMemory)),
    // `slab_bug()` of kernels before 3.19 has no taint in parentheses.
    first(Sort::Check, with("BUG ", &[": Objects remaining "], K::MemoryLeak)),
    first(Sort::Check, with("BUG ", &[": Poison overwritten"], K::UseAfterFree)),
    first(Sort::Check, with("BUG ", &[": Object already free"], K::DoubleFree)),
    first(Sort::Check, with("BUG ", &[": Redzone overwritten"], K::HeapOverflow)),
    first(Sort::Check, with("BUG ", &["ainted", "): ", "overwritten"], K::HeapOverflow)),
    first(Sort::Check, with("BUG ", &["ainted", "): ", "corrupt"], K::HeapOverflow)),
    first(Sort::Check, with("BUG ", &["ainted", "): "], K::Bug)),
    // Whatever else the kernel calls a bug of its own.
    first(Sort::Check, line("BUG: ", K::Bug)),
];

/// Kinds of first lines of crashes that are not the processor's.
const fn sort(kind: CrashKind) -> Sort {
    match kind {
        K::Sysrq => Sort::Asked,
        K::SleepingInAtomic | K::UndefinedBehavior => Sort::Check,
        _ => Sort::Fault,
    }
}

/// The line without the frame of lockdep's first lines.
fn unframed(text: &str) -> &str {
    text.strip_prefix("[ ").and_then(|rest| rest.strip_suffix(" ]")).unwrap_or(text)
}

/// What report the line begins, if it begins one.
#[must_use]
pub fn begins(text: &str) -> Option<Beginning> {
    // What the kernel says of itself begins with a letter; lockdep's of before 4.14 has a frame.
    let text = unframed(text.trim_start());
    let known = |format: &&(&'static Format, Beginning)| format.0.is(text);
    if text.starts_with(PANIC) {
        return Some(Beginning { sort: Sort::Panic, kind: super::headline(text) });
    }
    let start = text.as_bytes().first_chunk()?;
    let found = INDEX.by_start.get(start).and_then(|formats| formats.iter().find(known));
    // Since 6.12 `__die()` puts this before its words.
    let bare = || text.strip_prefix("Oops: ").and_then(begins);
    let anywhere = || {
        let formats = if INDEX.has_words(text) { INDEX.anywhere.as_slice() } else { &[] };
        formats.iter().find(known)
    };
    bare().or_else(|| found.or_else(anywhere).map(|(_, beginning)| *beginning))
}

/// The formats by how they begin: of a log, each line is asked, and hardly one begins a report.
struct Index {
    /// By their first two bytes, in the order in which they are tried.
    by_start: BTreeMap<[u8; 2], Vec<(&'static Format, Beginning)>>,
    /// Those that may begin with anything.
    anywhere: Vec<(&'static Format, Beginning)>,
    /// Words of which each of those has some.
    words: [Finder<'static>; 3],
}

static INDEX: LazyLock<Index> = LazyLock::new(|| {
    let headlines = HEADLINES.iter().map(|format| {
        let kind = Some(format.kind).filter(|kind| *kind != K::GeneralProtection);
        (format, Beginning { sort: sort(format.kind), kind })
    });
    let details = DETAILS
        .iter()
        .map(|format| (format, Beginning { sort: Sort::Check, kind: Some(format.kind) }));
    let others = FIRST.iter().map(|first| {
        let of_memory = [K::NullRead, K::BadRead, K::GeneralProtection, K::Unknown];
        let is_open = first.sort == Sort::Fault && of_memory.contains(&first.format.kind);
        let kind = Some(first.format.kind).filter(|_| !is_open);
        (&first.format, Beginning { sort: first.sort, kind })
    });
    let mut by_start: BTreeMap<[u8; 2], Vec<(&'static Format, Beginning)>> = BTreeMap::new();
    let mut anywhere = Vec::new();
    for (format, beginning) in headlines.chain(details).chain(others) {
        match format.start.as_bytes().first_chunk() {
            Some(start) => by_start.entry(*start).or_default().push((format, beginning)),
            None => anywhere.push((format, beginning)),
        }
    }
    let words = ["page allocation failure", " invoked oom-killer: ", ": detected "];
    Index { by_start, anywhere, words: words.map(Finder::new) }
});

impl Index {
    fn has_words(&self, text: &str) -> bool {
        self.words.iter().any(|words| words.find(text.as_bytes()).is_some())
    }
}

/// The rule of locks that the first line of a report says is broken, in its own words.
#[must_use]
pub fn rule(headline: &str) -> String {
    let text = unframed(headline);
    let level = ["WARNING: ", "INFO: ", "BUG: "].iter().find_map(|level| text.strip_prefix(level));
    // Which CPU it was, and which task, differs between boots.
    let words = level.unwrap_or(text).split(" on CPU#").next().unwrap_or_default();
    let words = super::without_numbers(words);
    words.trim_end_matches([':', '!', '.']).to_owned()
}

/// What KASAN says of an access whose check faulted, since the address has no shadow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checked {
    /// Through NULL.
    Null,
    /// To user space.
    User,
    /// To something else, or it does not tell.
    Unknown,
}

/// Reads `KASAN: null-ptr-deref in range [0x0-0x7]`, and of kernels before 5.3 `kasan: GPF could be caused
/// by …` (`kasan_non_canonical_hook()`, `mm/kasan/report.c`).
#[must_use]
pub fn checked(text: &str) -> Option<Checked> {
    if text.starts_with("kasan: GPF could be caused by ") {
        return Some(Checked::Unknown);
    }
    let (what, _) = text.strip_prefix("KASAN: ")?.split_once(" in range [")?;
    Some(match what {
        "null-ptr-deref" => Checked::Null,
        "probably user-memory-access" | "user-memory-access" => Checked::User,
        _ => Checked::Unknown,
    })
}

/// Whether the line says that a stack was used up.
#[must_use]
pub fn is_stack_overflow(headline: &str) -> bool {
    headline.contains("stack guard page was hit") || headline.starts_with("kernel stack overflow")
}

/// Whether a panic only says that what was reported before it is fatal.
#[must_use]
pub fn is_consequence(words: &str) -> bool {
    const WORDS: [&str; 12] = [
        "Fatal exception",
        "Fatal hardware error",
        "softlockup: hung tasks",
        "hung_task: blocked tasks",
        "RCU Stall",
        "Hard LOCKUP",
        "Watchdog detected hard LOCKUP",
        "scheduling while atomic",
        "Aiee, killing interrupt handler",
        "Attempted to kill ",
        "System is deadlocked on memory",
        "Machine halted.",
    ];
    WORDS.iter().any(|start| words.starts_with(start)) || words.contains("panic_on_warn set")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sort_of(text: &str) -> Option<Sort> {
        begins(text).map(|beginning| beginning.sort)
    }

    #[test]
    fn each_sort_of_report_is_told_by_its_first_line() {
        for (text, sort) in [
            ("BUG: kernel NULL pointer dereference, address: 0000000000000008", Sort::Fault),
            ("BUG: unable to handle kernel paging request at ffff", Sort::Fault),
            ("general protection fault: 0000 [#1] SMP", Sort::Fault),
            (
                "Oops: general protection fault, probably for non-canonical address 0x1: 0000 [#1]",
                Sort::Fault,
            ),
            ("kernel BUG at mm/slub.c:379!", Sort::Fault),
            ("BUG: KASAN: slab-use-after-free in f+0x1/0x2", Sort::Check),
            ("WARNING: CPU: 0 PID: 1 at net/core.c:2 f+0x1/0x2", Sort::Check),
            ("WARNING: fs/dcache.c:829 at fast_dput+0x334/0x430, CPU#1: sh/311", Sort::Check),
            ("refcount_t: underflow; use-after-free.", Sort::Check),
            ("BUG kmalloc-64 (Tainted: G           OE     ): Poison overwritten", Sort::Check),
            ("BUG: sleeping function called from invalid context at mm/slab.h:4", Sort::Check),
            ("WARNING: possible circular locking dependency detected", Sort::Rule),
            ("[ INFO: possible recursive locking detected ]", Sort::Rule),
            ("INFO: task sh:90 blocked for more than 3 seconds.", Sort::Hang),
            ("rcu: INFO: rcu_preempt self-detected stall on CPU", Sort::Hang),
            ("INFO: rcu_sched detected stalls on CPUs/tasks: { 3}", Sort::Hang),
            ("watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [sh:311]", Sort::Hang),
            ("sh: page allocation failure: order:9, mode:0x1", Sort::Memory),
            ("Kernel panic - not syncing: start: no slots", Sort::Panic),
            ("sysrq: Trigger a crash", Sort::Asked),
        ] {
            assert_eq!(sort_of(text), Some(sort), "{text}");
        }
    }

    /// Numbers of CPUs and tasks, and their names, differ between boots.
    #[test]
    fn a_rule_is_named_without_whom_it_was() {
        for (line, words) in [
            (
                "BUG: workqueue leaked lock or atomic: kworker/0:1/0x00000001/12",
                "workqueue leaked lock or atomic",
            ),
            ("BUG: sh/123 still has locks held!", "still has locks held"),
            (
                "BUG: using smp_processor_id() in preemptible [00000000] code: sh/9",
                "using smp_processor_id() in preemptible code",
            ),
            ("BUG: spinlock bad magic on CPU#0, sh/9", "spinlock bad magic"),
            (
                "[ INFO: possible recursive locking detected ]",
                "possible recursive locking detected",
            ),
        ] {
            assert_eq!(rule(line), words);
        }
    }

    /// The index passes over none of them.
    #[test]
    fn each_format_is_found() {
        let all = FIRST.iter().map(|first| &first.format).chain(&HEADLINES).chain(&DETAILS);
        for format in all {
            let line = [&[format.start], format.then].concat().join("x");
            let line = if format.start.is_empty() { format!("sh{}", &line[1..]) } else { line };
            assert!(begins(&line).is_some(), "{line}");
        }
    }

    #[test]
    fn the_lines_of_a_report_begin_no_other() {
        for text in [
            "CPU: 1 PID: 82 Comm: sh Kdump: loaded Tainted: G           OE",
            "Call Trace:",
            " f+0x1/0x2",
            "RIP: 0010:f+0x1/0x2",
            "note: sh[12] exited with preempt_count 1",
            "WARNING: the module says so",
            "INFO: lockdep is turned off.",
            "traps: sh[12] general protection fault ip:1 sp:2 error:0 in libc.so",
        ] {
            assert_eq!(sort_of(text), None, "{text}");
        }
    }
}
