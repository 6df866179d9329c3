// SPDX-License-Identifier: MIT OR Apache-2.0
//! Finds the files that belong to a dump: the kernel, its modules, their separate debug files
//! and the supplementary files of these.
//!
//! Places and names are those of distributions' debug packages: `/usr/lib/debug/boot`,
//! `/usr/lib/debug/lib/modules/<release>`, `/usr/lib/debug/.build-id`. Whether a file is the right
//! one is not decided by its name: the analyzer compares it with the dump.

mod by_build;
mod debug_file;
mod identity;
mod kernel;
mod kernel_file;
mod lines;
mod modules;
mod names;
mod open;
mod places;
mod supplementary;

pub(crate) use debug_file::is_of_build;
pub(crate) use kernel::{Wanted, kernel};
pub(crate) use kernel_file::{is_kernel, other_than_kernel};
pub(crate) use lines::{FILE as LINES, Lines, source_of};
pub(crate) use modules::{Modules, module_below};
pub(crate) use open::open;
pub use places::Places;

use std::path::{Path, PathBuf};

use analyzer::Files;

use crate::map::Map;
use identity::image_of;

/// Where packages put debug information.
const DEBUG_ROOT: &str = "/usr/lib/debug";

/// The file of a kernel or module, and its separate debug file if it has one.
pub(crate) struct Found {
    path: PathBuf,
    build_id: Option<Vec<u8>>,
    image: Map,
    debug: Option<(PathBuf, Map)>,
    /// What `dwz` moved out of the debug information of this file and others.
    supplementary: Option<Map>,
}

impl Found {
    /// Where it was found.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Where its debug file was found; of one without, where itself was.
    fn debug_path(&self) -> &Path {
        self.debug.as_ref().map_or(&self.path, |(path, _)| path)
    }

    /// Whether it, or its debug file, has debug information.
    fn has_debug_info(&self) -> bool {
        self.debug.is_some() || image_of(&self.image).is_some_and(|image| image.has_debug_info())
    }

    /// The bytes.
    pub(crate) fn files(&self) -> Files<'_> {
        Files {
            image: &self.image,
            debug: self.debug.as_ref().map(|(_, map)| &**map),
            supplementary: self.supplementary.as_deref(),
            ledger: None,
            texts: None,
        }
    }
}
