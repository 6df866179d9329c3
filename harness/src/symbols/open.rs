// SPDX-License-Identifier: MIT OR Apache-2.0
//! Opens files, compressed or not.

use std::io;
use std::path::Path;

use crate::map::Map;
use crate::packed::{Failed, Packing, Room};

/// Bytes that a file may unpack to; a kernel with debug information has less than 1 GiB.
const ROOM: Room = Room { most: 4 << 30, folder: None };

/// Maps a file, unpacked if it is compressed.
pub(crate) fn open(path: &Path) -> io::Result<Map> {
    let map = Map::open(path)?;
    let Some(packing) = Packing::of(&map) else { return Ok(map) };
    match packing.unpack(&map, &ROOM) {
        Ok(unpacked) => unpacked.damage.map_or(Ok(unpacked.content), Err),
        Err(Failed::Damaged(error) | Failed::Write(error)) => Err(error),
        Err(Failed::TooLarge) => {
            Err(io::Error::new(io::ErrorKind::FileTooLarge, "it unpacks to more than 4 GiB"))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    /// `Linux\n` as `xz`, `zstd` and `gzip -n` write it.
    const XZ: &[u8] = b"\xfd7zXZ\x00\x00\x04\xe6\xd6\xb4F\x02\x00!\x01\x16\x00\x00\x00";
    const GZIP: &[u8] = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xf3\xc9\xcc+\xad\xe0\x02\x00";

    fn opened(bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        open(file.path()).map(|map| map.to_vec())
    }

    #[test]
    fn plain_files_are_mapped_as_they_are() {
        assert_eq!(opened(b"\x7fELF and more").unwrap(), b"\x7fELF and more");
    }

    #[test]
    fn files_cut_off_are_errors() {
        assert!(opened(XZ).is_err());
        assert!(opened(GZIP).is_err());
        assert!(opened(b"\x28\xb5\x2f\xfd\x04").is_err());
    }
}
