// SPDX-License-Identifier: MIT OR Apache-2.0
//! Rules for single files.

use super::{Problem, Source};

/// A longer file holds more than one noun.
const MAX_LINES: usize = 500;

/// A recording must stay small enough for git.
const MAX_RECORDING: usize = 512 << 10;

pub(super) fn check(source: &Source) -> Vec<Problem> {
    let mut problems = Vec::new();
    if source.extension() == "new" && source.name().contains(".snap.") {
        problems.push(Problem::of(&source.path, "a snapshot that nobody has reviewed"));
    }
    if needs_licence(source) && !has_licence(source) {
        let message = "no SPDX-License-Identifier in the first two lines";
        problems.push(Problem::of(&source.path, message));
    }
    let lines = source.lines().count();
    if source.extension() == "rs" && lines > MAX_LINES {
        let message = format!("{lines} lines, more than {MAX_LINES}");
        problems.push(Problem::of(&source.path, message));
    }
    let recorded = source.path.components().any(|part| part.as_os_str() == "recorded");
    if recorded && source.text.as_ref().is_some_and(|text| text.len() > MAX_RECORDING) {
        problems.push(Problem::of(&source.path, "a recording of more than 512 KiB"));
    }
    problems.extend(whitespace(source));
    problems
}

fn needs_licence(source: &Source) -> bool {
    let manifest = source.name() == "Cargo.toml";
    let kind = matches!(source.extension(), "rs" | "toml" | "sh" | "c" | "h" | "S");
    (kind && !manifest) || source.name() == "Kbuild"
}

fn has_licence(source: &Source) -> bool {
    source.lines().take(2).any(|(_, line)| line.contains("SPDX-License-Identifier: "))
}

/// Blanks at the end of a line, and a last line without an end. In Rust rustfmt sees to that, but in
/// texts that others wrote, which are as they are; so are snapshots.
fn whitespace(source: &Source) -> Vec<Problem> {
    let written_here = matches!(source.extension(), "toml" | "sh" | "c" | "h" | "md" | "yml");
    let Some(text) = source.text.as_deref().filter(|_| written_here) else { return Vec::new() };
    let blank = |line: &str| line.ends_with([' ', '\t']);
    let mut problems: Vec<_> = source
        .lines()
        .filter(|(_, line)| blank(line))
        .map(|(number, _)| Problem::at(&source.path, number, "blanks at the end of the line"))
        .collect();
    if !text.is_empty() && !text.ends_with('\n') {
        problems.push(Problem::of(&source.path, "no line end at the end of the file"));
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(path: &str, text: &str) -> Vec<String> {
        let source = Source { path: path.into(), text: Some(text.into()) };
        check(&source).into_iter().map(|problem| problem.message).collect()
    }

    #[test]
    fn a_source_without_a_licence_or_with_blanks_is_told() {
        let licence = "// SPDX-License-Identifier: MIT\n";
        assert!(problems("a.rs", licence).is_empty());
        assert_eq!(problems("a.rs", "fn main() {}\n").len(), 1);
        assert_eq!(problems("a.c", &format!("{licence}x \n")), ["blanks at the end of the line"]);
        assert_eq!(problems("a.c", licence.trim_end()).len(), 1);
        assert!(problems("Cargo.toml", "[package]\n").is_empty());
        assert!(problems("a.snap", "text \n").is_empty());
    }

    #[test]
    fn snapshots_that_nobody_reviewed_and_long_files_are_told() {
        assert_eq!(problems("a.snap.new", ""), ["a snapshot that nobody has reviewed"]);
        let long = format!("// SPDX-License-Identifier: MIT\n{}", "x\n".repeat(MAX_LINES));
        assert_eq!(problems("a.rs", &long).len(), 1);
    }
}
