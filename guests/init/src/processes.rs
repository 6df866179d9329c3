// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the processes of the guest do: whether a trigger that does not end is held by the kernel, or
//! goes on by itself on a healthy one.
//!
//! From proc(5): `/proc/<pid>/task/<tid>/{stat,stack,wchan,syscall}`.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde::Serialize;

const PROC: &str = "/proc";
/// Threads that are looked at, and that are told.
const MOST: usize = 512;
const TOLD: usize = 12;
/// `PF_KTHREAD` of `include/linux/sched.h`, in the flags of `stat`.
const KERNEL_THREAD: u64 = 0x0020_0000;
/// How long a thread must stay where it is to be held there.
const HELD: Duration = Duration::from_secs(1);
/// How often to look meanwhile.
const INTERVAL: Duration = Duration::from_millis(50);
/// The system calls that wait for a child to let go of the memory: clone, vfork, clone3 of x86-64.
const WAIT_FOR_CHILD: [&str; 3] = ["56", "58", "435"];

/// A thread of a process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Process {
    /// Its process.
    pub(crate) pid: i32,
    /// Itself.
    pub(crate) tid: i32,
    /// Its command's name.
    pub(crate) comm: String,
    /// The letter of ps(1): R, S, D, T, …
    pub(crate) state: char,
    /// The function of the kernel that it waits in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) at: Option<String>,
    /// Whether the kernel does not let go of it: it sleeps where no signal reaches it, or runs and
    /// never comes back to its own code.
    pub(crate) held: bool,
}

/// Looks at all processes but this one and the kernel's threads: those that matter most, and how many
/// more there are.
pub(crate) fn look() -> (Vec<Process>, usize) {
    let own = i32::try_from(std::process::id()).unwrap_or(1);
    let mut processes = look_at(Path::new(PROC), &|pid| pid != own);
    // What is held is what matters.
    processes.sort_by_key(|process| (!process.held, process.tid));
    let more = processes.len().saturating_sub(TOLD);
    processes.truncate(TOLD);
    (processes, more)
}

/// The threads of the processes that `which` names.
///
/// A thread that runs is sent SIGSTOP: one that ever returns from the kernel stops, one that loops
/// there does not. A thread in an uninterruptible sleep is held if it stays in it.
fn look_at(proc: &Path, which: &dyn Fn(i32) -> bool) -> Vec<Process> {
    let mut threads: Vec<Process> = threads(proc, which);
    for thread in threads.iter().filter(|thread| thread.state == 'R') {
        if let Some(pid) = Pid::from_raw(thread.pid) {
            // One that is gone has answered.
            let _ = kill_process(pid, Signal::STOP);
        }
    }
    let suspect = |thread: &Process| match thread.state {
        'R' => true,
        'D' => !waits_for_child(proc, thread),
        _ => false,
    };
    let mut suspects: Vec<usize> =
        (0..threads.len()).filter(|number| threads.get(*number).is_some_and(suspect)).collect();
    let start = Instant::now();
    while !suspects.is_empty() && start.elapsed() < HELD {
        thread::sleep(INTERVAL);
        suspects.retain(|number| {
            let still = |thread: &Process| {
                let now = state(proc, thread.pid, thread.tid);
                now.is_some_and(|now| now == thread.state || (thread.state == 'R' && now == 'D'))
            };
            threads.get(*number).is_some_and(still)
        });
    }
    for number in suspects {
        if let Some(thread) = threads.get_mut(number) {
            thread.held = true;
        }
    }
    threads
}

