// SPDX-License-Identifier: MIT OR Apache-2.0
//! A case that is not written by hand: from modules that somebody sent, or for a first try.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

/// Deepest folder in which separate debug information is looked for.
const MAX_DEPTH: u32 = 8;
/// The script of a case.
const SCRIPT: &str = "trigger.sh";

/// The first line of a manifest.
const HEAD: &str = "# All keys: `repro help case.toml`.\n";
/// What a manifest may say besides; its reader takes a `#` away where it is needed.
const SETUP: &str = r#"
[setup]
# memory = "2GiB"
# cpus = 4
# command-line = ["slub_debug=FZPU"]
# packages = ["iptables"]
# sysctls = { "kernel.softlockup_panic" = 1 }
"#;
const EXPECT: &str = r#"# kind = "null-read"
# title = "what the verdict is to be, word for word"
# culprit = { function = "f", module = "m" }
"#;

/// What a new case is made of.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    /// One line for people.
    pub summary: String,
    /// Guests it is for; empty means every guest.
    pub guests: Vec<String>,
    /// Built modules, in the order of loading.
    pub prebuilt: Vec<PathBuf>,
    /// Folder in which debug information of built modules is looked for.
    pub debug_dir: Option<PathBuf>,
    /// Modules that are built from sources: names, and the folder as it is written in the manifest
    /// where it is not the case's own.
    pub built: Vec<String>,
    /// See [`Draft::built`].
    pub source: Option<String>,
    /// Package or folder of sources with a `dkms.conf`, as it is written in the manifest.
    pub dkms: Option<String>,
    /// What makes the kernel crash: a file, or a command for the shell.
    pub trigger: String,
    /// Files and folders that the guest gets too.
    pub files: Vec<PathBuf>,
    /// How the run is expected to end.
    pub outcome: String,
}

impl Draft {
    /// Writes the case into a folder, which is made.
    ///
    /// # Errors
    /// A file cannot be read or written; a name of a file is no text.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        fs::create_dir_all(folder)?;
        let mut files = Vec::new();
        let trigger = self.write_trigger(folder, &mut files)?;
        for file in &self.files {
            let name = name_of(file)?;
            copy_all(file, &folder.join(&name))?;
            files.push(name);
        }
        let mut text = format!("{HEAD}summary = {}\n", quoted(&self.summary));
        if !self.guests.is_empty() {
            let _ = writeln!(text, "guests = [{}]", list(&self.guests));
        }
        if let Some(dkms) = &self.dkms {
            let _ = writeln!(text, "\n[build]\ndkms = {}", quoted(dkms));
        }
        text.push_str(SETUP);
        if !files.is_empty() {
            let _ = writeln!(text, "files = [{}]", list(&files));
        }
        for module in &self.prebuilt {
            text.push_str(&self.write_prebuilt(module, folder)?);
        }
        for name in &self.built {
            let _ = writeln!(text, "\n[[module]]\nname = {}", quoted(name));
            if let Some(source) = &self.source {
                let _ = writeln!(text, "source = {}", quoted(source));
            }
        }
        let _ = writeln!(text, "\n[trigger]\n{trigger}");
        let _ = writeln!(text, "\n[expect]\noutcome = {}", quoted(&self.outcome));
        text.push_str(EXPECT);
        fs::write(folder.join("case.toml"), text)
    }

    /// A script becomes the case's; a program becomes one of its files; anything else is a command.
    fn write_trigger(&self, folder: &Path, files: &mut Vec<String>) -> io::Result<String> {
        let path = Path::new(&self.trigger);
        if !path.is_file() {
            let script = format!("#!/bin/sh\n{}\n", self.trigger);
            fs::write(folder.join(SCRIPT), script)?;
        } else if is_program(path)? {
            let name = name_of(path)?;
            fs::copy(path, folder.join(&name))?;
            let exec = format!("exec = [{}]", quoted(&format!("/case/{name}")));
            files.push(name);
            return Ok(exec);
        } else {
            fs::copy(path, folder.join(SCRIPT))?;
        }
        Ok(format!("run = {}", quoted(SCRIPT)))
    }

    fn write_prebuilt(&self, module: &Path, folder: &Path) -> io::Result<String> {
        let file = name_of(module)?;
        fs::copy(module, folder.join(&file))?;
        let name = file.trim_end_matches(".ko");
        let mut text =
            format!("\n[[module]]\nname = {}\nprebuilt = {}\n", quoted(name), quoted(&file));
        let beside = module.with_extension("ko.debug");
        let found = Some(beside).filter(|path| path.is_file()).or_else(|| {
            let names = [format!("{name}.ko.debug"), format!("{name}.debug")];
            find(self.debug_dir.as_deref()?, &names, MAX_DEPTH)
        });
        if let Some(found) = found {
            let debug = format!("{file}.debug");
            fs::copy(found, folder.join(&debug))?;
            let _ = writeln!(text, "debug = {}", quoted(&debug));
        }
        Ok(text)
    }
}

