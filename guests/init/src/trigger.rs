// SPDX-License-Identifier: MIT OR Apache-2.0
//! Child processes: the trigger, and orphans that PID 1 inherits.

use std::collections::BTreeMap;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use rustix::process::{Pid, WaitOptions, WaitStatus, wait};

use protocol::Message;

/// Where programs are looked for; the case's own come last, so that none hides one of the guest.
const PATH: &str = "/bin:/sbin:/usr/bin:/usr/sbin:/case";

/// The running trigger, if there is one.
#[derive(Debug, Default)]
pub(crate) struct Trigger {
    pid: Option<Pid>,
}

impl Trigger {
    /// Starts it.
    ///
    /// # Errors
    /// In words: nothing to run, no such program, one is running already.
    pub(crate) fn start(
        &mut self,
        argv: &[String],
        environment: &BTreeMap<String, String>,
    ) -> Result<String, String> {
        if let Some(pid) = self.pid {
            return Err(format!("a trigger is running already, as process {pid}"));
        }
        let (program, arguments) =
            argv.split_first().ok_or_else(|| "the trigger names no program".to_owned())?;
        let child = Command::new(program)
            .args(arguments)
            .env_clear()
            .envs([("PATH", PATH), ("HOME", "/"), ("TERM", "dumb")])
            .envs(environment)
            .current_dir("/")
            .stdin(Stdio::null())
            .process_group(0)
            .spawn()
            .map_err(|error| format!("cannot run {program}: {error}"))?;
        // It is waited for together with all other children, see `reap`.
        self.pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        Ok(format!("process {}", child.id()))
    }

    /// Whether one is running.
    pub(crate) const fn is_running(&self) -> bool {
        self.pid.is_some()
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
        trigger.start(&argv, &BTreeMap::from([("WHO".to_owned(), "me".to_owned())])).unwrap();
        assert!(trigger.start(&argv, &BTreeMap::new()).unwrap_err().contains("running already"));
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
        let nothing = Trigger::default().start(&[], &BTreeMap::new());
        assert!(nothing.unwrap_err().contains("no program"));
        let missing = Trigger::default().start(&["/no/such".to_owned()], &BTreeMap::new());
        assert!(missing.unwrap_err().contains("/no/such: No such file"));
    }
}
