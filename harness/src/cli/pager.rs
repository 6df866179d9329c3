// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is longer than the terminal, by the user's pager.

use std::io::{self, IsTerminal as _};

use anstream::adapter::strip_str;

use super::options;
use crate::error::Failure;
use crate::exit::Exit;

/// The pager of who names none.
const PAGER: &str = "less -FRX";
/// Rows of a terminal that does not say how many it has.
const ROWS: u16 = 24;

/// Shows text that holds only what it should: by the pager where a terminal is too low for it.
pub(super) fn show(text: &str) -> Result<(), Failure> {
    if io::stdout().is_terminal() && text.lines().count() >= usize::from(rows()) {
        return page(text);
    }
    options::print_made(text)
}

/// Shows text by the user's pager; without one all at once.
fn page(text: &str) -> Result<(), Failure> {
    let pager = std::env::var("PAGER").ok().filter(|pager| !pager.is_empty());
    let pager = pager.unwrap_or_else(|| PAGER.to_owned());
    let program = pager.split_whitespace().next().unwrap_or_default();
    let there = std::env::var_os("PATH").is_some_and(|path| {
        std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
    });
    if !there {
        return options::print_made(text);
    }
    match anstream::AutoStream::choice(&io::stdout()) {
        anstream::ColorChoice::Never => pipe(&strip_str(text).to_string(), &pager),
        _ => pipe(text, &pager),
    }
}

/// With which a shell ends that does not find a program (sh(1), "Exit status").
const NOT_FOUND: i32 = 127;

/// Hands text to a command of the shell, which writes where we do.
pub(super) fn pipe(text: &str, command: &str) -> Result<(), Failure> {
    let status = duct::cmd("sh", ["-c", command]).stdin_bytes(text).unchecked().run();
    let failed = |error: std::io::Error| {
        Failure::new(Exit::Usage, format!("cannot run `{command}`")).caused_by(&error)
    };
    // `head` and `less` stop reading when they have seen enough.
    match status {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        Ok(output) if output.status.code() == Some(NOT_FOUND) => {
            Err(Failure::new(Exit::Usage, format!("the shell does not find `{command}`")))
        }
        other => other.map(|_| ()).map_err(failed),
    }
}

fn rows() -> u16 {
    let size = rustix::termios::tcgetwinsize(io::stdout());
    size.map_or(ROWS, |size| size.ws_row).max(2)
}
