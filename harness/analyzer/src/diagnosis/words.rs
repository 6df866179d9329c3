// SPDX-License-Identifier: MIT OR Apache-2.0
//! The words that a diagnosis becomes: a title, and the claim that its sentence begins with.

use super::{
    BadPointer, BadSize, Check, CheckKind, Complaint, Diagnosis, Division, Event, Freed, Hang,
    Held, ListEntry, Lockup, LockupKind, Member, Nature, NoLock, OtherCpus, Overflow, Own, Role,
    Symptom, Use, Waiting, What,
};
use crate::claim::Addresses;
use crate::express::Expression;
use crate::kind::CrashKind;

/// Differences below this many bytes are small numbers, which another boot does not change.
const SMALL: i64 = -(1 << 20);

/// A title and a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// What happened, in a few words that do not depend on the boot; the function follows.
    pub title: String,
    /// What is bad and what was done with it; the place follows.
    pub claim: String,
}

impl Words {
    fn new(title: impl Into<String>, claim: impl Into<String>) -> Self {
        Self { title: title.into(), claim: claim.into() }
    }

    /// The same words for both.
    fn plain(words: impl Into<String>) -> Self {
        let title = words.into();
        Self { claim: title.clone(), title }
    }
}

impl Diagnosis {
    /// Title and claim. `message` is the kernel's first line of the crash.
    pub fn words(&self, message: Option<&str>, addresses: &mut dyn Addresses) -> Words {
        match &self.what {
            What::Pointer(it) => pointer(it, addresses),
            What::Size(it) => size(it),
            What::Division(it) => division(it),
            What::Exhausted(it) => {
                let title = match it.frames {
                    Some(_) => "stack exhausted by recursion",
                    None => "stack exhausted by large frames",
                };
                Words::new(title, it.words(addresses.is_stable()))
            }
            What::Check(it) => check(it),
            What::Lockup(it) => lockup(it),
            What::Waiting(it) => waiting(it),
            What::Requested => {
                Words::new("crash requested by sysrq", "the crash was requested by sysrq-c")
            }
            What::Running { oopsed: false } => {
                Words::new("no crash", "no panic, no oops: a running machine")
            }
            What::Running { oopsed: true } => Words::new(
                "no crash",
                "no panic: a running machine, on which a task had died of an oops",
            ),
            What::Kind(kind) => of_kind(*kind, message),
        }
    }
}

