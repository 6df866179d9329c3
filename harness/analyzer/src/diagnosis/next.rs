// SPDX-License-Identifier: MIT OR Apache-2.0
//! What to look at next.

use super::{
    BadPointer, Check, CheckKind, Complained, Diagnosis, Division, Event, Hang, Held, Interruption,
    Left, ListEntry, Lockup, Nature, NoLock, OtherCpus, Overflow, Own, Role, TextPlace, Until, Use,
    Waiting, What,
};
use crate::claim::Addresses;
use crate::express::Expression;
use crate::gone::{Gone, WasThere};
use crate::identify::Poison;
use crate::kind::CrashKind;
use crate::source_line::SourceLine;

/// Lines at most, but for what would show more.
const MOST_LINES: usize = 3;
/// Of those, places to look at.
const MOST: usize = 2;

impl Diagnosis {
    /// What a colleague would look at next, most promising first, three lines at most; and what would show more
    /// the next time.
    #[must_use]
    pub fn next(&self, addresses: &dyn Addresses) -> Vec<String> {
        // Of an index its bound tells more than where it is set.
        let is_index = self.pointer().is_some_and(BadPointer::is_index);
        let bound = is_index.then(|| self.advised(addresses)).flatten();
        let leads = self.leads.iter().map(|lead| lead.words(addresses));
        let mut lines: Vec<String> = bound.into_iter().chain(leads).take(MOST).collect();
        if lines.is_empty() {
            lines.extend(self.advised(addresses));
        }
        if let Some(Complained { line, .. }) = &self.complained {
            let line = addresses.line(line);
            lines.insert(
                0,
                format!("what the kernel complained of before, at `{line}`: it came first"),
            );
        }
        lines.truncate(MOST_LINES);
        lines.extend(self.advice.map(|advice| advice.words().to_owned()));
        lines
    }

    /// What its own sort of crash asks for.
    fn advised(&self, addresses: &dyn Addresses) -> Option<String> {
        let call = self.helper.as_ref();
        match &self.what {
            What::Check(Check { kind: CheckKind::SleepingInAtomic, expression: Some(lock) }) => {
                let call =
                    call.map_or_else(|| "what sleeps".to_owned(), |call| format!("`{call}`"));
                Some(format!(
                    "the call of {call} there, with `{lock}` held: what is called with it may not sleep"
                ))
            }
            what => of(what, addresses),
        }
    }
}

fn of(what: &What, addresses: &dyn Addresses) -> Option<String> {
    match what {
        What::Pointer(it) => pointer(it),
        What::Size(size) => {
            let which = named(size.expression.as_ref(), "the size");
            Some(format!(
                "where {which} is computed, and the smallest value that it may start from"
            ))
        }
        What::Division(it) => Some(division(it)),
        What::Exhausted(exhaustion) if exhaustion.frames.is_some() => {
            Some("what ends the recursion".to_owned())
        }
        What::Exhausted(_) => Some(
            "which local variables could be allocated instead of lying on the stack".to_owned(),
        ),
        What::Check(it) => check(it),
        What::Lockup(it) => Some(lockup(it, addresses)),
        What::Waiting(it) => Some(waiting(it, addresses)),
        What::Requested | What::Running { .. } => None,
        What::Kind(kind) => of_kind(*kind, None),
    }
}

fn named(expression: Option<&Expression>, other: &str) -> String {
    expression.map_or_else(|| other.to_owned(), |e| format!("`{e}`"))
}

fn division(it: &Division) -> String {
    let which = named(it.expression.as_ref().filter(|it| it.is_variable()), "the divisor");
    match it.divisor {
        Some(0) | None => format!("the check that {which} is not 0"),
        Some(_) => {
            "the range of what is divided there: its quotient has to fit into half of its bits"
                .to_owned()
        }
    }
}

