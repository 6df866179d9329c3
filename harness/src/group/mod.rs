// SPDX-License-Identifier: MIT OR Apache-2.0
//! Crashes of many files by their signature: which are the same, how often, on which kernels.

mod page;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use analyzer::report::{Confidence, CrashKind, Culprit, Report};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::analysis::{Analyst, Symbols};
use crate::error::Failure;
use crate::exit::Exit;
use crate::json;

pub(crate) use page::page;
pub(crate) use words::words;

/// Folders deeper than this are not searched.
const MAX_DEPTH: u32 = 16;
/// Files that are looked at.
const MAX_FILES: usize = 20_000;
/// Files that are named for each group, and of those that could not be read.
const NAMED: usize = 100;

/// Version of the form.
pub(crate) const SCHEMA_VERSION: u32 = 1;

/// All groups of a folder.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Groups {
    /// Version of this form.
    pub schema_version: u32,
    /// Those with the most crashes first.
    pub groups: Vec<Group>,
    /// Files that say nothing of a crash, or cannot be read.
    pub unread: Vec<Unread>,
    /// How many more of those there are, and of files that were not looked at.
    pub left_out: usize,
}

impl Groups {
    /// How many crashes in how many groups, in words.
    fn in_short(&self) -> String {
        let crashes: usize = self.groups.iter().map(|group| group.count).sum();
        let groups = words::counted(self.groups.len(), "group", "groups");
        format!("{} in {groups}", words::counted(crashes, "crash", "crashes"))
    }

    /// The form as a JSON schema.
    #[must_use]
    pub fn schema() -> String {
        json::text(&schemars::schema_for!(Self))
    }
}

/// Crashes that have the same signature.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Group {
    /// The signature.
    pub signature: String,
    /// The kind, title and code at fault of the report that knows most.
    pub kind: CrashKind,
    /// One line that names the crash.
    pub title: String,
    /// The code at fault.
    pub culprit: Option<Culprit>,
    /// How far that report's evidence carries.
    pub confidence: Confidence,
    /// How many crashes: a folder that has dumps and texts of it has the same ones twice.
    pub count: usize,
    /// How many files are dumps.
    pub dumps: usize,
    /// How many are texts.
    pub texts: usize,
    /// When the first and the last of the files was written.
    pub first: Option<String>,
    /// The last.
    pub last: Option<String>,
    /// Releases of the kernels, sorted.
    pub kernels: BTreeSet<String>,
    /// The files, sorted; of many, the first hundred.
    pub files: Vec<PathBuf>,
}

/// A file without a crash that could be read.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Unread {
    /// The file.
    pub file: PathBuf,
    /// Why.
    pub why: String,
}

/// Analyzes all files below a folder.
///
/// # Errors
/// The folder cannot be read, or a file that was given for all of them.
pub(crate) fn group(folder: &Path, symbols: &Symbols) -> Result<Groups, Failure> {
    symbols.check()?;
    let mut found = Found::default();
    found.collect(folder, 0).map_err(|error| {
        Failure::new(Exit::SetupError, format!("cannot read {}", folder.display()))
            .caused_by(&error)
    })?;
    found.files.sort();
    let analyst = Analyst::new(symbols);
    let mut groups: BTreeMap<String, Group> = BTreeMap::new();
    let mut folders = Folders::new();
    let mut unread = Vec::new();
    for file in &found.files {
        let name = file.strip_prefix(folder).unwrap_or(file);
        match analyst.analyze(file) {
            Ok(analysis) => {
                let report = &analysis.report;
                add(&mut groups, name, written(file), report);
                let parent = name.parent().unwrap_or(name).to_owned();
                let signature = report.signature.clone().unwrap_or_default();
                let counts = folders.entry((signature, parent)).or_default();
                *if report.is_of_text() { &mut counts.1 } else { &mut counts.0 } += 1;
            }
            Err(failure) => unread.push(Unread { file: name.to_owned(), why: failure.reason() }),
        }
    }
    for ((signature, _), (dumps, texts)) in folders {
        if let Some(group) = groups.get_mut(&signature) {
            group.count += dumps.max(texts);
        }
    }
    let mut groups: Vec<Group> = groups.into_values().collect();
    groups.sort_by(|one, other| {
        other.count.cmp(&one.count).then_with(|| one.signature.cmp(&other.signature))
    });
    let left_out = found.left_out + unread.len().saturating_sub(NAMED);
    unread.truncate(NAMED);
    Ok(Groups { schema_version: SCHEMA_VERSION, groups, unread, left_out })
}