fn pointer(it: &BadPointer, addresses: &mut dyn Addresses) -> Words {
    if it.overrun {
        let address = addresses.data(it.address);
        let words = format!(
            "heap overflow: something was written over, and {address} came of it; most likely too little is allocated"
        );
        return Words::new("heap overflow", words);
    }
    let kind = it.kind();
    let expression = it.expression.as_ref();
    let mistake = mistake(kind);
    let title = match mistake {
        Some(what) => {
            let through = expression.map(|e| format!(" through {e}")).unwrap_or_default();
            format!("{what}{through}")
        }
        None => symptom(it),
    };
    let is_distance = matches!(it.nature, Some(Nature::NullPlus { .. }));
    let verb = match (it.how, &it.object) {
        (Use::Call, _) => "called".to_owned(),
        (Use::Read, Some(object)) => format!("`{object}` is read"),
        (Use::Write, Some(object)) => format!("`{object}` is written"),
        (Use::Change, Some(object)) => format!("`{object}` is changed"),
        (Use::Read, None) => "read through".to_owned(),
        (Use::Write, None) => "written through".to_owned(),
        (Use::Change, None) => "changed through".to_owned(),
    };
    let address = addresses.data(it.address);
    let nature = it.nature.as_ref().map(|nature| nature.words(it.how));
    let leads = match it.role {
        Role::Pointer => "leads to",
        Role::Index => "as an index leads to",
    };
    let bad = match (expression, nature) {
        (Some(e), None) if it.symptom == Symptom::Null => format!("`{e}` is NULL: {verb}"),
        (None, None) if it.symptom == Symptom::Null => format!("a NULL pointer is {verb}"),
        (Some(e), Some(nature)) if is_distance => match &it.object {
            Some(_) => format!("`{e}` is NULL: {verb}"),
            None => format!("`{e}` is NULL: {nature} is {}", done(it.how)),
        },
        (Some(e), Some(nature)) if it.nature.as_ref().is_some_and(Nature::is_value) => {
            format!("`{e}` is {nature}: {verb}")
        }
        (Some(e), Some(nature)) => format!("`{e}` {leads} {address}, {nature}: {verb}"),
        (Some(e), None) => format!("`{e}` {leads} {address}, which cannot be used: {verb}"),
        (None, Some(nature)) if is_distance => {
            format!("a pointer is NULL: {nature} is {}", done(it.how))
        }
        // What the object held may be a pointer further up.
        (None, Some(nature))
            if matches!(it.nature, Some(Nature::Freed { .. } | Nature::FreedOrPast { .. })) =>
        {
            format!("{address}, which comes of {nature}, is {verb}")
        }
        (None, Some(nature)) => format!("{address}, {nature}, is {verb}"),
        (None, None) => format!("{address} cannot be used: {verb}"),
    };
    let mistake = mistake.map(|what| format!("{what}: ")).unwrap_or_default();
    let bad = match &it.unset {
        Some(unset) => format!("`{unset}` was never initialised, or was cleared: {bad}"),
        None => bad,
    };
    let bad = match &it.unlinked {
        Some(node) => format!("`{node}` has NULL in both of its links: {bad}"),
        None => bad,
    };
    let bad = match &it.past {
        Some((index, array)) => format!("`{array}` has no element `{index}`: {bad}"),
        None => bad,
    };
    let bad = match &it.mistaken {
        Some(mistaken) => format!("{}: {bad}", mistaken.words()),
        None => bad,
    };
    Words::new(title, format!("{mistake}{bad}"))
}

/// What was done, of what lies somewhere.
const fn done(how: Use) -> &'static str {
    match how {
        Use::Read => "read",
        Use::Write => "written",
        Use::Change => "changed",
        Use::Call => "called",
    }
}

/// What was done with a pointer of which no more is known.
fn symptom(it: &BadPointer) -> String {
    let is_null = !matches!(
        it.nature,
        Some(Nature::BelowNull { .. } | Nature::Misplaced { .. } | Nature::Small { .. })
    );
    let symptom = if is_null { it.symptom } else { Symptom::Bad };
    let what = match (symptom, it.how) {
        (Symptom::Null, Use::Call) => match &it.expression {
            Some(e) => return format!("call of NULL {e}"),
            None => return "call through a NULL pointer".to_owned(),
        },
        (_, Use::Call) => match &it.expression {
            Some(e) => return format!("call of {e}, which is no code"),
            None => return "call to an address that is no code".to_owned(),
        },
        (Symptom::Null, Use::Read) => ("read through NULL", "read through a NULL pointer"),
        (Symptom::Null, Use::Write) => ("write through NULL", "write through a NULL pointer"),
        (Symptom::Null, Use::Change) => ("change through NULL", "change through a NULL pointer"),
        (Symptom::Bad, Use::Read) => ("read through bad pointer", "read through a bad pointer"),
        (Symptom::Bad, Use::Write) => ("write through bad pointer", "write through a bad pointer"),
        (Symptom::Bad, Use::Change) => {
            ("change through bad pointer", "change through a bad pointer")
        }
        (Symptom::NonCanonical, _) => {
            ("general protection fault through", "general protection fault")
        }
    };
    match &it.expression {
        Some(e) => format!("{} {e}", what.0),
        None => what.1.to_owned(),
    }
}

