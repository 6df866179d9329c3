// SPDX-License-Identifier: MIT OR Apache-2.0
//! The call of the kernel's own build system.

use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::thread::available_parallelism;

use super::build_error::BuildError;
use super::compiler::Compiler;
use super::copy::{copy, copy_error};
use super::{Case, Module, build_root, old_headers};
use guest::{GuestFiles, discard};
use process::helper;

/// Name of the file with the output of `make`.
pub(super) const LOG: &str = "build.log";
/// Folder of a tree in which the sources are built.
const WORK: &str = "work";
/// Most lines of the output in an error.
const LINES: usize = 20;
/// A log above this is not searched for the reason of a failure.
const MAX_LOG: usize = 4 << 20;
/// What an unsuspecting environment says to make, the kernel's Makefile or the compiler.
const ENVIRONMENT: [&str; 16] = [
    "MAKEFLAGS",
    "MFLAGS",
    "GNUMAKEFLAGS",
    "MAKELEVEL",
    "ARCH",
    "CROSS_COMPILE",
    "LLVM",
    "CPATH",
    "C_INCLUDE_PATH",
    "KCPPFLAGS",
    "KAFLAGS",
    "KBUILD_OUTPUT",
    "KBUILD_EXTMOD",
    "KBUILD_VERBOSE",
    "KDIR",
    "SOURCE_DATE_EPOCH",
];

/// Makes the build write BTF into modules.
const BTF: &str = "CONFIG_DEBUG_INFO_BTF_MODULES";
/// What the configuration records of the kernel's own compiler, and the option that the kernel's
/// Makefile adds for it without asking the compiler at hand.
const COMPILER_OPTIONS: [(&str, &str); 4] = [
    ("CONFIG_CC_HAS_MIN_FUNCTION_ALIGNMENT", "-fmin-function-alignment=16"),
    ("CONFIG_CC_HAS_ENTRY_PADDING", "-fpatchable-function-entry=16,16"),
    ("CONFIG_INIT_STACK_ALL_ZERO", "-ftrivial-auto-var-init=zero"),
    ("CONFIG_SLS", "-mharden-sls=all"),
];

/// Builds the case's modules; `tree` gets the `.ko` files and the log.
pub(super) fn compile(
    case: &Case,
    guest: &GuestFiles,
    compiler: &Compiler,
    tree: &Path,
    out: &Path,
    go_on: &mut dyn FnMut() -> bool,
) -> Result<(), BuildError> {
    let work = tree.join(WORK);
    for (place, path) in &case.sources {
        let target = work.join(place);
        let folder = target.parent().unwrap_or(&work);
        fs::create_dir_all(folder).map_err(copy_error(folder))?;
        copy(path, &target)?;
    }
    let log_path = tree.join(LOG);
    let log = File::create(&log_path).map_err(copy_error(&log_path))?;
    let to_build: Vec<&Module> =
        case.manifest.module.iter().filter(|m| m.prebuilt.is_none()).collect();
    let mut symbols = Vec::new();
    let old = match (&compiler.root, compiler.major) {
        (None, Some(major)) => {
            old_headers::options(&guest.build_dir, major, &work).map_err(copy_error(&work))?
        }
        _ => Vec::new(),
    };
    let place = Place { guest, compiler, work: &work, old };
    for group in to_build.chunk_by(|a, b| a.build_folder() == b.build_folder()) {
        let folder = folder_of(&work, group[0]);
        let make = place.make(&folder, &symbols);
        let clone = log.try_clone().map_err(copy_error(&log_path))?;
        let output = helper::wait(&make.stderr_to_stdout().stdout_file(clone), &mut *go_on)
            .map_err(BuildError::NoMake)?
            .ok_or(BuildError::Cancelled)?;
        if !output.status.success() {
            return Err(failure(case, &place, tree, out));
        }
        symbols.push(folder.join("Module.symvers"));
        for module in group {
            take(case, module, &folder, tree)?;
        }
    }
    discard(&work);
    Ok(())
}

/// What to say about a build that failed; its log is kept in `out`.
fn failure(case: &Case, place: &Place<'_>, tree: &Path, out: &Path) -> BuildError {
    let (from, log) = (tree.join(LOG), out.join(LOG));
    if let Err(error) = copy(&from, &log) {
        return error;
    }
    let text = match fs::read(&from) {
        Ok(text) => text,
        Err(error) => return copy_error(&from)(error),
    };
    let mut lines = reasons(&text, &place.inside(place.work));
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

/// Where a build happens, as its compiler sees it.
struct Place<'a> {
    guest: &'a GuestFiles,
    compiler: &'a Compiler,
    /// The folder with the sources on the host.
    work: &'a Path,
    /// Options for headers that are older than the compiler.
    old: Vec<String>,
}

