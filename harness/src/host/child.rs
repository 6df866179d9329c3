// SPDX-License-Identifier: MIT OR Apache-2.0
//! Starting of helper programs that do not outlive this process.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

/// How often a running program's caller is asked whether to go on.
const POLL: Duration = Duration::from_millis(100);

/// A program on the search path.
#[must_use]
pub fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    // A user's search path lacks the folders of the administrator's programs.
    let more = ["/usr/sbin", "/sbin"].map(PathBuf::from);
    std::env::split_paths(&path).chain(more).map(|folder| folder.join(program)).find(is_program)
}

fn is_program(path: &PathBuf) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

/// A program that the kernel ends with the thread that started it, however that ends.
///
/// util-linux' `setpriv` asks for it; where there is none the program just runs on.
pub(crate) fn tied<A: Into<OsString>>(
    program: &str,
    arguments: impl IntoIterator<Item = A>,
) -> duct::Expression {
    let arguments = arguments.into_iter().map(Into::into);
    let expression = match find("setpriv") {
        Some(setpriv) => {
            let words = ["--pdeathsig", "KILL", program].map(OsString::from);
            duct::cmd(setpriv, words.into_iter().chain(arguments))
        }
        None => duct::cmd(program, arguments),
    };
    // Its messages are read by us and shown to people: in one language.
    expression.env("LC_ALL", "C.UTF-8").stdin_null()
}

/// Runs to the end, asking `go_on` now and then; `None` when it says no and the program is killed.
pub(crate) fn wait(
    expression: &duct::Expression,
    mut go_on: impl FnMut() -> bool,
) -> io::Result<Option<Output>> {
    let handle = expression.unchecked().start()?;
    while handle.wait_timeout(POLL)?.is_none() {
        if !go_on() {
            handle.kill()?;
            return Ok(None);
        }
    }
    handle.into_output().map(Some)
}

/// The last lines of a program's output, for an error.
pub(crate) fn tail(output: &[u8], lines: usize) -> String {
    let text = String::from_utf8_lossy(output);
    let all: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

/// First line that a program prints when asked for its version.
pub(crate) fn version_line(program: &Path) -> Option<String> {
    let text = duct::cmd(program, ["--version"])
        .env("LC_ALL", "C.UTF-8")
        .stdin_null()
        .stderr_null()
        .read()
        .ok()?;
    text.lines().next().map(|line| line.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_is_told_to_stop_is_gone() {
        let started = std::time::Instant::now();
        let output = wait(&tied("sleep", ["600"]), || false).unwrap();
        assert!(output.is_none());
        assert!(started.elapsed() < Duration::from_secs(60));
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