/// The mistake that a kind names, where it is more than what was done with a pointer.
fn mistake(kind: CrashKind) -> Option<&'static str> {
    Some(match kind {
        CrashKind::ErrPtr => "error code used as a pointer",
        CrashKind::Uninitialized => "uninitialized pointer used",
        CrashKind::UseAfterFree => "use after free",
        CrashKind::ListCorruption => "list entry used after it was taken out",
        CrashKind::HeapOverflow => "heap overflow",
        CrashKind::OutOfBounds => "access out of bounds",
        CrashKind::UserAccess => "user memory used directly",
        CrashKind::WriteToReadOnly => "write to read-only memory",
        CrashKind::ExecOfNonExecutable => "jump to memory that is not executable",
        CrashKind::UnloadedCode => "call into code that is gone",
        CrashKind::FreedInitCode => "call into freed initialization code",
        _ => return None,
    })
}

fn size(it: &BadSize) -> Words {
    // A difference of pointers would be another number after the next boot.
    let number = match it.size {
        number @ SMALL.. => number.to_string(),
        _ => "negative".to_owned(),
    };
    let which = it.expression.as_ref().map_or_else(|| "the size".to_owned(), |e| format!("`{e}`"));
    let function = it.function;
    Words::new(
        format!("negative size given to {function}"),
        format!(
            "access out of bounds: {which} is {number}, taken as a signed number, and given as a size \
             to `{function}`"
        ),
    )
}

fn division(it: &Division) -> Words {
    match &it.expression {
        Some(e) if it.divisor == Some(0) => {
            Words::new(format!("division by {e}, which is 0"), format!("`{e}` is 0: divided by"))
        }
        Some(e) if it.divisor.is_some() => Words::new(
            format!("division by {e} overflowed"),
            format!("the quotient of a division by `{e}` does not fit"),
        ),
        Some(e) => Words::new(
            format!("division by {e} failed"),
            format!("`{e}` is 0, or the quotient of the division by it does not fit"),
        ),
        None if it.divisor.is_some_and(|it| it != 0) => {
            Words::new("division overflowed", "the quotient of a division does not fit")
        }
        None => Words::new("divide error", "division by zero or with a quotient that does not fit"),
    }
}

