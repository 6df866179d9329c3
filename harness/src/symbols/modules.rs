// SPDX-License-Identifier: MIT OR Apache-2.0
//! Files of modules, by the modules' names: looked for at once, opened when they are asked for.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use analyzer::{Files, ModuleFiles};

use super::by_build::ByBuild;
use super::debug_file::{Facts, complete};
use super::kernel::Wanted;
use super::lines::Lines;
use super::names::{Kind, module};
use super::open::open;
use super::places::Places;
use super::{DEBUG_ROOT, Found};

/// Folders deeper than any /lib/modules are not searched.
const MAX_DEPTH: u32 = 16;
/// Where a run keeps its modules, beside its vmcore.
const BUILDS: &str = "build";

/// Files of modules.
#[derive(Default)]
pub(crate) struct Modules {
    by_name: BTreeMap<String, Candidates>,
    places: Places,
    by_build: ByBuild,
    lines: Lines,
    /// What was handed out: modules' names and files.
    used: RefCell<BTreeMap<String, PathBuf>>,
}

#[derive(Default)]
struct Candidates {
    paths: Vec<Candidate>,
    found: OnceCell<Option<Found>>,
}

/// A file that may be a module's, in the order in which they are tried.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    from: From,
    /// Those of the dump's release come first.
    of_other_release: bool,
    kind: Kind,
    path: PathBuf,
}

/// Who says that a file is a module's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum From {
    /// The user.
    Given,
    /// It lies beside the dump.
    Beside,
    /// It lies where packages put such files.
    System,
    /// It was unpacked for this dump.
    Unpacked,
}

impl Modules {
    /// Files that the caller knows by their modules' names.
    pub(crate) fn named(files: &[(String, PathBuf)]) -> io::Result<Self> {
        let mut modules = Self::default();
        for (name, path) in files {
            let found = complete(path, open(path)?, &[]);
            let candidates = Candidates {
                paths: vec![Candidate::new(From::Given, path)],
                found: OnceCell::from(Some(found)),
            };
            modules.by_name.insert(name.replace('-', "_"), candidates);
        }
        Ok(modules)
    }

    /// The same, with their sources.
    pub(crate) fn with_lines(self, lines: Lines) -> Self {
        Self { lines, ..self }
    }

    /// Adds the modules below a folder that the user named.
    pub(crate) fn search(&mut self, folder: &Path, wanted: &Wanted) -> io::Result<()> {
        self.collect(From::Given, folder, MAX_DEPTH, wanted.release())
    }

    /// Adds the modules in places that nobody named. What cannot be read there is as good as not there.
    pub(crate) fn search_places(&mut self, places: &Places, wanted: &Wanted) {
        let release = wanted.release();
        if let Some(folder) = &places.beside {
            let _absent = self.collect(From::Beside, folder, 0, release);
            let _absent = self.collect(From::Beside, &folder.join(BUILDS), MAX_DEPTH, release);
        }
        if let Some(release) = release.filter(|_| places.system) {
            for root in [DEBUG_ROOT, "/", "/usr"] {
                let folder = Path::new(root).join("lib/modules").join(release);
                let _absent = self.collect(From::System, &folder, MAX_DEPTH, Some(release));
            }
        }
        for (name, path) in &places.unpacked {
            self.add(name.clone(), Candidate::new(From::Unpacked, path));
        }
        self.places = places.clone();
    }

    /// The modules that were asked for so far, each with the file that has its debug information; where none
    /// has, the one with its code.
    pub(crate) fn used(&self) -> Vec<(String, PathBuf)> {
        let used = self.used.borrow();
        used.iter().map(|(name, path)| (name.clone(), path.clone())).collect()
    }

    /// Adds what is in a folder, and so many levels deeper.
    fn collect(
        &mut self,
        from: From,
        folder: &Path,
        deeper: u32,
        release: Option<&str>,
    ) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let path = entry.path();
            if entry.file_type()?.is_dir() {
                if deeper > 0 {
                    // One folder that cannot be read is no reason to leave the others.
                    let _absent = self.collect(from, &path, deeper - 1, release);
                }
            } else if let Some((name, kind)) = module(&entry.file_name().to_string_lossy()) {
                let of_release = path.iter().any(|part| release.is_some_and(|it| part == it));
                let of_other_release = !of_release;
                self.add(name, Candidate { from, of_other_release, kind, path });
            }
        }
        Ok(())
    }

    fn add(&mut self, name: String, candidate: Candidate) {
        let candidates = self.by_name.entry(name).or_default();
        candidates.paths.push(candidate);
        candidates.paths.sort();
    }
}

