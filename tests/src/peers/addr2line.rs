// SPDX-License-Identifier: MIT OR Apache-2.0
//! binutils' `addr2line -i`: functions and lines of addresses in one file.

use std::ffi::OsString;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};

use super::setup;

/// A function at a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Function.
    pub function: String,
    /// Source file.
    pub file: String,
    /// Line.
    pub line: Option<u32>,
}

/// The functions at an address, innermost first. With a section the address counts from its start.
///
/// # Errors
/// The program cannot be had, or it fails.
pub fn ask(file: &Path, section: Option<&str>, address: u64) -> Result<Vec<Place>> {
    let program = setup::program("addr2line", "binutils")?;
    let mut words: Vec<OsString> = vec!["-i".into(), "-f".into(), "-e".into(), file.into()];
    words.extend(section.map(|section| format!("--section={section}").into()));
    words.push(format!("{address:#x}").into());
    let output = duct::cmd(program, words)
        .stdout_capture()
        .stderr_capture()
        .unchecked()
        .run()
        .context("start addr2line")?;
    ensure!(output.status.success(), "addr2line: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout);
    let lines: Vec<&str> = text.lines().collect();
    Ok(lines.chunks(2).filter_map(place).collect())
}

/// `bprm_execve` and `fs/exec.c:1849`, or `fs/exec.c:1849 (discriminator 3)`.
fn place(lines: &[&str]) -> Option<Place> {
    let [function, place] = lines else { return None };
    let (file, line) = place.rsplit_once(':')?;
    let line = line.split_whitespace().next()?.parse().ok();
    Some(Place { function: (*function).to_owned(), file: file.to_owned(), line })
}
