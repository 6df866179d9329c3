// SPDX-License-Identifier: MIT OR Apache-2.0
//! The texts of source lines that a report quotes: from the sources while they are at hand, and kept beside a run
//! for whoever analyzes it again.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use debuginfo::SourceTexts;

use crate::json;

/// A longer text is cut: a source of one line is not for people.
const MAX_CHARACTERS: usize = 120;
/// A larger file is no source that a person wrote.
const MAX_FILE: u64 = 16 << 20;

/// Name of the file in a run's folder.
pub(crate) const FILE: &str = "lines.json";

/// Texts by file and line.
type Texts = BTreeMap<String, BTreeMap<u32, String>>;

/// The sources of modules.
#[derive(Debug, Clone, Default)]
pub struct Lines(Option<Rc<Sources>>);

#[derive(Debug, Default)]
struct Sources {
    /// Where each file is, by its place in the build.
    files: BTreeMap<PathBuf, PathBuf>,
    /// The lines of those that were read; `None` where one cannot be.
    read: RefCell<BTreeMap<PathBuf, Option<Vec<String>>>>,
    /// What was kept when there were sources.
    kept: Texts,
    /// What was asked for and found.
    asked: RefCell<Texts>,
}

impl Lines {
    /// The lines of source files, which are named by their places in the build.
    #[must_use]
    pub fn of(files: &BTreeMap<PathBuf, PathBuf>) -> Self {
        Self(Some(Rc::new(Sources { files: files.clone(), ..Sources::default() })))
    }

    /// Those that were kept in a folder; none where there is no such file, or another one.
    #[must_use]
    pub fn kept_in(folder: &Path) -> Self {
        let text = read(&folder.join(FILE));
        let kept = text.and_then(|text| serde_json::from_slice::<Texts>(&text).ok());
        let sane = |mut kept: Texts| {
            kept.values_mut().for_each(|lines| lines.retain(|_, text| is_quoted(text)));
            kept
        };
        Self(kept.map(|kept| Rc::new(Sources { kept: sane(kept), ..Sources::default() })))
    }

    /// Those that were asked for, as the file has them.
    pub(crate) fn to_json(&self) -> Option<String> {
        Some(json::text(&*self.0.as_ref()?.asked.borrow()))
    }

    /// For the analyzer; `None` where there are no sources.
    pub(crate) fn texts(&self) -> Option<&dyn SourceTexts> {
        self.0.as_deref().map(|sources| sources as &dyn SourceTexts)
    }
}

impl SourceTexts for Sources {
    fn text(&self, file: &str, line: u32) -> Option<String> {
        let kept = self.kept.get(file).and_then(|lines| lines.get(&line)).cloned();
        let text = kept.or_else(|| self.read(file, line))?;
        let mut asked = self.asked.borrow_mut();
        asked.entry(file.to_owned()).or_default().insert(line, text.clone());
        Some(text)
    }
}

impl Sources {
    fn read(&self, file: &str, line: u32) -> Option<String> {
        let (_, path) = source_of(&self.files, file)?;
        let mut read = self.read.borrow_mut();
        let lines = read.entry(path.to_owned()).or_insert_with(|| lines_of(path));
        quoted(lines.as_ref()?, usize::try_from(line).ok()?.checked_sub(1)?)
    }
}

/// The source that debug information names: its place in the build, and where it is.
///
/// Debug information names it by that place, or by a path that ends with it; a module that was built in a folder of
/// the sources names it from there.
#[must_use]
pub(crate) fn source_of<'f>(
    files: &'f BTreeMap<PathBuf, PathBuf>,
    file: &str,
) -> Option<(&'f Path, &'f Path)> {
    let file = Path::new(file);
    if let Some((place, path)) = files.get_key_value(file) {
        return Some((place, path));
    }
    if file.as_os_str().is_empty() {
        return None;
    }
    // A relative path of the kernel's own modules may end like one of the sources.
    let is_it = |place: &Path| place.ends_with(file) || file.is_absolute() && file.ends_with(place);
    let mut all = files.iter().filter(|(place, _)| is_it(place));
    let (place, path) = all.next()?;
    all.next().is_none().then_some((place, path))
}

fn lines_of(path: &Path) -> Option<Vec<String>> {
    Some(String::from_utf8_lossy(&read(path)?).lines().map(str::to_owned).collect())
}

/// A file of a size for people; what is none, such as a pipe that nobody writes to, is not waited for.
fn read(path: &Path) -> Option<Vec<u8>> {
    let metadata = path.metadata().ok()?;
    let is_sane = metadata.is_file() && metadata.len() <= MAX_FILE;
    is_sane.then(|| fs::read(path).ok()).flatten()
}

/// Whether a text may be one that was kept: a file beside a dump from anywhere may hold anything.
fn is_quoted(text: &str) -> bool {
    let length = text.chars().take(2 * MAX_CHARACTERS).count();
    length < 2 * MAX_CHARACTERS && !text.chars().any(char::is_control)
}

