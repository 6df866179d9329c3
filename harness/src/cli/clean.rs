// SPDX-License-Identifier: MIT OR Apache-2.0
//! `repro clean`: old artefacts, and the cache.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;

use super::CommandResult;
use super::options::{self, GlobalOptions};
use crate::error::Failure;
use crate::exit::Exit;

/// Remove old artefacts, or the cache
#[derive(Debug, Args)]
pub(super) struct Clean {
    /// How many of the newest artefact folders to keep
    #[arg(long, value_name = "N", default_value_t = 10)]
    runs: usize,
    /// Remove the cache with everything that was downloaded or built
    #[arg(long)]
    cache: bool,
    /// Folder for artefacts [default: target/repro in the project]
    #[arg(long, env = "REPRO_OUT", hide_env_values = true, value_name = "DIR")]
    out: Option<PathBuf>,
}

impl Clean {
    pub(super) fn run(&self, global: &GlobalOptions) -> CommandResult {
        let out = match &self.out {
            Some(out) => out.clone(),
            None => global.project()?.out(),
        };
        let mut removed = 0_u32;
        for folder in old_runs(&out, self.runs)? {
            remove(&folder)?;
            removed += 1;
        }
        let mut text = format!("removed {removed} artefact folders\n");
        if self.cache {
            let cache = global.cache()?;
            if cache.is_dir() {
                remove(&cache)?;
            }
            text.push_str("removed the cache\n");
        }
        options::print(&text)?;
        Ok(Exit::Ok)
    }
}

/// Folders of complete invocations, but the newest. Their names are times, so that the order of
/// the names is that of the times.
fn old_runs(out: &Path, keep: usize) -> Result<Vec<PathBuf>, Failure> {
    if !out.is_dir() {
        return Ok(Vec::new());
    }
    let entries = fs::read_dir(out).map_err(|error| failed("read", out, &error))?;
    let mut folders: Vec<_> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.join("run.json").is_file() && !path.is_symlink())
        .collect();
    folders.sort();
    folders.truncate(folders.len().saturating_sub(keep));
    Ok(folders)
}

fn remove(folder: &Path) -> Result<(), Failure> {
    fs::remove_dir_all(folder).map_err(|error| failed("remove", folder, &error))
}

fn failed(what: &str, path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(Exit::WriteFailed, format!("cannot {what} {}", path.display())).caused_by(error)
}
