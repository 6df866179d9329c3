// SPDX-License-Identifier: MIT OR Apache-2.0
//! QEMU's control protocol: JSON lines with a greeting, numbered commands and events.
//!
//! Written from QEMU's `docs/interop/qmp-spec`. Only what this program needs: no schema, commands
//! and events are JSON values with a name.

use serde_json::{Map, Value, json};

/// A command.
#[derive(Debug, Clone, PartialEq)]
pub struct Command {
    /// Its name.
    pub name: &'static str,
    /// Its arguments, an object.
    pub arguments: Value,
}

impl Command {
    /// A command without arguments.
    #[must_use]
    pub fn new(name: &'static str) -> Self {
        Self { name, arguments: Value::Object(Map::new()) }
    }

    /// Dumps the guest's physical memory as an ELF core into a file set that QEMU was given.
    ///
    /// Virtual addresses are left out: the analyzer walks page tables itself.
    #[must_use]
    pub fn dump_guest_memory(file_set: u32) -> Self {
        let target = format!("file:/dev/fdset/{file_set}");
        Self {
            name: "dump-guest-memory",
            arguments: json!({ "paging": false, "protocol": target, "format": "elf" }),
        }
    }

    /// Asks for the registers of all CPUs, as QEMU's monitor prints them.
    #[must_use]
    pub fn registers() -> Self {
        let arguments = json!({ "command-line": "info registers -a" });
        Self { name: "human-monitor-command", arguments }
    }

    /// Takes a descriptor that is sent along, under a name.
    #[must_use]
    pub fn take_descriptor(name: &str) -> Self {
        Self { name: "getfd", arguments: json!({ "fdname": name }) }
    }

    /// Makes a migration leave out memory that is in a file of its own, and tell when it is over.
    #[must_use]
    pub fn set_capabilities() -> Self {
        let on = |name: &str| json!({ "capability": name, "state": true });
        let both = [on("x-ignore-shared"), on("events")];
        Self { name: "migrate-set-capabilities", arguments: json!({ "capabilities": both }) }
    }

    /// Writes the machine's state to the descriptor with this name.
    #[must_use]
    pub fn migrate(descriptor: &str) -> Self {
        Self { name: "migrate", arguments: json!({ "uri": format!("fd:{descriptor}") }) }
    }

    /// Reads the machine's state from the descriptor with this name.
    #[must_use]
    pub fn migrate_incoming(descriptor: &str) -> Self {
        Self { name: "migrate-incoming", arguments: json!({ "uri": format!("fd:{descriptor}") }) }
    }

    /// The line to send.
    #[must_use]
    pub fn to_line(&self, id: u64) -> String {
        let mut line =
            json!({ "execute": self.name, "arguments": self.arguments, "id": id }).to_string();
        line.push('\n');
        line
    }
}

/// Why a command has no result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// QEMU refused it.
    #[error("QEMU refused {command}: {message}")]
    Refused {
        /// Name of the command.
        command: &'static str,
        /// What QEMU said.
        message: String,
    },
    /// No answer in time.
    #[error("no answer to {command} in time")]
    TimedOut {
        /// Name of the command.
        command: &'static str,
    },
    /// QEMU is gone.
    #[error("QEMU ended before it answered {command}")]
    Gone {
        /// Name of the command.
        command: &'static str,
    },
    /// The user asked to stop.
    #[error("interrupted while waiting for {command}")]
    Interrupted {
        /// Name of the command.
        command: &'static str,
    },
}

/// Something QEMU tells unasked.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Its name, in capitals.
    pub name: String,
    /// Its data; null if it has none.
    pub data: Value,
}

impl Event {
    /// Whether the guest's kernel told through pvpanic that it crashed.
    #[must_use]
    pub fn is_panic(&self) -> bool {
        matches!(self.name.as_str(), "GUEST_PANICKED" | "GUEST_CRASHLOADED")
    }

    /// Whether the guest closed the agent's port (a reset by the capture kernel does too).
    #[must_use]
    pub fn closes_agent(&self) -> bool {
        self.name == "VSERPORT_CHANGE" && self.data["open"] == false
    }