fn check(it: &Check) -> Words {
    let expression = it.expression.as_ref();
    match (&it.kind, expression) {
        (CheckKind::Bug, _) => Words::plain("BUG"),
        (CheckKind::Trap, _) => Words::new(
            "trap in the code",
            "a trap that the code itself has (`ud2`: `__builtin_trap()`, or a place that the compiler takes for one \
             that is never reached)",
        ),
        (CheckKind::InvalidOpcode, _) => Words::plain("instruction that the CPU does not know"),
        (CheckKind::Warn, _) => Words::plain("fatal warning"),
        (CheckKind::Warning, _) => Words::plain("warning"),
        (CheckKind::Panic { words: Some(words) }, _) => {
            Words::new("panic called", format!("panic(\"{words}\") is called"))
        }
        (CheckKind::Panic { words: None }, _) => Words::new("panic called", "panic() is called"),
        (CheckKind::List(entry), e) => list(*entry, e),
        (CheckKind::DoubleFree(Freed::Again), Some(e)) => Words::new(
            format!("double free of {e}"),
            format!("double free: `{e}` is free already and freed again"),
        ),
        (CheckKind::DoubleFree(Freed::Again), None) => {
            Words::new("double free", "double free: an object that is free already is freed again")
        }
        (CheckKind::DoubleFree(Freed::Unknown), _) => {
            Words::plain("object freed that is not allocated")
        }
        (CheckKind::Refcount(complaint), _) => Words::plain(match complaint {
            Complaint::Underflow => "reference given back whose counter is zero or below",
            Complaint::FromZero => "reference taken on an object whose counter is zero",
            Complaint::Saturated => "reference counter saturated",
            Complaint::Other => "reference counter misused",
        }),
        (CheckKind::Called { function, given }, _) => {
            let given: Vec<String> = given.iter().map(|it| format!("`{it}`")).collect();
            let given = match given.is_empty() {
                true => String::new(),
                false => format!(", which was given {}", given.join(", ")),
            };
            Words::new(format!("BUG in {function}"), format!("BUG in `{function}`{given}: called"))
        }
        (CheckKind::Fortify(Overflow::TooLong { string, needs, has, .. }), Some(e)) => Words::new(
            format!("buffer overflow detected in {e}"),
            format!(
                "buffer overflow detected: `{e}` has {has} bytes, and the string in `{string}`, to be copied there, takes \
                 {needs}: found"
            ),
        ),
        (CheckKind::Fortify(Overflow::Unterminated), Some(e)) => Words::new(
            format!("buffer overflow detected in {e}"),
            format!(
                "buffer overflow detected: the string in `{e}` does not end inside of it: found"
            ),
        ),
        (CheckKind::Fortify(overflow), _) => Words::plain(match overflow {
            Overflow::Buffer | Overflow::Unterminated | Overflow::TooLong { .. } => {
                "buffer overflow detected"
            }
            Overflow::UserCopy => "copy from or to user space that does not fit its object",
            Overflow::Either => "copy that does not fit its buffer",
        }),
        (CheckKind::StackProtector, Some(array)) => Words::new(
            format!("stack canary overwritten behind {array}"),
            format!(
                "the function's stack canary was overwritten, most likely from `{array}` on: found when it \
                 returned"
            ),
        ),
        (CheckKind::StackProtector, None) => Words::new(
            "stack canary overwritten",
            "the function's stack canary was overwritten: found when it returned",
        ),
        (CheckKind::SleepingInAtomic, Some(lock)) => Words::new(
            format!("sleep with {lock} held"),
            format!("sleeps where sleeping is forbidden, with spinlock `{lock}` held,"),
        ),
        (CheckKind::SleepingInAtomic, None) => Words::plain("sleeps where sleeping is forbidden"),
        (CheckKind::OutOfMemory, _) => Words::plain("no memory left for an allocation"),
        (CheckKind::Undefined, _) => {
            Words::plain("undefined behaviour caught by the compiler's check")
        }
        (CheckKind::Other(_, Some(says)), _) => Words::plain(says.clone()),
        (CheckKind::Other(_, None), _) => Words::plain("failed check of the kernel"),
    }
}

/// A list whose links are wrong.
fn list(entry: ListEntry, expression: Option<&Expression>) -> Words {
    match (entry, expression) {
        (ListEntry::OutAlready, Some(e)) => Words::new(
            format!("list entry {e} taken out twice"),
            format!("list entry `{e}` is out of its list already: taken out again"),
        ),
        (ListEntry::OutAlready, None) => Words::plain("list entry taken out that is out already"),
        (ListEntry::NoList, Some(e)) => Words::new(
            format!("list {e} never initialised, or cleared"),
            format!("list `{e}` has NULL in both of its links: something is put in"),
        ),
        (ListEntry::NoList, None) => {
            Words::plain("something put into a list that has NULL in both of its links")
        }
        (ListEntry::ListFreed, Some(e)) => Words::new(
            format!("list {e} used after it was freed"),
            format!("use after free: list `{e}` is in freed memory: something is put in"),
        ),
        (ListEntry::ListFreed, None) => Words::plain("something put into a list that is freed"),
        (ListEntry::Reused, Some(e)) => Words::new(
            format!("list entry {e} freed in its list"),
            format!(
                "`{e}` is in new memory that the list leads to already, as that was freed while it was in the \
                 list: put in"
            ),
        ),
        (ListEntry::Reused, None) => {
            Words::plain("list entry put in of which the memory was freed while it was in the list")
        }
        (ListEntry::Itself, Some(e)) => Words::new(
            format!("list entry {e} put into itself"),
            format!("list entry `{e}` is itself the list that it is put into: put in"),
        ),
        (ListEntry::Itself, None) => {
            Words::plain("list entry put in that is itself the list that it is put into")
        }
        (ListEntry::InAlready, Some(e)) => Words::new(
            format!("list entry {e} put in twice"),
            format!("list entry `{e}` is in the list already: put in again"),
        ),
        (ListEntry::InAlready, None) => {
            Words::plain("list entry put in that is in the list already")
        }
        (ListEntry::Freed, Some(e)) => Words::new(
            format!("list entry {e} freed in its list"),
            format!(
                "`{e}` leads to a freed object, which is in the list still: the list is changed"
            ),
        ),
        (ListEntry::Broken, Some(e)) => Words::new(
            format!("list entry {e} with broken links"),
            format!("`{e}` leads to what does not lead back into the list: the list is changed"),
        ),
        (ListEntry::Unknown | ListEntry::Freed | ListEntry::Broken, _) => {
            Words::plain("list with broken links changed")
        }
    }
}

