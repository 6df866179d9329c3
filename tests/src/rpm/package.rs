// SPDX-License-Identifier: MIT OR Apache-2.0
//! A package, made by `rpmbuild` from files that are there already.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::peers::setup;

/// What a package is.
#[derive(Debug, Clone)]
pub struct Spec<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its version.
    pub version: &'a str,
    /// Its release.
    pub release: &'a str,
    /// What it requires, as a specification says it.
    pub requires: &'a [&'a str],
    /// How its payload is compressed.
    pub payload: Payload,
}

/// How a payload is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Payload {
    /// As CentOS 7 and 8 do.
    Xz,
    /// As older distributions do.
    Gzip,
    /// As younger ones do.
    Zstd,
    /// Not at all, so that a test can change it.
    Plain,
}

/// Puts the package's files into a folder that stands for the root of the system.
pub type Contents<'a> = &'a dyn Fn(&Path) -> Result<()>;

impl Spec<'_> {
    /// Builds the package into `target`; gives its file.
    ///
    /// # Errors
    /// `rpmbuild` is missing or fails.
    pub fn build(&self, target: &Path, contents: Contents<'_>) -> Result<PathBuf> {
        let rpmbuild = setup::program("rpmbuild", "rpm")?;
        let work = tempfile::Builder::new().prefix("rpm").tempdir_in(target)?;
        let root = work.path().join("contents");
        fs::create_dir_all(&root)?;
        contents(&root)?;
        let spec = work.path().join("package.spec");
        fs::write(&spec, self.text(&root)?)?;
        let file = format!("{}-{}-{}.x86_64.rpm", self.name, self.version, self.release);
        let define = |name: &str, value: &str| ["--define".to_owned(), format!("{name} {value}")];
        let top = work.path().display().to_string();
        let words = [
            define("_topdir", &top),
            define("_rpmdir", &target.display().to_string()),
            define("_rpmfilename", "%{NAME}-%{VERSION}-%{RELEASE}.%{ARCH}.rpm"),
            define("_binary_payload", self.payload.word()),
            define("_build_id_links", "none"),
            define("__os_install_post", "%{nil}"),
            define("debug_package", "%{nil}"),
        ];
        let words = words.iter().flatten().map(String::as_str);
        let place = work.path().join("root").display().to_string();
        let more = ["-bb", "--target", "x86_64-linux", "--buildroot", &place];
        duct::cmd(rpmbuild, words.chain(more).chain([spec.to_str().context("path")?]))
            .env("HOME", work.path())
            .stdout_null()
            .stderr_capture()
            .run()
            .with_context(|| format!("build {file}"))?;
        Ok(target.join(file))
    }

    fn text(&self, root: &Path) -> Result<String> {
        let Self { name, version, release, requires, .. } = self;
        let mut text = format!(
            "Name: {name}\nVersion: {version}\nRelease: {release}\nSummary: {name}\n\
             License: none\nAutoReqProv: no\n"
        );
        for required in *requires {
            writeln!(text, "Requires: {required}")?;
        }
        // The build's own folder is emptied before this.
        let from = root.display();
        write!(text, "%description\n.\n%install\nrmdir \"%{{buildroot}}\"\n")?;
        write!(text, "mv \"{from}\" \"%{{buildroot}}\"\n%clean\n")?;
        text.push_str("%files\n%defattr(-,root,root)\n");
        let mut files = Vec::new();
        list(root, root, &mut files)?;
        files.sort();
        for file in files {
            writeln!(text, "\"/{}\"", file.display())?;
        }
        Ok(text)
    }
}

impl Payload {
    fn word(self) -> &'static str {
        match self {
            Self::Xz => "w0.xzdio",
            Self::Gzip => "w1.gzdio",
            Self::Zstd => "w1.zstdio",
            Self::Plain => "w.ufdio",
        }
    }
}

fn list(root: &Path, folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            list(root, &entry.path(), files)?;
        } else {
            files.push(entry.path().strip_prefix(root)?.to_owned());
        }
    }
    Ok(())
}
