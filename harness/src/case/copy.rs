// SPDX-License-Identifier: MIT OR Apache-2.0
//! Copies of files, as the cache and the artefact folder have them.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::build_error::BuildError;

/// Copies a file as a plain, writable one.
pub(super) fn copy(from: &Path, to: &Path) -> Result<(), BuildError> {
    // What an earlier copy left may be read-only.
    match fs::remove_file(to) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(copy_error(to)(error)),
        _ => {}
    }
    fs::copy(from, to).map_err(copy_error(from))?;
    fs::set_permissions(to, Permissions::from_mode(0o644)).map_err(copy_error(to))
}

pub(super) fn copy_error(path: &Path) -> impl FnOnce(io::Error) -> BuildError {
    move |source| BuildError::Copy { path: path.to_owned(), source }
}
