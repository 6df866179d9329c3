// SPDX-License-Identifier: MIT OR Apache-2.0
//! Files with reviewed texts, in the form of the crate `insta`: a few lines of metadata between
//! `---`, then the text. `cargo insta` reads what is written here, and the other way round.
//!
//! The number of the report's form is in `info`, the one place of the metadata that insta keeps
//! for others: keys that it does not know are lost when it writes a file again.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::error::at;
use super::{Error, Form};

/// What is added to the name of a text that nobody has reviewed yet.
const NEW: &str = "new";
/// What insta adds to the metadata only until the text is reviewed.
const UNTIL_REVIEWED: &str = "assertion_line: ";

/// A reviewed text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Snap {
    /// What it is of, in one line.
    pub(crate) description: String,
    /// The version of what it says.
    pub(crate) form: Form,
    /// The text, without line ends at its end.
    pub(crate) text: String,
}

impl Snap {
    pub(crate) fn new(description: &str, form: Form, text: &str) -> Self {
        Self { description: description.to_owned(), form, text: plain(text).to_owned() }
    }

    /// Reads a file; `None` where there is none.
    pub(crate) fn load(path: &Path) -> Result<Option<Self>, Error> {
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(at(path)(error)),
        };
        let file = String::from_utf8(bytes).map_err(|_| Error::NoSnap(path.to_owned()))?;
        let file = file.replace("\r\n", "\n");
        let parts = file.strip_prefix("---\n").and_then(|rest| rest.split_once("\n---\n"));
        let (head, text) = parts.ok_or_else(|| Error::NoSnap(path.to_owned()))?;
        let description = head.lines().find_map(|line| line.strip_prefix("description: "));
        let description = description.unwrap_or_default();
        let description = serde_json::from_str(description).unwrap_or_else(|_| description.into());
        let form = form(head).ok_or_else(|| Error::Form(path.to_owned()))?;
        Ok(Some(Self { description, form, text: plain(text).to_owned() }))
    }

    /// Writes a file.
    pub(crate) fn save(&self, path: &Path) -> Result<(), Error> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(at(folder))?;
        }
        let description = serde_json::Value::from(self.description.as_str());
        let Self { form: Form(form), text, .. } = self;
        let head = format!("source: case.toml\ndescription: {description}\ninfo:\n  form: {form}");
        fs::write(path, format!("---\n{head}\n---\n{text}\n")).map_err(at(path))
    }
}

/// The form that the metadata names, the first where it names none; `None` where it cannot be read.
fn form(head: &str) -> Option<Form> {
    let info = head.lines().skip_while(|line| *line != "info:").skip(1);
    let info: Vec<&str> = info.take_while(|line| line.starts_with(' ')).collect();
    let indent = |line: &str| line.len() - line.trim_start().len();
    let own = info.iter().filter(|line| Some(indent(line)) == info.first().map(|it| indent(it)));
    let named: Vec<&str> = own.filter_map(|line| line.trim().strip_prefix("form:")).collect();
    match named[..] {
        [] => Some(Form::FIRST),
        [number] => number.trim().parse().ok().map(Form),
        _ => None,
    }
}

/// The place of a text that nobody has reviewed yet.
pub(crate) fn pending(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{NEW}"));
    path.with_file_name(name)
}

/// Makes a text that was pending the reviewed one.
pub(crate) fn accept(pending: &Path) -> Result<(), Error> {
    let file = fs::read_to_string(pending).map_err(at(pending))?;
    let mut ends = 0;
    let lines = file.split_inclusive('\n').filter(|line| {
        ends += u32::from(line.trim_end() == "---");
        ends > 1 || !line.starts_with(UNTIL_REVIEWED)
    });
    let kept: String = lines.collect();
    if kept != file {
        fs::write(pending, kept).map_err(at(pending))?;
    }
    fs::rename(pending, pending.with_extension("")).map_err(at(pending))
}

fn plain(text: &str) -> &str {
    text.trim_end_matches('\n')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(file: &str) -> Result<Option<Snap>, Error> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("crash.txt.snap");
        fs::write(&path, file).unwrap();
        Snap::load(&path)
    }

    /// insta is asked itself: it takes what is written here, and what it writes is read here.
    #[test]
    fn insta_and_this_module_read_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("crash.txt.snap");
        let snap = Snap::new("of \"this\"", Form(3), "one\n  two\n");
        snap.save(&path).unwrap();
        assert_eq!(Snap::load(&path).unwrap().as_ref(), Some(&snap));
        let mut settings = insta::Settings::new();
        settings.set_snapshot_path(folder.path());
        settings.set_prepend_module_to_snapshot(false);
        settings.bind(|| insta::assert_snapshot!("crash.txt", "one\n  two\n"));
        let theirs = insta::Snapshot::from_file(&path).unwrap();
        theirs.save(&path).unwrap();
        assert_eq!(Snap::load(&path).unwrap(), Some(snap), "insta keeps what is written here");
        let theirs =
            "---\nsource: tests/live.rs\ndescription: \"a: b\"\nexpression: x\n---\nline\n";
        assert_eq!(written(theirs).unwrap(), Some(Snap::new("a: b", Form::FIRST, "line")));
    }

    #[test]
    fn a_file_that_names_no_form_has_the_first() {
        let head = |info: &str| written(&format!("---\nsource: x\n{info}---\nline\n"));
        let form = |info: &str| head(info).unwrap().unwrap().form;
        assert_eq!(form(""), Form::FIRST);
        assert_eq!(form("info:\n  form: 7\ninput_file: x\n"), Form(7));
        assert_eq!(form("info:\n  of:\n    form: 9\n  form: 7\n"), Form(7));
        assert_eq!(form("info:\n  of:\n    form: 9\n"), Form::FIRST, "somebody else's");
        assert_eq!(form("info: words\n"), Form::FIRST);
        for wrong in ["form: two", "form: -1", "form: 99999999999", "form:", "form: 1\n  form: 2"] {
            let error = head(&format!("info:\n  {wrong}\n")).unwrap_err();
            assert!(matches!(error, Error::Form(_)), "{wrong}: {error}");
        }
    }

    #[test]
    fn what_is_no_such_file_is_an_error_and_what_is_not_there_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.snap");
        assert_eq!(Snap::load(&path).unwrap(), None);
        for bytes in [&b"text"[..], b"---\nsource: x\n", b"---\n\xff\n---\nx\n", b""] {
            fs::write(&path, bytes).unwrap();
            let error = Snap::load(&path).unwrap_err();
            assert!(matches!(error, Error::NoSnap(_)), "{error}");
            assert!(error.to_string().contains("x.snap"), "{error}");
        }
        assert!(pending(&path).ends_with("x.snap.new"));
    }

    #[test]
    fn what_insta_notes_only_for_the_review_goes_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.snap");
        let line = "assertion_line: 7\n";
        fs::write(pending(&path), format!("---\nsource: x\n{line}---\n{line}")).unwrap();
        accept(&pending(&path)).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("---\nsource: x\n---\n{line}"));
        assert!(!pending(&path).exists());
    }
}
