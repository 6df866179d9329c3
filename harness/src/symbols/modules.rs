// SPDX-License-Identifier: MIT OR Apache-2.0
//! Files of modules, by the modules' names: looked for at once, opened when they are asked for.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use analyzer::{Files, ModuleFiles};

use super::debug_file::{Facts, complete};
use super::kernel::Wanted;
use super::lines::Lines;
use super::names::{Kind, module};
use super::open::open;
use super::{DEBUG_ROOT, Found};

/// Folders deeper than any /lib/modules are not searched.
const MAX_DEPTH: u32 = 16;

/// Files of modules.
#[derive(Default)]
pub(crate) struct Modules {
    by_name: BTreeMap<String, Candidates>,
    lines: Lines,
}

#[derive(Default)]
struct Candidates {
    /// Those of the dump's release first, then modules before debug files, then by path.
    paths: Vec<(bool, Kind, PathBuf)>,
    found: OnceCell<Option<Found>>,
}

impl Modules {
    /// Files that the caller knows by their modules' names.
    pub(crate) fn named(files: &[(String, PathBuf)]) -> io::Result<Self> {
        let mut modules = Self::default();
        for (name, path) in files {
            let found = complete(path, open(path)?, &[]);
            let paths = vec![(false, Kind::Module, path.clone())];
            let candidates = Candidates { paths, found: OnceCell::from(Some(found)) };
            modules.by_name.insert(name.replace('-', "_"), candidates);
        }
        Ok(modules)
    }

    /// The same, with their sources.
    pub(crate) fn with_lines(self, lines: Lines) -> Self {
        Self { lines, ..self }
    }

    /// Adds the modules below a folder.
    pub(crate) fn search(&mut self, folder: &Path, wanted: &Wanted) -> io::Result<()> {
        self.collect(folder, 0, wanted.release())
    }

    /// Adds the modules in the places of packages.
    pub(crate) fn search_system(&mut self, wanted: &Wanted) {
        let Some(release) = wanted.release() else { return };
        for root in [DEBUG_ROOT, "/", "/usr"] {
            let folder = Path::new(root).join("lib/modules").join(release);
            // What cannot be read is as good as not there.
            let _absent = self.search(&folder, wanted);
        }
    }

    /// The modules' names in the kernel, and the file that each is looked for in first.
    pub(crate) fn paths(&self) -> impl Iterator<Item = (&str, &Path)> {
        self.by_name.iter().filter_map(|(name, candidates)| {
            let (_, _, path) = candidates.paths.first()?;
            Some((name.as_str(), path.as_path()))
        })
    }

    fn collect(&mut self, folder: &Path, depth: u32, release: Option<&str>) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let path = entry.path();
            if entry.file_type()?.is_dir() {
                if depth < MAX_DEPTH {
                    self.collect(&path, depth + 1, release)?;
                }
            } else if let Some((name, kind)) = module(&entry.file_name().to_string_lossy()) {
                let of_release = path.iter().any(|part| release.is_some_and(|it| part == it));
                let candidates = self.by_name.entry(name).or_default();
                candidates.paths.push((!of_release, kind, path));
                candidates.paths.sort();
            }
        }
        Ok(())
    }
}

impl ModuleFiles for Modules {
    fn module(&self, name: &str) -> Option<Files<'_>> {
        let candidates = self.by_name.get(name)?;
        let found = candidates.found.get_or_init(|| candidates.open()).as_ref()?;
        Some(Files { texts: self.lines.texts(), ..found.files() })
    }

    fn names(&self) -> Vec<String> {
        self.by_name.keys().cloned().collect()
    }
}

impl Candidates {
    /// The first file that is a module, with another one for its debug file.
    fn open(&self) -> Option<Found> {
        let paths = || self.paths.iter().map(|(_, _, path)| path);
        let (path, image) = paths().find_map(|path| {
            let map = open(path).ok()?;
            Facts::of(&map).map(|_| (path, map))
        })?;
        let others: Vec<PathBuf> = paths().filter(|other| *other != path).cloned().collect();
        Some(complete(path, image, &others))
    }
}
