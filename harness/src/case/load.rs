// SPDX-License-Identifier: MIT OR Apache-2.0
//! A case's folder: manifest, sources, the marked line.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::build_section::DkmsSource;
use super::manifest::name_of;
use super::{Manifest, Marker};
use guest::shown;
use guest::strict::ManifestError;

/// Most files and levels a case's folder may have; more is not a case.
const MAX_FILES: usize = 2000;
const MAX_DEPTH: usize = 8;
/// Folders with what the harness keeps, not with sources.
const KEPT_FOLDERS: [&str; 4] = ["recorded", "recordings", "snapshots", "target"];

/// Why a folder is no case.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CaseError {
    /// Its manifest is wrong.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// Its folder has a name that acts where it is shown or taken apart.
    #[error("the folder {path:?} cannot be a case, which is named after it: {fault}")]
    Name {
        /// The folder.
        path: PathBuf,
        /// What is wrong with its name.
        fault: String,
    },
    /// A file or folder cannot be read.
    #[error("cannot read {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A file that the manifest names is not there.
    #[error("{case}: no file {file}, which its case.toml names")]
    NoFile {
        /// The case.
        case: String,
        /// The file, relative to the case's folder.
        file: PathBuf,
    },
    /// More files or deeper folders than any case has.
    #[error("{path} holds more than a case's files")]
    TooLarge {
        /// The folder.
        path: PathBuf,
    },
    /// The marker comment is there more than once.
    #[error("{case}: the marker comment is in {first} and in {second}; only one line is at fault")]
    TwoMarkers {
        /// The case.
        case: String,
        /// `file:line`.
        first: String,
        /// `file:line`.
        second: String,
    },
}

/// A case.
#[derive(Debug, Clone)]
pub struct Case {
    /// Its name: the folder's.
    pub name: String,
    /// Its folder, absolute.
    pub folder: PathBuf,
    /// Its manifest.
    pub manifest: Manifest,
    /// The line at fault, where the source marks one.
    pub marker: Option<Marker>,
    /// The files the modules are built from: where each is, by its place in the build.
    pub sources: BTreeMap<PathBuf, PathBuf>,
}

impl Case {
    /// Reads a case's folder.
    ///
    /// # Errors
    /// No or a wrong manifest, a file missing that it names, two marker comments.
    pub fn load(folder: &Path) -> Result<Self, CaseError> {
        let manifest = Manifest::load(&folder.join("case.toml"))?;
        let read = |source| CaseError::Read { path: folder.to_owned(), source };
        let folder = fs::canonicalize(folder).map_err(read)?;
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if let Some(fault) = shown::name_fault(&name) {
            return Err(CaseError::Name { path: folder, fault });
        }
        for file in named_files(&manifest) {
            if !folder.join(&file).exists() {
                return Err(CaseError::NoFile { case: name, file });
            }
        }
        let mut sources = BTreeMap::new();
        Take::of(&manifest).collect(&folder, None, Path::new(""), &mut sources)?;
        for (source, take) in outside(&manifest) {
            let outside = fs::canonicalize(folder.join(source))
                .map_err(|error| CaseError::Read { path: folder.join(source), source: error })?;
            take.collect(&outside, Some(&folder), &name_of(source), &mut sources)?;
        }
        let marker = only_marker(&name, &sources)?;
        Ok(Self { name, folder, manifest, marker, sources })
    }

    /// Adds the sources in a folder: all of its files, below the folder's name. Markers in sources of
    /// others mean nothing.
    ///
    /// # Errors
    /// A folder cannot be read, or has too many files.
    pub fn add_sources(&mut self, folder: &Path) -> Result<(), CaseError> {
        Take::All.collect(folder, None, &name_of(folder), &mut self.sources)
    }
}

/// Folders with sources that are not the case's own, and what is taken of them.
fn outside(manifest: &Manifest) -> impl Iterator<Item = (&PathBuf, Take)> {
    let of_dkms = match &manifest.build.dkms {
        Some(DkmsSource::Folder(folder)) => Some((folder, Take::All)),
        Some(DkmsSource::Package(_)) | None => None,
    };
    let take = Take::of(manifest);
    let of_modules = manifest.module.iter().filter_map(|module| module.source.as_ref());
    of_modules.map(move |source| (source, take)).chain(of_dkms)
}

/// What is taken of a folder for a build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Take {
    /// What Kbuild takes.
    Sources,
    /// Every file.
    All,
}

impl Case {
    /// Takes the sources from the same places of another checkout of the project.
    ///
    /// # Errors
    /// There are none, or the marker comment is there twice.
    pub fn move_sources(&mut self, project: &Path, other: &Path) -> Result<(), CaseError> {
        let read = |path: &Path| {
            let path = path.to_owned();
            move |source| CaseError::Read { path, source }
        };
        let project = fs::canonicalize(project).map_err(read(project))?;
        let there = |folder: &Path| match folder.strip_prefix(&project) {
            Ok(inside) => other.join(inside),
            Err(_) => folder.to_owned(),
        };
        let own = there(&self.folder);
        let mut sources = BTreeMap::new();
        // A case that is younger than its module has only its manifest's sources to go back to.
        if own.is_dir() {
            Take::of(&self.manifest).collect(&own, None, Path::new(""), &mut sources)?;
        }
        for (source, take) in outside(&self.manifest) {
            let path = self.folder.join(source);
            let outside = there(&fs::canonicalize(&path).map_err(read(&path))?);
            take.collect(&outside, Some(&own), &name_of(source), &mut sources)?;
        }
        self.marker = only_marker(&self.name, &sources)?;
        self.sources = sources;
        Ok(())
    }
}

