// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where files are looked for that nobody named.

use std::env;
use std::path::{Path, PathBuf};

use guest::{BuildFile, kept, kept_build};

use super::DEBUG_ROOT;
use super::identity::{build_id_name, hex};

/// Where files are looked for that nobody named.
#[derive(Debug, Clone, Default)]
pub struct Places {
    /// Whether the places of packages are among them (`/usr/lib/debug`, `/lib/modules`).
    pub system: bool,
    /// The folder of the dump: a run leaves its modules beside its vmcore.
    pub beside: Option<PathBuf>,
    /// The cache, with the kernels of guests and what servers gave.
    pub cache: Option<PathBuf>,
    /// Build-id of the kernel as its own notes in memory have it, where that was read: kernels before 5.9 say it
    /// nowhere else, and some say a wrong one.
    pub noted: Option<Vec<u8>>,
    /// Modules of the kernel's tree and their debug files that were unpacked for this dump, by the modules' names in
    /// the kernel.
    pub unpacked: Vec<(String, PathBuf)>,
}

impl Places {
    /// Those of a dump: its own folder, the cache, those of packages.
    #[must_use]
    pub(crate) fn of(dump: Option<&Path>, cache: Option<PathBuf>) -> Self {
        // What comes by standard input lies beside nothing.
        let file = dump.filter(|path| *path != Path::new("-"));
        let beside = file.and_then(Path::parent).map(folder_of);
        Self { system: true, beside, cache, noted: None, unpacked: Vec::new() }
    }

    /// The same with the folder of another dump.
    pub(crate) fn beside(&self, dump: &Path) -> Self {
        Self { beside: dump.parent().map(folder_of), ..self.clone() }
    }

    /// Files that the build-id leads to.
    pub(super) fn of_build(&self, build_id: &[u8]) -> Vec<PathBuf> {
        let mut places = Vec::new();
        if self.system {
            places.extend(build_id_name(build_id).map(|name| Path::new(DEBUG_ROOT).join(name)));
        }
        if let Some(cache) = &self.cache {
            let parts = [BuildFile::Executable, BuildFile::DebugInfo];
            places.extend(parts.iter().filter_map(|part| kept_build(cache, build_id, *part)));
        }
        if self.system
            && let Some(folder) = client_cache()
        {
            let build = folder.join(hex(build_id));
            // The client keeps an empty file for what no server has.
            let has = |path: &PathBuf| path.metadata().is_ok_and(|file| file.len() > 0);
            let parts = ["executable", "debuginfo"].map(|part| build.join(part));
            places.extend(parts.into_iter().filter(has));
        }
        places
    }

    /// Kernels with debug information that the cache has of a release.
    pub(super) fn kept_kernels(&self, release: &str) -> Vec<PathBuf> {
        self.cache.as_deref().map(|cache| kept(cache, release).vmlinux).unwrap_or_default()
    }
}

/// The folder of a file that was named without one is the current one.
fn folder_of(folder: &Path) -> PathBuf {
    if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder.to_owned() }
}

/// Where debuginfod's own client keeps what it got (debuginfod_find_debuginfo(3), "ENVIRONMENT VARIABLES"), so that
/// what gdb or crash asked for is not asked for again.
fn client_cache() -> Option<PathBuf> {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("DEBUGINFOD_CACHE_PATH")
        .or_else(|| set("XDG_CACHE_HOME").map(|base| base.join("debuginfod_client")))
        .or_else(|| set("HOME").map(|home| home.join(".cache/debuginfod_client")))
}
