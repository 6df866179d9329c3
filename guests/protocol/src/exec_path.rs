// SPDX-License-Identifier: MIT OR Apache-2.0
//! The ways to execute a program that `guests/exec-paths` knows, each a step of a trigger.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Makes the enum, its names and its descriptions of one table.
macro_rules! exec_paths {
    ($($path:ident $name:literal $about:literal;)*) => {
        /// A way to execute a program.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        pub enum ExecPath {
            $(#[doc = $about] #[serde(rename = $name)] $path,)*
        }

        impl ExecPath {
            /// Every one, in the order they are taken where no seed shuffles them.
            pub const EACH: &[Self] = &[$(Self::$path,)*];

            /// What lists of them may hold: `all`, and each one's name.
            pub const WORDS: &[&str] = &[Self::ALL, $($name,)*];

            /// The name in manifests and reports.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$path => $name,)* }
            }

            /// One line about it.
            #[must_use]
            pub const fn about(self) -> &'static str {
                match self { $(Self::$path => $about,)* }
            }
        }
    };
}

exec_paths! {
    Execve "execve" "a program by its absolute path";
    Relative "relative" "by a name in the current folder, without a slash";
    Symlink "symlink" "by a symbolic link";
    ExecveatFolder "execveat-folder" "by execveat(2), relative to the descriptor of a folder";
    ExecveatEmptyPath "execveat-empty-path" "by execveat(2) of a descriptor alone (AT_EMPTY_PATH), as fexecve(3) does";
    ProcSelfFd "proc-self-fd" "by /proc/self/fd/N";
    ProcSelfExe "proc-self-exe" "the running program itself, by /proc/self/exe";

    Memfd "memfd" "a file in memory only (memfd_create), by its descriptor";
    MemfdCloexec "memfd-cloexec" "the same, with a descriptor that the exec closes";
    MemfdSealed "memfd-sealed" "the same, sealed against changes";
    MemfdSealedCloexec "memfd-sealed-cloexec" "the same, sealed and closed by the exec";
    MemfdByProc "memfd-by-proc" "a file in memory only, by /proc/self/fd/N";
    MemfdScript "memfd-script" "a `#!` script in memory only";
    MemfdScriptCloexec "memfd-script-cloexec" "the same, closed before its interpreter could read it: ENOENT";

    Script "script" "a `#!` script";
    ScriptArgument "script-argument" "a `#!` script whose interpreter has an argument";
    ScriptChain "script-chain" "a script of a script and so on, as many as the kernel takes (5)";
    ScriptChainTooLong "script-chain-too-long" "one script more: ELOOP";
    ScriptOfItself "script-of-itself" "a script that is its own interpreter: ELOOP";
    ScriptNoInterpreter "script-no-interpreter" "a script whose interpreter is not there: ENOENT";
    ScriptBadInterpreter "script-bad-interpreter" "a script whose interpreter is not executable: EACCES";
    ScriptEmpty "script-empty" "a `#!` and nothing after it: ENOEXEC";
    ScriptLineTooLong "script-line-too-long" "an interpreter's path that does not fit: ENOEXEC, or ENOENT on kernels that cut it off";

    BinfmtMisc "binfmt-misc" "a file for which an interpreter is registered (module binfmt_misc)";
    BinfmtMiscOpen "binfmt-misc-open" "the same, opened for the interpreter by the kernel (flag O)";

    Elf32 "elf32" "a 32-bit program";
    ElfInterpreter "elf-interpreter" "a program with an interpreter (PT_INTERP), as dynamic ones have";
    ElfNoInterpreter "elf-no-interpreter" "the same, where the interpreter is not there: ENOENT";
    ElfPie "elf-pie" "a program that can be anywhere (ET_DYN)";

    Setuid "setuid" "a program that becomes another user (mode 4755)";
    Setgid "setgid" "a program that becomes another group (mode 2755)";
    SetuidNoNewPrivs "setuid-no-new-privs" "a program of mode 4755 by a process that gains nothing (PR_SET_NO_NEW_PRIVS): it stays who it is";
    FileCapability "file-capability" "a program that brings a capability, by another user";
    FileCapabilityBounded "file-capability-bounded" "a capability that the process may never have: EPERM";

    DeletedFile "deleted-file" "a file that is deleted but open, by /proc/self/fd/N";
    DeletedFileExecveat "deleted-file-execveat" "the same, by its descriptor";
    ReplacedFile "replaced-file" "a file that is replaced (renamed over) while it runs, and executed again";

    Tmpfs "tmpfs" "from a tmpfs";
    TmpfsNoexec "tmpfs-noexec" "from a file system that is mounted noexec: EACCES";
    OverlayLower "overlay-lower" "from an overlay, in its lower folder (module overlay)";
    OverlayUpper "overlay-upper" "from an overlay, after it was copied up";

    ArgvEmpty "argv-empty" "without any argument (argc 0)";
    ArgvNull "argv-null" "without a list of arguments (argv is NULL)";
    ArgumentLong "argument-long" "an argument as long as may be (MAX_ARG_STRLEN)";
    ArgumentTooLong "argument-too-long" "an argument that is one byte longer: E2BIG";
    ArgumentsTooMany "arguments-too-many" "a million arguments: E2BIG";
    EnvironmentLong "environment-long" "an environment of 1.5 MiB";
    EnvironmentTooLong "environment-too-long" "an environment of 8 MiB: E2BIG";

    Vfork "vfork" "after vfork(2)";
    Spawn "spawn" "after clone(2) with CLONE_VM and CLONE_VFORK, as posix_spawn(3) does";
    Thread "thread" "by one of 16 threads that is not the first: the others end";
    ThreadRace "thread-race" "by 8 threads at once";
    Processes "processes" "by 32 processes at once";
    Traced "traced" "by a process that is traced (PTRACE_TRACEME)";

    MountNamespace "mount-namespace" "in a mount namespace of its own";
    PidNamespace "pid-namespace" "as PID 1 of a namespace of its own";
    UserNamespace "user-namespace" "in a user namespace of its own";
    Chroot "chroot" "below another root folder";
    NoNewPrivs "no-new-privs" "by a process that gains nothing (PR_SET_NO_NEW_PRIVS)";
    Seccomp "seccomp" "by a process with a seccomp filter";
    SeccompRefused "seccomp-refused" "by one whose seccomp filter refuses execve(2): EPERM";

    Missing "missing" "a file that is not there: ENOENT";
    EmptyPath "empty-path" "an empty path: ENOENT";
    NotExecutable "not-executable" "a file without the right to execute it: EACCES";
    Folder "folder" "a folder: EACCES";
    Device "device" "a device: EACCES";
    UnknownFormat "unknown-format" "a file of text without `#!`: ENOEXEC";
    EmptyFile "empty-file" "an empty file: ENOEXEC";
    ElfCut "elf-cut" "a program that ends within its header: ENOEXEC";
    ElfOtherMachine "elf-other-machine" "a program for a machine that is not this one: ENOEXEC";
    FileAsFolder "file-as-folder" "a path through a file: ENOTDIR";
    SymlinkCircle "symlink-circle" "a symbolic link to itself: ELOOP";
    SymlinkNotFollowed "symlink-not-followed" "by execveat(2) that follows no link (AT_SYMLINK_NOFOLLOW): ELOOP";
    NameTooLong "name-too-long" "a name of 256 bytes: ENAMETOOLONG";
    BusyFile "busy-file" "a file that is open for writing: ETXTBSY";
    BadFlags "bad-flags" "execveat(2) with flags that do not exist: EINVAL";
    BadDescriptor "bad-descriptor" "execveat(2) with a descriptor that is not open: EBADF";
    BadPathPointer "bad-path-pointer" "a path at a bad address: EFAULT";
    BadArgumentPointer "bad-argument-pointer" "arguments at a bad address: EFAULT";
    TooManyProcesses "too-many-processes" "by a user with more processes than allowed (RLIMIT_NPROC): EAGAIN";

    ModuleUnload "module-unload" "by four processes while the case's last module is unloaded; only by name, and last";
}