/// The text of a line, and which one it is where its function has several of that text.
fn quoted(lines: &[String], at: usize) -> Option<String> {
    let text = words(lines.get(at)?);
    if text.is_empty() {
        return None;
    }
    // By the kernel's style, a line that begins with a brace begins or ends a function.
    let begins = |line: &String| line.starts_with(['{', '}']);
    let own = lines[..at].iter().rposition(begins).map_or(0, |brace| brace + 1);
    let before = lines[own..at].iter().filter(|line| words(line) == text).count();
    let shown: String = match text.char_indices().nth(MAX_CHARACTERS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    };
    Some(match before {
        0 => shown,
        _ => format!("{shown} ({} of its function)", nth(before + 1)),
    })
}

/// The code of a line, with one space where there is some; another comment is no other code.
fn words(line: &str) -> String {
    let code = without_comments(line);
    let words: Vec<&str> = code.split_whitespace().collect();
    words.join(" ")
}

/// A line of C without its comments.
fn without_comments(line: &str) -> String {
    let mut code = String::new();
    let mut rest = line;
    let mut quote = None;
    while let Some(first) = rest.chars().next() {
        let mut length = first.len_utf8();
        match quote {
            None if rest.starts_with("//") => break,
            None if rest.starts_with("/*") => {
                code.push(' ');
                rest = rest[2..].split_once("*/").map_or("", |(_, behind)| behind);
                continue;
            }
            None if matches!(first, '"' | '\'') => quote = Some(first),
            Some(_) if first == '\\' => {
                length += rest[length..].chars().next().map_or(0, char::len_utf8);
            }
            Some(open) if open == first => quote = None,
            _ => {}
        }
        code.push_str(&rest[..length]);
        rest = &rest[length..];
    }
    code
}

fn nth(number: usize) -> String {
    match number {
        2 => "2nd".to_owned(),
        3 => "3rd".to_owned(),
        number => format!("{number}th"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "int f(void)\n{\n\tput(a);\n\tput(b);\n\tput(a);\n\treturn  0;\n}\n\nint g(void)\n{\n\tput(a);\n}\n";

    fn sources(folder: &Path) -> Lines {
        let path = folder.join("x.c");
        fs::write(&path, SOURCE).unwrap();
        Lines::of(&BTreeMap::from([(PathBuf::from("driver/m.c"), path)]))
    }

    fn text(lines: &Lines, file: &str, line: u32) -> Option<String> {
        lines.texts()?.text(file, line)
    }

    #[test]
    fn a_line_is_told_from_another_of_its_function_that_has_the_same_text() {
        let folder = tempfile::tempdir().unwrap();
        let lines = sources(folder.path());
        let of = |line| text(&lines, "driver/m.c", line);
        assert_eq!(of(3).as_deref(), Some("put(a);"));
        assert_eq!(of(5).as_deref(), Some("put(a); (2nd of its function)"));
        assert_eq!(of(6).as_deref(), Some("return 0;"));
        assert_eq!(of(11).as_deref(), Some("put(a);"), "another function");
        for none in [0, 8, 99, u32::MAX] {
            assert_eq!(of(none), None, "{none}");
        }
    }

    #[test]
    fn a_comment_is_no_code() {
        assert_eq!(words("\tput(a); // BUG: twice"), "put(a);");
        assert_eq!(words("/* a */ put(/* b */ a); /* open"), "put( a);");
        assert_eq!(
            words(r#"log("// \"no\" /* c */", '"'); // yes"#),
            r#"log("// \"no\" /* c */", '"');"#
        );
        assert_eq!(words("// all"), "");
    }

    #[test]
    fn a_source_is_found_by_its_place_and_by_what_ends_with_it_and_no_other_one() {
        let folder = tempfile::tempdir().unwrap();
        let lines = sources(folder.path());
        for known in ["driver/m.c", "m.c", "/build/driver/m.c"] {
            assert!(text(&lines, known, 3).is_some(), "{known}");
        }
        for other in ["drivers/driver/m.c", "n.c", "/build/m.c", ""] {
            assert!(text(&lines, other, 3).is_none(), "{other}");
        }
    }

    #[test]
    fn what_was_asked_for_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let lines = sources(folder.path());
        assert!(text(&lines, "driver/m.c", 3).is_some());
        fs::write(folder.path().join(FILE), lines.to_json().unwrap()).unwrap();
        let kept = Lines::kept_in(folder.path());
        assert_eq!(text(&kept, "driver/m.c", 3).as_deref(), Some("put(a);"));
        assert_eq!(text(&kept, "driver/m.c", 4), None);
        let long = "x".repeat(1000);
        let others = format!(r#"{{"m.c": {{"1": "two\nlines", "2": "{long}", "3": "fine"}}}}"#);
        fs::write(folder.path().join(FILE), others).unwrap();
        let kept = Lines::kept_in(folder.path());
        let of = |line| text(&kept, "m.c", line);
        assert_eq!((of(1), of(2), of(3).as_deref()), (None, None, Some("fine")));
        fs::write(folder.path().join(FILE), "no json").unwrap();
        assert!(Lines::kept_in(folder.path()).texts().is_none());
        assert!(Lines::kept_in(&folder.path().join("none")).texts().is_none());
        // A folder in its place: what is no file is not read.
        fs::create_dir_all(folder.path().join("odd").join(FILE)).unwrap();
        assert!(Lines::kept_in(&folder.path().join("odd")).texts().is_none());
    }
}
