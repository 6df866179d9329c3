// SPDX-License-Identifier: MIT OR Apache-2.0
//! Child processes: the trigger, and orphans that PID 1 inherits.

use std::collections::BTreeMap;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use rustix::process::{Pid, WaitOptions, WaitStatus, wait};

use protocol::Message;

use crate::told::Told;

/// Where programs are looked for; the case's own come late, so that none hides one of the guest, and
/// busybox's last, so that none hides one of a package.
const PATH: &str = "/bin:/sbin:/usr/bin:/usr/sbin:/case:/lib/busybox";

/// The running trigger, if there is one.
#[derive(Debug, Default)]
pub(crate) struct Trigger {
    pid: Option<Pid>,
    /// By what it tells of its steps, if it does.
    told: Option<Told>,
}

impl Trigger {
    /// Starts it; one that `tells` has a socket as its standard input.
    ///
    /// # Errors
    /// In words: nothing to run, no such program, one is running already.
    pub(crate) fn start(
        &mut self,
        argv: &[String],
        environment: &BTreeMap<String, String>,
        tells: bool,
    ) -> Result<String, String> {
        if let Some(pid) = self.pid {
            return Err(format!("a trigger is running already, as process {pid}"));
        }
        let (program, arguments) =
            argv.split_first().ok_or_else(|| "the trigger names no program".to_owned())?;
        let (told, stdin) = if tells {
            let pair = Told::pair().map_err(|error| format!("cannot make a socket: {error}"))?;
            (Some(pair.0), Stdio::from(pair.1))
        } else {
            (None, Stdio::null())
        };
        let child = Command::new(program)
            .args(arguments)
            .env_clear()
            .envs([("PATH", PATH), ("HOME", "/"), ("TERM", "dumb")])
            .envs(environment)
            .current_dir("/")
            .stdin(stdin)
            .process_group(0)
            .spawn()
            .map_err(|error| format!("cannot run {program}: {error}"))?;
        // It is waited for together with all other children, see `reap`.
        self.pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        self.told = told;
        Ok(format!("process {}", child.id()))
    }

    /// Whether one is running.
    pub(crate) const fn is_running(&self) -> bool {
        self.pid.is_some()
    }

    /// What it tells of its steps, one after the other, if there is something.
    pub(crate) fn told(&mut self) -> Option<Message> {
        match self.told.as_mut()?.next() {
            Ok(message) => message,
            Err(_) => {
                self.told = None;
                None
            }
        }
    }

    /// Lets it go on, now that the host has what it told.
    pub(crate) fn answer(&mut self) {
        if self.told.as_mut().is_some_and(|told| told.answer().is_err()) {
            self.told = None;
        }
    }

    /// By what it tells of its steps.
    pub(crate) fn tells_by(&self) -> Option<BorrowedFd<'_>> {
        self.told.as_ref().map(AsFd::as_fd)
    }

    /// Buries all children that have ended; tells when the trigger is among them.
    pub(crate) fn reap(&mut self) -> Option<Message> {
        let mut exit = None;
        while let Ok(Some((pid, status))) = wait(WaitOptions::NOHANG) {
            if self.pid == Some(pid) {
                self.pid = None;
                exit = Some(ended(status));
            }
        }
        exit
    }
}

fn ended(status: WaitStatus) -> Message {
    Message::TriggerExit { status: status.exit_status(), signal: status.terminating_signal() }
}

#[cfg(test)]
mod tests {
    use std::thread;
    use std::time::Duration;

    use super::*;

    fn run(argv: &[&str]) -> Message {
        let argv: Vec<String> = argv.iter().map(|word| (*word).to_owned()).collect();
        let mut trigger = Trigger::default();
        let who = BTreeMap::from([("WHO".to_owned(), "me".to_owned())]);
        trigger.start(&argv, &who, false).unwrap();
        assert!(trigger.start(&argv, &who, false).unwrap_err().contains("running already"));
        for _ in 0..3000 {
            if let Some(event) = trigger.reap() {
                assert!(!trigger.is_running());
                return event;
            }
            thread::sleep(Duration::from_millis(10));
        }
        panic!("{argv:?} does not end")
    }

    /// One test, because `reap` waits for every child of the process it is in.
    #[test]
    fn the_end_of_the_trigger_is_told() {
        let status = |status| Message::TriggerExit { status: Some(status), signal: None };
        assert_eq!(run(&["/bin/sh", "-c", "sleep 0.1; test $WHO = me"]), status(0));
        assert_eq!(run(&["sh", "-c", "sleep 0.1; exit 7"]), status(7));
        assert_eq!(
            run(&["sh", "-c", "sleep 0.1; kill -9 $$"]),
            Message::TriggerExit { status: None, signal: Some(9) }
        );
        let nothing = Trigger::default().start(&[], &BTreeMap::new(), false);
        assert!(nothing.unwrap_err().contains("no program"));
        let argv = ["/no/such".to_owned()];
        let missing = Trigger::default().start(&argv, &BTreeMap::new(), true);
        assert!(missing.unwrap_err().contains("/no/such: No such file"));
    }
}
