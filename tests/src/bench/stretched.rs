// SPDX-License-Identifier: MIT OR Apache-2.0
//! A dump of a much larger machine, of which nearly all pages were left out: what the tools have to
//! go through grows, what is in it does not.
//!
//! Made from a kdump-compressed dump by longer bitmaps (makedumpfile's `IMPLEMENTATION`): all pages
//! behind the dump's own end exist, and none of them is in the file.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};

const BLOCK: usize = 4096;
/// Offsets in the header, and of `max_mapnr_64` in the sub header.
const SUB_BLOCKS: usize = 432;
const BITMAP_BLOCKS: usize = 436;
const MAX_MAPNR: usize = 440;
const MAX_MAPNR_64: usize = BLOCK + 96;
const END_PFN_64: usize = BLOCK + 88;
/// Bytes of a page's descriptor, which begins with the page's place in the file.
const DESCRIPTOR: usize = 24;

/// Writes the dump `from` as that of a machine with so many bytes of RAM.
///
/// # Errors
/// It is no such dump, or `to` cannot be written.
pub(super) fn stretch(from: &Path, to: &Path, ram_bytes: u64) -> Result<()> {
    let dump = fs::read(from).with_context(|| format!("read {}", from.display()))?;
    ensure!(dump.starts_with(b"KDUMP   "), "{} is not kdump-compressed", from.display());
    let bitmaps_at = (1 + word(&dump, SUB_BLOCKS)?) * BLOCK;
    let old = word(&dump, BITMAP_BLOCKS)? * BLOCK / 2;
    let pages = usize::try_from(ram_bytes / 4096)?;
    let new = pages.div_ceil(8).next_multiple_of(BLOCK);
    ensure!(new >= old, "the dump is larger already");
    let existing = dump.get(bitmaps_at..bitmaps_at + old).context("bitmap of existing pages")?;
    let in_file = dump.get(bitmaps_at + old..bitmaps_at + 2 * old).context("bitmap")?;
    let rest = dump.get(bitmaps_at + 2 * old..).context("descriptors")?;
    let count: usize =
        in_file.iter().map(|byte| usize::try_from(byte.count_ones()).unwrap_or(0)).sum();

    let mut out = dump.get(..bitmaps_at).context("headers")?.to_vec();
    put(&mut out, BITMAP_BLOCKS, &u32::try_from(2 * new / BLOCK)?.to_le_bytes())?;
    put(&mut out, MAX_MAPNR, &u32::try_from(pages)?.to_le_bytes())?;
    for at in [MAX_MAPNR_64, END_PFN_64] {
        put(&mut out, at, &u64::try_from(pages)?.to_le_bytes())?;
    }
    out.extend(existing);
    // The last byte of the dump's own bitmap may stand for pages past its end; they are now some.
    out.resize(bitmaps_at + pages / 8, 0xff);
    out.resize(bitmaps_at + new, 0);
    out.extend(in_file);
    out.resize(bitmaps_at + 2 * new, 0);
    let moved = u64::try_from(2 * (new - old))?;
    let (descriptors, data) = rest.split_at_checked(count * DESCRIPTOR).context("descriptors")?;
    for descriptor in descriptors.chunks_exact(DESCRIPTOR) {
        let (place, more) = descriptor.split_at(8);
        let place = u64::from_le_bytes(place.try_into()?);
        out.extend((place + moved).to_le_bytes());
        out.extend(more);
    }
    out.extend(data);
    fs::write(to, out).with_context(|| format!("write {}", to.display()))
}

fn word(dump: &[u8], at: usize) -> Result<usize> {
    let bytes = dump.get(at..at + 4).context("header")?;
    Ok(usize::try_from(u32::from_le_bytes(bytes.try_into()?))?)
}

fn put(out: &mut [u8], at: usize, bytes: &[u8]) -> Result<()> {
    out.get_mut(at..at + bytes.len()).context("header")?.copy_from_slice(bytes);
    Ok(())
}
