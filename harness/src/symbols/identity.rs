// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a file with debug information is, and the name that its build-id gives it.

use debuginfo::Image;
pub(super) use guest::hex;

/// A kernel or module, wherever it was loaded.
pub(super) fn image_of(file: &[u8]) -> Option<Image<'_>> {
    let sections = std::collections::BTreeMap::new();
    Image::module(file, &sections).or_else(|_| Image::kernel(file, 0)).ok()
}

/// `.build-id/xx/yyyy.debug`.
pub(super) fn build_id_name(id: &[u8]) -> Option<String> {
    let (first, rest) = id.split_first().filter(|(_, rest)| !rest.is_empty())?;
    Some(format!(".build-id/{first:02x}/{}.debug", hex(rest)))
}
