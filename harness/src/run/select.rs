// SPDX-License-Identifier: MIT OR Apache-2.0
//! From the words `CASE[@GUEST]` to cases and guests.

use std::fs;
use std::path::{Path, PathBuf};

use crate::case::Case;
use crate::config::Project;
use crate::error::Failure;
use crate::exit::Exit;
use crate::guest::{self, ImportFiles};

/// A case on a guest.
#[derive(Debug, Clone)]
pub struct Selected {
    /// The case.
    pub case: Case,
    /// The guest.
    pub guest: guest::Manifest,
}

impl Selected {
    /// `case@guest`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}@{}", self.case.name, self.guest.name)
    }
}

/// The runs that these words name; without words, the project's default.
///
/// # Errors
/// There is no such case or guest, or a manifest is wrong.
pub fn select(project: &Project, words: &[String]) -> Result<Vec<Selected>, Failure> {
    if words.is_empty() {
        return Ok(vec![one(project, &project.settings.default_case)?]);
    }
    words.iter().map(|word| one(project, word)).collect()
}

/// Every case on every guest it is for.
///
/// # Errors
/// A manifest is wrong.
pub fn all(project: &Project) -> Result<Vec<Selected>, Failure> {
    let mut selected = Vec::new();
    for name in names(&project.cases(), |path| path.join("case.toml").is_file())? {
        let case = load_case(&project.cases().join(&name))?;
        for guest in guests(project, &case)? {
            selected.push(Selected { case: case.clone(), guest: load_guest(project, &guest)? });
        }
    }
    Ok(selected)
}

/// The names of all guests of the project.
///
/// # Errors
/// The folder cannot be read.
pub fn guest_names(project: &Project) -> Result<Vec<String>, Failure> {
    let manifest = |path: &Path| path.extension().is_some_and(|extension| extension == "toml");
    let names = names(&project.guests(), manifest)?;
    Ok(names.iter().map(|name| name.trim_end_matches(".toml").to_owned()).collect())
}

/// The manifest of a guest.
///
/// # Errors
/// There is none, or it is wrong.
pub fn load_guest(project: &Project, name: &str) -> Result<guest::Manifest, Failure> {
    let path = project.guests().join(format!("{name}.toml"));
    if !path.is_file() {
        if let Some(note) = project.imports.get(name) {
            return Ok(guest::imported(load_guest(project, &note.like)?, name, note));
        }
        let mut known = guest_names(project)?;
        known.extend(project.imports.keys().cloned());
        let known = known.join(", ");
        return Err(Failure::new(Exit::NoCases, format!("there is no guest {name}"))
            .hint(format!("guests: {known}")));
    }
    guest::Manifest::load(&path).map_err(|error| Failure::from_error(Exit::SetupError, &error))
}

/// The guest that files to be imported are most like: the one whose kernels are named so.
///
/// # Errors
/// A manifest is wrong, or none has such kernels and the files are packages.
pub fn guest_like(project: &Project, files: &ImportFiles) -> Result<guest::Manifest, Failure> {
    let text = files.name();
    for name in guest_names(project)? {
        let guest = load_guest(project, &name)?;
        if guest.source.has_kernels_like(&text) {
            return Ok(guest);
        }
    }
    if matches!(files, ImportFiles::Rpm(_)) {
        return Err(Failure::new(Exit::Usage, format!("no guest has kernels like {text}"))
            .hint("name the guest that it is like with --like"));
    }
    load_guest(project, &project.settings.default_guest)
}

fn one(project: &Project, word: &str) -> Result<Selected, Failure> {
    let (place, guest) = match word.rsplit_once('@') {
        Some((place, guest)) => (place, Some(guest.to_owned())),
        None => (word, None),
    };
    let place = if place.is_empty() { &project.settings.default_case } else { place };
    let case = load_case(&folder(project, place)?)?;
    let guest = match guest {
        Some(guest) => guest,
        None => guests(project, &case)?.swap_remove(0),
    };
    Ok(Selected { guest: load_guest(project, &guest)?, case })
}

/// A word with a slash, or a folder with a manifest, is a path; any other is a name.
fn folder(project: &Project, place: &str) -> Result<PathBuf, Failure> {
    let path = PathBuf::from(place);
    let named = project.cases().join(place);
    for folder in [&named, &path] {
        if folder.join("case.toml").is_file() {
            return Ok(folder.clone());
        }
    }
    let known = names(&project.cases(), |path| path.join("case.toml").is_file())?.join(", ");
    Err(Failure::new(Exit::NoCases, format!("there is no case {place}"))
        .hint(format!("cases: {known}; or the path of a folder with a case.toml")))
}

fn load_case(folder: &Path) -> Result<Case, Failure> {
    Case::load(folder).map_err(|error| Failure::from_error(Exit::SetupError, &error))
}

/// The guests of a case, the default one first.
fn guests(project: &Project, case: &Case) -> Result<Vec<String>, Failure> {
    if !case.manifest.guests.is_empty() {
        return Ok(case.manifest.guests.clone());
    }
    let default = project.settings.default_guest.clone();
    let mut names = guest_names(project)?;
    names.retain(|name| *name != default);
    names.insert(0, default);
    Ok(names)
}

fn names(folder: &Path, wanted: impl Fn(&Path) -> bool) -> Result<Vec<String>, Failure> {
    let failed = |error: &std::io::Error| {
        Failure::new(Exit::SetupError, format!("cannot read {}", folder.display())).caused_by(error)
    };
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| failed(&error))? {
        let entry = entry.map_err(|error| failed(&error))?;
        if wanted(&entry.path()) {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}
