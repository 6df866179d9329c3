// SPDX-License-Identifier: MIT OR Apache-2.0
//! What each file starts with, how long it may be, and how its lines end.

use crate::{none, tree};

/// Files longer than this are too long for a reader.
const MOST_LINES: usize = 800;

const SOURCES: [&str; 9] = [".rs", ".sh", ".py", ".c", ".h", ".S", ".lds", ".yml", "/Kbuild"];

#[test]
fn files_start_with_their_licence() {
    let wrong: Vec<_> = tree::files()
        .into_iter()
        .filter(|path| needs_header(path))
        .filter(|path| {
            let text = tree::read(path);
            // A script's first line belongs to the kernel that starts it.
            let line = text.lines().find(|line| !line.starts_with("#!/")).unwrap_or_default();
            header(line) != Some(licence(path))
        })
        .collect();
    none(
        "the first line is not `SPDX-License-Identifier: …` with the licence of its place",
        &wrong,
    );
}

#[test]
fn files_are_short() {
    let long: Vec<_> = tree::files()
        .into_iter()
        .filter(|path| is_source(path))
        .map(|path| (tree::read(&path).lines().count(), path))
        .filter(|(lines, _)| *lines > MOST_LINES)
        .map(|(lines, path)| format!("{path}: {lines} lines"))
        .collect();
    none(&format!("more than {MOST_LINES} lines"), &long);
}

fn is_source(path: &str) -> bool {
    SOURCES.iter().any(|ending| path.ends_with(ending))
}

/// Sources, settings, manifests of guests and cases. Cargo's manifests name their licence in a key.
fn needs_header(path: &str) -> bool {
    is_source(path) || (path.ends_with(".toml") && !path.ends_with("Cargo.toml"))
}

/// In Rust rustfmt sees to that, but not in these.
#[test]
fn lines_end_clean() {
    let written_here = [".toml", ".sh", ".c", ".h", ".S", ".py", ".md", ".yml", "/Kbuild"];
    let mut wrong = Vec::new();
    for path in tree::files() {
        if !written_here.iter().any(|ending| path.ends_with(ending)) {
            continue;
        }
        let text = tree::read(&path);
        let blank = |line: &str| line.ends_with([' ', '\t', '\r']);
        let lines = text.split('\n').enumerate().filter(|(_, line)| blank(line));
        wrong.extend(lines.map(|(number, _)| format!("{path}:{}: blanks at the end", number + 1)));
        if !text.is_empty() && (!text.ends_with('\n') || text.ends_with("\n\n")) {
            wrong.push(format!("{path}: the file does not end with one line end"));
        }
    }
    none("line ends", &wrong);
}

/// Code that is loaded into a kernel, and what belongs to it, is GPL-2.0.
fn licence(path: &str) -> &'static str {
    let in_case = path.starts_with("modules/") && path.matches('/').count() >= 2;
    if in_case && !path.ends_with(".toml") { "GPL-2.0" } else { "MIT OR Apache-2.0" }
}

fn header(line: &str) -> Option<&str> {
    let comment = ["// ", "# ", "/* "].iter().find_map(|start| line.strip_prefix(start))?;
    let licence = comment.strip_prefix("SPDX-License-Identifier: ")?;
    Some(licence.strip_suffix(" */").unwrap_or(licence))
}