    /// The reason (`guest-shutdown`, `guest-reset`, `guest-panic`, `guest-suspend`) if the guest ended
    /// or went to sleep, so that the machine stands still.
    #[must_use]
    pub fn halts(&self) -> Option<String> {
        match self.name.as_str() {
            "SHUTDOWN" => Some(self.data["reason"].as_str().unwrap_or("unknown reason").to_owned()),
            "SUSPEND" | "SUSPEND_DISK" => Some("guest-suspend".to_owned()),
            _ => None,
        }
    }

    /// Whether a migration is over: whether it worked.
    #[must_use]
    pub fn migrated(&self) -> Option<bool> {
        if self.name != "MIGRATION" {
            return None;
        }
        match self.data["status"].as_str()? {
            "completed" => Some(true),
            "failed" | "cancelled" => Some(false),
            _ => None,
        }
    }

    /// The reason in words if QEMU could not read or write a disk.
    #[must_use]
    pub fn disk_error(&self) -> Option<String> {
        if self.name != "BLOCK_IO_ERROR" {
            return None;
        }
        let reason = self.data["reason"].as_str().unwrap_or("unknown reason");
        // QEMU tells a full disk by its flag only where it would stop the guest for it.
        let full = self.data["nospace"] == true || reason == "No space left on device";
        Some(if full { "no space left on device".into() } else { reason.to_owned() })
    }
}

/// A line that QEMU sent.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// The first line.
    Greeting {
        /// QEMU's version.
        version: String,
    },
    /// The answer to a command.
    Answer {
        /// Number of the command.
        id: Option<u64>,
        /// The result, or the text of the error.
        result: Result<Value, String>,
    },
    /// An event.
    Event(Event),
}

/// Reads a line; `None` if it is nothing the protocol knows.
#[must_use]
pub fn parse(line: &str) -> Option<Reply> {
    let value: Value = serde_json::from_str(line).ok()?;
    let id = value["id"].as_u64();
    if let Some(greeting) = value.get("QMP") {
        let number = |key: &str| greeting["version"]["qemu"][key].as_u64().unwrap_or(0);
        let version = format!("{}.{}.{}", number("major"), number("minor"), number("micro"));
        return Some(Reply::Greeting { version });
    }
    if let Some(result) = value.get("return") {
        return Some(Reply::Answer { id, result: Ok(result.clone()) });
    }
    if let Some(error) = value.get("error") {
        let text = error["desc"].as_str().unwrap_or("no description").to_owned();
        return Some(Reply::Answer { id, result: Err(text) });
    }
    let name = value.get("event")?.as_str()?.to_owned();
    Some(Reply::Event(Event { name, data: value["data"].clone() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn greeting_answers_and_events_are_told_apart() {
        let greeting = r#"{"QMP": {"version": {"qemu": {"micro": 22, "minor": 2, "major": 7}, "package": "Debian"}, "capabilities": ["oob"]}}"#;
        assert_eq!(parse(greeting), Some(Reply::Greeting { version: "7.2.22".into() }));
        assert_eq!(
            parse(r#"{"return": {}, "id": 4}"#),
            Some(Reply::Answer { id: Some(4), result: Ok(json!({})) })
        );
        let error = r#"{"id": 5, "error": {"class": "GenericError", "desc": "no room"}}"#;
        assert_eq!(
            parse(error),
            Some(Reply::Answer { id: Some(5), result: Err("no room".into()) })
        );
        let event = r#"{"timestamp": {"seconds": 1, "microseconds": 2}, "event": "GUEST_PANICKED", "data": {"action": "pause"}}"#;
        let Some(Reply::Event(event)) = parse(event) else { panic!("not an event") };
        assert!(event.is_panic());
        for noise in ["", "{", "[]", "{}", r#"{"event": 1}"#] {
            assert_eq!(parse(noise), None, "{noise}");
        }
    }

    #[test]
    fn a_full_disk_is_told_from_another_error_of_the_disk() {
        let event = |data| Event { name: "BLOCK_IO_ERROR".into(), data };
        let full = json!({"nospace": true, "reason": "No space left on device"});
        assert_eq!(event(full).disk_error().as_deref(), Some("no space left on device"));
        let other = json!({"nospace": false, "reason": "Input/output error"});
        assert_eq!(event(other).disk_error().as_deref(), Some("Input/output error"));
    }
}