fn named_files(manifest: &Manifest) -> Vec<PathBuf> {
    let of_module = |module: &super::Module| [module.prebuilt.clone(), module.debug.clone()];
    let mut files: Vec<PathBuf> = manifest.module.iter().flat_map(of_module).flatten().collect();
    files.extend(manifest.build.changes.clone());
    if let Some(super::TriggerCommand::Run(script)) = &manifest.trigger.command {
        files.push(script.clone());
    }
    let parts = manifest.guest.values().filter_map(|part| part.setup.as_ref());
    for setup in std::iter::once(&manifest.setup).chain(parts) {
        files.extend(setup.files.iter().cloned());
    }
    files
}

/// Whether a file takes part in the build of a module.
fn is_source(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let kbuild = name == "Kbuild" || name == "Makefile" || name.starts_with("Makefile.");
    kbuild || matches!(path.extension().and_then(|e| e.to_str()), Some("c" | "h" | "S" | "lds"))
}

impl Take {
    /// A build with commands of its own may need any file.
    fn of(manifest: &Manifest) -> Self {
        if manifest.build.before.is_empty() { Self::Sources } else { Self::All }
    }

    /// Finds the sources in `folder`; they are built below `inside`.
    fn collect(
        self,
        folder: &Path,
        without: Option<&Path>,
        inside: &Path,
        sources: &mut BTreeMap<PathBuf, PathBuf>,
    ) -> Result<(), CaseError> {
        let mut todo = vec![(folder.to_owned(), inside.to_owned(), 0)];
        while let Some((folder, inside, depth)) = todo.pop() {
            if depth > MAX_DEPTH || sources.len() > MAX_FILES {
                return Err(CaseError::TooLarge { path: folder });
            }
            let read = |source| CaseError::Read { path: folder.clone(), source };
            for entry in fs::read_dir(&folder).map_err(read)? {
                let entry = entry.map_err(read)?;
                let (name, path) = (entry.file_name(), entry.path());
                let kind = entry.file_type().map_err(read)?;
                if kind.is_dir() {
                    let hidden = name.to_string_lossy().starts_with('.');
                    let kept = KEPT_FOLDERS.iter().any(|kept| name == *kept);
                    if !hidden && !kept && without != Some(path.as_path()) {
                        todo.push((path, inside.join(name), depth + 1));
                    }
                } else if kind.is_file() && (self == Self::All || is_source(&path)) {
                    sources.insert(inside.join(name), path);
                }
            }
        }
        Ok(())
    }
}

fn only_marker(
    case: &str,
    sources: &BTreeMap<PathBuf, PathBuf>,
) -> Result<Option<Marker>, CaseError> {
    let mut found: Option<Marker> = None;
    for (file, path) in sources {
        let bytes =
            fs::read(path).map_err(|source| CaseError::Read { path: path.clone(), source })?;
        for marker in Marker::find(file, &String::from_utf8_lossy(&bytes)) {
            if let Some(first) = found {
                let place = |marker: &Marker| format!("{}:{}", marker.file.display(), marker.line);
                return Err(CaseError::TwoMarkers {
                    case: case.to_owned(),
                    first: place(&first),
                    second: place(&marker),
                });
            }
            found = Some(marker);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = r#"
        summary = "s"
        [[module]]
        name = "m"
        [trigger]
        run = "trigger.sh"
        [expect]
        outcome = "panic"
    "#;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    #[test]
    fn the_marked_line_is_found_in_a_folder_below() {
        let folder = folder(&[
            ("case.toml", MANIFEST),
            ("trigger.sh", "true"),
            ("Kbuild", "obj-m := m.o"),
            ("src/m.c", "int a;\nint b = 1 / 0; /* BUG: zero */\n"),
            ("snapshots/g/old.c", "/* BUG: not a source */"),
        ]);
        let case = Case::load(folder.path()).unwrap();
        let marker = case.marker.unwrap();
        assert_eq!(marker.file, Path::new("src/m.c"));
        assert_eq!((marker.line, marker.why.as_str()), (2, "zero"));
        let places: Vec<_> = case.sources.keys().collect();
        assert_eq!(places, [Path::new("Kbuild"), Path::new("src/m.c")]);
    }

    #[test]
    fn sources_outside_of_the_case_are_built_below_the_name_of_their_folder() {
        let manifest = MANIFEST.replace("name = \"m\"", "name = \"m\"\nsource = \"../../driver\"");
        let project = folder(&[
            ("cases/c/case.toml", &manifest),
            ("cases/c/trigger.sh", "true"),
            ("driver/Makefile", "obj-m := m.o"),
            ("driver/m.c", "int a; /* BUG: here */"),
            ("driver/target/old.c", ""),
            ("other/x.c", ""),
        ]);
        let case = Case::load(&project.path().join("cases/c")).unwrap();
        let places: Vec<_> = case.sources.keys().collect();
        assert_eq!(places, [Path::new("driver/Makefile"), Path::new("driver/m.c")]);
        assert_eq!(case.manifest.module[0].build_folder(), Path::new("driver/."));
        assert_eq!(case.marker.unwrap().file, Path::new("driver/m.c"));
    }

    #[test]
    fn two_markers_are_an_error_that_names_both() {
        let folder = folder(&[
            ("case.toml", MANIFEST),
            ("trigger.sh", "true"),
            ("a.c", "/* BUG: one */"),
            ("b.c", "\n/* BUG: two */"),
        ]);
        let message = Case::load(folder.path()).unwrap_err().to_string();
        assert!(message.contains("a.c:1") && message.contains("b.c:2"), "{message}");
    }

    #[test]
    fn a_missing_trigger_is_named() {
        let folder = folder(&[("case.toml", MANIFEST)]);
        let message = Case::load(folder.path()).unwrap_err().to_string();
        assert!(message.contains("trigger.sh"), "{message}");
    }
}