fn pointer(it: &BadPointer) -> Option<String> {
    let which = named(it.expression.as_ref(), "the pointer");
    if it.below {
        return Some(format!("what takes {which} below 0, and the check that it is more before"));
    }
    if let Some((index, array)) = &it.past {
        return Some(format!("the check of `{index}` against the size of `{array}`"));
    }
    if it.role == Role::Index {
        let which = named(it.expression.as_ref(), "the index");
        return Some(format!("the bound of {which}, and the size of what it is an index into"));
    }

    Some(match it.nature.as_ref() {
        Some(Nature::UserMemory { is_given: false }) => {
            format!("what sets {which}: the program's own pointer, or a number that is none")
        }
        Some(Nature::UserMemory { is_given: true }) => match it.how {
            Use::Write | Use::Change => format!("copy_to_user() or put_user() for {which}"),
            Use::Read | Use::Call => format!("copy_from_user() or get_user() for {which}"),
        },
        Some(Nature::Returned) => {
            "who keeps the address of a local variable for longer than its function runs".to_owned()
        }
        Some(Nature::Gone(Gone::Unloaded { was, is_shown: true, .. })) => match it.how {
            Use::Call => registered(was.code.as_ref()),
            Use::Read | Use::Write | Use::Change => registered(was.data.as_ref()),
        },
        Some(Nature::Gone(Gone::Start | Gone::Init(_) | Gone::GivenBack)) => {
            "what is marked __init or __initdata and used after initialisation".to_owned()
        }
        Some(Nature::FreedArea | Nature::Hole) => {
            format!("who freed what {which} leads to, and what still leads there")
        }
        Some(Nature::FreedOrPast { .. }) => {
            format!(
                "how far the pointer goes that {which} is read through, and who freed what lies there"
            )
        }
        Some(
            Nature::Freed { .. }
            | Nature::Poison(Poison::SlabFree | Poison::SlabEnd | Poison::Page),
        ) => format!(
            "who freed what {which} was read from, and what still led there: a list, a table, a \
             timer, a reference that was not taken"
        ),
        Some(Nature::Text { place: TextPlace::Owner(_), .. }) => format!(
            "who owns the object that {which} was read from, and whether it is used as what it is"
        ),
        Some(Nature::FreeList) => {
            "who writes to a free object, or over the end of one: `slub_debug=FZPU` names it"
                .to_owned()
        }
        Some(Nature::PerCpuPointer) => format!("this_cpu_ptr() or per_cpu_ptr() around {which}"),
        Some(Nature::PerCpuOffset { .. } | Nature::UserUnmapped { may_be_per_cpu: true }) => {
            format!("whether {which} is a pointer to per-CPU memory, used without this_cpu_ptr()")
        }
        Some(Nature::BelowNull { .. }) => {
            format!(
                "what {which} is: whether it may be an error code, or NULL with a member taken off"
            )
        }
        Some(Nature::Short { structure, .. }) => format!(
            "what is taken for a struct {structure} there: something else, or one that too little is allocated for"
        ),
        Some(Nature::Misplaced { structure, .. }) => {
            format!("what {which} is computed from, and by which member of struct {structure}")
        }
        Some(Nature::NeverAllocated(_)) => {
            format!("where {which} is set to memory that is not to be freed")
        }
        Some(Nature::Outside { .. }) => {
            format!("the bound of the index in {which}, and the size of what it is an index into")
        }
        Some(Nature::Guard { .. } | Nature::Beyond { .. }) => {
            format!("how far {which} may go, and the size of what it leads through")
        }
        _ => return of_kind(it.kind(), it.expression.as_ref()),
    })
}

/// What a module left behind when it went.
fn registered(was: Option<&WasThere>) -> String {
    match was {
        Some(was) => {
            format!("what registered {was}, and the call that is missing where that module goes")
        }
        None => {
            "what the module left registered when it went: a timer, a work item, a hook, a notifier"
                .to_owned()
        }
    }
}

fn check(it: &Check) -> Option<String> {
    Some(match it.kind {
        CheckKind::List(ListEntry::OutAlready) => {
            "who takes the entry out twice, and what should have told the second time".to_owned()
        }
        CheckKind::List(ListEntry::NoList) => {
            "the initialisation of the list that is missing, or what clears it".to_owned()
        }
        CheckKind::List(ListEntry::InAlready) => {
            "who puts the entry in twice, and what should have told the second time".to_owned()
        }
        CheckKind::List(ListEntry::Itself) => {
            "what the call is given that puts it in: the entry and the list are the same".to_owned()
        }
        CheckKind::List(ListEntry::ListFreed) => {
            let which = named(it.expression.as_ref(), "the list");
            format!("who freed what {which} is in, and what still led there")
        }
        CheckKind::List(ListEntry::Freed | ListEntry::Reused) => {
            let which = named(it.expression.as_ref(), "the entry");
            format!("what frees {which} and does not take it out of its list before")
        }
        CheckKind::List(ListEntry::Unknown | ListEntry::Broken) => {
            "who else changes the list, and whether its entries live as long as they are in it"
                .to_owned()
        }
        CheckKind::Fortify(Overflow::TooLong { ref function, has, .. }) => {
            let which = named(it.expression.as_ref(), "the array");
            format!(
                "what bounds the string that `{function}` copies to {which}: it may take {has} bytes with its end"
            )
        }
        CheckKind::Fortify(_) => {
            "the length of what is copied or was written there, and the size of the buffer"
                .to_owned()
        }
        CheckKind::StackProtector if it.expression.is_some() => {
            let array = named(it.expression.as_ref(), "the array");
            format!("what writes to {array}, and its length checks")
        }
        CheckKind::Called { ref function, ref given } => match given.first() {
            Some(given) => format!("what `{function}` checks, and what it was given: `{given}`"),
            None => format!("what `{function}` checks, and what it was given"),
        },
        _ => return of_kind(it.kind(), it.expression()),
    })
}

