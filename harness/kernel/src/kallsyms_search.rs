// SPDX-License-Identifier: MIT OR Apache-2.0
//! Finds the kernel's symbol table in its image, for kernels whose VMCOREINFO does not tell where
//! it is: all before 6.0, CentOS 7's 3.10 among them.
//!
//! `scripts/kallsyms.c` writes its tables one behind the other, each at a multiple of eight:
//! addresses (or offsets and then their base), number of symbols, names, markers (the place of
//! every 256th name), tokens, places of the tokens. Only the last one can be told by itself: 256
//! rising numbers of two bytes, each the place of the token behind the one before. The others
//! follow from it, backwards, and each is held against the one that was found before it.

use std::ops::Range;

use vmcore::VmcoreInfo;

use super::kallsyms_tables::{Form, MAX_SYMBOLS, Tables};
use super::memory::VirtualMemory;
use super::unreadable::Unavailable;

/// Bytes of memory looked at once.
const PAGE: u64 = 4096;
/// Alignment of all tables.
const ALIGN: u64 = 8;
/// Bytes behind `_stext` that are looked at where the place of the kernel's data is not known.
const MAX_IMAGE: u64 = 64 << 20;
/// Tokens, and bytes of the table of their places.
const TOKENS: usize = 256;
const INDEX_BYTES: usize = 2 * TOKENS;
/// Longest token with its zero byte that is believed; the ones of real kernels have up to 20.
const MAX_TOKEN: u64 = 128;
/// Names from one marker to the next.
const STEP: u64 = 256;
/// Fewest and most bytes of a name: a length and a token; two bytes of length and 512 tokens.
const NAME_BYTES: Range<u64> = 2..514;
/// Bytes of names that are believed; 200 000 symbols have 2 MiB.
const MAX_NAMES: u64 = 32 << 20;

/// The tables that VMCOREINFO names (6.0 and later), else those found in the image.
///
/// # Errors
/// If there are none, or what VMCOREINFO names cannot be read.
pub(super) fn find(memory: &dyn VirtualMemory, info: &VmcoreInfo) -> Result<Tables, Unavailable> {
    if info.symbol("kallsyms_names").is_some() {
        return Tables::named(memory, info);
    }
    let words = "VMCOREINFO does not name the kernel's symbol table, and it was not found";
    search(memory, info).ok_or_else(|| Unavailable::Damaged(words.to_owned()))
}

/// Looks for the tables, from the kernel's data down to its text: they are at the end of what is
/// between, so that few pages are looked at.
fn search(memory: &dyn VirtualMemory, info: &VmcoreInfo) -> Option<Tables> {
    let low = info.symbol("_stext")?;
    let limit = low.checked_add(MAX_IMAGE)?;
    let high = info.symbol("init_uts_ns").filter(|data| (low..limit).contains(data));
    let mut page = high.unwrap_or(limit) & !(PAGE - 1);
    while page >= low & !(PAGE - 1) {
        if let Ok(bytes) = memory.read_bytes(page, 4096) {
            let found = candidates(&bytes).find_map(|offset| tables(memory, page + offset));
            if found.is_some() {
                return found;
            }
        }
        page = page.checked_sub(PAGE)?;
    }
    None
}

/// Offsets in a page at which the places of tokens may begin.
fn candidates(page: &[u8]) -> impl Iterator<Item = u64> + '_ {
    let (words, _) = page.as_chunks::<8>();
    let starts = |word: &[u8; 8]| {
        let (pairs, _) = word.as_chunks::<2>();
        rises(&pairs.iter().map(|pair| u16::from_le_bytes(*pair).into()).collect::<Vec<u64>>())
    };
    words.iter().zip((0..).step_by(8)).filter(move |(word, _)| starts(word)).map(|(_, at)| at)
}

/// Numbers of two bytes.
fn numbers(bytes: &[u8]) -> Vec<u64> {
    bytes.as_chunks::<2>().0.iter().map(|pair| u16::from_le_bytes(*pair).into()).collect()
}

/// Whether numbers may be places of tokens: from 0 on, each behind the one before.
fn rises(places: &[u64]) -> bool {
    let steps = |(place, next): (&u64, &u64)| (place + 1..=place + MAX_TOKEN).contains(next);
    places.first() == Some(&0) && places.iter().zip(places.iter().skip(1)).all(steps)
}

/// All tables, if the places of tokens are at `index`.
fn tables(memory: &dyn VirtualMemory, index: u64) -> Option<Tables> {
    let places = numbers(&memory.read_bytes(index, INDEX_BYTES).ok()?);
    let tokens = rises(&places).then(|| tokens(memory, index, &places)).flatten()?;
    [8, 4].iter().find_map(|width| {
        let (markers_at, markers) = markers(memory, tokens, *width)?;
        let (names, count) = names(memory, markers_at, &markers)?;
        let number = names - ALIGN;
        Some(Tables { count, names, tokens, index, addresses: addresses(memory, number, count) })
    })
}

