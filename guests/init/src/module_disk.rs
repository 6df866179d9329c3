// SPDX-License-Identifier: MIT OR Apache-2.0
//! The disk with the modules of the guest's kernel.

use std::fs::File;
use std::os::unix::fs::FileExt as _;

use protocol::{BLOCK, MODULES_DISK, ModuleIndex, in_blocks, index_bytes};

use crate::disk::present;

/// Most bytes of an index, and of a module: what is larger is no such disk.
const MAX_INDEX: u64 = 64 << 20;
const MAX_MODULE: u64 = 256 << 20;

/// The disk, with what is on it.
#[derive(Debug)]
pub(crate) struct ModuleDisk {
    device: File,
    index: ModuleIndex,
}

impl ModuleDisk {
    /// Finds the disk and reads its index.
    ///
    /// # Errors
    /// In words: there is none, or it is another one.
    pub(crate) fn open() -> Result<Self, String> {
        // Whoever asks early, as the kernel may while it loads the disk's own driver, is not kept
        // waiting.
        let path = present(MODULES_DISK)
            .ok_or_else(|| "the disk with the kernel's modules is not there".to_owned())?;
        let device = File::open(&path)
            .map_err(|error| format!("cannot open {}: {error}", path.display()))?;
        let none = || format!("{} holds no modules", path.display());
        let bytes = index_bytes(&read(&device, 0, BLOCK)?).filter(|bytes| *bytes <= MAX_INDEX);
        let text = read(&device, BLOCK, bytes.ok_or_else(none)?)?;
        let index =
            serde_json::from_slice(&text).map_err(|error| format!("{}: {error}", none()))?;
        Ok(Self { device, index })
    }

    pub(crate) fn index(&self) -> &ModuleIndex {
        &self.index
    }

    /// The bytes of a module.
    ///
    /// # Errors
    /// In words: they are not on the disk.
    pub(crate) fn read(&self, from: u64, bytes: u64) -> Result<Vec<u8>, String> {
        if bytes > MAX_MODULE {
            return Err(format!("the disk of modules has one of {bytes} bytes"));
        }
        read(&self.device, from, bytes)
    }
}

fn read(device: &File, from: u64, bytes: u64) -> Result<Vec<u8>, String> {
    let length = |bytes: u64| usize::try_from(bytes).map_err(|error| error.to_string());
    let mut content = vec![0; length(in_blocks(bytes))?];
    device
        .read_exact_at(&mut content, from)
        .map_err(|error| format!("cannot read the disk of modules: {error}"))?;
    content.truncate(length(bytes)?);
    Ok(content)
}
