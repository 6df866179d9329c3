// SPDX-License-Identifier: MIT OR Apache-2.0
//! The `.gitignore` of a new project: what runs leave in `target/` is nobody's source.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

/// The folder of everything that runs leave.
const LINE: &str = "/target/";

/// Lets git ignore `target/` in `root`. Lines that are there already stay as they are.
pub(super) fn ignore_target(root: &Path) -> io::Result<()> {
    let path = root.join(".gitignore");
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error),
    };
    if text.lines().any(is_target) {
        return Ok(());
    }
    let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    fs::write(path, format!("{text}{end}{LINE}\n"))
}

/// Whether a line names the folder: `/target/`, `target`, `**/target/`.
fn is_target(line: &str) -> bool {
    let line = line.trim_end();
    let name = line.strip_prefix("**/").or_else(|| line.strip_prefix('/')).unwrap_or(line);
    name.strip_suffix('/').unwrap_or(name) == "target"
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The file afterwards, which said `before`.
    fn after(before: Option<&str>) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".gitignore");
        if let Some(before) = before {
            fs::write(&path, before).unwrap();
        }
        ignore_target(folder.path()).unwrap();
        fs::read_to_string(path).unwrap()
    }

    #[test]
    fn a_folder_without_one_gets_one() {
        assert_eq!(after(None), "/target/\n");
    }

    #[test]
    fn lines_that_are_there_stay() {
        assert_eq!(after(Some("*.o\n")), "*.o\n/target/\n");
        assert_eq!(after(Some("*.o\n*.ko")), "*.o\n*.ko\n/target/\n", "the last line had no end");
        assert_eq!(after(Some("# target\n!target\n")), "# target\n!target\n/target/\n");
    }

    #[test]
    fn a_folder_that_is_ignored_already_is_not_named_again() {
        for line in ["/target/", "/target", "target/", "target", "**/target", "target/ \t"] {
            let text = format!("*.o\n{line}\n*.ko\n");
            assert_eq!(after(Some(&text)), text);
        }
    }
}
