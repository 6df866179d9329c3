// SPDX-License-Identifier: MIT OR Apache-2.0
//! `repro guest`: what guests there are, and bringing one into the cache.

use std::fmt::Write as _;

use clap::{Args, Subcommand};

use super::options::{self, GlobalOptions};
use super::{CommandResult, doctor};
use crate::events::{Bus, Counts, Event};
use crate::exit::Exit;
use crate::interrupt::Interrupt;
use crate::run::prepare;
use crate::run::{Recorder, select};

/// List guests, or bring one into the cache
#[derive(Debug, Args)]
pub(super) struct Guest {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Print every guest with its summary
    List,
    /// Bring the files of guests into the cache, so that runs work with --offline
    Fetch {
        /// The guests [default: the project's default guest]
        guests: Vec<String>,
    },
}

impl Guest {
    pub(super) fn run(&self, global: &GlobalOptions) -> CommandResult {
        match &self.action {
            Action::List => list(global),
            Action::Fetch { guests } => fetch(global, guests),
        }
    }
}

fn list(global: &GlobalOptions) -> CommandResult {
    let project = global.project()?;
    let mut text = String::new();
    for name in select::guest_names(&project)? {
        let guest = select::load_guest(&project, &name)?;
        let _ = writeln!(text, "{name:<16} {}", guest.summary);
    }
    options::print(&text)?;
    Ok(Exit::Ok)
}

fn fetch(global: &GlobalOptions, guests: &[String]) -> CommandResult {
    let project = global.project()?;
    let default = [project.settings.default_guest.clone()];
    let guests = if guests.is_empty() { &default[..] } else { guests };
    let guests: Vec<_> =
        guests.iter().map(|name| select::load_guest(&project, name)).collect::<Result<_, _>>()?;
    let mut bus = Bus::new(vec![Box::new(global.terminal())]);
    doctor::set_up(global, &mut bus)?;
    let store = global.store()?;
    let interrupt = Interrupt::install().map_err(|error| {
        crate::error::Failure::new(Exit::Internal, "cannot handle signals").caused_by(&error)
    })?;
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