/// How many dumps and texts have a signature in a folder.
type Folders = BTreeMap<(String, PathBuf), (usize, usize)>;

/// Files below a folder.
#[derive(Default)]
struct Found {
    files: Vec<PathBuf>,
    left_out: usize,
}

impl Found {
    fn collect(&mut self, folder: &Path, depth: u32) -> std::io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() && depth < MAX_DEPTH {
                // A folder that may not be read hides nothing of the others.
                let _unreadable = self.collect(&entry.path(), depth + 1);
            } else if kind.is_file() && self.files.len() < MAX_FILES {
                self.files.push(entry.path());
            } else if kind.is_file() {
                self.left_out += 1;
            }
        }
        Ok(())
    }
}

/// When a file was written; the time of the crash, for what kdump and pstore write.
fn written(file: &Path) -> Option<String> {
    let time: SystemTime = fs::metadata(file).ok()?.modified().ok()?;
    Some(Timestamp::try_from(time).ok()?.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

fn add(groups: &mut BTreeMap<String, Group>, name: &Path, time: Option<String>, report: &Report) {
    let Some(signature) = report.signature.clone() else { return };
    let verdict = &report.verdict;
    let group = groups.entry(signature.clone()).or_insert_with(|| Group {
        signature,
        kind: verdict.kind,
        title: verdict.title.clone(),
        culprit: verdict.culprit.clone(),
        confidence: verdict.confidence,
        count: 0,
        dumps: 0,
        texts: 0,
        first: time.clone(),
        last: time.clone(),
        kernels: BTreeSet::new(),
        files: Vec::new(),
    });
    // What a dump says is more than what a text of the same crash does.
    if rank(verdict.confidence) < rank(group.confidence) {
        group.kind = verdict.kind;
        group.title.clone_from(&verdict.title);
        group.culprit.clone_from(&verdict.culprit);
        group.confidence = verdict.confidence;
    }
    *if report.is_of_text() { &mut group.texts } else { &mut group.dumps } += 1;
    group.kernels.extend(report.kernel.release.clone());
    if time.is_some() && (group.first.is_none() || time < group.first) {
        group.first.clone_from(&time);
    }
    group.last = group.last.take().max(time);
    if group.files.len() < NAMED {
        group.files.push(name.to_owned());
    }
}

const fn rank(confidence: Confidence) -> u8 {
    match confidence {
        Confidence::Proven => 0,
        Confidence::Likely => 1,
        Confidence::Unknown => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A check of the module `hwport` that failed, in the function.
    fn text(function: &str, release: &str) -> String {
        format!(
            "[    1.0] kernel BUG at port.c:7!\n[    1.0] invalid opcode: 0000 [#1] SMP\n\
             [    1.0] CPU: 0 PID: 7 Comm: sh Tainted: G           OE     {release} #1 Debian\n\
             [    1.0] RIP: 0010:{function}+0x1/0x10 [hwport]\n[    1.0] Call Trace:\n\
             [    1.0]  vfs_write+0x1/0x10\n[    1.0] Modules linked in: hwport(OE)\n"
        )
    }

    #[test]
    fn the_same_crash_is_one_group_wherever_it_happened() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("a/vmcore-dmesg.txt", &text("hwport_send", "6.1.0"));
        write("b/vmcore-dmesg.txt", &text("hwport_send", "6.12.9"));
        write("c.txt", &text("hwport_take", "6.1.0"));
        write("notes.txt", "nothing happened");
        write("picture", "\x01\x02\x03\x04");
        let symbols = Symbols::default();
        let groups = group(folder.path(), &symbols).unwrap();
        let counts: Vec<(usize, usize)> =
            groups.groups.iter().map(|it| (it.count, it.texts)).collect();
        assert_eq!(counts, [(2, 2), (1, 1)]);
        let first = &groups.groups[0];
        assert_eq!(first.kernels.iter().collect::<Vec<_>>(), ["6.1.0", "6.12.9"]);
        assert_eq!(first.files, [Path::new("a/vmcore-dmesg.txt"), Path::new("b/vmcore-dmesg.txt")]);
        assert_eq!(first.culprit.as_ref().unwrap().function.as_deref(), Some("hwport_send"));
        assert!(first.first.is_some() && first.first <= first.last);
        let unread: Vec<&Path> = groups.unread.iter().map(|it| it.file.as_path()).collect();
        assert_eq!(unread, [Path::new("notes.txt"), Path::new("picture")]);
        let page = page(&groups).into_string();
        assert!(page.contains("hwport_send") && page.contains("6.12.9"));
        assert!(words(&groups).starts_with("3 crashes in 2 groups\n"));
    }
}
