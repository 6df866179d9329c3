// SPDX-License-Identifier: MIT OR Apache-2.0
//! The capture kernel: the crashed kernel's log and memory to their disks.
//!
//! Memory is scarce here, and nobody may be listening: every step goes on without the host.

use std::env;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::console::say;
use crate::disk::disk;
use crate::hello::hello;
use crate::port::{Port, tell};
use crate::{VMCORE, sysctl};
use protocol::{Message, Stage};

const MAKEDUMPFILE: &str = "/bin/makedumpfile";
/// The dump level that kdump's own configuration uses.
const DUMP_LEVEL: &str = "31";
/// Another dump level, on the kernel's command line as the setting below.
const LEVEL_SETTING: &str = "REPRO_VMCORE_LEVEL";
/// The compression that kdump's own configuration uses.
const COMPRESSION: &str = "-l";
/// Set to `none` on the kernel's command line, which hands it on to PID 1, where compressing costs
/// more than it saves: an emulated processor.
const COMPRESSION_SETTING: &str = "REPRO_VMCORE_COMPRESSION";
/// Common messages, errors and the report; no progress, which is a line for each per cent.
const MESSAGES: [&str; 2] = ["--message-level", "22"];
const LOG_FILE: &str = "/tmp/dmesg";
/// Serial numbers of the disks.
const VMCORE_DISK: &str = "vmcore";
const LOG_DISK: &str = "dmesg";

/// How long the port, and a host that should listen, may take: the dump matters more.
const PORT_LIMIT: Duration = Duration::from_secs(2);
const HOST_LIMIT: Duration = Duration::from_secs(2);

/// Saves everything there is and tells the host.
pub(crate) fn run(troubles: &[String]) {
    let mut port = Port::open(PORT_LIMIT).map_err(|message| say!("{message}")).ok();
    tell(port.as_mut(), &hello(Stage::Capture), HOST_LIMIT);
    for message in troubles {
        tell(port.as_mut(), &Message::Note { message: message.clone() }, HOST_LIMIT);
    }
    // Let the page cache take most of what is written before the writer has to wait for the disk.
    for (name, value) in [("vm.dirty_background_ratio", "5"), ("vm.dirty_ratio", "80")] {
        if let Err(message) = sysctl::set(name, value) {
            say!("{message}");
        }
    }
    // The log first: it is small, and what is written is there even if the memory does not fit.
    let dmesg_bytes = save_log().unwrap_or_else(|message| {
        tell(port.as_mut(), &Message::Failed { command: "dmesg".into(), message }, HOST_LIMIT);
        0
    });
    let event = match save_memory() {
        Ok(()) => Message::Captured { dmesg_bytes },
        Err(message) => Message::Failed { command: "vmcore".into(), message },
    };
    tell(port.as_mut(), &event, HOST_LIMIT);
}

/// Copies the log out of the dead kernel's memory; its bytes.
fn save_log() -> Result<u64, String> {
    let start = Instant::now();
    makedumpfile(&["-f", "--dump-dmesg", VMCORE, LOG_FILE])?;
    let disk = disk(LOG_DISK)?;
    let copy = || -> io::Result<u64> {
        let mut to = OpenOptions::new().write(true).open(&disk)?;
        let bytes = io::copy(&mut File::open(LOG_FILE)?, &mut to)?;
        to.sync_all()?;
        Ok(bytes)
    };
    let bytes = copy().map_err(|error| format!("cannot write {}: {error}", disk.display()))?;
    // It took room that the dump can use.
    let _ = fs::remove_file(LOG_FILE);
    say!("kernel log saved in {} ms, {bytes} bytes", start.elapsed().as_millis());
    Ok(bytes)
}

/// Dumps the dead kernel's memory onto its disk.
fn save_memory() -> Result<(), String> {
    let start = Instant::now();
    let disk = disk(VMCORE_DISK)?;
    let path = disk.to_str().ok_or_else(|| format!("{} is no name", disk.display()))?;
    let level = env::var(LEVEL_SETTING).unwrap_or_else(|_| DUMP_LEVEL.to_owned());
    let mut arguments = vec!["-d", level.as_str(), "-f"];
    if env::var(COMPRESSION_SETTING).as_deref() != Ok("none") {
        arguments.push(COMPRESSION);
    }
    arguments.extend([VMCORE, path]);
    makedumpfile(&arguments)?;
    let sync = File::open(&disk).and_then(|file| file.sync_all());
    sync.map_err(|error| format!("cannot write {path} to its end: {error}"))?;
    say!("memory saved in {} ms", start.elapsed().as_millis());
    Ok(())
}

fn makedumpfile(arguments: &[&str]) -> Result<(), String> {
    let output = Command::new(MAKEDUMPFILE)
        .args(MESSAGES)
        .args(arguments)
        .env("TMPDIR", "/tmp")
        .output()
        .map_err(|error| format!("cannot run {MAKEDUMPFILE}: {error}"))?;
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    for line in said.lines().filter(|line| !line.trim().is_empty()) {
        say!("makedumpfile: {line}");
    }
    if output.status.success() {
        return Ok(());
    }
    Err(format!("makedumpfile ended with {}: {}", output.status, last_words(&said)))
}

/// The last two lines that say something.
fn last_words(said: &str) -> String {
    let lines: Vec<&str> = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let from = lines.len().saturating_sub(2);
    lines.get(from..).unwrap_or_default().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_words_are_the_last_two_lines() {
        assert_eq!(last_words("a\n\nb \n c\n\n"), "b; c");
        assert_eq!(last_words("only"), "only");
        assert_eq!(last_words("\n"), "");
    }
}
