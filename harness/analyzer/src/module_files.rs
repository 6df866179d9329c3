// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where the files of modules come from.

use debuginfo::Files;

/// The files of modules, by the module's name.
pub trait ModuleFiles {
    /// The `.ko` for the module of that name (as `lsmod` prints it), with its separate debug file
    /// if it has one: of several the one with this build-id, where that is known.
    fn module(&self, name: &str, build_id: Option<&[u8]>) -> Option<Files<'_>>;
    /// The names of those that there are files of, sorted.
    fn names(&self) -> Vec<String> {
        Vec::new()
    }
}