/// The modules that a folder's Kbuild or Makefile makes: the words of its `obj-m`.
///
/// # Errors
/// There is neither.
pub fn modules_of(folder: &Path) -> io::Result<Vec<String>> {
    let text = fs::read_to_string(folder.join("Kbuild"))
        .or_else(|_| fs::read_to_string(folder.join("Makefile")))?
        .replace("\\\n", " ");
    let is_list = |line: &&str| line.trim_start().starts_with("obj-m");
    let words = text
        .lines()
        .filter(is_list)
        .filter_map(|line| line.split_once('='))
        .flat_map(|(_, words)| words.split('#').next().unwrap_or_default().split_whitespace());
    Ok(words.filter_map(|word| word.strip_suffix(".o")).map(str::to_owned).collect())
}

/// A text as a TOML string; JSON's escapes are a part of TOML's.
pub(crate) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn list(words: &[String]) -> String {
    words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(", ")
}

fn name_of(path: &Path) -> io::Result<String> {
    let name = path.file_name().and_then(|name| name.to_str()).map(str::to_owned);
    name.ok_or_else(|| io::Error::other(format!("{} has no name", path.display())))
}

fn is_program(path: &Path) -> io::Result<bool> {
    let mut magic = Vec::new();
    fs::File::open(path)?.take(4).read_to_end(&mut magic)?;
    Ok(magic == b"\x7fELF")
}

fn copy_all(from: &Path, to: &Path) -> io::Result<()> {
    if !from.is_dir() {
        return fs::copy(from, to).map(|_| ());
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        copy_all(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}

fn find(folder: &Path, names: &[String], depth: u32) -> Option<PathBuf> {
    let found = names.iter().map(|name| folder.join(name)).find(|path| path.is_file());
    if found.is_some() || depth == 0 {
        return found;
    }
    let mut folders: Vec<_> =
        fs::read_dir(folder).ok()?.flatten().map(|e| e.path()).filter(|p| p.is_dir()).collect();
    folders.sort();
    folders.iter().find_map(|folder| find(folder, names, depth - 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::{Case, TriggerCommand};

    #[test]
    fn binaries_with_separate_debug_information_become_a_case() {
        let sent = tempfile::tempdir().unwrap();
        let path = |name: &str| sent.path().join(name);
        fs::create_dir_all(path("debug/lib")).unwrap();
        fs::write(path("a.ko"), "a").unwrap();
        fs::write(path("b.ko"), "b").unwrap();
        fs::write(path("debug/lib/b.ko.debug"), "of b").unwrap();
        let draft = Draft {
            summary: "sent \"by\" somebody".into(),
            prebuilt: vec![path("a.ko"), path("b.ko")],
            debug_dir: Some(path("debug")),
            trigger: "echo 1 > /proc/a".into(),
            outcome: "crash".into(),
            ..Draft::default()
        };
        let folder = path("a");
        draft.write(&folder).unwrap();
        let manifest = fs::read_to_string(folder.join("case.toml")).unwrap();
        let first = manifest.lines().next().unwrap();
        assert!(first.starts_with('#') && first.contains("`repro help case.toml`"), "{first}");
        let case = Case::load(&folder).unwrap();
        assert_eq!(case.manifest.summary, "sent \"by\" somebody");
        let debug: Vec<_> = case.manifest.module.iter().map(|module| &module.debug).collect();
        assert_eq!(debug, [&None, &Some("b.ko.debug".into())]);
        let script = fs::read_to_string(folder.join("trigger.sh")).unwrap();
        assert!(script.ends_with("echo 1 > /proc/a\n"), "{script}");
    }

    #[test]
    fn a_program_is_run_as_it_is_and_files_come_with_it() {
        let sent = tempfile::tempdir().unwrap();
        let path = |name: &str| sent.path().join(name);
        fs::write(path("poke"), b"\x7fELF...").unwrap();
        fs::create_dir_all(path("etc")).unwrap();
        fs::write(path("etc/agent.conf"), "x").unwrap();
        let draft = Draft {
            summary: "s".into(),
            trigger: path("poke").display().to_string(),
            files: vec![path("etc")],
            outcome: "none".into(),
            ..Draft::default()
        };
        draft.write(&path("case")).unwrap();
        let case = Case::load(&path("case")).unwrap();
        let poke = TriggerCommand::Exec(vec!["/case/poke".into()]);
        assert_eq!(case.manifest.trigger.command, Some(poke));
        assert_eq!(case.manifest.setup.files, [Path::new("poke"), Path::new("etc")]);
    }

    #[test]
    fn modules_are_those_of_obj_m() {
        let folder = tempfile::tempdir().unwrap();
        let text = "obj-m := a.o # first\nobj-m += b.o \\\n c.o\na-y := x.o\nobj-$(X) += no.o\n";
        fs::write(folder.path().join("Makefile"), text).unwrap();
        assert_eq!(modules_of(folder.path()).unwrap(), ["a", "b", "c"]);
    }
}
