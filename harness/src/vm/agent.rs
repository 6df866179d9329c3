// SPDX-License-Identifier: MIT OR Apache-2.0
//! The words between the host and PID 1 of a guest: JSON lines over the port `repro.agent`.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use guest::shown;

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
#[serde(tag = "do", rename_all = "kebab-case")]
pub enum Request {
    /// Load the capture kernel.
    Arm {
        /// `file` (`kexec_file_load`), or `stub` (the crash stub instead).
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
        environment: BTreeMap<String, String>,
    },
    /// Unpack the cpio archive of a disk into the root file system.
    Unpack {
        /// The disk's serial number.
        disk: String,
    },
    /// Stir the kernel's random numbers.
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
        status: Option<i32>,
        /// Signal, if one ended it.
        signal: Option<i32>,
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
        /// Size of the vmcore, where the guest knows it.
        vmcore_bytes: Option<u64>,
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

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tid, comm, state, at, held, .. } = self;
        write!(f, "{} ({tid}) ", shown::field(comm))?;
        match state {
            'R' if *held => f.write_str("runs in the kernel and does not return from it")?,
            'R' => f.write_str("runs")?,
            'S' | 'D' | 'I' => f.write_str("sleeps")?,
            'T' | 't' => f.write_str("is stopped")?,
            other => write!(f, "is in state {other}")?,
        }
        if let Some(at) = at {
            write!(f, " in {}", shown::field(at))?;
        }
        if *held && *state != 'R' {
            f.write_str(" and takes no signal")?;
        }
        Ok(())
    }
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
    #[serde(default)]
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
            Ok(Message::Done { command: "arm".into(), memory: None }),
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
        assert_eq!(parse(done), Ok(Message::Done { command: "arm".into(), memory }));
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
}
