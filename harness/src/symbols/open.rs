// SPDX-License-Identifier: MIT OR Apache-2.0
//! Opens files, compressed or not.

use std::io::{self, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use lzma_rust2::XzReader;
use ruzstd::decoding::StreamingDecoder;

use crate::map::Map;

/// Bytes that a file may unpack to; a kernel with debug information has less than 1 GiB.
const MAX_UNPACKED: u64 = 4 << 30;

/// Maps a file. One that is compressed is unpacked into a file without a name, which the system
/// takes back by itself; memory would not hold a kernel's debug information.
pub(crate) fn open(path: &Path) -> io::Result<Map> {
    let map = Map::open(path)?;
    let start = &map[..map.len().min(6)];
    // Magic numbers: xz file format 1.2 §2.1.1.1, RFC 8878 §3.1.1, RFC 1952 §2.3.1.
    if start == b"\xfd7zXZ\0" {
        unpack(XzReader::new(&map[..], true))
    } else if start.starts_with(b"\x28\xb5\x2f\xfd") {
        unpack(StreamingDecoder::new(&map[..]).map_err(io::Error::other)?)
    } else if start.starts_with(b"\x1f\x8b") {
        unpack(MultiGzDecoder::new(&map[..]))
    } else {
        Ok(map)
    }
}

fn unpack(packed: impl Read) -> io::Result<Map> {
    let mut file = tempfile::tempfile()?;
    let length = io::copy(&mut packed.take(MAX_UNPACKED), &mut file)?;
    if length == MAX_UNPACKED {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it unpacks to 4 GiB or more"));
    }
    Map::of(&file)
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
