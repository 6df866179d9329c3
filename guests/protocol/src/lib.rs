// SPDX-License-Identifier: MIT OR Apache-2.0
//! The words between the host and PID 1 of a guest: JSON lines over the port `repro.agent`. Both sides
//! are built from this.
#![forbid(unsafe_code)]

mod exec_path;
mod modules;

use std::collections::BTreeMap;

pub use modules::{
    BLOCK, CASE_MODULES, MODULES_DISK, ModuleEntry, ModuleIndex, ModulePlace, disk_head, in_blocks,
    index_bytes, kernel_name,
};

use serde::{Deserialize, Serialize};

pub use exec_path::{ExecEnd, ExecPath, ExecStep};

/// Name of the virtio-serial port.
pub const PORT: &str = "repro.agent";

/// Serial number of the disk that the vmcore is written to.
pub const VMCORE_DISK: &str = "vmcore";

/// Serial number of the disk that the dump's kernel log is written to.
pub const DMESG_DISK: &str = "dmesg";

/// Serial number of the disk with a case's files, for a guest that was started without them.
pub const CASE_DISK: &str = "case";

/// What the host asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Request {
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
        /// Name with dots, as sysctl(8) takes it.
        name: String,
        /// The value.
        value: String,
    },
    /// Load a module.
    Load {
        /// Path in the guest.
        path: String,
        /// Module parameters, as insmod(8) takes them.
        #[serde(default)]
        parameters: String,
    },
    /// Load a module of the guest's kernel and all it depends on.
    Modprobe {
        /// Its name.
        name: String,
        /// Its parameters, as insmod(8) takes them.
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
        /// Whether it tells of its steps: its standard input is a socket then, on which it writes
        /// each [`Message`] as a line and reads a byte once the host has it.
        #[serde(default)]
        tells: bool,
    },
    /// Unpack the cpio archive of a disk into the root file system.
    Unpack {
        /// The disk's serial number.
        disk: String,
    },
    /// Stir the kernel's random numbers: this guest is a copy of one that others are copies of.
    Seed {
        /// Fresh random bytes, in hexadecimal digits.
        bytes: String,
    },
    /// Answer, if the kernel still runs programs.
    Alive,
    /// Tell what the processes of the guest do, and which CPUs do nothing.
    Processes {
        /// Whether those that sleep and can be woken are asked to stop as well: only where the
        /// guest ends afterwards.
        #[serde(default)]
        sleepers: bool,
    },
    /// Send the kernel log to the console.
    Log,
    /// Switch the guest off.
    Poweroff,
}

impl Request {
    /// The name that the guest's answer repeats.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Arm { .. } => "arm",
            Self::Sysctl { .. } => "sysctl",
            Self::Load { .. } => "load",
            Self::Modprobe { .. } => "modprobe",
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
    pub fn parse(line: &str) -> Result<Self, Message> {
        serde_json::from_str(line).map_err(|error| Message::Failed {
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

/// Which of the two kernels speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// The kernel under test.
    First,
    /// The capture kernel.
    Capture,
}

impl Stage {
    /// For the console.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Capture => "capture",
        }
    }
}

/// What the guest says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Message {
    /// The first word of each kernel's PID 1.
    Hello {
        /// Which kernel.
        stage: Stage,
        /// `uname -r`.
        kernel: String,
        /// CPUs online.
        #[serde(default)]
        cpus: u32,
        /// Milliseconds since that kernel's start.
        #[serde(default)]
        uptime_ms: u64,
    },
    /// A request is done.
    Done {
        /// Name of the request.
        command: String,
        /// Milliseconds it took.
        #[serde(default)]
        took_ms: u64,
        /// More about it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        detail: Option<String>,
        /// Where things are in memory, once the crash stub is loaded.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        memory: Option<Box<Memory>>,
    },
    /// A request failed.
    Failed {
        /// Name of the request; in the capture kernel the step that failed.
        command: String,
        /// What failed and why.
        message: String,
    },
    /// The trigger ended.
    TriggerExit {
        /// Exit status, if it ended by itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        status: Option<i32>,
        /// Signal, if one ended it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        signal: Option<i32>,
    },
    /// A step of the trigger begins; nothing of it was done before the host has this.
    ExecBegins(ExecStep),
    /// A step of the trigger is over.
    ExecEnds {
        /// Which one.
        step: ExecStep,
        /// What came of it.
        end: ExecEnd,
    },
    /// The kernel runs programs.
    Alive,
    /// What the processes of the guest do, those that the kernel holds first.
    Processes {
        /// Threads of user space.
        processes: Vec<Process>,
        /// How many more there are.
        #[serde(default)]
        more: u64,
        /// CPUs that do not run what they are given.
        #[serde(default)]
        silent_cpus: Vec<u32>,
    },
    /// The vmcore is on its disk.
    Captured {
        /// Size of the kernel log on its disk; 0 when there is none.
        #[serde(default)]
        dmesg_bytes: u64,
    },
    /// Anything worth telling.
    Note {
        /// In words.
        message: String,
    },
}

impl Message {
    /// A request is done, and there is no more to say about it.
    #[must_use]
    pub fn done(command: impl Into<String>) -> Self {
        Self::Done { command: command.into(), took_ms: 0, detail: None, memory: None }
    }

    /// One line, with its end.
    #[must_use]
    pub fn to_line(&self) -> Vec<u8> {
        let mut line =
            serde_json::to_vec(self).expect("text and numbers can always be written as JSON");
        line.push(b'\n');
        line
    }
}

