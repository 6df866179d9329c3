// SPDX-License-Identifier: MIT OR Apache-2.0
//! Starting of helper programs that do not outlive this process.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};

use crate::tie_to_parent;

/// How often a running program's caller is asked whether to go on.
const POLL: Duration = Duration::from_millis(100);

/// A program on the search path.
#[must_use]
pub fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    // A user's search path lacks the folders of the administrator's programs.
    let more = ["/usr/sbin", "/sbin"].map(PathBuf::from);
    std::env::split_paths(&path)
        .chain(more)
        .map(|folder| folder.join(program))
        .find(|path| is_program(path))
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

/// A program that the kernel ends with the thread that started it, however that ends.
pub fn tied<A: Into<OsString>>(
    program: impl duct::IntoExecutablePath,
    arguments: impl IntoIterator<Item = A>,
) -> duct::Expression {
    duct::cmd(program, arguments)
        // Its messages are read by us and shown to people: in one language.
        .env("LC_ALL", "C.UTF-8")
        .stdin_null()
        .before_spawn(|command| {
            // A group of its own, so that its own children can be ended with it.
            tie_to_parent(command, Signal::KILL).process_group(0);
            Ok(())
        })
}

/// Runs to the end, asking `go_on` now and then; `None` when it says no and the program is killed.
pub fn wait(
    expression: &duct::Expression,
    mut go_on: impl FnMut() -> bool,
) -> io::Result<Option<Output>> {
    let handle = expression.unchecked().start()?;
    while handle.wait_timeout(POLL)?.is_none() {
        if !go_on() {
            for group in handle.pids().into_iter().filter_map(|pid| i32::try_from(pid).ok()) {
                // It may just have ended by itself.
                let _ = Pid::from_raw(group).map(|pid| kill_process_group(pid, Signal::KILL));
            }
            handle.kill()?;
            return Ok(None);
        }
    }
    handle.into_output().map(Some)
}

/// The last lines of a program's output, for an error.
pub fn tail(output: &[u8], lines: usize) -> String {
    let text = String::from_utf8_lossy(output);
    let all: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

/// What a program prints for `argument` (`--version`), without the last line's end.
pub fn answer(program: &Path, argument: &str) -> Option<String> {
    let output = tied(program, [argument]).stderr_null().read().ok()?;
    Some(output.trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_is_told_to_stop_is_gone_with_its_children() {
        let folder = tempfile::tempdir().unwrap();
        let fifo = folder.path().join("fifo");
        duct::cmd!("mkfifo", &fifo).run().unwrap();
        // Both hold the fifo open; once it can be read to its end, both are gone.
        let script = "exec 3>\"$0\"; sleep 600 & sleep 600";
        let words = ["-c".into(), script.into(), fifo.clone().into_os_string()];
        let program = tied("sh", words);
        let reader = std::thread::spawn(move || std::fs::read(fifo));
        let mut left = 5;
        let output = wait(&program, || {
            left -= 1;
            left > 0
        });
        assert!(output.unwrap().is_none());
        assert_eq!(reader.join().unwrap().unwrap(), b"");
    }

    #[test]
    fn output_and_status_of_a_failed_program_are_kept() {
        let failing = tied("sh", ["-c", "echo one; echo two >&2; exit 3"]);
        let output = wait(&failing.stdout_capture().stderr_capture(), || true).unwrap().unwrap();
        assert_eq!(output.status.code(), Some(3));
        assert_eq!((&output.stdout[..], &output.stderr[..]), (&b"one\n"[..], &b"two\n"[..]));
    }

    #[test]
    fn the_tail_has_the_last_lines_without_empty_ones() {
        assert_eq!(tail(b"a\n\nb\nc\n", 2), "b\nc");
        assert_eq!(tail(b"", 2), "");
    }

    #[test]
    fn a_program_is_found_and_a_folder_is_none() {
        assert!(find("sh").is_some());
        assert_eq!(find("no-such-program-at-all"), None);
    }
}
