// SPDX-License-Identifier: MIT OR Apache-2.0
//! From the words `CASE[@GUEST]` to cases and guests.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::alternatives;
use crate::case::Case;
use crate::config::Project;
use crate::error::Failure;
use crate::exit::Exit;
use guest::{self, ImportFiles};

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

/// The runs that these words name; without words, the project's default, or its only case.
///
/// # Errors
/// There is no such case or guest, or a manifest is wrong.
pub fn select(project: &Project, words: &[String]) -> Result<Vec<Selected>, Failure> {
    if words.is_empty() {
        return Ok(vec![one(project, "")?]);
    }
    words.iter().map(|word| one(project, word)).collect()
}

/// Every case on every guest it is for.
///
/// # Errors
/// A manifest is wrong.
pub fn all(project: &Project) -> Result<Vec<Selected>, Failure> {
    let mut selected = Vec::new();
    for folder in case_folders(project)?.values() {
        let case = load_case(folder)?;
        for guest in guests(project, &case)? {
            selected.push(Selected { case: case.clone(), guest });
        }
    }
    Ok(selected)
}

/// The folders of the project's cases, by the cases' names.
///
/// # Errors
/// A folder cannot be read, or two cases have the same name.
pub fn case_folders(project: &Project) -> Result<BTreeMap<String, PathBuf>, Failure> {
    let is_case = |path: &Path| path.join("case.toml").is_file();
    let mut found = BTreeMap::<String, PathBuf>::new();
    for folder in project.case_folders().filter(|folder| folder.is_dir()) {
        let folders = if is_case(&folder) {
            vec![folder]
        } else {
            names(&folder, is_case)?.iter().map(|name| folder.join(name)).collect()
        };
        for folder in folders {
            let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if let Some(first) = found.insert(name.clone(), folder.clone()) {
                let message = format!("two cases are named {name}");
                let places = format!("{} and {}", first.display(), folder.display());
                return Err(Failure::new(Exit::SetupError, message).hint(places));
            }
        }
    }
    Ok(found)
}

/// The names of all guests: the project's, then those that this program knows by itself.
///
/// # Errors
/// The folder cannot be read.
pub fn guest_names(project: &Project) -> Result<Vec<String>, Failure> {
    let manifest = |path: &Path| path.extension().is_some_and(|extension| extension == "toml");
    let mut all = BTreeSet::new();
    for folder in project.guest_folders() {
        let names = names(&folder, manifest)?;
        all.extend(names.iter().map(|name| name.trim_end_matches(".toml").to_owned()));
    }
    Ok(all.into_iter().collect())
}

/// The manifest of a guest.
///
/// # Errors
/// There is none, or it is wrong.
pub fn load_guest(project: &Project, name: &str) -> Result<guest::Manifest, Failure> {
    let Some(path) = guest_file(project, name) else {
        if let Some(note) = project.imports.get(name) {
            return Ok(guest::imported(load_guest(project, &note.like)?, name, note));
        }
        if let Some(guest) = flavoured(project, name)? {
            return Ok(guest);
        }
        let mut known = guest_names(project)?;
        known.extend(project.imports.keys().cloned());
        return Err(Failure::new(Exit::NoCases, format!("there is no guest {name}"))
            .hint(alternatives::hint(name, "guests", known.iter().map(String::as_str))));
    };
    let mut guest = guest::Manifest::load(&path)
        .map_err(|error| Failure::from_error(Exit::SetupError, &error))?;
    project.settings.timeouts.apply(&mut guest.timeouts);
    let choice = project.settings.choice(name);
    choice.apply(&mut guest).map_err(|error| Failure::from_error(Exit::SetupError, &error))?;
    Ok(guest)
}

fn guest_file(project: &Project, name: &str) -> Option<PathBuf> {
    let file = format!("{name}.toml");
    project.guest_folders().map(|folder| folder.join(&file)).find(|path| path.is_file())
}

