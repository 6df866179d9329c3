// SPDX-License-Identifier: MIT OR Apache-2.0
//! The build of a case's modules, by the kernel's own build system or as a `dkms.conf` says.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::build_error::BuildError;
use super::compiler::Compiler;
use super::copy::{copy, copy_error};
use super::dkms::{self, DkmsConf, Variables};
use super::place::{Place, jobs};
use super::{Case, Module, Origin, old_headers, work};
use guest::{GuestFiles, discard};
use process::helper;

/// Name of the file with the output of `make`.
pub(super) const LOG: &str = "build.log";
/// Folder of a build that is as dkms has it, below that of the work.
const DKMS_TREE: &str = "dkms";
/// Most lines of the output in an error.
const LINES: usize = 20;
/// A log above this is not searched for the reason of a failure.
const MAX_LOG: usize = 4 << 20;

/// Where a build happens and where its results go.
#[derive(Debug, Clone, Copy)]
pub(super) struct Folders<'a> {
    /// Where the sources are built; what an earlier build left there is used.
    pub(super) work: &'a Path,
    /// Gets the `.ko` files and the log.
    pub(super) tree: &'a Path,
    /// Gets the log of a build that failed.
    pub(super) out: &'a Path,
}

/// Builds the case's modules.
pub(super) fn compile(
    case: &Case,
    guest: &GuestFiles,
    compiler: &Compiler,
    folders: Folders<'_>,
    go_on: &mut dyn FnMut() -> bool,
) -> Result<(), BuildError> {
    if compiler.root.is_none() && helper::find("make").is_none() {
        return Err(BuildError::NoMake(io::ErrorKind::NotFound.into()));
    }
    let old = match (&compiler.root, compiler.major) {
        (None, Some(major)) => old_headers::options(&guest.build_dir, major, &folders.compat())
            .map_err(copy_error(folders.work))?,
        _ => Vec::new(),
    };
    let make = &case.manifest.build.make;
    let mut place = Place { guest, compiler, work: folders.work, old, make, sources: None };
    let dkms = dkms_of(case, &mut place)?;
    let sources = match &dkms {
        Some((folder, conf)) => at_places_of_dkms(case, folder, conf),
        None => case.sources.clone(),
    };
    if dkms.as_ref().is_some_and(|(_, conf)| !conf.patches.is_empty()) {
        // What is patched already cannot be patched again.
        discard(folders.work);
    }
    work::bring(folders.work, &sources)?;
    let log_path = folders.tree.join(LOG);
    let log = File::create(&log_path).map_err(copy_error(&log_path))?;
    let mut build = Build { case, place: &place, folders, log, go_on };
    match &dkms {
        Some((_, conf)) => build.by_dkms(conf),
        None => build.by_kbuild(),
    }
}

/// The folder among the sources that has a `dkms.conf`, and what that says.
fn dkms_of(case: &Case, place: &mut Place<'_>) -> Result<Option<(PathBuf, DkmsConf)>, BuildError> {
    if case.manifest.build.dkms.is_none() {
        return Ok(None);
    }
    let is_it = |(path, _): &(&PathBuf, &PathBuf)| path.file_name() == Some(dkms::NAME.as_ref());
    let found = case.sources.iter().filter(is_it).min_by_key(|(path, _)| path.components().count());
    let (inside, path) = found.ok_or_else(|| BuildError::NoDkms { case: case.name.clone() })?;
    let tree = place.inside(&place.work.join(DKMS_TREE));
    let kernel = place.build_dir();
    let variables = Variables { release: &place.guest.release, kernel: &kernel, tree: &tree };
    let conf = DkmsConf::read(path, variables)?;
    place.sources = Some(place.work.join(DKMS_TREE).join(conf.build_folder()));
    Ok(Some((inside.parent().unwrap_or(Path::new("")).to_owned(), conf)))
}

/// The sources where dkms would have them.
fn at_places_of_dkms(case: &Case, folder: &Path, conf: &DkmsConf) -> BTreeMap<PathBuf, PathBuf> {
    let target = Path::new(DKMS_TREE).join(conf.build_folder());
    let at = |(place, path): (&PathBuf, &PathBuf)| match place.strip_prefix(folder) {
        Ok(inside) => (target.join(inside), path.clone()),
        Err(_) => (place.clone(), path.clone()),
    };
    case.sources.iter().map(at).collect()
}

impl Folders<'_> {
    /// Where headers are made that old kernels lack.
    fn compat(&self) -> PathBuf {
        self.work.with_extension("compat")
    }
}

