// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reviewed reports: kept in the folder of the case, below the name of the guest, as
//! `crash.txt.snap` and `crash.json.snap`. A report that is another is written beside it, with
//! `.new`, until a person accepts or rejects it.

mod snap;
mod words;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use analyzer::report::Report;

pub use words::changes;

use snap::{Snap, pending};

/// The folder of a case with its reviewed reports.
const FOLDER: &str = "snapshots";
const TEXT: &str = "crash.txt.snap";
const JSON: &str = "crash.json.snap";
/// A text that was kept of a report by others; it lives and goes with the report.
const ENDING: &str = ".snap.new";

/// What is done with reviewed reports.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Review {
    /// Nothing.
    Off,
    /// Where one was reviewed, the report has to be the same; where none was, it is written for
    /// review.
    #[default]
    Auto,
    /// The same, and a report that nobody reviewed is a mismatch.
    Require,
}

/// What came of a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Compared {
    /// The same as the reviewed one.
    Same,
    /// Nobody has reviewed one; it was written for review.
    New,
    /// Not the same; it was written for review. The changes in words.
    Changed(Vec<String>),
}

/// A report of a case, in its stable forms.
#[derive(Debug, Clone, Copy)]
pub struct Stable<'a> {
    /// What the case is about.
    pub description: &'a str,
    /// As text.
    pub text: &'a str,
    /// As data.
    pub report: &'a Report,
}

/// Compares a report with the reviewed one of its case and guest.
///
/// # Errors
/// A file cannot be read or written.
pub fn compare(case: &Path, guest: &str, stable: Stable<'_>) -> io::Result<Compared> {
    let folder = case.join(FOLDER).join(guest);
    let (text_path, json_path) = (folder.join(TEXT), folder.join(JSON));
    let json = Snap::new(stable.description, &analyzer::render::json(stable.report));
    let text = Snap::new(stable.description, stable.text);
    let (old_text, old_json) = (Snap::load(&text_path)?, Snap::load(&json_path)?);
    let same = old_text.as_ref().is_none_or(|old| old.text == text.text)
        && old_json.as_ref().is_none_or(|old| old.text == json.text);
    if same && (old_text.is_some() || old_json.is_some()) {
        forget(&folder)?;
        return Ok(Compared::Same);
    }
    text.save(&pending(&text_path))?;
    json.save(&pending(&json_path))?;
    Ok(match (&old_text, &old_json) {
        (None, None) => Compared::New,
        _ => Compared::Changed(in_words(old_text.as_ref(), old_json.as_ref(), &text, &json)),
    })
}

/// By the data where both have it, else by the first line that is another.
fn in_words(
    old_text: Option<&Snap>,
    old_json: Option<&Snap>,
    text: &Snap,
    json: &Snap,
) -> Vec<String> {
    let data = |snap: &Snap| serde_json::from_str::<Report>(&snap.text).ok();
    if let Some((old, new)) = old_json.and_then(data).zip(data(json)) {
        return changes(&old, &new);
    }
    let old = old_text.map_or("", |old| old.text.as_str());
    let mut pairs = old.lines().zip(text.text.lines());
    match pairs.find(|(old, new)| old != new) {
        Some((old, new)) => vec![format!("`{}` is now `{}`", old.trim(), new.trim())],
        None => {
            vec![format!("{} lines are now {}", old.lines().count(), text.text.lines().count())]
        }
    }
}

/// A report that waits for a review.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// Name of the case.
    pub case: String,
    /// Name of the guest.
    pub guest: String,
    /// What changed, in words; nothing where none was reviewed before.
    pub words: Vec<String>,
    /// The reviewed text; empty where there is none.
    pub old: String,
    /// The text to review.
    pub new: String,
    folder: PathBuf,
}

impl Waiting {
    /// `case@guest`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}@{}", self.case, self.guest)
    }

    /// Makes it the reviewed one.
    ///
    /// # Errors
    /// A file cannot be renamed.
    pub fn accept(&self) -> io::Result<()> {
        for path in waiting_files(&self.folder)? {
            fs::rename(&path, path.with_extension(""))?;
        }
        Ok(())
    }

    /// Throws it away.
    ///
    /// # Errors
    /// A file cannot be removed.
    pub fn reject(&self) -> io::Result<()> {
        forget(&self.folder)?;
        // A folder without a reviewed report would say that there is one.
        for folder in [Some(self.folder.as_path()), self.folder.parent()].into_iter().flatten() {
            let _ = fs::remove_dir(folder);
        }
        Ok(())
    }
}

/// The reports of a case that wait for a review, by guest.
///
/// # Errors
/// A file cannot be read.
pub fn waiting(case: &Path) -> io::Result<Vec<Waiting>> {
    let folder = case.join(FOLDER);
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut guests: Vec<_> = fs::read_dir(&folder)?.flatten().map(|entry| entry.path()).collect();
    guests.sort();
    let mut all = Vec::new();
    for folder in guests.into_iter().filter(|path| path.is_dir()) {
        let (text, json) = (folder.join(TEXT), folder.join(JSON));
        let Some(new) = Snap::load(&pending(&text))? else { continue };
        let new_json = Snap::load(&pending(&json))?;
        let (old, old_json) = (Snap::load(&text)?, Snap::load(&json)?);
        let words = match (&old, &old_json) {
            (None, None) => Vec::new(),
            _ => in_words(
                old.as_ref(),
                old_json.as_ref(),
                &new,
                new_json.as_ref().unwrap_or(&Snap::new("", "")),
            ),
        };
        let name =
            |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let (case, guest) = (name(case), name(&folder));
        let old = old.map(|old| old.text).unwrap_or_default();
        all.push(Waiting { case, guest, words, old, new: new.text, folder });
    }
    Ok(all)
}

fn waiting_files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let files = fs::read_dir(folder)?.flatten().map(|entry| entry.path());
    Ok(files.filter(|path| path.to_string_lossy().ends_with(ENDING)).collect())
}

fn forget(folder: &Path) -> io::Result<()> {
    waiting_files(folder)?.iter().try_for_each(fs::remove_file)
}

#[cfg(test)]
mod tests;
