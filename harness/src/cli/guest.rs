// SPDX-License-Identifier: MIT OR Apache-2.0
//! `repro guest`: what guests there are, bringing one into the cache, making one of files.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::CommandResult;
use super::guest_options::GuestOptions;
use super::how::interrupt;
use super::names;
use super::options::{self, GlobalOptions};
use super::set_up::set_up;
use crate::error::Failure;
use crate::events::{Bus, Counts, Event};
use crate::exit::Exit;
use crate::run::prepare;
use crate::run::{Recorder, select};
use crate::units;
use guest::{self, FetchError, ImportFiles};

/// List guests, bring them into the cache, or make one of files that are here
#[derive(Debug, Args)]
pub(super) struct Guest {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Print every guest with its summary, and what the cache has of it
    List,
    /// Bring the files of guests into the cache, so that runs work with --offline
    Fetch {
        /// The guests [default: the project's default guest]
        guests: Vec<String>,
        #[command(flatten)]
        options: GuestOptions,
    },
    /// Make a guest of files that are here: RPM packages, or a kernel with its vmlinux and modules
    ///
    /// Packages are a kernel's own, its -devel and its -debuginfo, and if you like those of a
    /// compiler. Without packages: the bootable kernel (vmlinuz), its vmlinux with debug
    /// information, its folder of modules (with kernel/ in it) and, to build modules for it, the
    /// folder for `make -C`. All of it is copied into the cache.
    Import {
        /// Packages or files
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// Name of the guest [default: the kernel's release]
        #[arg(long)]
        name: Option<String>,
        /// The guest whose machine, kernel options and tools it takes [default: the one whose
        /// kernels are named alike, else the project's default guest]
        #[arg(long, value_name = "GUEST", add = names::guests())]
        like: Option<String>,
        #[command(flatten)]
        options: GuestOptions,
    },
    /// Forget imported guests (`repro clean` frees the room)
    Remove {
        /// The guests
        #[arg(required = true)]
        guests: Vec<String>,
    },
}

impl Guest {
    pub(super) fn run(&self, global: &GlobalOptions) -> CommandResult {
        match &self.action {
            Action::List => list(global),
            Action::Fetch { guests, options } => fetch(global, guests, options),
            Action::Import { files, name, like, options } => {
                import(global, files, name.as_deref(), like.as_deref(), options)
            }
            Action::Remove { guests } => remove(global, guests),
        }
    }
}

fn list(global: &GlobalOptions) -> CommandResult {
    let project = global.project()?;
    let cache = global.cache().ok();
    let mut names = select::guest_names(&project)?;
    names.extend(project.imports.keys().cloned());
    let mut text = String::new();
    for name in names {
        let guest = select::load_guest(&project, &name)?;
        let cached = cache.as_deref().and_then(|cache| guest::cached(cache, &name));
        let there = cached.map(|it| format!(" [{}, {} here]", it.release, units::bytes(it.bytes)));
        let _ = writeln!(text, "{name:<16} {}{}", guest.summary, there.unwrap_or_default());
        let flavours: Vec<_> = guest.flavours().iter().map(|it| format!("{name}-{it}")).collect();
        if !flavours.is_empty() {
            let _ = writeln!(text, "{:<16} with other drivers: {}", "", flavours.join(", "));
        }
    }
    options::print_wrapped(&text, 17)?;
    Ok(Exit::Ok)
}

fn import(
    global: &GlobalOptions,
    files: &[PathBuf],
    name: Option<&str>,
    like: Option<&str>,
    options: &GuestOptions,
) -> CommandResult {
    let failed = |error: &FetchError| prepare::fetch_failure(error);
    let project = global.project()?;
    let files = ImportFiles::sort(files).map_err(|error| failed(&error))?;
    let mut guest = match like {
        Some(like) => select::load_guest(&project, like)?,
        None => select::guest_like(&project, &files)?,
    };
    let known = select::guest_names(&project)?;
    if let Some(name) = name.filter(|name| known.iter().any(|known| known == name)) {
        let message = format!("there is a guest {name} already");
        return Err(Failure::new(Exit::SetupError, message).hint("name it with --name"));
    }
    options.apply([&mut guest])?;
    let mut bus = Bus::new(vec![Box::new(global.terminal())]);
    set_up(global, &mut bus)?;
    let store = global.store()?;
    let interrupt = interrupt()?;
    let mut recorder = Recorder::new(&mut bus);
    let imported = prepare::import(&guest, name, &files, &store, &mut recorder, &interrupt);
    let failure = imported.as_ref().err().cloned();
    let exit = failure.as_ref().map_or(Exit::Ok, |failure| failure.exit);
    bus.emit(Event::Finished { counts: Counts::default(), failure });
    bus.finish()?;
    if let Ok(name) = imported {
        options::print(&format!("{name}\n"))?;
    }
    Ok(exit)
}

fn remove(global: &GlobalOptions, guests: &[String]) -> CommandResult {
    let store = global.store()?;
    for name in guests {
        guest::remove(name, &store)
            .map_err(|error| Failure::from_error(Exit::SetupError, &error))?;
    }
    Ok(Exit::Ok)
}

fn fetch(global: &GlobalOptions, guests: &[String], options: &GuestOptions) -> CommandResult {
    let project = global.project()?;
    let default = [project.settings.default_guest.clone()];
    let guests = if guests.is_empty() { &default[..] } else { guests };
    let mut guests: Vec<_> =
        guests.iter().map(|name| select::load_guest(&project, name)).collect::<Result<_, _>>()?;
    options.apply(&mut guests)?;
    let mut bus = Bus::new(vec![Box::new(global.terminal())]);
    set_up(global, &mut bus)?;
    let store = global.store()?;
    let interrupt = interrupt()?;
    let mut failure = None;
    for guest in &guests {
        let mut recorder = Recorder::new(&mut bus);
        if let Err(error) = prepare::fetch(guest, &store, &mut recorder, &interrupt) {
            failure = Some(error);
            break;
        }
    }
    let exit = failure.as_ref().map_or(Exit::Ok, |failure| failure.exit);
    bus.emit(Event::Finished { counts: Counts::default(), failure });
    bus.finish()?;
    Ok(exit)
}
