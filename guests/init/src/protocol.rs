// SPDX-License-Identifier: MIT OR Apache-2.0
//! The words between the host and this program: one JSON object a line.

use std::collections::BTreeMap;
use std::fs;
use std::thread;

use serde::{Deserialize, Serialize};

use crate::processes::Process;
use crate::stub::Memory;

/// Name of the virtio-serial port.
pub(crate) const PORT: &str = "repro.agent";

/// What the host asks for.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Request {
    /// Load the capture kernel.
    Arm {
        /// `file` (`kexec_file_load`), `memory` (`kexec_load`), or `stub` (the crash stub instead of a
        /// capture kernel).
        method: String,
        /// Its command line.
        command_line: String,
    },
    /// Set a kernel parameter.
    Sysctl {
        /// Name with dots.
        name: String,
        /// The value.
        value: String,
    },
    /// Load a module.
    Load {
        /// Path of the file.
        path: String,
        /// Parameters, as insmod(8) takes them.
        #[serde(default)]
        parameters: String,
    },
    /// Unload a module.
    Unload {
        /// Its name in the kernel.
        name: String,
    },
    /// Start the trigger.
    Trigger {
        /// Program and arguments.
        argv: Vec<String>,
        /// Variables added to its environment.
        #[serde(default)]
        environment: BTreeMap<String, String>,
    },
    /// Unpack a cpio archive from a disk into the root file system.
    Unpack {
        /// The disk's serial number.
        disk: String,
    },
    /// Stir the kernel's random numbers: this guest is a copy of one that others are copies of.
    Seed {
        /// Fresh random bytes, in hexadecimal digits.
        bytes: String,
    },
    /// Answer, if this kernel still runs programs.
    Alive,
    /// Tell what the processes besides this one do, and which CPUs do nothing.
    Processes {
        /// Whether those that sleep and can be woken are asked to stop as well.
        #[serde(default)]
        sleepers: bool,
    },
    /// Print the kernel log on the console.
    Log,
    /// Switch the machine off.
    Poweroff,
}

impl Request {
    /// The name that the answer repeats.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Arm { .. } => "arm",
            Self::Sysctl { .. } => "sysctl",
            Self::Load { .. } => "load",
            Self::Unload { .. } => "unload",
            Self::Trigger { .. } => "trigger",
            Self::Unpack { .. } => "unpack",
            Self::Seed { .. } => "seed",
            Self::Alive => "alive",
            Self::Processes { .. } => "processes",
            Self::Log => "log",
            Self::Poweroff => "poweroff",
        }
    }

    /// Reads a line of the port.
    ///
    /// # Errors
    /// It is no request; the answer to give.
    pub(crate) fn parse(line: &str) -> Result<Self, Event> {
        serde_json::from_str(line).map_err(|error| Event::Failed {
            command: verb(line).unwrap_or_else(|| "?".to_owned()),
            message: format!("not a request: {error}"),
        })
    }
}

/// The verb of a request that is wrong otherwise.
fn verb(line: &str) -> Option<String> {
    let object: serde_json::Value = serde_json::from_str(line).ok()?;
    Some(object.get("do")?.as_str()?.to_owned())
}

/// Which of the two kernels this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Stage {
    /// The kernel under test.
    First,
    /// The one that saves its memory.
    Capture,
}

impl Stage {
    /// For the console.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Capture => "capture",
        }
    }
}

/// What this program says.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub(crate) enum Event {
    /// The first word of each kernel.
    Hello {
        /// Which kernel.
        stage: Stage,
        /// `uname -r`.
        kernel: String,
        /// CPUs online.
        cpus: usize,
        /// Milliseconds since this kernel's start.
        uptime_ms: u64,
    },
    /// A request is done; a trigger is started.
    Done {
        /// Name of the request.
        command: String,
        /// Milliseconds it took.
        took_ms: u64,
        /// More about it.
        #[serde(skip_serializing_if = "Option::is_none")]
        detail: Option<String>,
        /// What the host must know of the memory, once the crash stub is loaded.
        #[serde(skip_serializing_if = "Option::is_none")]
        memory: Option<Box<Memory>>,
    },
    /// A request, or a step of the capture, failed.
    Failed {
        /// Name of the request or step.
        command: String,
        /// What failed and why.
        message: String,
    },
    /// The trigger ended.
    TriggerExit {
        /// Exit status, if it ended by itself.
        #[serde(skip_serializing_if = "Option::is_none")]
        status: Option<i32>,
        /// Signal, if one ended it.
        #[serde(skip_serializing_if = "Option::is_none")]
        signal: Option<i32>,
    },
    /// This kernel runs programs.
    Alive,
    /// What the processes besides this one do.
    Processes {
        /// Those of user space, threads of their own for each.
        processes: Vec<Process>,
        /// How many more there are.
        more: usize,
        /// CPUs that do not run what they are given.
        silent_cpus: Vec<usize>,
    },
    /// The memory is on its disk.
    Captured {
        /// Bytes of kernel log on the other disk; 0 when there are none.
        dmesg_bytes: u64,
    },
    /// Anything worth telling.
    Note {
        /// In words.
        message: String,
    },
}

