// SPDX-License-Identifier: MIT OR Apache-2.0
//! Options about where guests come from.

use std::env;
use std::path::PathBuf;

use clap::Args;

use crate::config::Configuration;
use crate::error::Failure;
use crate::exit::Exit;
use guest::{Choice, Manifest, Mirror, Toolchain};

/// Variable with mirrors, separated by blanks.
const MIRRORS: &str = "REPRO_MIRROR";

/// Where guests come from.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Guest options")]
pub(super) struct GuestOptions {
    /// The guest's kernel, as `uname -r` prints it [default: the newest]
    #[arg(long, env = "REPRO_KERNEL", hide_env_values = true, value_name = "RELEASE")]
    kernel: Option<String>,
    /// Get the packages of a guest's repository elsewhere: from a mirror or from a folder
    ///
    /// NAME is a site or a repository of the guest's file; without it all repositories are meant. A
    /// folder needs no metadata, only packages. More than one can be named, also in the
    /// environment (REPRO_MIRROR, separated by blanks) and in
    /// $XDG_CONFIG_HOME/repro/config.toml, table [guest.<guest>.mirror].
    #[arg(long, value_name = "[NAME=]URL|FOLDER", value_parser = Mirror::parse)]
    mirror: Vec<Mirror>,
    /// Trust the OpenPGP keys in this file too, for packages and metadata
    #[arg(long, value_name = "FILE")]
    key: Vec<PathBuf>,
    /// Take packages of this repository (or of `all`) that no trusted key signed
    #[arg(long, value_name = "REPOSITORY")]
    allow_unsigned: Vec<String>,
    /// What builds modules for guests whose distribution is not this machine's
    #[arg(long, value_enum, env = "REPRO_TOOLCHAIN", hide_env_values = true)]
    toolchain: Option<Toolchain>,
}

impl GuestOptions {
    /// Those of nobody but the environment and the configuration, for a kernel.
    pub(super) fn of_kernel(release: &str) -> Self {
        Self { kernel: Some(release.to_owned()), ..Self::default() }
    }

    /// The same with another kernel.
    pub(super) fn set_kernel(&mut self, release: &str) {
        self.kernel = Some(release.to_owned());
    }

    /// Changes guests as the options, the environment and the user's configuration say.
    pub(super) fn apply<'g>(
        &self,
        guests: impl IntoIterator<Item = &'g mut Manifest>,
    ) -> Result<(), Failure> {
        let configuration = Configuration::load()?;
        let environment = Choice { mirrors: from_environment()?, ..Choice::default() };
        let absolute = |path: &PathBuf| std::path::absolute(path).unwrap_or_else(|_| path.clone());
        let said = Choice {
            kernel: self.kernel.clone(),
            toolchain: self.toolchain,
            mirrors: self.mirror.clone(),
            keys: self.key.iter().map(absolute).collect(),
            allow_unsigned: self.allow_unsigned.clone(),
        };
        for guest in guests {
            let configured = configuration.choice(&guest.name);
            let choice = configured.overridden_by(&environment).overridden_by(&said);
            choice.apply(guest).map_err(|error| Failure::from_error(Exit::SetupError, &error))?;
        }
        Ok(())
    }
}

fn from_environment() -> Result<Vec<Mirror>, Failure> {
    let text = env::var(MIRRORS).unwrap_or_default();
    let mirrors = text.split_whitespace().map(Mirror::parse).collect::<Result<_, _>>();
    mirrors.map_err(|why| Failure::new(Exit::SetupError, format!("{MIRRORS}: {why}")))
}
