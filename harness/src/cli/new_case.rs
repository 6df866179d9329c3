// SPDX-License-Identifier: MIT OR Apache-2.0
//! `repro new-case`: a folder that runs at once.

mod gitignore;

use std::fs;
use std::io::{self, BufRead as _, IsTerminal as _};
use std::path::{Component, Path, PathBuf};

use clap::Args;

use super::CommandResult;
use super::dkms::DkmsReader;
use super::names;
use super::options::{self, GlobalOptions};
use crate::case::draft::{self, Draft};
use crate::config::Project;
use crate::error::Failure;
use crate::exit::Exit;
use crate::run::select;
use guest::WantedPackage;

/// The module of a case that is made without one; `NAME` stands for its name.
const SOURCE: &str = include_str!("new_case/module.c.template");
const TRIGGER: &str = "echo 1 > /sys/module/NAME/parameters/check";
const SETTINGS: &str = include_str!("new_case/repro.toml.template");

/// Make a case that runs at once: of your sources, of built modules, or with a module to try
///
/// Without options it asks, on a terminal. The case is a folder with a manifest (case.toml: what is
/// loaded, what crashes it, what is expected). Where there is no repro.toml here or above, one is
/// made too, and a .gitignore for what runs leave. `repro help case.toml` prints the keys of the
/// manifest.
#[derive(Debug, Args)]
pub(super) struct NewCase {
    /// Name of the case, which is its folder's
    name: Option<String>,
    /// Folder of the module's sources (with a Kbuild or a Makefile); they stay where they are
    #[arg(long, value_name = "DIR", conflicts_with = "module")]
    source: Option<PathBuf>,
    /// Sources with a dkms.conf: a Debian package of them (NAME or NAME=VERSION), or a folder
    #[arg(long, value_name = "PACKAGE|DIR", conflicts_with_all = ["module", "source"])]
    dkms: Option<String>,
    /// Modules that are built already, in the order of loading; they are copied
    #[arg(long, value_name = "X.ko[,Y.ko]", value_delimiter = ',')]
    module: Vec<PathBuf>,
    /// Folder with the debug information of built modules
    #[arg(long, value_name = "DIR", requires = "module")]
    debug_dir: Option<PathBuf>,
    /// What makes the kernel crash: a script, a program, or a command for the shell
    #[arg(long, value_name = "CMD|FILE")]
    trigger: Option<String>,
    /// A file, folder or program that the guest gets in /case
    #[arg(long, value_name = "FILE")]
    file: Vec<PathBuf>,
    /// A guest it is for [default: those of repro.toml]
    #[arg(long = "guest", value_name = "GUEST", add = names::guests())]
    guests: Vec<String>,
    /// How it ends
    #[arg(long, value_name = "OUTCOME", default_value = "crash",
          value_parser = ["crash", "panic", "hang", "complaint", "none", "refused"])]
    expect: String,
}

impl NewCase {
    pub(super) fn run(&self, global: &GlobalOptions) -> CommandResult {
        let project = global.project()?;
        let asks = self.name.is_none();
        if asks && !io::stdin().is_terminal() {
            return Err(Failure::new(Exit::Usage, "the case has no name, and nobody can be asked")
                .hint("repro new-case NAME"));
        }
        let (name, source, trigger) = if asks {
            let name = question("Name of the case", "first")?;
            let source = question("Folder of the module's sources (empty: a module to try)", "")?;
            let source = Some(PathBuf::from(source)).filter(|path| !path.as_os_str().is_empty());
            let trigger = match source {
                Some(_) => Some(question("What makes it crash (a script or a command)", "true")?),
                None => None,
            };
            (name, source, trigger)
        } else {
            (self.name.clone().unwrap_or_default(), self.source.clone(), self.trigger.clone())
        };
        for guest in &self.guests {
            select::load_guest(&project, guest)?;
        }
        let folder = free_folder(&project, &name)?;
        let mut draft = self.draft(&name, &folder, source.as_deref(), trigger)?;
        if let Some(dkms) = &self.dkms {
            self.take_dkms(dkms, &folder, &project, global, &mut draft)?;
        }
        let made = self.write(&project, &name, &folder, &draft);
        made.map_err(|error| {
            let message = format!("cannot make {}", folder.display());
            Failure::new(Exit::WriteFailed, message).caused_by(&error)
        })?;
        let shown = relative(&folder, &std::env::current_dir().unwrap_or_default());
        options::print(&format!("{}\nnow: repro run {name}\n", shown.display()))?;
        Ok(Exit::Ok)
    }

    fn draft(
        &self,
        name: &str,
        folder: &Path,
        source: Option<&Path>,
        trigger: Option<String>,
    ) -> Result<Draft, Failure> {
        let word = identifier(name);
        let mut draft = Draft {
            summary: format!("{name}: what it is about, in one line"),
            guests: self.guests.clone(),
            prebuilt: self.module.clone(),
            debug_dir: self.debug_dir.clone(),
            files: self.file.clone(),
            outcome: self.expect.clone(),
            ..Draft::default()
        };
        if let Some(source) = source {
            let found = draft::modules_of(source).map_err(|error| {
                let message = format!("no module is made in {}", source.display());
                Failure::new(Exit::SetupError, message)
                    .caused_by(&error)
                    .hint("name the folder that has the module's Kbuild or Makefile")
            })?;
            if found.is_empty() {
                let message =
                    format!("the Kbuild or Makefile in {} has no obj-m", source.display());
                return Err(Failure::new(Exit::SetupError, message)
                    .hint("write the case by hand: `repro help case.toml` prints its keys"));
            }
            let source = std::path::absolute(source).unwrap_or_else(|_| source.to_owned());
            draft.source = Some(relative(&source, folder).display().to_string());
            draft.built = found;
        } else if self.module.is_empty() && self.dkms.is_none() {
            draft.summary = format!("{name}: a function pointer that nobody set is called");
            draft.built = vec![word.clone()];
        }
        let tries = source.is_none() && self.module.is_empty() && self.dkms.is_none();
        let default = if tries { TRIGGER.replace("NAME", &word) } else { "true".to_owned() };
        draft.trigger = trigger.unwrap_or(default);
        Ok(draft)
    }

