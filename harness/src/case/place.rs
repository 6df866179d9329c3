// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where a build happens, and how its commands are called.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread::available_parallelism;

use super::build_root;
use super::compiler::Compiler;
use guest::GuestFiles;
use process::helper;

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

/// Where a build happens, as its compiler sees it.
pub(super) struct Place<'a> {
    pub(super) guest: &'a GuestFiles,
    pub(super) compiler: &'a Compiler,
    /// The folder with the sources on the host.
    pub(super) work: &'a Path,
    /// Options for headers that are older than the compiler.
    pub(super) old: Vec<String>,
    /// Words that the case has for make.
    pub(super) make: &'a [String],
    /// The folder below which files have the names that reports show, where it is not all of `work`.
    pub(super) sources: Option<PathBuf>,
}

impl Place<'_> {
    /// A path below the folder of the sources, as the compiler sees it.
    pub(super) fn inside(&self, path: &Path) -> PathBuf {
        match (&self.compiler.root, path.strip_prefix(self.work)) {
            (Some(_), Ok(inside)) => {
                Path::new(build_root::WORK).join(inside).components().collect()
            }
            _ => path.to_owned(),
        }
    }

    /// The folder for `make -C`.
    pub(super) fn build_dir(&self) -> PathBuf {
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
        if let Some(own) = &self.sources {
            let own = format!("{}/", self.inside(own).display());
            flags.push(self.compiler.map_option(&own, ""));
        }
        flags
    }

    /// A build by Kbuild in `folder`, which sees the symbols of others.
    pub(super) fn kbuild(&self, folder: &Path, symbols: &[PathBuf]) -> duct::Expression {
        let seen = |path: &PathBuf| self.inside(path).display().to_string();
        let symbols: Vec<String> = symbols.iter().map(seen).collect();
        let mut words = vec![
            "make".to_owned(),
            "-C".to_owned(),
            self.build_dir().display().to_string(),
            format!("-j{}", jobs()),
            format!("M={}", self.inside(folder).display()),
        ];
        words.extend(self.variables());
        words.push(format!("KBUILD_EXTRA_SYMBOLS={}", symbols.join(" ")));
        words.push("modules".to_owned());
        self.command(folder, words)
    }

    /// A command of the shell in `folder`. What make is told by Kbuild's own call comes to every
    /// make that it starts by the environment, where it counts as much as on the command line
    /// (GNU make manual, "Communicating Options to a Sub-make").
    pub(super) fn shell(
        &self,
        folder: &Path,
        script: &str,
        variables: &[(&str, String)],
    ) -> duct::Expression {
        let escaped = |word: &String| word.replace('\\', "\\\\").replace(' ', "\\ ");
        let flags: Vec<String> = self.variables().iter().map(escaped).collect();
        let mut words = vec!["env".to_owned(), format!("MAKEFLAGS= -- {}", flags.join(" "))];
        words.extend(variables.iter().map(|(name, value)| format!("{name}={value}")));
        words.extend(["bash".to_owned(), "-ec".to_owned(), script.to_owned()]);
        self.command(folder, words)
    }

    /// What make is told.
    fn variables(&self) -> Vec<String> {
        let mut words = vec![
            format!("CC={}", self.compiler_words()),
            format!("KCFLAGS={}", self.flags().join(" ")),
        ];
        words.extend(unset(self.compiler, &self.guest.build_dir));
        words.extend(self.make.iter().cloned());
        words
    }

    /// A command in `folder`. The shell tells it where it is: Makefiles ask `$(PWD)`, which make
    /// takes from the environment.
    fn command(&self, folder: &Path, words: Vec<String>) -> duct::Expression {
        let start = ["sh", "-c", "cd \"$0\" && exec \"$@\""].map(str::to_owned);
        let folder = self.inside(folder).display().to_string();
        let words = start.into_iter().chain([folder]).chain(words);
        let command = match &self.compiler.root {
            Some(root) => {
                let build_dir = &self.guest.build_dir;
                let kernels = build_dir.parent().unwrap_or(build_dir);
                let (program, words) = root.command(kernels, self.work, words);
                helper::tied(program, words)
            }
            None => helper::tied("sh", words.skip(1).map(OsString::from)),
        };
        ENVIRONMENT.iter().fold(command, |command, name| command.env_remove(name))
    }
}

/// How many commands a make may run at once.
pub(super) fn jobs() -> usize {
    available_parallelism().map_or(1, usize::from)
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