/// A build that is under way.
struct Build<'a> {
    case: &'a Case,
    place: &'a Place<'a>,
    folders: Folders<'a>,
    log: File,
    go_on: &'a mut dyn FnMut() -> bool,
}

impl Build<'_> {
    fn by_kbuild(&mut self) -> Result<(), BuildError> {
        let built = |module: &&Module| module.origin() == Origin::Built;
        let to_build: Vec<&Module> = self.case.manifest.module.iter().filter(built).collect();
        let mut symbols = Vec::new();
        for group in to_build.chunk_by(|a, b| a.build_folder() == b.build_folder()) {
            let folder = folder_of(self.folders.work, group[0]);
            self.before(&folder)?;
            self.run(&self.place.kbuild(&folder, &symbols))?;
            symbols.push(folder.join("Module.symvers"));
            for module in group {
                self.take(module, &folder)?;
            }
        }
        Ok(())
    }

    /// What dkms(8) does in `dkms build`: patches, the command before, the command that builds.
    fn by_dkms(&mut self, conf: &DkmsConf) -> Result<(), BuildError> {
        let folder = self.folders.work.join(DKMS_TREE).join(conf.build_folder());
        let inside = |path: &Path| self.place.inside(path).display().to_string();
        let variables = [
            ("kernelver", self.place.guest.release.clone()),
            ("kernel_source_dir", self.place.build_dir().display().to_string()),
            ("dkms_tree", inside(&self.folders.work.join(DKMS_TREE))),
            ("source_tree", inside(&self.folders.work.join(DKMS_TREE))),
            ("arch", "x86_64".to_owned()),
            ("module", conf.name.clone()),
            ("module_version", conf.version.clone()),
            ("PACKAGE_NAME", conf.name.clone()),
            ("PACKAGE_VERSION", conf.version.clone()),
        ];
        let patches = conf.patches.iter().map(|patch| format!("patch -N -p1 < patches/{patch}"));
        for script in patches.chain(conf.pre_build.clone()) {
            self.run(&self.place.shell(&folder, &script, &variables))?;
        }
        self.before(&folder)?;
        self.run(&self.place.shell(&folder, &conf.command(jobs()), &variables))?;
        for module in &self.case.manifest.module {
            if module.origin() != Origin::Built {
                continue;
            }
            let known = conf.modules.iter().find(|known| known.name == module.name);
            let place = known.map_or_else(PathBuf::new, |known| known.location.clone());
            self.take(module, &folder.join(place)).or_else(|_| self.take(module, &folder))?;
        }
        Ok(())
    }

    /// The case's own commands.
    fn before(&mut self, folder: &Path) -> Result<(), BuildError> {
        let variables = [
            ("kernelver", self.place.guest.release.clone()),
            ("kernel_source_dir", self.place.build_dir().display().to_string()),
        ];
        for script in &self.case.manifest.build.before {
            self.run(&self.place.shell(folder, script, &variables))?;
        }
        Ok(())
    }

    fn run(&mut self, command: &duct::Expression) -> Result<(), BuildError> {
        let clone = self.log.try_clone().map_err(copy_error(&self.folders.tree.join(LOG)))?;
        let output = helper::wait(&command.stderr_to_stdout().stdout_file(clone), &mut *self.go_on)
            .map_err(BuildError::NoMake)?
            .ok_or(BuildError::Cancelled)?;
        if output.status.success() {
            return Ok(());
        }
        Err(failure(self.case, self.place, self.folders))
    }

    /// Moves a module that came out of the build to where it is kept.
    fn take(&self, module: &Module, folder: &Path) -> Result<(), BuildError> {
        let name = module.file_name();
        let built = find(folder, &name, 0).ok_or_else(|| BuildError::NotBuilt {
            case: self.case.name.clone(),
            module: module.name.clone(),
            folder: module.folder.clone(),
        })?;
        copy(&built, &self.folders.tree.join(name))
    }
}

/// What to say about a build that failed; its log is kept in `out`.
fn failure(case: &Case, place: &Place<'_>, folders: Folders<'_>) -> BuildError {
    let (from, log) = (folders.tree.join(LOG), folders.out.join(LOG));
    if let Err(error) = copy(&from, &log) {
        return error;
    }
    let text = match fs::read(&from) {
        Ok(text) => text,
        Err(error) => return copy_error(&from)(error),
    };
    let own = place.sources.as_deref().map(|path| place.inside(path));
    let lines = reasons(&text, own.as_deref(), &place.inside(place.work));
    let mut lines = with_paths(&lines, &case.sources, std::env::current_dir().ok().as_deref());
    if let Some(note) = place.compiler.note(place.guest.gcc_major) {
        lines = format!("{lines}\n({note})");
    }
    let (case, release) = (case.name.clone(), place.guest.release.clone());
    BuildError::Compile { case, release, lines, log }
}

