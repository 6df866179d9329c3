// SPDX-License-Identifier: MIT OR Apache-2.0
//! `--module X.ko --trigger …`: a case of binaries that somebody sent.

use std::path::PathBuf;

use clap::Args;
use tempfile::TempDir;

use crate::case::draft::Draft;
use crate::error::Failure;
use crate::exit::Exit;

/// Modules that are built already.
#[derive(Debug, Args)]
#[command(next_help_heading = "Modules that are built already, instead of a case")]
pub(super) struct Binaries {
    /// The modules, in the order of loading
    #[arg(long, value_name = "X.ko[,Y.ko]", value_delimiter = ',', requires = "trigger")]
    module: Vec<PathBuf>,
    /// What makes the kernel crash: a script, a program, or a command for the shell
    #[arg(long, value_name = "CMD|FILE", requires = "module")]
    trigger: Option<String>,
    /// Folder with the modules' debug information (X.ko.debug), at any depth
    #[arg(long, value_name = "DIR", requires = "module")]
    debug_dir: Option<PathBuf>,
    /// A file, folder or program that the guest gets in /case, with the libraries it needs
    #[arg(long, value_name = "FILE", requires = "module")]
    file: Vec<PathBuf>,
}

/// A case that lasts as long as this value.
pub(super) struct Sent {
    _above: TempDir,
    folder: PathBuf,
}

impl Binaries {
    /// The case, if modules are named.
    pub(super) fn case(&self) -> Result<Option<Sent>, Failure> {
        let (Some(first), Some(trigger)) = (self.module.first(), &self.trigger) else {
            return Ok(None);
        };
        let name = first.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let draft = Draft {
            summary: format!("{name} and `{trigger}`"),
            prebuilt: self.module.clone(),
            debug_dir: self.debug_dir.clone(),
            trigger: trigger.clone(),
            files: self.file.clone(),
            outcome: "crash".to_owned(),
            ..Draft::default()
        };
        let made = tempfile::tempdir().and_then(|above| {
            let folder = above.path().join(&name);
            draft.write(&folder).map(|()| Sent { _above: above, folder })
        });
        made.map(Some).map_err(|error| {
            let message = format!("cannot make a case of {}", first.display());
            Failure::new(Exit::SetupError, message).caused_by(&error)
        })
    }
}

impl Sent {
    /// What to select: the case, on the guests of the user's words.
    pub(super) fn words(&self, said: &[String]) -> Result<Vec<String>, Failure> {
        let place = self.folder.display();
        if said.is_empty() {
            return Ok(vec![place.to_string()]);
        }
        let word = |word: &String| match word.strip_prefix('@') {
            Some(guest) => Ok(format!("{place}@{guest}")),
            None => Err(Failure::new(Exit::Usage, "--module takes the place of a case")
                .hint(format!("say only the guest: @GUEST instead of {word}"))),
        };
        said.iter().map(word).collect()
    }
}
