// SPDX-License-Identifier: MIT OR Apache-2.0
//! Brings into the cache what a report lacks: out of packages that are there, from debuginfod, from the repositories
//! of the guest that has such kernels. Once it is there, it is found like any other file.

use std::collections::BTreeSet;
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use guest::{
    Answer, BuildFile, Debuginfod, FetchError, Manifest, Progress, SiteError, Store, hex, kept,
};

use super::missing::{LackingModule, Missing};
use crate::error::Failure;
use crate::events::Phase;
use crate::run::Recorder;
use crate::run::prepare::progress_line;
use crate::symbols::{Places, is_of_build, module_below};
use crate::units;

/// Where files may come from besides this machine's own places.
pub(crate) struct Sources<'a> {
    /// The cache, where it can be written.
    pub(crate) store: Option<Store>,
    /// Servers that may be asked.
    pub(crate) servers: Option<Debuginfod>,
    /// Gives the guest with such kernels, where its repositories may be asked for a release, or what is
    /// wrong with what says where those are.
    pub(crate) repositories: &'a dyn Fn(&str) -> Option<Result<Manifest, Failure>>,
    /// What was asked for in vain.
    pub(crate) asked: BTreeSet<String>,
}

/// Brings what can be had of what is missing; whether anything came, so that another look is worth it.
pub(crate) fn bring(
    missing: &Missing,
    places: &mut Places,
    sources: &mut Sources<'_>,
    recorder: &mut Recorder<'_>,
) -> bool {
    of_its_notes(missing, places)
        || of_packages(missing, places, sources, recorder)
        || of_servers(missing, sources, recorder)
        || of_repositories(missing, sources, recorder)
}

/// The kernel by the build-id in its own notes, once: what is here of it is found then.
fn of_its_notes(missing: &Missing, places: &mut Places) -> bool {
    let Some(id) = missing.kernel.as_ref().and_then(|lack| lack.build_id.clone()) else {
        return false;
    };
    let is_new = places.noted.as_ref() != Some(&id);
    places.noted = Some(id);
    is_new
}

/// Modules of the kernel's tree out of packages that the cache has of the release.
fn of_packages(
    missing: &Missing,
    places: &mut Places,
    sources: &mut Sources<'_>,
    recorder: &mut Recorder<'_>,
) -> bool {
    let (Some(store), Some(release)) = (&sources.store, missing.release()) else { return false };
    let wanted = missing.modules.iter().filter(|module| !module.is_from_outside);
    let names: BTreeSet<String> = wanted.map(|module| module.name.clone()).collect();
    if names.is_empty() {
        return false;
    }
    let kept = kept(store.root(), release);
    let mut found = Vec::new();
    for folder in &kept.modules {
        let files =
            names.iter().filter_map(|name| Some((name.clone(), module_below(folder, name)?)));
        found.extend(files);
    }
    for package in &kept.packages {
        if !sources.asked.insert(format!("{package} {names:?}")) {
            continue;
        }
        recorder.begin(Phase::Fetch, format!("debug information of modules of {release}"));
        let mut shown = |progress| shown(recorder, &progress);
        match guest::debug_modules(package, &names, store, &mut shown) {
            Ok(files) => {
                let of = format!("debug information of {} modules, from the cache", files.len());
                recorder.finish(of);
                found.extend(files);
            }
            Err(error) => complain(recorder, &error),
        }
    }
    // The same file again would bring the same answer.
    found.retain(|module| !places.unpacked.contains(module));
    let came = !found.is_empty();
    places.unpacked.extend(found);
    came
}