/// The folder a module is built in, without a `.` that would show in the compiler's paths.
fn folder_of(work: &Path, module: &Module) -> PathBuf {
    work.join(module.build_folder()).components().collect()
}

/// A Kbuild may name folders below its own (`obj-m := one/ two/`).
fn find(folder: &Path, name: &str, depth: u32) -> Option<PathBuf> {
    let here = folder.join(name);
    if here.is_file() {
        return Some(here);
    }
    if depth > 8 {
        return None;
    }
    let mut folders: Vec<PathBuf> = fs::read_dir(folder)
        .ok()?
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.path())
        .collect();
    folders.sort();
    folders.iter().find_map(|folder| find(folder, name, depth + 1))
}

/// The lines of a failed build that say why, with paths as the case has them: below `own` or `work`.
fn reasons(log: &[u8], own: Option<&Path>, work: &Path) -> String {
    let text = String::from_utf8_lossy(&log[..log.len().min(MAX_LOG)]);
    let is_reason = |line: &&str| {
        let says = ["error:", "ERROR:", "undefined!", "fatal:"];
        says.iter().any(|word| line.contains(word))
    };
    let reasons: Vec<&str> = text.lines().filter(is_reason).take(LINES).collect();
    let shown =
        if reasons.is_empty() { helper::tail(text.as_bytes(), LINES) } else { reasons.join("\n") };
    let prefixes = own.into_iter().chain([work]).map(|path| format!("{}/", path.display()));
    prefixes.fold(shown, |shown, prefix| shown.replace(&prefix, ""))
}

/// The same with the paths that the user has the sources by, from the folder that he is in: an editor opens them.
fn with_paths(lines: &str, sources: &BTreeMap<PathBuf, PathBuf>, here: Option<&Path>) -> String {
    let line = |line: &str| {
        let named = line.split_once(':').and_then(|(place, rest)| {
            let path = sources.get(Path::new(place))?;
            let path = here.and_then(|here| path.strip_prefix(here).ok()).unwrap_or(path);
            Some(format!("{}:{rest}", path.display()))
        });
        named.unwrap_or_else(|| line.to_owned())
    };
    lines.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_compiler_names_the_users_own_file() {
        let sources = BTreeMap::from([
            (PathBuf::from("m.c"), PathBuf::from("/repo/cases/first/m.c")),
            (PathBuf::from("driver/d.c"), PathBuf::from("/src/driver/d.c")),
        ]);
        let lines = "m.c:3:5: error: no\ndriver/d.c:1:1: error: no\nx.c:1: error: no\n(gcc: 4)";
        let here = Some(Path::new("/repo"));
        assert_eq!(
            with_paths(lines, &sources, here),
            "cases/first/m.c:3:5: error: no\n/src/driver/d.c:1:1: error: no\nx.c:1: error: no\n(gcc: 4)"
        );
    }

    #[test]
    fn the_compilers_lines_are_shown_and_make_s_are_not() {
        let log = b"make: Entering directory '/x'\n  CC [M]  /w/m.o\n\
            /w/src/m.c:3:5: error: expected ';' before 'return'\n\
            make[1]: *** [scripts/Makefile.build:250: /w/m.o] Error 1\n";
        assert_eq!(
            reasons(log, None, Path::new("/w")),
            "src/m.c:3:5: error: expected ';' before 'return'"
        );
    }

    #[test]
    fn paths_are_those_of_the_sources() {
        let log = b"/w/dkms/a/1/build/src/x.c:1:1: error: no\n";
        let own = Some(Path::new("/w/dkms/a/1/build"));
        assert_eq!(reasons(log, own, Path::new("/w")), "src/x.c:1:1: error: no");
    }

    #[test]
    fn modposts_lines_are_shown() {
        let log = b"ERROR: modpost: \"f\" [/w/m.ko] undefined!\nmake: *** Error 1\n";
        assert_eq!(reasons(log, None, Path::new("/w")), "ERROR: modpost: \"f\" [m.ko] undefined!");
    }

    #[test]
    fn a_failure_of_another_form_shows_the_end_of_the_log() {
        let log = b"one\nmake: *** No rule to make target 'x'.  Stop.\n";
        assert!(
            reasons(log, None, Path::new("/w")).ends_with("No rule to make target 'x'.  Stop.")
        );
    }
}