fn lockup(it: &Lockup) -> Words {
    let kind = match it.kind {
        LockupKind::Soft => "soft lockup",
        LockupKind::Hard => "hard lockup",
        LockupKind::Rcu => "RCU stall",
        LockupKind::Nmi { .. } | LockupKind::Asked => "hang",
    };
    // What who noticed saw: one look at a CPU does not tell that it never goes on.
    let did = match it.kind {
        LockupKind::Soft => "ran for long without scheduling",
        LockupKind::Hard => "ran for long without taking interrupts",
        LockupKind::Rcu => "held up an RCU grace period for long",
        LockupKind::Asked => "ran",
        LockupKind::Nmi { interrupts_off: true } => "had interrupts off",
        LockupKind::Nmi { interrupts_off: false } => "takes interrupts",
    };
    let lock = it.lock.as_ref();
    let named = lock.map_or_else(|| "a lock".to_owned(), |e| format!("`{e}`"));
    let title = lock.map_or_else(|| "a lock".to_owned(), Expression::to_string);
    match &it.hang {
        Hang::NoLock(no) => no_lock(no, &title, &named),
        Hang::Asleep(comm) => Words::new(
            format!("sleep with {title} held"),
            format!(
                "{named}, which a CPU spins for, is held by task `{comm}`, which went to sleep"
            ),
        ),
        Hang::Held(comm) => Words::new(
            format!("lockup on {title}, which is held"),
            format!("{kind}: {named}, which a CPU spins for, is held by task `{comm}`: it runs"),
        ),
        Hang::Circle(ring) => deadlock(ring),
        Hang::Lock(OtherCpus::Idle) => Words::new(
            format!("deadlock on {title}"),
            format!("{named} is taken, and no other CPU runs who could give it back: waited for"),
        ),
        Hang::Own(own) => {
            let claim = match own {
                Own::Path => "was taken before by the code that waits for it".to_owned(),
                Own::Upgraded { .. } => {
                    "was taken to read before by the code that waits for it to write".to_owned()
                }
                Own::Interrupted { function, by, .. } => {
                    format!("is held by {function}, on top of which {} wants it", by.words())
                }
            };
            Words::new(format!("deadlock on {title}"), format!("{named} {claim}: waited for"))
        }
        Hang::Lock(OtherCpus::Busy | OtherCpus::Unknown) => Words::new(
            format!("lockup waiting for {title}"),
            format!("{kind}: {named} was not given back for long: waited for"),
        ),
        Hang::Ring { entries, until } => {
            let of = if *entries == 1 { "entry" } else { "entries" };
            let round = format!("begins a chain that leads round through {entries} {of}");
            let ends = match until {
                Some(until) => format!(", and no `{until}` ends the loop"),
                None => " and has no end".to_owned(),
            };
            let title = format!("{kind} in a ring of {title}");
            Words::new(title, format!("{kind}: {named} {round}{ends}: followed"))
        }
        Hang::BusyWait => Words::new(
            format!("{kind} in a busy wait"),
            format!("{kind}: the CPU {did}, and was found in a busy wait"),
        ),
        Hang::Running if matches!(it.kind, LockupKind::Nmi { .. }) => {
            Words::new(kind, format!("{kind}: an NMI found the CPU, which {did},"))
        }
        Hang::Running => Words::new(kind, format!("{kind}: the CPU {did}, and was found")),
        Hang::Unknown => Words::plain(kind),
    }
}

