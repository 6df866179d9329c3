// SPDX-License-Identifier: MIT OR Apache-2.0
//! Copies of files that are mostly holes.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use rustix::fs::SeekFrom;
use rustix::io::Errno;

use crate::compose::is_zero;

/// Bytes copied at once.
const CHUNK: usize = 1 << 20;
/// Pieces of zeros of this size stay holes.
const HOLE: usize = 4096;

/// Copies what is in `from` to an empty file of the same length; the bytes written.
///
/// # Errors
/// One of the files cannot be used; among them that there is no room.
pub(super) fn copy(from: &File, to: &File) -> io::Result<u64> {
    let length = from.metadata()?.len();
    to.set_len(length)?;
    let mut buffer = vec![0; CHUNK];
    let (mut at, mut written) = (0, 0);
    while let Some((start, end)) = next_data(from, at, length)? {
        at = start;
        while at < end {
            let wanted = usize::try_from(end - at).map_or(CHUNK, |left| left.min(CHUNK));
            let piece = buffer.get_mut(..wanted).unwrap_or_default();
            from.read_exact_at(piece, at)?;
            written += write_filled(piece, to, at)?;
            at += u64_of(wanted);
        }
    }
    Ok(written)
}

/// The next stretch that is no hole.
fn next_data(file: &File, from: u64, length: u64) -> io::Result<Option<(u64, u64)>> {
    if from >= length {
        return Ok(None);
    }
    match rustix::fs::seek(file, SeekFrom::Data(from)) {
        Ok(start) => Ok(Some((start, rustix::fs::seek(file, SeekFrom::Hole(start))?))),
        Err(Errno::NXIO) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Writes what is not zero, in pieces as long as possible.
fn write_filled(piece: &[u8], to: &File, at: u64) -> io::Result<u64> {
    let mut written = 0;
    let mut start = None;
    let write = |from: usize, end: usize| -> io::Result<u64> {
        let bytes = piece.get(from..end).unwrap_or_default();
        to.write_all_at(bytes, at + u64_of(from))?;
        Ok(u64_of(bytes.len()))
    };
    for (index, page) in piece.chunks(HOLE).enumerate() {
        let here = index * HOLE;
        let filled = !is_zero(page);
        match (filled, start) {
            (true, None) => start = Some(here),
            (false, Some(from)) => {
                written += write(from, here)?;
                start = None;
            }
            _ => {}
        }
    }
    if let Some(from) = start {
        written += write(from, piece.len())?;
    }
    Ok(written)
}

fn u64_of(value: usize) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt as _;

    use super::*;

    #[test]
    fn a_copy_is_the_same_and_has_the_same_holes() {
        let (from, to) = (tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap());
        from.set_len(16 << 20).unwrap();
        from.write_all_at(&[7; 5000], 3 << 20).unwrap();
        from.write_all_at(&[0; 1 << 20], 8 << 20).unwrap();
        from.write_all_at(&[9; 10], (16 << 20) - 10).unwrap();
        let written = copy(&from, &to).unwrap();
        assert_eq!(written, 3 * 4096);
        let content = |file: &File| {
            let mut bytes = vec![0; 16 << 20];
            file.read_exact_at(&mut bytes, 0).unwrap();
            bytes
        };
        assert!(content(&from) == content(&to));
        assert!(to.metadata().unwrap().blocks() * 512 < 1 << 20, "zeros take no room");
    }
}