impl ExecPath {
    /// The word for [`Self::all`].
    pub const ALL: &str = "all";

    /// Those of `"all"`: a module that is gone would meet no other step.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::EACH.iter().copied().filter(|path| *path != Self::ModuleUnload)
    }

    /// The one with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::EACH.iter().copied().find(|path| path.name() == name)
    }
}

impl fmt::Display for ExecPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One step of a trigger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ExecStep {
    /// What it does.
    pub path: ExecPath,
    /// Its number, from 1.
    pub number: u32,
    /// How many there are.
    pub of: u32,
    /// What shuffled them, if something did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
}

impl fmt::Display for ExecStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, number, of, seed } = self;
        write!(f, "{path} (step {number} of {of}")?;
        seed.map_or(Ok(()), |seed| write!(f, ", seed {seed}"))?;
        f.write_str(")")
    }
}

/// What came of a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "how", rename_all = "kebab-case")]
pub enum ExecEnd {
    /// It went as it should.
    Passed,
    /// It could not be tried.
    Skipped {
        /// Why.
        why: String,
    },
    /// It went otherwise.
    Failed {
        /// What happened instead.
        why: String,
    },
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_told_apart_and_found_again() {
        let names: BTreeSet<_> = ExecPath::EACH.iter().map(|path| path.name()).collect();
        assert_eq!(names.len(), ExecPath::EACH.len());
        for path in ExecPath::EACH {
            assert_eq!(ExecPath::named(path.name()), Some(*path));
            assert_eq!(serde_json::to_value(path).unwrap(), path.name(), "one name everywhere");
        }
        assert_eq!(ExecPath::named("all"), None);
    }

    #[test]
    fn all_leaves_the_case_its_module() {
        assert!(!ExecPath::all().any(|path| path == ExecPath::ModuleUnload));
        assert_eq!(ExecPath::all().count() + 1, ExecPath::EACH.len());
    }

    #[test]
    fn a_step_is_told_in_one_line() {
        let step = ExecStep { path: ExecPath::MemfdSealed, number: 7, of: 41, seed: Some(1) };
        assert_eq!(step.to_string(), "memfd-sealed (step 7 of 41, seed 1)");
        let plain = ExecStep { seed: None, ..step };
        assert_eq!(plain.to_string(), "memfd-sealed (step 7 of 41)");
    }
}