/// A guest with another flavour of its kernel: `<guest>-<flavour>`.
fn flavoured(project: &Project, name: &str) -> Result<Option<guest::Manifest>, Failure> {
    for (dash, _) in name.match_indices('-') {
        let (base, flavour) = (&name[..dash], &name[dash + 1..]);
        if guest_file(project, base).is_some() {
            let guest = load_guest(project, base)?.with_flavour(flavour);
            if guest.as_ref().is_some_and(|guest| guest.name == name) {
                return Ok(guest);
            }
        }
    }
    Ok(None)
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
    let case = load_case(&folder(project, place)?)?;
    let guest = match guest {
        Some(guest) => fitting(load_guest(project, &guest)?, &case).ok_or_else(|| {
            let wanted = case.manifest.requires.flavour.clone().unwrap_or_default();
            let message = format!("guest {guest} has no kernel of the flavour {wanted}");
            Failure::new(Exit::NoCases, message).hint(format!("{} requires it", case.name))
        })?,
        None => guests(project, &case)?.swap_remove(0),
    };
    Ok(Selected { guest, case })
}

/// The guest with the flavour that a case requires.
fn fitting(guest: guest::Manifest, case: &Case) -> Option<guest::Manifest> {
    match &case.manifest.requires.flavour {
        // A flavour that was asked for by name is one already.
        Some(flavour) if !guest.name.ends_with(&format!("-{flavour}")) => {
            guest.with_flavour(flavour)
        }
        _ => Some(guest),
    }
}

/// The name of a case of the project, or the path of a folder with a manifest; nothing is the
/// project's default case.
fn folder(project: &Project, place: &str) -> Result<PathBuf, Failure> {
    let known = case_folders(project)?;
    let place = match (place, &project.settings.default_case) {
        ("", Some(default)) => default,
        ("", None) => match known.values().next() {
            Some(only) if known.len() == 1 => return Ok(only.clone()),
            _ => return Err(no_case(project, &known, "", "no case is named")),
        },
        (place, _) => place,
    };
    if let Some(folder) = known.get(place) {
        return Ok(folder.clone());
    }
    let path = PathBuf::from(place);
    if path.join("case.toml").is_file() {
        return Ok(path);
    }
    // The manifest itself stands for its folder.
    if path.file_name().is_some_and(|name| name == "case.toml") && path.is_file() {
        return Ok(path
            .parent()
            .filter(|it| *it != Path::new(""))
            .unwrap_or(Path::new("."))
            .into());
    }
    Err(no_case(project, &known, place, &format!("there is no case {place}")))
}

fn no_case(
    project: &Project,
    known: &BTreeMap<String, PathBuf>,
    name: &str,
    message: &str,
) -> Failure {
    let hint = if !known.is_empty() {
        let names = alternatives::hint(name, "cases", known.keys().map(String::as_str));
        format!("{names} (a path of a folder with a case.toml will do, too)")
    } else if project.is_told() {
        "name a folder with a case.toml, or make one: repro new-case".to_owned()
    } else {
        let here = project.root.display();
        format!(
            "neither {here} nor a folder above it has a repro.toml: go into a project, or name it with --root; \
             a path of a folder with a case.toml will do, too, and repro new-case makes one"
        )
    };
    Failure::new(Exit::NoCases, message).hint(hint)
}

fn load_case(folder: &Path) -> Result<Case, Failure> {
    Case::load(folder).map_err(|error| Failure::from_error(Exit::SetupError, &error))
}

/// The guests of a case, the default one first; only those with what it requires.
fn guests(project: &Project, case: &Case) -> Result<Vec<guest::Manifest>, Failure> {
    let mut found = Vec::new();
    for name in named_guests(project, case)? {
        found.extend(fitting(load_guest(project, &name)?, case));
    }
    if found.is_empty() {
        let wanted = case.manifest.requires.flavour.clone().unwrap_or_default();
        let message = format!("no guest has a kernel of the flavour {wanted}");
        return Err(Failure::new(Exit::NoCases, message).hint(format!("{} requires it", case.name)));
    }
    Ok(found)
}

/// The names of the guests that a case is for, the default one first.
fn named_guests(project: &Project, case: &Case) -> Result<Vec<String>, Failure> {
    if !case.manifest.guests.is_empty() {
        return Ok(case.manifest.guests.clone());
    }
    if !project.settings.guests.is_empty() {
        return Ok(project.settings.guests.clone());
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
