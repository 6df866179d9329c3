// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the processes of the guest do: whether a trigger that does not end is held by the kernel, or
//! goes on by itself on a healthy one.
//!
//! A process is asked to stop (SIGSTOP): whoever ever returns from the kernel does. So a thread that
//! runs or sleeps and does not stop is held there, however it sleeps. Those that sleep and can be
//! woken are only asked when nobody else is held: they may have what others wait for.
//!
//! From proc(5): `/proc/<pid>/task/<tid>/{stat,stack,wchan,syscall}`.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use protocol::Process;
use rustix::process::{Pid, Signal, kill_process};

const PROC: &str = "/proc";
/// Threads that are looked at, and that are told.
const MOST: usize = 1 << 16;
const TOLD: usize = 12;
/// `PF_KTHREAD` of `include/linux/sched.h`, in the flags of `stat`.
const KERNEL_THREAD: u64 = 0x0020_0000;
/// How long a thread that was asked to stop may take.
const HELD: Duration = Duration::from_secs(3);
/// How often to look meanwhile.
const INTERVAL: Duration = Duration::from_millis(50);
/// The system calls that wait for a child to let go of the memory: clone, vfork, clone3 of x86-64,
/// clone and vfork of i386.
const WAIT_FOR_CHILD: [&str; 5] = ["56", "58", "435", "120", "190"];
/// Where a thread sleeps that the freezer of its control group holds (`kernel/{freezer,signal}.c`).
const FROZEN: [&str; 2] = ["__refrigerator", "do_freezer_trap"];

/// Looks at all processes but this one and the kernel's threads: those that matter most, and how many
/// more there are. With `sleepers`, also those are asked to stop that sleep and could be woken; without,
/// all that were asked go on afterwards.
pub(crate) fn look(sleepers: bool) -> (Vec<Process>, u64) {
    let own = i32::try_from(std::process::id()).unwrap_or(1);
    let mut processes = look_at(Path::new(PROC), &|pid| pid != own, sleepers);
    // What is held is what matters.
    processes.sort_by_key(|process| (!process.held, process.tid));
    let more = processes.len().saturating_sub(TOLD);
    processes.truncate(TOLD);
    // Where the others were before they stopped is known.
    for process in processes.iter_mut().filter(|process| process.held) {
        process.at = function(Path::new(PROC), process.pid, process.tid);
    }
    (processes, u64::try_from(more).unwrap_or(u64::MAX))
}

fn look_at(proc: &Path, which: &dyn Fn(i32) -> bool, sleepers: bool) -> Vec<Process> {
    let mut threads = threads(proc, which);
    let parents: BTreeSet<i32> = threads.iter().map(|(_, parent)| *parent).collect();
    let waits = |thread: &Process| parents.contains(&thread.pid) && waits_for_child(proc, thread);
    // Sleeps of the kernel's own kind (I) end by no signal either.
    let busy = |thread: &Process| match thread.state {
        'R' => true,
        'D' | 'I' => !waits(thread) && !is_frozen(proc, thread),
        _ => false,
    };
    for (thread, _) in threads.iter_mut().take(TOLD) {
        thread.at = function(proc, thread.pid, thread.tid);
    }
    let mut asked = ask(&threads, busy);
    let mut held = unmoved(proc, &threads, busy);
    if sleepers && held.is_empty() {
        let asleep = |thread: &Process| thread.state == 'S' && !is_frozen(proc, thread);
        asked.extend(ask(&threads, asleep));
        held = unmoved(proc, &threads, asleep);
    }
    for number in held {
        if let Some((thread, _)) = threads.get_mut(number) {
            thread.held = true;
        }
    }
    if !sleepers {
        asked.into_iter().for_each(|pid| signal(pid, Signal::CONT));
    }
    threads.into_iter().map(|(thread, _)| thread).collect()
}

/// Asks the processes of some threads to stop.
fn ask(threads: &[(Process, i32)], wanted: impl Fn(&Process) -> bool) -> BTreeSet<i32> {
    let wanted = threads.iter().filter(|(thread, _)| wanted(thread));
    let pids: BTreeSet<i32> = wanted.map(|(thread, _)| thread.pid).collect();
    pids.iter().for_each(|pid| signal(*pid, Signal::STOP));
    pids
}

fn signal(pid: i32, signal: Signal) {
    if let Some(pid) = Pid::from_raw(pid) {
        // One that is gone has answered.
        let _ = kill_process(pid, signal);
    }
}