fn lockup(it: &Lockup, addresses: &dyn Addresses) -> String {
    let which = named(it.lock.as_ref(), "the lock");
    if let Some(left) = &it.left {
        return kept(left, &which, addresses);
    }
    match &it.hang {
        Hang::Own(own) => again(own, &which, addresses),
        Hang::Lock(OtherCpus::Idle) => format!(
            "where {which} is taken and not given back: a return without an unlock, a sleep while it is held"
        ),
        Hang::Lock(OtherCpus::Busy | OtherCpus::Unknown) => {
            format!("who has {which} meanwhile, and what keeps it from giving it back")
        }
        Hang::Held(_) => format!("what keeps the one that has {which} from giving it back"),
        Hang::Circle(_) => "the order in which the locks are taken".to_owned(),
        Hang::Asleep(_) => {
            format!(
                "the call that may sleep, between where {which} is taken and where it is given back"
            )
        }
        Hang::NoLock(NoLock::Freed(_)) => {
            format!("who freed the object with {which}, and what still led there")
        }
        Hang::NoLock(NoLock::NeverWritten { is_certain: false, .. }) => {
            format!(
                "the initialisation of {which} that is missing, or who freed the object with it"
            )
        }
        Hang::NoLock(NoLock::NeverWritten { is_certain: true, .. }) => {
            format!("the initialisation of {which} that is missing")
        }
        Hang::NoLock(NoLock::Other) => {
            format!("what overwrote {which}, or whether it was ever initialised")
        }
        Hang::Ring { until: Some(until), .. } => format!(
            "who should change `{until}` of an entry, and what keeps it from that; if the chain is to have an end, \
             what links it to a ring"
        ),
        Hang::Ring { until: None, .. } => {
            format!(
                "what links the entries behind {which}: one that is put in twice, or while it is elsewhere"
            )
        }
        Hang::BusyWait | Hang::Running | Hang::Unknown => {
            "what should end the loop, and who could not run meanwhile".to_owned()
        }
    }
}

/// What may not be done with the lock held.
fn again(own: &Own, which: &str, addresses: &dyn Addresses) -> String {
    let at = |line: &Option<SourceLine>| {
        let line = line.as_ref().map(|line| format!(" at `{}`", addresses.line(line)));
        line.unwrap_or_default()
    };
    match own {
        Own::Path => format!("the path that has {which} and takes it again"),
        Own::Upgraded { function, line } => format!(
            "{function} takes {which} to read{}: whoever may write later has to take it to write at once, or give \
             it back before",
            at(line)
        ),
        Own::Interrupted { function, line, by, lock } => {
            let off = match by {
                Interruption::Interrupt => "interrupts",
                Interruption::SoftIrq => "softirqs",
            };
            let call = lock.without(*by);
            format!(
                "{function} has to keep {off} off while it has {which}, taken{}: `{call}` does",
                at(line)
            )
        }
    }
}

fn waiting(it: &Waiting, addresses: &dyn Addresses) -> String {
    if let Some(left) = it.way() {
        return kept(left, &named(it.lock.as_ref(), "the lock"), addresses);
    }
    match (it.circle.as_slice(), &it.held) {
        ([], Held::For { event: Some(_), .. }) => {
            "what should end it, and what keeps that away".to_owned()
        }
        ([], Held::For { lock, .. }) => {
            let which = named(lock.as_ref(), "the lock");
            format!("what the task waits for that has {which}, and whether it has to have it then")
        }
        ([], Held::Exited | Held::Named { .. }) => {
            let which = named(it.lock.as_ref(), "the lock");
            format!("a return of a function that takes {which} and does not give it back")
        }
        ([], Held::Lost | Held::Freed(_)) => {
            let which = named(it.lock.as_ref(), "the lock");
            format!(
                "who frees or writes over the object with {which}, and whether others may still use it"
            )
        }
        ([], Held::Down) => {
            let which = named(it.lock.as_ref(), "the semaphore");
            format!("who should call up() on {which}, and what kept it from that")
        }
        ([], Held::Unknown) if it.until.is_some() => until(it.until.as_ref()),
        ([], Held::Unknown) => "who should wake the task or give the lock back".to_owned(),
        ([member], _) if member.event == Event::Readers => {
            "the call that waits for readers, inside of rcu_read_lock()".to_owned()
        }
        ([member], _) if member.event != Event::Unknown => {
            "the call that waits for the work, or the thread, that it is made in".to_owned()
        }
        ([member], _) => {
            let which = named(member.lock.as_ref(), "the lock");
            format!("the path that has {which} and takes it again")
        }
        (ring, _) if ring.iter().any(|member| member.event != Event::Unknown) => {
            "what is waited for with the lock held that its end needs".to_owned()
        }
        _ => "the order in which the locks are taken".to_owned(),
    }
}