fn no_lock(no: &NoLock, title: &str, named: &str) -> Words {
    match no {
        NoLock::Freed(what) => Words::new(
            format!("use after free of {title}"),
            format!("use after free: {named} is in {what}: waited for"),
        ),
        NoLock::NeverWritten { cache, is_certain: false } => Words::new(
            format!("lock {title} never initialised, or freed"),
            format!(
                "{named} is no lock: its word is what fills new objects of {cache}, and is in one that is in use: \
                 waited for"
            ),
        ),
        NoLock::NeverWritten { cache, is_certain: true } => Words::new(
            format!("lock {title} never initialised"),
            format!(
                "{named} was never initialised: its word is what an object of {cache} held when it \
                 was allocated: waited for"
            ),
        ),
        NoLock::Other => Words::new(
            format!("{title} is no lock"),
            format!("{named} is no lock: its word is none that a lock has: waited for"),
        ),
    }
}

fn waiting(it: &Waiting) -> Words {
    match it.circle.as_slice() {
        [] => waits(it),
        [member] if member.event == Event::Readers => Words::new(
            "deadlock of a task with itself",
            "a task waits for RCU's readers and is one itself: it waits",
        ),
        [member] if member.event != Event::Unknown => Words::new(
            "deadlock of a task with itself",
            "a task waits for its own work to end, or for itself to stop: it waits",
        ),
        [member] => {
            let lock = quoted_lock(member.lock.as_ref());
            let words = format!("{lock} is wanted by the task that has it: it waits for itself");
            Words::new("deadlock of a task with itself", words)
        }
        ring => deadlock(ring),
    }
}

fn quoted_lock(lock: Option<&Expression>) -> String {
    lock.map_or_else(|| "a lock".to_owned(), |lock| format!("`{lock}`"))
}

/// A task that waits for what is in no circle, or has what another one waits for.
fn waits(it: &Waiting) -> Words {
    let does = match (&it.lock, it.event) {
        (Some(lock), _) => format!("waits for `{lock}`"),

        (None, Event::Work) => "waits for work that does not end".to_owned(),
        (None, Event::Stop) => "waits for a thread that does not stop".to_owned(),
        (None, Event::Readers) => "waits for readers of RCU that do not end".to_owned(),
        (None, Event::Unknown) if it.runs => "runs".to_owned(),
        (None, Event::Unknown) => {
            it.until.as_ref().map_or_else(|| "sleeps".to_owned(), |until| until.words())
        }
    };
    if let Held::For { waiter, lock, event } = &it.held {
        let title = match (lock, event) {
            (Some(lock), _) => format!("task hung on {lock}, which is held"),
            (None, None) => "task hung on a lock, which is held".to_owned(),
            (None, Some(_)) => "task hung on another task".to_owned(),
        };
        let comm = &it.comm;
        let claim = match event {
            Some(Event::Work) => {
                format!("task `{waiter}` waits for the work of task `{comm}`: it {does}")
            }
            Some(Event::Stop) => {
                format!("task `{waiter}` waits for thread `{comm}` to stop: it {does}")
            }
            Some(Event::Readers) => format!(
                "task `{waiter}` waits for RCU's readers, and task `{comm}` is one: it {does}"
            ),
            Some(Event::Unknown) => format!("task `{waiter}` waits for task `{comm}`: it {does}"),
            None => {
                let lock = quoted_lock(lock.as_ref());
                format!(
                    "{lock}, which task `{waiter}` waits for, is held by task `{comm}`: it {does}"
                )
            }
        };
        return Words::new(title, claim);
    }
    let title = match it.subject() {
        Some(subject) => format!("task hung on {subject}"),
        None => "task hung".to_owned(),
    };
    let Some(lock) = &it.lock else {
        let claim = match it.event {
            Event::Unknown => match &it.until {
                Some(until) => format!("task `{}` {}: it sleeps", it.comm, until.words()),
                None => format!("task `{}` waits and nobody wakes it: it sleeps", it.comm),
            },
            Event::Work | Event::Stop | Event::Readers => {
                format!("task `{}` {does}: it sleeps", it.comm)
            }
        };
        return Words::new(title, claim);
    };
    let claim = match &it.held {
        Held::Exited => format!("`{lock}` was taken by a task that has exited"),
        Held::Named { is_waiter: true, .. } => {
            format!("`{lock}` is not given back, and the name of who has it is that of who waits")
        }
        Held::Named { comm: owner, .. } => {
            format!("`{lock}` is not given back, and task `{owner}` is named as who has it")
        }
        Held::Down => {
            let claim =
                format!("`{lock}` is down, and nobody calls up() on it: task `{}` waits", it.comm);
            return Words::new(title, claim);
        }
        Held::Freed(freed) => {
            let claim = format!(
                "use after free: `{lock}` is in {freed}, and task `{}` waits for it: it waits",
                it.comm
            );
            return Words::new(format!("use after free of {lock}"), claim);
        }
        Held::Lost => {
            let claim =
                format!("`{lock}` was overwritten while task `{}` waits for it: it waits", it.comm);
            return Words::new(title, claim);
        }
        Held::Unknown | Held::For { .. } => format!("`{lock}` is not given back"),
    };
    Words::new(title, format!("{claim}: task `{}` waits for it", it.comm))
}

