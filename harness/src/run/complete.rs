// SPDX-License-Identifier: MIT OR Apache-2.0
//! Completes a case whose sources are elsewhere, or are changed first.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use guest::{Purpose, Store};

use crate::case::{DkmsSource, FileChange, dkms};
use crate::error::Failure;
use crate::events::Phase;
use crate::exit::Exit;
use crate::interrupt::Interrupt;
use crate::run::prepare::{fetch_failure, progress_line};
use crate::run::recorder::Recorder;
use crate::run::select::Selected;

/// Folder of changed sources among the files of a run.
const CHANGED: &str = "changed";

/// The same case with all of its sources. What is changed of them is written below `folder`.
///
/// # Errors
/// A package is not to be had, or is not what the changes are for.
pub(super) fn complete(
    selected: &Selected,
    store: &Store,
    folder: &Path,
    recorder: &mut Recorder<'_>,
    interrupt: &Interrupt,
) -> Result<Selected, Failure> {
    let mut selected = selected.clone();
    let build = selected.case.manifest.build.clone();
    if let Some(DkmsSource::Package(wanted)) = &build.dkms {
        let name = String::from(wanted.clone());
        recorder.begin(Phase::Fetch, name.clone());
        let brought = guest::bring(
            &selected.guest,
            Purpose::Sources,
            std::slice::from_ref(wanted),
            store,
            &mut |progress| {
                recorder.progress(progress_line(&progress));
                if interrupt.requested() {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            },
        );
        let brought = brought.map_err(|error| fetch_failure(&error))?;
        let sources = brought.iter().find_map(|it| dkms::folder_in(&it.tree)).ok_or_else(|| {
            Failure::new(Exit::BuildFailed, format!("package {name} has no dkms.conf"))
        })?;
        add(&mut selected, &sources)?;
        let versions: Vec<&str> = brought.iter().map(|it| it.package.version.as_str()).collect();
        recorder.finish(format!("{} {}", wanted.name, versions.join(", ")));
    }
    if let Some(file) = &build.changes {
        change(&mut selected, file, folder)?;
    }
    Ok(selected)
}

fn add(selected: &mut Selected, sources: &Path) -> Result<(), Failure> {
    let added = selected.case.add_sources(sources);
    added.map_err(|error| Failure::from_error(Exit::SetupError, &error))
}

fn change(selected: &mut Selected, file: &Path, folder: &Path) -> Result<(), Failure> {
    let case = &mut selected.case;
    let list = case.folder.join(file);
    let failed = |error: &(dyn std::error::Error + 'static)| {
        let message = format!("cannot change the sources as {} says", list.display());
        Failure::new(Exit::SetupError, message).caused_by(error)
    };
    let text = fs::read_to_string(&list).map_err(|error| failed(&error))?;
    let changes: Vec<FileChange> = serde_json::from_str(&text).map_err(|error| failed(&error))?;
    for change in changes {
        let path = case.sources.get(&change.file).ok_or_else(|| {
            let message = format!("{} changes {}", list.display(), change.file.display());
            Failure::new(Exit::SetupError, message).hint("the sources have no such file")
        })?;
        let content = fs::read(path).map_err(|error| failed(&error))?;
        let changed = change.apply(&content).map_err(|error| failed(&error))?;
        let target = folder.join(CHANGED).join(&change.file);
        let above = target.parent().unwrap_or(&target);
        let written = fs::create_dir_all(above).and_then(|()| fs::write(&target, changed));
        written.map_err(|error| failed(&error))?;
        case.sources.insert(change.file, target);
    }
    Ok(())
}