/// A thread in the guest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// Its process.
    pub pid: i32,
    /// Itself.
    pub tid: i32,
    /// Its command's name.
    pub comm: String,
    /// The letter of ps(1): R, S, D, T, …
    pub state: char,
    /// The function of the kernel that it waits in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// Whether the kernel does not let go of it: it sleeps where no signal reaches it, or runs and
    /// never comes back to its own code.
    pub held: bool,
}

/// Where things are in the guest's physical memory; ends are exclusive. Only the kernel that is
/// still running can tell.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// System RAM, start and end, what is kept for a capture kernel included.
    pub ram: Vec<(u64, u64)>,
    /// What is kept for a capture kernel, start and end.
    pub crash: (u64, u64),
    /// Each CPU's notes, address and size.
    pub notes: Vec<(u64, u64)>,
    /// The note with VMCOREINFO, address and size.
    pub vmcoreinfo: (u64, u64),
    /// The kernel's text, virtual and physical address, where the kernel shows both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<(u64, u64)>,
    /// The crash stub's page.
    pub stub: u64,
}

/// Reads one line of the port.
///
/// # Errors
/// It is not a message; the text says what it is.
pub fn parse(line: &str) -> Result<Message, String> {
    serde_json::from_str(line).map_err(|error| format!("{error}: {line}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_read_as_the_guest_writes_them() {
        let hello = parse(
            r#"{"event":"hello","kernel":"6.1.0-44-cloud-amd64","cpus":2,"stage":"capture","uptime_ms":812}"#,
        );
        assert_eq!(
            hello,
            Ok(Message::Hello {
                stage: Stage::Capture,
                kernel: "6.1.0-44-cloud-amd64".into(),
                cpus: 2,
                uptime_ms: 812
            })
        );
        assert_eq!(
            parse(r#"{"event":"trigger-exit","signal":11}"#),
            Ok(Message::TriggerExit { status: None, signal: Some(11) })
        );
        assert_eq!(
            parse(r#"{"event":"done","command":"arm","extra":1}"#),
            Ok(Message::Done { command: "arm".into(), took_ms: 0, detail: None, memory: None }),
            "details of an answer may be added"
        );
        let done = r#"{"event":"done","command":"arm","took_ms":3,"memory":{"ram":[[4096,8192]],"crash":[4096,8192],"notes":[[8,360]],"vmcoreinfo":[16,4096],"stub":4096}}"#;
        let memory = Memory {
            ram: vec![(4096, 8192)],
            crash: (4096, 8192),
            notes: vec![(8, 360)],
            vmcoreinfo: (16, 4096),
            text: None,
            stub: 4096,
        };
        let memory = Some(Box::new(memory));
        assert_eq!(
            parse(done),
            Ok(Message::Done { command: "arm".into(), took_ms: 3, detail: None, memory })
        );
        assert!(parse("Segmentation fault").is_err());
        assert!(parse(r#"{"event":"dance"}"#).is_err());
    }

    #[test]
    fn requests_are_one_line_with_the_verb_first() {
        let request = Request::Load { path: "/case/a.ko".into(), parameters: "x=1".into() };
        assert_eq!(
            serde_json::to_string(&request).unwrap(),
            r#"{"do":"load","path":"/case/a.ko","parameters":"x=1"}"#
        );
    }

    fn line(message: &Message) -> String {
        String::from_utf8(message.to_line()).unwrap()
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
                tells: false,
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
        let Err(Message::Failed { command, message }) = Request::parse(r#"{"do":"arm"}"#) else {
            panic!("accepted")
        };
        assert_eq!(command, "arm");
        assert!(message.contains("method"), "{message}");
    }

    #[test]
    fn what_is_no_request_at_all_is_answered_too() {
        for bad in ["", "load", "[]", "{}", r#"{"do":7}"#, "\u{0}", r#"{"do":"dance"}"#] {
            let Err(Message::Failed { command, message }) = Request::parse(bad) else {
                panic!("{bad} accepted")
            };
            assert!(command == "?" || command == "dance", "{command}");
            assert!(message.starts_with("not a request: "), "{message}");
        }
    }

    #[test]
    fn events_are_single_lines_in_the_agreed_words() {
        let done = Message::Done { command: "arm".into(), took_ms: 3, detail: None, memory: None };
        assert_eq!(line(&done), "{\"event\":\"done\",\"command\":\"arm\",\"took_ms\":3}\n");
        let memory = Memory { ram: vec![(4096, 8192)], stub: 4096, ..Memory::default() };
        let done = Message::Done {
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
        let exit = Message::TriggerExit { status: None, signal: Some(9) };
        assert_eq!(line(&exit), "{\"event\":\"trigger-exit\",\"signal\":9}\n");
        let hello = Message::Hello {
            stage: Stage::Capture,
            kernel: "6.1.0".into(),
            cpus: 1,
            uptime_ms: 10,
        };
        assert_eq!(
            line(&hello),
            "{\"event\":\"hello\",\"stage\":\"capture\",\"kernel\":\"6.1.0\",\"cpus\":1,\
             \"uptime_ms\":10}\n"
        );
        let step = ExecStep { path: ExecPath::Memfd, number: 2, of: 3, seed: None };
        assert_eq!(
            line(&Message::ExecBegins(step)),
            "{\"event\":\"exec-begins\",\"path\":\"memfd\",\"number\":2,\"of\":3}\n"
        );
        assert_eq!(
            line(&Message::ExecEnds { step, end: ExecEnd::Skipped { why: "x".into() } }),
            "{\"event\":\"exec-ends\",\"step\":{\"path\":\"memfd\",\"number\":2,\"of\":3},\
             \"end\":{\"how\":\"skipped\",\"why\":\"x\"}}\n"
        );
        let note = Message::Note { message: "two\nlines".into() };
        assert_eq!(line(&note).matches('\n').count(), 1);
    }
}
