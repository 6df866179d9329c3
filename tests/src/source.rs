// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a case says about itself, read without the harness: the marked line of its source and
//! `[expect]` of its manifest.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

/// The comment that marks the line at fault.
const MARKER: &str = "/* BUG:";

/// The marked line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marked {
    /// Name of the source file, without its folder.
    pub file: String,
    /// Line, from 1.
    pub line: u64,
}

/// The one marked line in a case's C files.
///
/// # Errors
/// There is none or more than one, or a file cannot be read.
pub fn marked(case: &Path) -> Result<Marked> {
    let mut found = Vec::new();
    for file in c_files(case)? {
        let text = fs::read_to_string(&file).with_context(|| format!("read {}", file.display()))?;
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let lines = (1..).zip(text.lines()).filter(|(_, text)| text.contains(MARKER));
        found.extend(lines.map(|(line, _)| Marked { file: name.clone(), line }));
    }
    match <[Marked; 1]>::try_from(found) {
        Ok([marked]) => Ok(marked),
        Err(found) => bail!("{} lines of {} are marked {MARKER}", found.len(), case.display()),
    }
}

fn c_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let entries = fs::read_dir(folder).with_context(|| format!("read {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(c_files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "c" || extension == "h") {
            files.push(path);
        }
    }
    Ok(files)
}

/// `[expect]` of a case on a guest, as plain data: `[guest.<name>.expect]` wins key by key.
///
/// # Errors
/// The manifest cannot be read.
pub fn expected(case: &Path, guest: &str) -> Result<toml::Table> {
    let path = case.join("case.toml");
    let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
    let manifest: toml::Table = text.parse().with_context(|| format!("read {}", path.display()))?;
    let mut expect = manifest
        .get("expect")
        .and_then(toml::Value::as_table)
        .with_context(|| format!("{} has no [expect]", path.display()))?
        .clone();
    let own = manifest.get("guest").and_then(|guests| guests.get(guest)?.get("expect")?.as_table());
    for (key, value) in own.into_iter().flatten() {
        expect.insert(key.clone(), value.clone());
    }
    Ok(expect)
}