/// What a task waits for by its own code.
fn until(until: Option<&Until>) -> String {
    match until {
        Some(Until::Condition(it)) if it.holds == Some(true) && it.is_whole => {
            format!("the wake-up that is missing where `{}` is set", it.left)
        }
        Some(Until::Condition(it)) => {
            format!("who changes `{}`, and what is missing among that", it.left)
        }
        Some(Until::Device { name, count }) if *count < 0 => {
            format!("the references of `{name}`: more are given back than were taken")
        }
        Some(Until::Device { name, .. }) => {
            format!("who has a reference of `{name}`, and when it is given back")
        }
        Some(Until::Completion(it)) => {
            format!("who should complete `{it}`, and what kept it from that")
        }
        None => "who should wake the task".to_owned(),
    }
}

/// A way that leaves a lock taken.
fn kept(left: &Left, which: &str, addresses: &dyn Addresses) -> String {
    let function = &left.function;
    match left.always {
        true => {
            let from = addresses.line(&left.from);
            format!("the release of {which} behind `{from}`: in `{function}`, or in who calls it")
        }
        false => {
            format!("what makes `{function}` go that way, and the release of {which} missing there")
        }
    }
}

fn of_kind(kind: CrashKind, expression: Option<&Expression>) -> Option<String> {
    use CrashKind as K;
    let named = named(expression, "the pointer");
    let line = match kind {
        K::NullCall | K::NullRead | K::NullWrite => {
            return Some(match expression {
                Some(e) if e.is_result() => format!(
                    "what makes `{e}` return NULL, and the check of its result that is missing"
                ),
                _ => format!("who sets and clears {named}, and whether it may be NULL here"),
            });
        }
        K::ErrPtr => return Some(format!("the IS_ERR() check of {named} that is missing")),
        K::Uninitialized => return Some(format!("the path on which {named} is not set")),
        K::UseAfterFree => {
            return Some(format!("who freed what {named} was read from, and what still led there"));
        }
        K::DivideError => return Some(format!("the check that {named} is not 0")),
        K::BadCall | K::BadRead | K::BadWrite | K::GeneralProtection if expression.is_some() => {
            return Some(format!(
                "what sets {named}, and what may have freed or written over what it was read from"
            ));
        }
        K::DoubleFree => "the two places that free the object, and who owns it",
        K::ListCorruption => {
            "who takes the entry out twice, and what should have told the second time"
        }
        K::HeapOverflow | K::OutOfBounds | K::Fortify => {
            "who wrote or read past the end: the object before this one, and its length checks"
        }
        K::StackProtector => "what writes to the function's local arrays, and its length checks",
        K::StackOverflow => "what ends the recursion, or which locals could be allocated",
        K::UserAccess => "copy_from_user(), copy_to_user() or get_user() in its place",
        K::UnloadedCode => {
            "what the module left registered when it went: a timer, a work item, a hook, a notifier"
        }
        K::FreedInitCode => "what is marked __init or __initdata and used after initialisation",
        K::Refcount => "the get and put calls of the object: one put too many, or a get too late",
        K::SoftLockup | K::HardLockup | K::RcuStall => {
            "what should end the loop or release the lock, and who could not run meanwhile"
        }
        K::HungTask => "who should wake the task or give the lock back",
        K::Deadlock => "where the lock is taken and not given back",
        K::SleepingInAtomic => {
            "the spinlock, RCU section or interrupt that the sleeping call is made in"
        }
        K::OutOfMemory => {
            "what allocates without end: `kmem -s`, and the allocations of the module"
        }
        K::Lockdep => "what the report names, and where it is taken, held and given back",
        K::DataRace => "the lock, or READ_ONCE() and WRITE_ONCE(), that both accesses lack",
        K::MemoryLeak => "the path on which what was allocated is not freed",
        K::BadPage
        | K::AllocationFailure
        | K::BadCall
        | K::BadRead
        | K::BadWrite
        | K::GeneralProtection
        | K::WriteToReadOnly
        | K::ExecOfNonExecutable
        | K::Bug
        | K::InvalidOpcode
        | K::Warn
        | K::UndefinedBehavior
        | K::Sysrq
        | K::Nmi
        | K::Running
        | K::Panic
        | K::DoubleFault
        | K::MachineCheck
        | K::Unknown => return None,
    };
    Some(line.to_owned())
}
