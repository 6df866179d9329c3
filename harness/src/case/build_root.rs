// SPDX-License-Identifier: MIT OR Apache-2.0
//! The root folder of another distribution, in which its own compiler runs.
//!
//! It is entered without privileges: by bubblewrap where it is installed, else with a user
//! namespace of util-linux's unshare(1), else as root with a mount namespace only. Nothing of the
//! host is seen inside but the kernel's headers and the folder of the build.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::build_error::BuildError;
use process::helper;

/// Where the sources and the headers are inside.
pub(super) const WORK: &str = "/build";
pub(super) const KERNELS: &str = "/usr/src/kernels";
/// What programs inside are started with.
const SEARCH_PATH: &str = "/usr/bin:/bin:/usr/sbin:/sbin";

/// Mounts and enters; `proc` may be forbidden in a container and is not needed.
const SCRIPT: &str = r#"
root=$1 kernels=$2 work=$3
shift 3
mount --bind "$kernels" "$root/usr/src/kernels"
mount --bind "$work" "$root/build"
mount -t tmpfs tmpfs "$root/tmp"
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc" 2>/dev/null || true
exec chroot "$root" "$@"
"#;

/// A way into the folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Entry {
    Bubblewrap,
    UserNamespace,
    MountNamespace,
}

impl Entry {
    fn program(self) -> &'static str {
        match self {
            Self::Bubblewrap => "bwrap",
            Self::UserNamespace | Self::MountNamespace => "unshare",
        }
    }
}

/// A build root that can be entered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BuildRoot {
    pub(super) folder: PathBuf,
    entry: Entry,
}

impl BuildRoot {
    /// Finds a way in.
    pub(super) fn open(folder: &Path) -> Result<Self, BuildError> {
        let mut why = String::new();
        for entry in [Entry::Bubblewrap, Entry::UserNamespace, Entry::MountNamespace] {
            let root = Self { folder: folder.to_owned(), entry };
            let program = entry.program();
            if helper::find(program).is_none() {
                continue;
            }
            let tried = root.start(["true"]).stdout_null().stderr_capture().unchecked();
            match tried.run() {
                Ok(output) if output.status.success() => return Ok(root),
                Ok(output) => why = format!("{program}: {}", helper::tail(&output.stderr, 1)),
                Err(error) => why = format!("{program}: {error}"),
            }
        }
        Err(BuildError::NoEntry { folder: folder.to_owned(), why })
    }

    /// Program and arguments that run a program inside, with the folder of the headers and that of
    /// the build at their places.
    pub(super) fn command<W: Into<OsString>>(
        &self,
        kernels: &Path,
        work: &Path,
        words: impl IntoIterator<Item = W>,
    ) -> (&'static str, Vec<OsString>) {
        let (root, kernels, work) =
            (self.folder.as_os_str(), kernels.as_os_str(), work.as_os_str());
        let mut all: Vec<OsString> = match self.entry {
            Entry::Bubblewrap => {
                let mut all: Vec<OsString> =
                    ["--unshare-all", "--die-with-parent", "--clearenv"].map(Into::into).into();
                all.extend(["--ro-bind".into(), root.into(), "/".into()]);
                all.extend(["--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp"].map(Into::into));
                all.extend(["--ro-bind".into(), kernels.into(), KERNELS.into()]);
                all.extend(["--bind".into(), work.into(), WORK.into()]);
                all
            }
            Entry::UserNamespace | Entry::MountNamespace => {
                let user = self.entry == Entry::UserNamespace;
                let user = user.then_some(["--user", "--map-root-user"]).into_iter().flatten();
                let mut all: Vec<OsString> = user.map(Into::into).collect();
                let others =
                    ["--mount", "--pid", "--fork", "--kill-child", "sh", "-ec", SCRIPT, "sh"];
                all.extend(others.map(Into::into));
                all.extend([root.into(), kernels.into(), work.into()]);
                all
            }
        };
        let environment = ["env", "-i", "HOME=/build", "LC_ALL=C", "TMPDIR=/tmp"];
        all.extend(environment.map(Into::into));
        all.push(format!("PATH={SEARCH_PATH}").into());
        all.extend(words.into_iter().map(Into::into));
        (self.entry.program(), all)
    }

    /// What a program inside prints for an argument.
    pub(super) fn answer(&self, program: &str, argument: &str) -> Option<String> {
        let output = self.start([program, argument]).stderr_null().read().ok()?;
        Some(output.trim_end().to_owned())
    }

    /// A program inside, without headers and sources.
    pub(super) fn start<'w>(&self, words: impl IntoIterator<Item = &'w str>) -> duct::Expression {
        let empty = self.folder.join("tmp");
        let (enter, words) = self.command(&empty, &empty, words);
        helper::tied(enter, words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The host's own programs as a root folder.
    fn root(folder: &Path) -> PathBuf {
        let script = "
            mkdir -p root/usr/bin root/usr/src/kernels root/build root/tmp root/dev root/proc
            for l in bin lib lib64; do ln -s usr/$l root/$l; done
            for p in env sh true cat touch; do cp -L /usr/bin/$p root/usr/bin; done
            for l in $(ldd /bin/sh /usr/bin/env | grep -o '/lib[^ ]*' | sort -u); do
              mkdir -p root/usr$(dirname $l); cp -L $l root/usr$l; done";
        duct::cmd!("sh", "-ec", script).dir(folder).run().unwrap();
        folder.join("root")
    }

    #[test]
    fn programs_see_the_root_the_headers_and_the_build_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let root = BuildRoot::open(&root(folder.path())).unwrap();
        let (kernels, work) = (folder.path().join("kernels"), folder.path().join("work"));
        for place in [&kernels, &work] {
            std::fs::create_dir(place).unwrap();
        }
        std::fs::write(kernels.join("release"), "3.10\n").unwrap();
        let script =
            "cat /usr/src/kernels/release; touch /build/made; test ! -e \"$0\"; echo $PATH";
        let words = ["sh", "-ec", script, folder.path().to_str().unwrap()];
        for entry in [Entry::UserNamespace, Entry::MountNamespace] {
            let root = BuildRoot { entry, ..root.clone() };
            if entry == Entry::MountNamespace && !rustix::process::geteuid().is_root() {
                continue;
            }
            let (program, words) = root.command(&kernels, &work, words);
            let output = helper::tied(program, words).read().unwrap();
            assert_eq!(output, format!("3.10\n{SEARCH_PATH}"));
            std::fs::remove_file(work.join("made")).unwrap();
        }
    }

    #[test]
    fn a_root_that_cannot_be_entered_is_an_error_that_names_the_other_way() {
        let folder = tempfile::tempdir().unwrap();
        let message = BuildRoot::open(folder.path()).unwrap_err().to_string();
        assert!(message.contains("--toolchain host"), "{message}");
    }
}
