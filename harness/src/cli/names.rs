// SPDX-License-Identifier: MIT OR Apache-2.0
//! Names that a shell completes: those of cases and guests, of the project that one is in.

use std::ffi::OsStr;

use clap_complete::CompletionCandidate;
use clap_complete::engine::ArgValueCompleter;

use crate::config::{Project, default_cache};
use crate::run::select;

/// Completes `CASE[@GUEST]`.
pub(super) fn runs() -> ArgValueCompleter {
    ArgValueCompleter::new(|current: &OsStr| begins(current, &run_names))
}

/// Completes `GUEST`.
pub(super) fn guests() -> ArgValueCompleter {
    ArgValueCompleter::new(|current: &OsStr| begins(current, &|_| guest_names()))
}

fn begins(current: &OsStr, names: &dyn Fn(&str) -> Vec<String>) -> Vec<CompletionCandidate> {
    let current = current.to_string_lossy();
    let mut names = names(&current);
    names.retain(|name| name.starts_with(&*current));
    names.into_iter().map(CompletionCandidate::new).collect()
}

/// Where no project can be read there are no names: a shell that completes says no errors.
fn project() -> Option<Project> {
    let root = std::env::var_os("REPRO_ROOT");
    let project = Project::find(root.as_deref().map(std::path::Path::new)).ok()?;
    project.with_cache(&default_cache().ok()?).ok()
}

fn run_names(current: &str) -> Vec<String> {
    let Some(project) = project() else { return Vec::new() };
    match current.split_once('@') {
        Some((case, _)) => {
            guest_names().into_iter().map(|guest| format!("{case}@{guest}")).collect()
        }
        None => select::case_folders(&project).unwrap_or_default().into_keys().collect(),
    }
}

fn guest_names() -> Vec<String> {
    let Some(project) = project() else { return Vec::new() };
    let mut names = select::guest_names(&project).unwrap_or_default();
    names.extend(project.imports.keys().cloned());
    names
}
