// SPDX-License-Identifier: MIT OR Apache-2.0
//! The disk with the modules of a guest's kernel, by their names: what PID 1 loads first is taken
//! from it, and what a guest asks for later.
//!
//! Packages come without `modules.dep` and `modules.alias`, which depmod(8) makes where they are
//! installed; the same facts are in each module's `.modinfo` section.

mod write;

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use protocol::{BLOCK, ModuleIndex, ModulePlace, index_bytes, kernel_name};
use sha2::{Digest as _, Sha256};

use guest::{BUILDS, GuestFiles, Store, StoreError, hex};

/// Raised when what is on the disk, or how, changes.
const RECIPE: &str = "module disk 1";
/// Name of the file in its tree.
const NAME: &str = "modules.img";
/// Most bytes of an index: what is larger is no such disk.
const MAX_INDEX: u64 = 64 << 20;

/// Why there is no disk of modules.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModuleDiskError {
    /// A file or folder cannot be read.
    #[error("cannot read {path}")]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A module of the kernel is none.
    #[error("{path} is no kernel module: {why}")]
    NoModule {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The disk cannot be written.
    #[error("cannot write {path}")]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The file is not what was written once.
    #[error("{path} holds no modules; remove it")]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// The cache failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The caller asked to stop.
    #[error("cancelled")]
    Cancelled,
}

/// The disk.
#[derive(Debug)]
pub struct ModuleDisk {
    path: PathBuf,
    file: File,
    index: ModuleIndex,
}

impl ModuleDisk {
    /// The disk of a guest's kernel, made in the cache unless it is there.
    ///
    /// # Errors
    /// A module cannot be read or is none, there is no room, or `go_on` said no.
    pub fn of(
        guest: &GuestFiles,
        store: &Store,
        go_on: &mut dyn FnMut() -> bool,
    ) -> Result<Self, ModuleDiskError> {
        let folder = &guest.modules_dir;
        let inside = folder.strip_prefix(store.root()).unwrap_or(folder);
        let mut hash = Sha256::new();
        hash.update(RECIPE);
        // Trees are named after what they were made of.
        hash.update(inside.as_os_str().as_encoded_bytes());
        let key = format!("{BUILDS}{}", hex(&hash.finalize()));
        let path = store.tree(&key).join(NAME);
        if !path.is_file() {
            let lock = store.lock(&key, go_on).map_err(|error| match error {
                StoreError::Cancelled => ModuleDiskError::Cancelled,
                error => error.into(),
            })?;
            lock.make_tree(&key, |tree| write::write(folder, &tree.join(NAME), go_on))?;
        }
        Self::open(&path)
    }

    fn open(path: &Path) -> Result<Self, ModuleDiskError> {
        let read = |source| ModuleDiskError::Read { path: path.to_owned(), source };
        let damaged = || ModuleDiskError::Damaged { path: path.to_owned() };
        let file = File::open(path).map_err(read)?;
        let mut block = vec![0; usize::try_from(BLOCK).unwrap_or_default()];
        file.read_exact_at(&mut block, 0).map_err(read)?;
        let bytes = index_bytes(&block).filter(|bytes| *bytes <= MAX_INDEX);
        let mut text = vec![0; usize::try_from(bytes.ok_or_else(damaged)?).unwrap_or_default()];
        file.read_exact_at(&mut text, BLOCK).map_err(read)?;
        let index = serde_json::from_slice(&text).map_err(|_| damaged())?;
        Ok(Self { path: path.to_owned(), file, index })
    }

    /// A disk of the modules below a folder.
    #[cfg(test)]
    pub(crate) fn of_folder(modules: &Path, path: &Path) -> Result<Self, ModuleDiskError> {
        write::write(modules, path, &mut || true)?;
        Self::open(path)
    }

    /// What is on it.
    #[must_use]
    pub fn index(&self) -> &ModuleIndex {
        &self.index
    }

    /// The disk as a file.
    #[must_use]
    pub fn into_file(self) -> File {
        self.file
    }

    /// A module as the kernel takes it; nothing if there is none of this name.
    ///
    /// # Errors
    /// The disk cannot be read.
    pub fn module(&self, name: &str) -> Result<Option<Vec<u8>>, ModuleDiskError> {
        let entry = self.index.modules.get(&kernel_name(name)).map(|entry| &entry.place);
        let Some(ModulePlace::Disk(from, bytes)) = entry else { return Ok(None) };
        let read = |source| ModuleDiskError::Read { path: self.path.clone(), source };
        let length = self.file.metadata().map_err(read)?.len();
        if from.checked_add(*bytes).is_none_or(|end| end > length) {
            return Err(ModuleDiskError::Damaged { path: self.path.clone() });
        }
        let mut content = vec![0; usize::try_from(*bytes).unwrap_or_default()];
        self.file.read_exact_at(&mut content, *from).map_err(read)?;
        Ok(Some(content))
    }
}

#[cfg(test)]
mod tests;
