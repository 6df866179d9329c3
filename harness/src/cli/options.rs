// SPDX-License-Identifier: MIT OR Apache-2.0
//! Options that every command has, and how commands print.

use std::io::{self, IsTerminal as _, Write};
use std::path::PathBuf;

use clap::builder::FalseyValueParser;
use clap::{ArgAction, Args, ValueEnum};
use rustix::fs::{FileType, fstat};

use crate::config::{self, Project};
use crate::error::Failure;
use crate::exit::Exit;
use crate::report::{Terminal, TerminalOptions, Verbosity, columns, wrapped};
use guest::Store;
use guest::shown;

/// When to use colours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum ColorChoice {
    /// On a terminal, unless NO_COLOR is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The form of a result on stdout.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// For people.
    #[default]
    Text,
    /// For programs; the schema is in docs/.
    Json,
}

/// Options that every command has.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub struct GlobalOptions {
    /// Folder of the project [default: the first folder from here upwards with a repro.toml, else
    /// this one]
    #[arg(long, global = true, env = "REPRO_ROOT", hide_env_values = true, value_name = "DIR")]
    root: Option<PathBuf>,
    /// Folder of everything that is downloaded or built [default: $XDG_CACHE_HOME/repro, else
    /// ~/.cache/repro]
    #[arg(long, global = true, env = "REPRO_CACHE", hide_env_values = true, value_name = "DIR")]
    cache_dir: Option<PathBuf>,
    /// Use only what is in the cache
    #[arg(long, global = true, env = "REPRO_OFFLINE", hide_env_values = true,
          value_parser = FalseyValueParser::new())]
    offline: bool,
    /// Install what this machine lacks without asking (root need not say so)
    #[arg(short, long, global = true, env = "REPRO_YES", hide_env_values = true,
          value_parser = FalseyValueParser::new())]
    yes: bool,
    /// Show more: the guest's console
    #[arg(short, long, global = true, action = ArgAction::Count, conflicts_with = "quiet")]
    verbose: u8,
    /// Show only the summary and what failed
    #[arg(short, long, global = true)]
    quiet: bool,
    /// When to use colours; NO_COLOR and CLICOLOR_FORCE are understood too
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    color: ColorChoice,
    /// No live lines, also on a terminal
    #[arg(long, global = true, env = "REPRO_NO_PROGRESS", hide_env_values = true,
          value_parser = FalseyValueParser::new())]
    no_progress: bool,
}

impl GlobalOptions {
    /// Makes everything that prints follow `--color`.
    pub(super) fn set_colors(&self) {
        match self.color {
            ColorChoice::Auto => {}
            ColorChoice::Always => anstream::ColorChoice::Always.write_global(),
            ColorChoice::Never => anstream::ColorChoice::Never.write_global(),
        }
    }

    /// The project.
    pub(super) fn project(&self) -> Result<Project, Failure> {
        let project = Project::find(self.root.as_deref())?;
        // Where nothing can be cached, nothing was imported.
        match self.cache() {
            Ok(cache) => project.with_cache(&cache),
            Err(_) => Ok(project),
        }
    }

    /// The cache folder.
    pub(super) fn cache(&self) -> Result<PathBuf, Failure> {
        match &self.cache_dir {
            Some(folder) => std::path::absolute(folder).map_err(|error| {
                Failure::new(Exit::SetupError, "the cache has no path").caused_by(&error)
            }),
            None => config::default_cache(),
        }
    }

    /// The cache.
    pub(super) fn store(&self) -> Result<Store, Failure> {
        Store::open(&self.cache()?, self.offline).map_err(|error| {
            Failure::from_error(Exit::SetupError, &error)
                .hint("name another folder with --cache-dir")
        })
    }

    /// Whether nothing may be fetched.
    pub(super) fn offline(&self) -> bool {
        self.offline
    }

    /// Whether only what failed is to be shown.
    pub(super) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Whether the user agrees to the installation of what is missing.
    pub(super) fn yes(&self) -> bool {
        self.yes
    }

    /// The reporter for people, on stderr.
    pub(super) fn terminal(&self) -> Terminal {
        let verbosity = match (self.quiet, self.verbose) {
            (true, _) => Verbosity::Quiet,
            (false, 0) => Verbosity::Normal,
            (false, _) => Verbosity::Verbose,
        };
        let live = io::stderr().is_terminal()
            && !self.no_progress
            && std::env::var_os("CI").is_none()
            && verbosity != Verbosity::Verbose;
        let columns = columns(io::stderr());
        Terminal::new(Box::new(anstream::stderr()), TerminalOptions { verbosity, live, columns })
    }
}

/// Whether stdout is kept and stderr is not, or goes elsewhere (`> log`, `| tee log` at a terminal): what stderr tells
/// is not in it. In a pipeline's job both are kept.
pub(super) fn stdout_is_a_log() -> bool {
    let (stdout, stderr) = (io::stdout(), io::stderr());
    if stdout.is_terminal() {
        return false;
    }
    let (Ok(out), Ok(err)) = (fstat(&stdout), fstat(&stderr)) else { return false };
    let is_file = FileType::from_raw_mode(out.st_mode) == FileType::RegularFile;
    let is_same = (out.st_dev, out.st_ino) == (err.st_dev, err.st_ino);
    !is_same && (is_file || stderr.is_terminal())
}

/// Writes text to stdout, as it may be shown.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    print_made(&shown::lines(text))
}

/// The same for lists and sentences: what is wider than a terminal goes on below, so many columns to the right.
pub(super) fn print_wrapped(text: &str, margin: usize) -> Result<(), Failure> {
    print_made(&wrapped(&shown::lines(text), columns(io::stdout()), margin))
}

/// Writes JSON to stdout.
pub(super) fn print_json(text: &str) -> Result<(), Failure> {
    print_made(&shown::json(text))
}

/// Writes to stdout what holds only what it should: our own styles, others' text escaped. A reader
/// that has seen enough is no error.
pub(super) fn print_made(text: &str) -> Result<(), Failure> {
    // What takes colours out looks at each letter; a report has none.
    let written = match text.contains('\u{1b}') {
        true => write_to(&mut anstream::stdout(), text),
        false => write_to(&mut io::stdout().lock(), text),
    };
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::new(Exit::WriteFailed, "cannot write to stdout").caused_by(&error))
        }
        _ => Ok(()),
    }
}

fn write_to(out: &mut impl Write, text: &str) -> io::Result<()> {
    out.write_all(text.as_bytes()).and_then(|()| out.flush())
}

/// Writes what went wrong with one of several commands to stderr.
pub(super) fn complain(text: &str) -> Result<(), Failure> {
    let mut out = anstream::stderr();
    out.write_all(shown::lines(text).as_bytes()).map_err(|error| {
        Failure::new(Exit::WriteFailed, "cannot write to stderr").caused_by(&error)
    })
}

/// Writes a failure to stderr.
pub(super) fn print_failure(failure: &Failure) {
    let text = crate::report::failure_text(failure);
    // There is nowhere else to tell it.
    let _ = anstream::stderr().write_all(text.as_bytes());
}