fn threads(proc: &Path, which: &dyn Fn(i32) -> bool) -> Vec<Process> {
    let pids = numbers(proc).into_iter().filter(|pid| which(*pid));
    let threads = pids.flat_map(|pid| {
        let tids = numbers(&proc.join(format!("{pid}/task")));
        tids.into_iter().map(move |tid| (pid, tid))
    });
    let threads = threads.take(MOST).filter_map(|(pid, tid)| {
        let stat = Stat::parse(&text(proc, pid, tid, "stat")?)?;
        let gone = matches!(stat.state, 'Z' | 'X' | 'x');
        (stat.flags & KERNEL_THREAD == 0 && !gone).then(|| Process {
            pid,
            tid,
            comm: stat.comm,
            state: stat.state,
            at: function(proc, pid, tid),
            held: false,
        })
    });
    threads.collect()
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

fn state(proc: &Path, pid: i32, tid: i32) -> Option<char> {
    Some(Stat::parse(&text(proc, pid, tid, "stat")?)?.state)
}

fn waits_for_child(proc: &Path, thread: &Process) -> bool {
    let call = text(proc, thread.pid, thread.tid, "syscall").unwrap_or_default();
    WAIT_FOR_CHILD.contains(&call.split(' ').next().unwrap_or_default())
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
    flags: u64,
}

impl Stat {
    /// `61 (a) b) S 1 …`: the name may hold anything, so its end is the last parenthesis.
    fn parse(text: &str) -> Option<Self> {
        let (_, from_name) = text.split_once('(')?;
        let (comm, rest) = from_name.rsplit_once(')')?;
        let mut fields = rest.split_ascii_whitespace();
        let state = fields.next()?.chars().next()?;
        // ppid, pgrp, session, tty_nr, tpgid, flags
        let flags = fields.nth(5)?.parse().ok()?;
        Some(Self { comm: comm.to_owned(), state, flags })
    }
}

#[cfg(test)]
mod tests {
    use std::process::{Child, Command, Stdio};

    use super::*;

    fn look_at_child(words: &[&str]) -> Vec<Process> {
        let mut child: Child =
            Command::new(words[0]).args(&words[1..]).stdin(Stdio::piped()).spawn().unwrap();
        let id = i32::try_from(child.id()).unwrap();
        let seen = look_at(Path::new(PROC), &|pid| pid == id);
        child.kill().unwrap();
        child.wait().unwrap();
        seen
    }

    #[test]
    fn a_process_that_waits_or_computes_is_not_held() {
        // `cat` waits for its input, which nobody writes; the shell never stops by itself.
        for words in [&["cat"][..], &["sh", "-c", "while :; do :; done"]] {
            let [seen] = &look_at_child(words)[..] else { panic!("not one thread of {words:?}") };
            assert!(!seen.held, "{seen:?}");
            assert_eq!(seen.pid, seen.tid);
        }
    }

    /// A folder like /proc, with one thread of one process.
    fn proc(files: &[(&str, &str)]) -> tempfile::TempDir {
        let proc = tempfile::tempdir().unwrap();
        let task = proc.path().join("61/task/61");
        fs::create_dir_all(&task).unwrap();
        for (name, text) in files {
            fs::write(task.join(name), text).unwrap();
        }
        proc
    }

    #[test]
    fn a_sleep_that_no_signal_ends_is_held_and_its_place_is_told() {
        let stat = "61 (sh) D 1 61 61 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 1 0 5";
        let stack = "[<0>] __mutex_lock.constprop.0+0x2a1/0x480\n[<0>] take+0x1/0x2 [x]\n";
        let proc = proc(&[("stat", stat), ("stack", stack), ("syscall", "1 0x1 0x2")]);
        let [seen] = &look_at(proc.path(), &|_| true)[..] else { panic!("not one") };
        assert!(seen.held);
        assert_eq!(seen.at.as_deref(), Some("__mutex_lock.constprop.0"));
    }

    #[test]
    fn who_waits_for_a_child_of_vfork_is_not_held() {
        let stat = "61 (sh) D 1 61 61 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 1 0 5";
        let proc = proc(&[("stat", stat), ("wchan", "kernel_clone"), ("syscall", "58 0x1 0x2")]);
        let [seen] = &look_at(proc.path(), &|_| true)[..] else { panic!("not one") };
        assert!(!seen.held);
        assert_eq!(seen.at.as_deref(), Some("kernel_clone"));
    }

    #[test]
    fn threads_of_the_kernel_and_dead_ones_are_left_out() {
        let kernel = "61 (kworker/0:1) D 2 0 0 0 -1 69238880 0 0";
        let dead = "61 (sh) Z 1 61 61 0 -1 4194560 0 0";
        for stat in [kernel, dead] {
            assert_eq!(look_at(proc(&[("stat", stat)]).path(), &|_| true), []);
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