fn deadlock(ring: &[Member]) -> Words {
    let mut names: Vec<String> = ring.iter().map(|member| format!("`{}`", member.comm)).collect();
    names.dedup();
    let who = match names.as_slice() {
        [same] => format!("{} tasks {same}", ring.len()),
        _ => names.join(" and "),
    };
    let mut locks: Vec<&Expression> = ring.iter().filter_map(|it| it.lock.as_ref()).collect();
    locks.dedup();
    let all = |mark: &str| {
        let locks: Vec<String> = locks.iter().map(|lock| format!("{mark}{lock}{mark}")).collect();
        locks.join(" and ")
    };
    let (title, over) = match locks.as_slice() {
        [] => ("deadlock".to_owned(), String::new()),
        [_] if ring.iter().all(|it| it.lock.is_some()) => {
            (format!("deadlock over {}", all("")), format!(", each having its own {}", all("`")))
        }
        _ => (format!("deadlock over {}", all("")), format!(" over {}", all("`"))),
    };
    let first = match ring.first().map(|member| member.event) {
        Some(Event::Work) => "the first waits for the other's work",
        Some(Event::Readers) => "the first waits for the other to end as a reader",
        Some(Event::Stop) => "the first waits for the other to stop",
        _ => "the first waits",
    };
    Words::new(title, format!("{who} wait for each other{over}: {first}"))
}

fn of_kind(kind: CrashKind, message: Option<&str>) -> Words {
    let claim = message.unwrap_or("the kernel crashed");
    let title = match kind {
        CrashKind::NullCall => "call through a NULL pointer",
        CrashKind::BadCall => "call to an address that is no code",
        CrashKind::NullRead => "read through a NULL pointer",
        CrashKind::NullWrite => "write through a NULL pointer",
        CrashKind::BadRead => "read through a bad pointer",
        CrashKind::BadWrite => "write through a bad pointer",
        CrashKind::GeneralProtection => "general protection fault",
        CrashKind::DivideError => "divide error",
        CrashKind::Bug => "BUG",
        CrashKind::InvalidOpcode => "invalid opcode",
        CrashKind::Sysrq => "crash requested by sysrq",
        CrashKind::StackOverflow => "stack exhausted",
        CrashKind::DoubleFault => "double fault",
        _ => mistake(kind).or(message).unwrap_or("crash of unknown kind"),
    };
    Words::new(title, claim)
}