/// From servers, by build-id, into the cache.
fn of_servers(missing: &Missing, sources: &mut Sources<'_>, recorder: &mut Recorder<'_>) -> bool {
    let (Some(servers), Some(store)) = (&sources.servers, &sources.store) else { return false };
    let mut server = Asking { servers, store, asked: &mut sources.asked, recorder };
    if let Some(id) = missing.kernel.as_ref().and_then(|lack| lack.build_id.as_deref()) {
        let what = format!("vmlinux of {}", missing.release().unwrap_or("the kernel"));
        // With it, more modules are seen to matter.
        if server.brings(id, BuildFile::DebugInfo, &what) {
            return true;
        }
    }
    let mut came = false;
    for LackingModule { name, lack, .. } in &missing.modules {
        let Some(id) = lack.build_id.as_deref() else { continue };
        came |=
            server.brings(id, BuildFile::DebugInfo, &format!("debug information of module {name}"));
        came |= server.brings(id, BuildFile::Executable, &format!("module {name}"));
    }
    came
}

/// Servers being asked.
struct Asking<'s, 'r> {
    servers: &'s Debuginfod,
    store: &'s Store,
    asked: &'s mut BTreeSet<String>,
    recorder: &'s mut Recorder<'r>,
}

impl Asking<'_, '_> {
    fn brings(&mut self, build_id: &[u8], part: BuildFile, what: &str) -> bool {
        if !self.asked.insert(format!("{} {part}", hex(build_id))) {
            return false;
        }
        self.recorder.begin(Phase::Fetch, format!("{what} from {}", self.servers));
        let is_right = |path: &Path| is_of_build(path, build_id, part == BuildFile::DebugInfo);
        let recorder = &mut *self.recorder;
        let mut shown = |progress| shown(recorder, &progress);
        let wanted = (build_id, part);
        match self.servers.file(self.store, wanted, what, &is_right, &mut shown) {
            Ok(Answer { file, failures, is_nowhere }) => {
                for error in &failures {
                    let limit = match error {
                        FetchError::Site(SiteError::TooLarge { .. }) => " (DEBUGINFOD_MAXSIZE)",
                        _ => "",
                    };
                    self.recorder.warn(format!("{error}{limit}"));
                }
                let id = hex(build_id);
                if let Some(path) = &file {
                    let bytes = fs::metadata(path).map_or(0, |file| file.len());
                    let of = format!("{what}, {}, by build-id {id}", units::bytes(bytes));
                    self.recorder.finish(of);
                } else if is_nowhere {
                    self.recorder.note(format!("no server has {what} (build-id {id})"));
                }
                file.is_some()
            }
            Err(error) => {
                complain(self.recorder, &error);
                false
            }
        }
    }
}

/// From the repositories of the guest with such kernels, into the cache.
fn of_repositories(
    missing: &Missing,
    sources: &mut Sources<'_>,
    recorder: &mut Recorder<'_>,
) -> bool {
    let (Some(store), Some(release)) = (&sources.store, missing.release()) else { return false };
    let of_tree = missing.modules.iter().any(|module| !module.is_from_outside);
    if missing.kernel.is_none() && !of_tree || sources.asked.contains(release) {
        return false;
    }
    let Some(guest) = (sources.repositories)(release) else { return false };
    sources.asked.insert(release.to_owned());
    let manifest = match guest {
        Ok(manifest) => manifest,
        Err(failure) => {
            recorder.warn(failure.to_string());
            return false;
        }
    };
    recorder.begin(Phase::Fetch, format!("debug information of {release} for {}", manifest.name));
    let mut shown = |progress| shown(recorder, &progress);
    match guest::debug_files(&manifest, store, &mut shown) {
        Ok(_) => recorder.finish(format!("debug information of {release}")),
        Err(error) => {
            complain(recorder, &error);
            return false;
        }
    }
    true
}

fn shown(recorder: &mut Recorder<'_>, progress: &Progress) -> ControlFlow<()> {
    recorder.progress(progress_line(progress));
    ControlFlow::Continue(())
}

/// What does not come is no reason to say nothing of the dump.
fn complain(recorder: &mut Recorder<'_>, error: &FetchError) {
    recorder.warn(error.to_string());
}
