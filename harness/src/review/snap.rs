// SPDX-License-Identifier: MIT OR Apache-2.0
//! Files with reviewed texts, in the form of the crate `insta`: a few lines of metadata between
//! `---`, then the text. `cargo insta` reads what is written here, and the other way round.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// What is added to the name of a text that nobody has reviewed yet.
const NEW: &str = "new";

/// A reviewed text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Snap {
    /// What it is of, in one line.
    pub(crate) description: String,
    /// The text, without line ends at its end.
    pub(crate) text: String,
}

impl Snap {
    pub(crate) fn new(description: &str, text: &str) -> Self {
        Self { description: description.to_owned(), text: plain(text).to_owned() }
    }

    /// Reads a file; `None` where there is none.
    pub(crate) fn load(path: &Path) -> io::Result<Option<Self>> {
        match fs::read_to_string(path) {
            Ok(text) => Self::parse(&text).map(Some).ok_or_else(|| {
                io::Error::new(io::ErrorKind::InvalidData, "not a file with a reviewed text")
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn parse(file: &str) -> Option<Self> {
        let file = file.replace("\r\n", "\n");
        let (head, text) = file.strip_prefix("---\n")?.split_once("\n---\n")?;
        let description = head.lines().find_map(|line| line.strip_prefix("description: "));
        let description = description.unwrap_or_default();
        let description = serde_json::from_str(description).unwrap_or_else(|_| description.into());
        Some(Self { description, text: plain(text).to_owned() })
    }

    /// Writes a file.
    pub(crate) fn save(&self, path: &Path) -> io::Result<()> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let description = serde_json::Value::from(self.description.as_str());
        let text = &self.text;
        fs::write(
            path,
            format!("---\nsource: case.toml\ndescription: {description}\n---\n{text}\n"),
        )
    }
}

/// The place of a text that nobody has reviewed yet.
pub(crate) fn pending(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{NEW}"));
    path.with_file_name(name)
}

fn plain(text: &str) -> &str {
    text.trim_end_matches('\n')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// insta is asked itself: it takes what is written here, and what it writes is read here.
    #[test]
    fn insta_and_this_module_read_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("crash.txt.snap");
        let snap = Snap::new("of \"this\"", "one\n  two\n");
        snap.save(&path).unwrap();
        assert_eq!(Snap::load(&path).unwrap().as_ref(), Some(&snap));
        let mut settings = insta::Settings::new();
        settings.set_snapshot_path(folder.path());
        settings.set_prepend_module_to_snapshot(false);
        settings.bind(|| insta::assert_snapshot!("crash.txt", "one\n  two\n"));
        let theirs =
            "---\nsource: tests/live.rs\ndescription: \"a: b\"\nexpression: x\n---\nline\n";
        fs::write(&path, theirs).unwrap();
        assert_eq!(Snap::load(&path).unwrap(), Some(Snap::new("a: b", "line")));
    }

    #[test]
    fn what_is_no_such_file_is_an_error_and_what_is_not_there_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.snap");
        assert_eq!(Snap::load(&path).unwrap(), None);
        fs::write(&path, "text").unwrap();
        assert!(Snap::load(&path).is_err());
        assert!(pending(&path).ends_with("x.snap.new"));
    }
}