    /// The modules and the sources of a `dkms.conf`.
    fn take_dkms(
        &self,
        dkms: &str,
        folder: &Path,
        project: &Project,
        global: &GlobalOptions,
        draft: &mut Draft,
    ) -> Result<(), Failure> {
        let store = global.store()?;
        let name = self.guests.first().unwrap_or(&project.settings.default_guest);
        let guest = select::load_guest(project, name)?;
        let mut reader = DkmsReader::new(&store);
        let path = Path::new(dkms);
        if path.is_dir() {
            let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
            draft.built = reader.modules(&path, &guest)?;
            let shown = relative(&path, folder).display().to_string();
            // A word without a slash would be a package.
            draft.dkms = Some(if shown.contains('/') { shown } else { format!("./{shown}") });
            return Ok(());
        }
        let wanted = WantedPackage::try_from(dkms.to_owned()).map_err(|why| {
            Failure::new(Exit::Usage, why).hint("name a Debian package, or a folder that is there")
        })?;
        let package = reader.package(&wanted, false, &guest)?;
        draft.built = package.modules;
        draft.dkms = Some(format!("{}={}", wanted.name, package.version));
        Ok(())
    }

    fn write(&self, project: &Project, name: &str, folder: &Path, draft: &Draft) -> io::Result<()> {
        draft.write(folder)?;
        if draft.source.is_none() && draft.prebuilt.is_empty() && draft.dkms.is_none() {
            let word = identifier(name);
            fs::write(folder.join("Kbuild"), format!("obj-m := {word}.o\n"))?;
            fs::write(folder.join(format!("{word}.c")), SOURCE.replace("NAME", &word))?;
        }
        let settings = project.root.join("repro.toml");
        if settings.is_file() {
            return Ok(());
        }
        let default = [project.settings.default_guest.clone()];
        let guests = if self.guests.is_empty() { &default[..] } else { &self.guests };
        fs::write(settings, settings_for(guests))?;
        gitignore::ignore_target(&project.root)
    }
}

/// A repro.toml for some guests, the default one first.
fn settings_for(guests: &[String]) -> String {
    let list: Vec<String> = guests.iter().map(|guest| draft::quoted(guest)).collect();
    let default = list.first().map(String::as_str).unwrap_or_default();
    SETTINGS.replace("GUESTS", &format!("[{}]", list.join(", "))).replace("GUEST", default)
}

/// The folder of a new case.
fn free_folder(project: &Project, name: &str) -> Result<PathBuf, Failure> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if name.is_empty() || name.starts_with(['.', '-']) || !name.chars().all(plain) {
        let message = format!("`{name}` is no name for a case");
        return Err(Failure::new(Exit::Usage, message).hint("letters, digits and -_. make one"));
    }
    let above = project.case_folders().next().unwrap_or_else(|| project.root.join("cases"));
    let folder = above.join(name);
    if folder.exists() {
        let message = format!("there is {} already", folder.display());
        return Err(Failure::new(Exit::SetupError, message).hint("choose another name"));
    }
    Ok(folder)
}

/// A name as C has it.
fn identifier(name: &str) -> String {
    let word: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    if word.starts_with(|c: char| c.is_ascii_digit()) { format!("m_{word}") } else { word }
}

/// The way from a folder to a path, both absolute.
fn relative(path: &Path, from: &Path) -> PathBuf {
    let parts = |path: &Path| -> Vec<PathBuf> {
        let normal = path.components().filter(|part| *part != Component::CurDir);
        normal.map(|part| PathBuf::from(part.as_os_str())).collect()
    };
    let (path, from) = (parts(path), parts(from));
    let same = path.iter().zip(&from).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n(PathBuf::from(".."), from.len() - same);
    up.chain(path[same..].iter().cloned()).collect()
}

fn question(what: &str, default: &str) -> Result<String, Failure> {
    let hint = if default.is_empty() { String::new() } else { format!(" [{default}]") };
    options::print(&format!("{what}{hint}: "))?;
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).map_err(|error| {
        Failure::new(Exit::SetupError, "cannot read the answer").caused_by(&error)
    })?;
    let line = line.trim();
    Ok(if line.is_empty() { default } else { line }.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_from_a_case_to_its_sources() {
        let way = |path: &str, from: &str| relative(Path::new(path), Path::new(from));
        assert_eq!(way("/p/driver", "/p/cases/c"), Path::new("../../driver"));
        assert_eq!(way("/p", "/p/cases/c"), Path::new("../.."));
        assert_eq!(way("/p/cases/c", "/p"), Path::new("cases/c"));
    }

    #[test]
    fn a_new_project_is_for_the_guests_that_its_first_case_is_for() {
        let settings = settings_for(&["ours".to_owned(), "theirs\"".to_owned()]);
        let read: crate::config::Settings = toml::from_str(&settings).unwrap();
        assert_eq!(read.default_guest, "ours");
        assert_eq!(read.guests, ["ours", "theirs\""]);
    }

    #[test]
    fn names_become_words_of_c() {
        assert_eq!(identifier("null-hook.2"), "null_hook_2");
        assert_eq!(identifier("2nd"), "m_2nd");
    }
}