/// The threads that were asked to stop and do not.
fn unmoved(
    proc: &Path,
    threads: &[(Process, i32)],
    wanted: impl Fn(&Process) -> bool,
) -> Vec<usize> {
    let numbered = threads.iter().enumerate();
    let mut open: Vec<usize> =
        numbered.filter(|(_, (thread, _))| wanted(thread)).map(|(number, _)| number).collect();
    let start = Instant::now();
    while !open.is_empty() && start.elapsed() < HELD {
        thread::sleep(INTERVAL);
        open.retain(|number| {
            let Some((thread, _)) = threads.get(*number) else { return false };
            let now = stat(proc, thread.pid, thread.tid).map(|stat| stat.state);
            !matches!(now, None | Some('T' | 't' | 'Z' | 'X' | 'x'))
        });
    }
    open
}

/// The threads with the process that made theirs.
fn threads(proc: &Path, which: &dyn Fn(i32) -> bool) -> Vec<(Process, i32)> {
    let pids = numbers(proc).into_iter().filter(|pid| which(*pid));
    let threads = pids.flat_map(|pid| {
        let tids = numbers(&proc.join(format!("{pid}/task")));
        tids.into_iter().map(move |tid| (pid, tid))
    });
    let threads = threads.filter_map(|(pid, tid)| {
        let Stat { comm, state, parent, flags } = stat(proc, pid, tid)?;
        let gone = matches!(state, 'Z' | 'X' | 'x');
        let process = Process { pid, tid, comm, state, at: None, held: false };
        (flags & KERNEL_THREAD == 0 && !gone).then_some((process, parent))
    });
    threads.take(MOST).collect()
}

/// The names of a folder that are numbers, in order.
fn numbers(folder: &Path) -> Vec<i32> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut numbers: Vec<i32> =
        entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    numbers.sort_unstable();
    numbers
}