impl Event {
    /// The greeting of the running kernel.
    pub(crate) fn hello(stage: Stage) -> Self {
        Self::Hello {
            stage,
            kernel: rustix::system::uname().release().to_string_lossy().into_owned(),
            cpus: thread::available_parallelism().map_or(1, usize::from),
            uptime_ms: fs::read_to_string("/proc/uptime")
                .ok()
                .and_then(|text| uptime_ms(&text))
                .unwrap_or_default(),
        }
    }

    /// One line, with its end.
    pub(crate) fn to_line(&self) -> Vec<u8> {
        let mut line =
            serde_json::to_vec(self).expect("text and numbers can always be written as JSON");
        line.push(b'\n');
        line
    }
}

/// Milliseconds in `/proc/uptime`, whose first word is seconds with two decimals.
fn uptime_ms(text: &str) -> Option<u64> {
    let (seconds, hundredths) = text.split_whitespace().next()?.split_once('.')?;
    let hundredths: u64 = hundredths.parse().ok()?;
    seconds.parse::<u64>().ok()?.checked_mul(1000)?.checked_add(hundredths.checked_mul(10)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(event: &Event) -> String {
        String::from_utf8(event.to_line()).unwrap()
    }

    #[test]
    fn requests_are_read_as_the_host_writes_them() {
        assert_eq!(
            Request::parse(r#"{"do":"load","path":"/case/a.ko","parameters":"x=1"}"#),
            Ok(Request::Load { path: "/case/a.ko".into(), parameters: "x=1".into() })
        );
        assert_eq!(
            Request::parse(
                r#"{"do":"trigger","argv":["/bin/sh","-c","a b"],"environment":{"K":"v"}}"#
            ),
            Ok(Request::Trigger {
                argv: vec!["/bin/sh".into(), "-c".into(), "a b".into()],
                environment: BTreeMap::from([("K".into(), "v".into())]),
            })
        );
        assert_eq!(
            Request::parse(r#"{"do":"sysctl","name":"kernel.panic_on_oops","value":"1"}"#),
            Ok(Request::Sysctl { name: "kernel.panic_on_oops".into(), value: "1".into() })
        );
        assert_eq!(
            Request::parse(r#"{"do":"unload","name":"a"}"#),
            Ok(Request::Unload { name: "a".into() })
        );
        assert_eq!(Request::parse(r#"{"do":"poweroff"}"#), Ok(Request::Poweroff));
    }

    #[test]
    fn a_wrong_request_is_answered_by_its_own_name() {
        let Err(Event::Failed { command, message }) = Request::parse(r#"{"do":"arm"}"#) else {
            panic!("accepted")
        };
        assert_eq!(command, "arm");
        assert!(message.contains("method"), "{message}");
    }

    #[test]
    fn what_is_no_request_at_all_is_answered_too() {
        for bad in ["", "load", "[]", "{}", r#"{"do":7}"#, "\u{0}", r#"{"do":"dance"}"#] {
            let Err(Event::Failed { command, message }) = Request::parse(bad) else {
                panic!("{bad} accepted")
            };
            assert!(command == "?" || command == "dance", "{command}");
            assert!(message.starts_with("not a request: "), "{message}");
        }
    }

    #[test]
    fn events_are_single_lines_in_the_agreed_words() {
        let done = Event::Done { command: "arm".into(), took_ms: 3, detail: None, memory: None };
        assert_eq!(line(&done), "{\"event\":\"done\",\"command\":\"arm\",\"took_ms\":3}\n");
        let memory = Memory::example();
        let done = Event::Done {
            command: "arm".into(),
            took_ms: 3,
            detail: None,
            memory: Some(Box::new(memory)),
        };
        assert_eq!(
            line(&done),
            "{\"event\":\"done\",\"command\":\"arm\",\"took_ms\":3,\"memory\":{\"ram\":[[4096,\
             8192]],\"crash\":[0,0],\"notes\":[],\"vmcoreinfo\":[0,0],\"stub\":4096}}\n"
        );
        let exit = Event::TriggerExit { status: None, signal: Some(9) };
        assert_eq!(line(&exit), "{\"event\":\"trigger-exit\",\"signal\":9}\n");
        let hello =
            Event::Hello { stage: Stage::Capture, kernel: "6.1.0".into(), cpus: 1, uptime_ms: 10 };
        assert_eq!(
            line(&hello),
            "{\"event\":\"hello\",\"stage\":\"capture\",\"kernel\":\"6.1.0\",\"cpus\":1,\
             \"uptime_ms\":10}\n"
        );
        let note = Event::Note { message: "two\nlines".into() };
        assert_eq!(line(&note).matches('\n').count(), 1);
    }

    #[test]
    fn uptime_is_in_milliseconds() {
        assert_eq!(uptime_ms("3.27 5.01\n"), Some(3270));
        assert_eq!(uptime_ms("0.05 0.00"), Some(50));
        assert_eq!(uptime_ms("x"), None);
        assert_eq!(uptime_ms("99999999999999999999.00 0"), None);
    }
}