impl Place<'_> {
    /// A path below the folder of the sources, as the compiler sees it.
    fn inside(&self, path: &Path) -> PathBuf {
        match (&self.compiler.root, path.strip_prefix(self.work)) {
            (Some(_), Ok(inside)) => {
                Path::new(build_root::WORK).join(inside).components().collect()
            }
            _ => path.to_owned(),
        }
    }

    /// The folder for `make -C`.
    fn build_dir(&self) -> PathBuf {
        match &self.compiler.root {
            Some(_) => {
                let name = self.guest.build_dir.file_name().unwrap_or_default();
                Path::new(build_root::KERNELS).join(name)
            }
            None => self.guest.build_dir.clone(),
        }
    }

    /// The compiler as make calls it. What old headers need comes with its name: 3.10 asks the
    /// compiler for retpolines and the stack protector before it adds `KCFLAGS`, and one that makes
    /// position-independent programs by default refuses everything for a kernel then.
    fn compiler_words(&self) -> String {
        let path = self.compiler.path.display().to_string();
        std::iter::once(path).chain(self.old.iter().cloned()).collect::<Vec<_>>().join(" ")
    }

    /// Options for the compiler: the host's paths do not belong into its output.
    fn flags(&self) -> Vec<String> {
        let mut flags = Vec::new();
        let sources = format!("{}/", self.inside(self.work).display());
        if self.compiler.root.is_none() {
            let build_dir = &self.guest.build_dir;
            let above = build_dir.parent().unwrap_or(build_dir).display().to_string();
            // Of several options that fit a path the compiler takes the last one.
            flags.push(self.compiler.map_option(&above, "/usr/src"));
            flags.push(self.compiler.map_option(&build_dir.display().to_string(), "."));
        }
        flags.push(self.compiler.map_option(&sources, ""));
        flags
    }

    fn make(&self, folder: &Path, symbols: &[PathBuf]) -> duct::Expression {
        let seen = |path: &PathBuf| self.inside(path).display().to_string();
        let symbols: Vec<String> = symbols.iter().map(seen).collect();
        let jobs = available_parallelism().map_or(1, usize::from);
        let mut words = vec![
            "-C".to_owned(),
            self.build_dir().display().to_string(),
            format!("-j{jobs}"),
            format!("M={}", self.inside(folder).display()),
            format!("CC={}", self.compiler_words()),
            format!("KCFLAGS={}", self.flags().join(" ")),
            format!("KBUILD_EXTRA_SYMBOLS={}", symbols.join(" ")),
            "modules".to_owned(),
        ];
        words.extend(unset(self.compiler, &self.guest.build_dir));
        let make = match &self.compiler.root {
            Some(root) => {
                let build_dir = &self.guest.build_dir;
                let kernels = build_dir.parent().unwrap_or(build_dir);
                let words = std::iter::once("make".to_owned()).chain(words);
                let (program, words) = root.command(kernels, self.work, words);
                helper::tied(program, words)
            }
            None => helper::tied("make", words.into_iter().map(OsString::from)),
        };
        ENVIRONMENT.iter().fold(make, |make, name| make.env_remove(name))
    }
}

/// Settings of the kernel's configuration that are not for this build, as words of make, which win
/// over the configuration.
///
/// What `CC_HAS_…` says is true of the compiler that built the kernel; one of the host that is
/// older refuses the option that follows from it (gcc 12 on 6.12: `-fmin-function-alignment=16`).
/// BTF of a module takes a program of its own, pahole, and nothing here reads it.
fn unset(compiler: &Compiler, build_dir: &Path) -> Vec<String> {
    let path = build_dir.join("include/config/auto.conf");
    let configuration = fs::read_to_string(path).unwrap_or_default();
    let set = |name: &str| configuration.lines().any(|line| line == format!("{name}=y"));
    let refused = COMPILER_OPTIONS
        .iter()
        .filter(|(name, option)| set(name) && !compiler.accepts(option))
        .map(|(name, _)| *name);
    refused.chain([BTF]).map(|name| format!("{name}=")).collect()
}

/// Moves a module that came out of the build to where it is kept.
fn take(case: &Case, module: &Module, folder: &Path, tree: &Path) -> Result<(), BuildError> {
    let name = module.file_name();
    let built = find(folder, &name, 0).ok_or_else(|| BuildError::NotBuilt {
        case: case.name.clone(),
        module: module.name.clone(),
        folder: module.folder.clone(),
    })?;
    copy(&built, &tree.join(name))
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

/// The lines of a failed build that say why, with paths as the case has them.
fn reasons(log: &[u8], work: &Path) -> String {
    let text = String::from_utf8_lossy(&log[..log.len().min(MAX_LOG)]);
    let prefix = format!("{}/", work.display());
    let is_reason = |line: &&str| {
        let says = ["error:", "ERROR:", "undefined!", "fatal:"];
        says.iter().any(|word| line.contains(word))
    };
    let reasons: Vec<&str> = text.lines().filter(is_reason).take(LINES).collect();
    let shown =
        if reasons.is_empty() { helper::tail(text.as_bytes(), LINES) } else { reasons.join("\n") };
    shown.replace(&prefix, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_compilers_lines_are_shown_and_make_s_are_not() {
        let log = b"make: Entering directory '/x'\n  CC [M]  /w/m.o\n\
            /w/src/m.c:3:5: error: expected ';' before 'return'\n\
            make[1]: *** [scripts/Makefile.build:250: /w/m.o] Error 1\n";
        assert_eq!(
            reasons(log, Path::new("/w")),
            "src/m.c:3:5: error: expected ';' before 'return'"
        );
    }

    #[test]
    fn modposts_lines_are_shown() {
        let log = b"ERROR: modpost: \"f\" [/w/m.ko] undefined!\nmake: *** Error 1\n";
        assert_eq!(reasons(log, Path::new("/w")), "ERROR: modpost: \"f\" [m.ko] undefined!");
    }

    #[test]
    fn a_failure_of_another_form_shows_the_end_of_the_log() {
        let log = b"one\nmake: *** No rule to make target 'x'.  Stop.\n";
        assert!(reasons(log, Path::new("/w")).ends_with("No rule to make target 'x'.  Stop."));
    }
}
