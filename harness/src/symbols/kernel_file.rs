// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tells a kernel's file from a dump among what is named together, as in `crash VMLINUX VMCORE`.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use vmcore::{Foreign, Vmcore};

use crate::map::Map;
use crate::packed::Packing;

/// Bytes of an ELF header up to its type.
const START: usize = 18;
/// `ET_EXEC` and `ET_DYN`: what a kernel may be; a dump is `ET_CORE`.
const TYPES: [u16; 2] = [2, 3];

/// Whether a file is a kernel, by its ELF type, or where it is compressed by its name.
pub(crate) fn is_kernel(path: &Path) -> bool {
    // To open a pipe would wait for its writer.
    if !path.is_file() {
        return false;
    }
    let mut start = [0; START];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut start));
    let (magic, kind) = (start.starts_with(b"\x7fELF"), u16::from_le_bytes([start[16], start[17]]));
    match read.is_ok() && magic {
        true => TYPES.contains(&kind),
        false => {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            read.is_ok() && name.starts_with("vmlinux")
        }
    }
}

/// What a file is that was given as the kernel's and is none, in words; what is compressed is not looked into.
pub(crate) fn other_than_kernel(path: &Path) -> Option<String> {
    let map = Map::open(path).ok().filter(|map| Packing::of(map).is_none())?;
    match Vmcore::open(&map) {
        Ok(_) => Some("a vmcore".to_owned()),
        Err(vmcore::Error::Foreign(Foreign::Kernel)) => None,
        Err(vmcore::Error::Foreign(other)) => Some(other.to_string()),
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn kernels_are_told_from_dumps_by_what_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, start: &[u8], kind: u16| {
            let path = folder.path().join(name);
            let mut bytes = start.to_vec();
            bytes.resize(64, 0);
            bytes[16..18].copy_from_slice(&kind.to_le_bytes());
            fs::write(&path, bytes).unwrap();
            path
        };
        assert!(is_kernel(&file("kernel", b"\x7fELF\x02\x01\x01", 2)));
        assert!(is_kernel(&file("vmlinux-6.1.xz", b"\xfd7zXZ\0", 0)));
        assert!(!is_kernel(&file("vmlinux-but-a-core", b"\x7fELF\x02\x01\x01", 4)));
        assert!(!is_kernel(&file("vmcore", b"KDUMP   ", 2)));
        assert!(!is_kernel(folder.path()) && !is_kernel(Path::new("/nowhere")));
    }
}