/// Where the tokens begin whose places are `places`, the table of which is behind them.
fn tokens(memory: &dyn VirtualMemory, index: u64, places: &[u64]) -> Option<u64> {
    let last = *places.last()?;
    let shortest = (last + 1).next_multiple_of(ALIGN);
    let longest = (last + MAX_TOKEN).next_multiple_of(ALIGN);
    (shortest..=longest).step_by(8).find_map(|length| {
        let start = index.checked_sub(length)?;
        let bytes = memory.read_bytes(start, usize::try_from(length).ok()?).ok()?;
        let mut at = 0;
        let fits = places.iter().all(|place| {
            let expected = at;
            let token = bytes.get(at..).unwrap_or_default();
            at += token.iter().position(|byte| *byte == 0).map_or(bytes.len(), |end| end + 1);
            usize::try_from(*place) == Ok(expected) && at <= bytes.len()
        });
        // Nothing but padding is behind the last one.
        let padding = bytes.get(at..)?;
        (fits && padding.len() < 8 && padding.iter().all(|byte| *byte == 0)).then_some(start)
    })
}

/// The markers that end at `end`, of `width` bytes each (eight to 4.19), and where they begin.
fn markers(memory: &dyn VirtualMemory, end: u64, width: u64) -> Option<(u64, Vec<u64>)> {
    let bytes_of_step = STEP * NAME_BYTES.start..STEP * NAME_BYTES.end;
    let mut at = end.checked_sub(width)?;
    let mut marker = memory.read_number(at, width).ok()?;
    // An odd number of short ones is padded; the first marker is 0, too, and then the only one.
    if marker == 0 && width < ALIGN {
        at -= width;
        marker = memory.read_number(at, width).ok()?;
    }
    let mut markers = vec![marker];
    while marker != 0 {
        at = at.checked_sub(width)?;
        let before = memory.read_number(at, width).ok()?;
        if marker > MAX_NAMES || !bytes_of_step.contains(&marker.checked_sub(before)?) {
            return None;
        }
        marker = before;
        markers.push(marker);
    }
    markers.reverse();
    at.is_multiple_of(ALIGN).then_some((at, markers))
}

/// Where the names begin that end before the markers at `end`, and how many they are: the number
/// stands right before them and the markers confirm it.
fn names(memory: &dyn VirtualMemory, end: u64, markers: &[u64]) -> Option<(u64, u32)> {
    let last = *markers.last()?;
    let whole = STEP * (u64::try_from(markers.len()).ok()? - 1);
    let counts = whole + 1..=whole + STEP;
    let high = end.checked_sub(last + NAME_BYTES.start)? & !(ALIGN - 1);
    let low = end.checked_sub(last + STEP * NAME_BYTES.end)?;
    let mut start = high;
    while start >= low {
        let count = memory.read_u64(start.checked_sub(ALIGN)?).ok()?;
        if counts.contains(&count)
            && let Ok(symbols) = u32::try_from(count)
            && symbols <= MAX_SYMBOLS
            && let Ok(bytes) = memory.read_bytes(start, usize::try_from(end - start).ok()?)
            && are_names(&bytes, count, markers)
        {
            return Some((start, symbols));
        }
        start = start.checked_sub(ALIGN)?;
    }
    None
}

/// Whether `bytes` are `count` names with these markers, and nothing but padding.
fn are_names(bytes: &[u8], count: u64, markers: &[u64]) -> bool {
    let mut expected = markers.iter();
    let mut at = 0_usize;
    for number in 0..count {
        if number.is_multiple_of(STEP)
            && expected.next().map(|&it| usize::try_from(it)) != Some(Ok(at))
        {
            return false;
        }
        let Some(length) = name_bytes(bytes.get(at..).unwrap_or_default()) else { return false };
        at += length;
    }
    bytes.get(at..).is_some_and(|rest| rest.len() < 8 && rest.iter().all(|byte| *byte == 0))
}

/// Bytes of the name at the beginning, its length among them.
fn name_bytes(bytes: &[u8]) -> Option<usize> {
    match *bytes.first()? {
        0 => None,
        length @ 1..128 => Some(1 + usize::from(length)),
        low => Some(2 + usize::from(low - 128) + 128 * usize::from(*bytes.get(1)?)),
    }
}

/// Where the addresses may be, before the number of symbols at `number`.
fn addresses(memory: &dyn VirtualMemory, number: u64, count: u32) -> Vec<(u64, Vec<Form>)> {
    let plain = number.wrapping_sub(8 * u64::from(count));
    let mut found = vec![(plain, vec![Form::Plain])];
    let base = number.wrapping_sub(ALIGN);
    if let Ok(value) = memory.read_u64(base) {
        let offsets = base.wrapping_sub((4 * u64::from(count)).next_multiple_of(ALIGN));
        found.push((offsets, Form::based(value)));
    }
    found
}