fn text(proc: &Path, pid: i32, tid: i32, file: &str) -> Option<String> {
    let bytes = fs::read(proc.join(format!("{pid}/task/{tid}/{file}"))).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

fn stat(proc: &Path, pid: i32, tid: i32) -> Option<Stat> {
    Stat::parse(&text(proc, pid, tid, "stat")?)
}

fn waits_for_child(proc: &Path, thread: &Process) -> bool {
    let call = text(proc, thread.pid, thread.tid, "syscall").unwrap_or_default();
    WAIT_FOR_CHILD.contains(&call.split(' ').next().unwrap_or_default())
}

fn is_frozen(proc: &Path, thread: &Process) -> bool {
    let at = function(proc, thread.pid, thread.tid);
    at.is_some_and(|at| FROZEN.contains(&at.as_str()))
}

/// The innermost function of the stack: `[<0>] do_wait+0x5f/0x2e0`, before 5.3 with an address; or
/// what the scheduler knows, where the kernel shows no stack.
fn function(proc: &Path, pid: i32, tid: i32) -> Option<String> {
    let stack = text(proc, pid, tid, "stack").unwrap_or_default();
    let top = stack.lines().next().and_then(|line| line.split_once("] ")).map(|(_, rest)| rest);
    let name = match top.and_then(|rest| rest.split('+').next()) {
        Some(name) => name.to_owned(),
        None => text(proc, pid, tid, "wchan")?,
    };
    (!name.is_empty() && name != "0" && !name.starts_with("0x")).then_some(name)
}

/// The fields of `stat` that matter here.
#[derive(Debug, PartialEq, Eq)]
struct Stat {
    comm: String,
    state: char,
    parent: i32,
    flags: u64,
}

impl Stat {
    /// `61 (a) b) S 1 …`: the name may hold anything, so its end is the last parenthesis.
    fn parse(text: &str) -> Option<Self> {
        let (_, from_name) = text.split_once('(')?;
        let (comm, rest) = from_name.rsplit_once(')')?;
        let mut fields = rest.split_ascii_whitespace();
        let state = fields.next()?.chars().next()?;
        let parent = fields.next()?.parse().ok()?;
        // pgrp, session, tty_nr, tpgid, flags
        let flags = fields.nth(4)?.parse().ok()?;
        Some(Self { comm: comm.to_owned(), state, parent, flags })
    }
}

#[cfg(test)]
mod tests {
    use std::process::{Child, Command, Stdio};

    use super::*;

    fn look_at_child(words: &[&str], sleepers: bool) -> (Vec<Process>, char) {
        let mut child: Child =
            Command::new(words[0]).args(&words[1..]).stdin(Stdio::piped()).spawn().unwrap();
        let id = i32::try_from(child.id()).unwrap();
        let seen = look_at(Path::new(PROC), &|pid| pid == id, sleepers);
        let state = stat(Path::new(PROC), id, id).unwrap().state;
        child.kill().unwrap();
        child.wait().unwrap();
        (seen, state)
    }

    #[test]
    fn a_process_that_waits_or_computes_is_not_held() {
        // `cat` waits for its input, which nobody writes; the shell never stops by itself.
        for words in [&["cat"][..], &["sh", "-c", "while :; do :; done"]] {
            for sleepers in [false, true] {
                let (seen, after) = look_at_child(words, sleepers);
                let [seen] = &seen[..] else { panic!("not one thread of {words:?}") };
                assert!(!seen.held, "{seen:?}");
                assert_eq!(after == 'T', sleepers, "without, it goes on: {after}");
            }
        }
    }

    /// The state in which a thread stays, whatever it is asked, and how it came there.
    fn proc(files: &[(&str, &str)]) -> tempfile::TempDir {
        let proc = tempfile::tempdir().unwrap();
        // No process has these numbers.
        for id in [PID, PID + 1] {
            let task = proc.path().join(format!("{id}/task/{id}"));
            fs::create_dir_all(&task).unwrap();
            fs::write(task.join("stat"), format!("{id} (child) T {PID} 1 1 0 -1 64 0")).unwrap();
        }
        let task = proc.path().join(format!("{PID}/task/{PID}"));
        for (name, text) in files {
            fs::write(task.join(name), text).unwrap();
        }
        proc
    }

    /// More than `PID_MAX_LIMIT` of x86-64.
    const PID: i32 = 5_000_000;

    fn stat_of(state: char) -> String {
        format!("{PID} (sh) {state} 1 61 61 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 1 0 5")
    }

    fn held(state: char, files: &[(&str, &str)]) -> bool {
        let stat = stat_of(state);
        let files: Vec<_> = [("stat", stat.as_str())].iter().chain(files).copied().collect();
        let seen = look_at(proc(&files).path(), &|_| true, true);
        assert_eq!(seen.len(), 2);
        seen[0].held
    }

    #[test]
    fn whoever_does_not_stop_is_held_however_it_sleeps() {
        for state in ['R', 'D', 'I', 'S'] {
            assert!(held(state, &[("syscall", "1 0x1 0x2")]), "{state}");
        }
        assert!(!held('T', &[]));
    }

    #[test]
    fn who_waits_for_its_child_or_is_frozen_is_not_held() {
        for call in ["58 0x1 0x2", "190 0x1"] {
            assert!(!held('D', &[("wchan", "kernel_clone"), ("syscall", call)]), "{call}");
        }
        assert!(!held('D', &[("stack", "[<0>] __refrigerator+0x80/0x110\n")]));
        assert!(!held('S', &[("wchan", "do_freezer_trap")]));
    }

    #[test]
    fn the_place_is_the_innermost_function() {
        let stack = "[<0>] __mutex_lock.constprop.0+0x2a1/0x480\n[<0>] take+0x1/0x2 [x]\n";
        let proc = proc(&[("stack", stack), ("wchan", "0")]);
        let at = function(proc.path(), PID, PID);
        assert_eq!(at.as_deref(), Some("__mutex_lock.constprop.0"));
        assert_eq!(function(proc.path(), PID + 1, PID + 1), None);
    }

    #[test]
    fn threads_of_the_kernel_and_dead_ones_are_left_out() {
        let kernel = format!("{PID} (kworker/0:1) D 2 0 0 0 -1 69238880 0 0");
        let dead = format!("{PID} (sh) Z 1 61 61 0 -1 4194560 0 0");
        for stat in [kernel, dead] {
            let seen = look_at(proc(&[("stat", &stat)]).path(), &|pid| pid == PID, true);
            assert_eq!(seen, []);
        }
    }

    #[test]
    fn a_name_may_hold_parentheses_and_blanks() {
        let stat = Stat::parse("61 (a) (b) R 1 61 61 0 -1 64 0 0").unwrap();
        assert_eq!((stat.comm.as_str(), stat.state, stat.flags), ("a) (b", 'R', 64));
        for cut in ["", "61", "61 (x", "61 (x)", "61 (x) R 1 2"] {
            assert_eq!(Stat::parse(cut), None, "{cut}");
        }
    }
}