/// The file of a module below a folder, by its name in the kernel.
pub(crate) fn module_below(folder: &Path, name: &str) -> Option<PathBuf> {
    let mut modules = Modules::default();
    modules.collect(From::Unpacked, folder, MAX_DEPTH, None).ok()?;
    let candidates = modules.by_name.remove(name)?;
    candidates.paths.into_iter().next().map(|candidate| candidate.path)
}

impl Candidate {
    /// A file that is a module's whatever it is called.
    fn new(from: From, path: &Path) -> Self {
        Self { from, of_other_release: false, kind: Kind::Module, path: path.to_owned() }
    }
}

impl ModuleFiles for Modules {
    fn module(&self, name: &str, build_id: Option<&[u8]>) -> Option<Files<'_>> {
        let named = self.by_name.get(name).and_then(|candidates| {
            let found = candidates.found.get_or_init(|| candidates.open(build_id, &self.places));
            found.as_ref()
        });
        let is_it = |found: &&Found| build_id.is_none() || found.build_id.as_deref() == build_id;
        let of_build = || {
            let id = build_id?;
            self.by_build.get(id, || self.places.of_build(id))
        };
        let found = named.filter(is_it).or_else(of_build).or(named)?;
        self.used.borrow_mut().insert(name.to_owned(), found.debug_path().to_owned());
        Some(Files { texts: self.lines.texts(), ..found.files() })
    }

    fn names(&self) -> Vec<String> {
        self.by_name.keys().cloned().collect()
    }
}

impl Candidates {
    /// The first file that is the module of this build, else the first that is a module at all, with
    /// another one for its debug file.
    fn open(&self, build_id: Option<&[u8]>, places: &Places) -> Option<Found> {
        let mut first = None;
        for Candidate { path, .. } in &self.paths {
            let Ok(map) = open(path) else { continue };
            let Some(facts) = Facts::of(&map) else { continue };
            if build_id.is_none() || facts.build_id.as_deref() == build_id {
                let mut others = self.others(path);
                others.extend(build_id.map(|id| places.of_build(id)).unwrap_or_default());
                return Some(complete(path, map, &others));
            }
            first.get_or_insert((path, map));
        }
        first.map(|(path, map)| complete(path, map, &self.others(path)))
    }

    fn others(&self, path: &Path) -> Vec<PathBuf> {
        let paths = self.paths.iter().map(|candidate| &candidate.path);
        paths.filter(|other| *other != path).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// A file with debug information, and what `strip` leaves of it.
    fn built(folder: &Path) -> [PathBuf; 2] {
        let at = |name: &str| folder.join(name);
        fs::write(at("m.c"), "int value = 1; void _start(void) { }").unwrap();
        let run = |command: &mut Command| {
            assert!(command.status().expect("it is installed").success(), "{command:?}");
        };
        let mut gcc = Command::new("gcc");
        gcc.args(["-g", "-static", "-nostdlib", "-Wl,--build-id=0xab0cde", "-o"]);
        run(gcc.arg(at("whole")).arg(at("m.c")));
        run(Command::new("objcopy").arg("-S").args([at("whole"), at("bare")]));
        [at("whole"), at("bare")]
    }

    #[test]
    fn the_file_that_is_used_is_told_whoever_found_it() {
        let folder = tempfile::tempdir().unwrap();
        let [whole, bare] = built(folder.path());
        let cache = folder.path().join("cache");
        let kept = cache.join("debuginfod/ab0cde");
        fs::create_dir_all(&kept).unwrap();
        let debug = kept.join("debuginfo");
        fs::copy(&whole, &debug).unwrap();
        let id = [0xab, 0x0c, 0xde];
        let places = Places { cache: Some(cache), ..Places::default() };
        let used = |mut modules: Modules| {
            modules.search_places(&places, &Wanted { release: None, build_id: None });
            assert!(modules.module("m", Some(&id)).is_some());
            assert!(modules.module("other", Some(&[1, 2, 3])).is_none());
            modules.used()
        };
        // Only the build-id leads to it; then the user has one without debug information.
        assert_eq!(used(Modules::default()), [("m".to_owned(), debug.clone())]);
        let mut folder_of_user = Modules::default();
        folder_of_user.add("m".to_owned(), Candidate::new(From::Given, &bare));
        assert_eq!(used(folder_of_user), [("m".to_owned(), debug)]);
    }
}
