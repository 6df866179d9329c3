// SPDX-License-Identifier: MIT OR Apache-2.0
//! Raw RAM: memory as a flat file.

use crate::bytes::{Bytes, wide};
use crate::{Memory, PAGE, Page};

/// The kept pages of these ranges of physical addresses (first, past the last), one range after
/// the other in the file, and where each of them starts in it. What is not kept is zeros.
#[must_use]
pub fn ram(memory: &Memory, ranges: &[(u64, u64)]) -> (Vec<u8>, Vec<u64>) {
    let mut file = Bytes::default();
    let mut offsets = Vec::new();
    for (first, past) in ranges {
        let base = file.0.len();
        offsets.push(wide(base));
        let length = usize::try_from(past - first).expect("a small machine");
        file.put(base + length, &[]);
        for (pfn, page) in &memory.pages {
            let address = pfn * wide(PAGE);
            if let (Page::Kept(bytes), true) = (page, (*first..*past).contains(&address)) {
                let into = usize::try_from(address - first).expect("a small machine");
                file.put(base + into, bytes);
            }
        }
    }
    (file.0, offsets)
}
