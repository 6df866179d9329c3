// SPDX-License-Identifier: MIT OR Apache-2.0
//! The log of kernels 3.5 to 5.9: records of varying length in a byte ring.
//!
//! `struct log` (3.5–3.10 and RHEL 7) or `struct printk_log` (3.11–5.9) of
//! `kernel/printk/printk.c`: a header, the text, key=value pairs, padding; a header whose length
//! is 0 means that the next record is at the start of the buffer. VMCOREINFO has the offsets up
//! to `dict_len`; facility and flags/level are the two bytes after it in every version.

use vmcore::VmcoreInfo;

use super::log_line::{LogLine, caller as caller_of, required};
use super::memory::VirtualMemory;
use super::unreadable::{Listing, Unavailable};

/// The text ends a line (`LOG_NEWLINE`).
const NEWLINE: u8 = 2;
/// The text starts a line whatever came before (`LOG_PREFIX`).
const PREFIX: u8 = 4;
/// The text goes on with the line before it (`LOG_CONT`).
const CONT: u8 = 8;
/// Largest ring that is believed; `log_buf_len=` allows 2 GiB, real ones have some MiB.
const MAX_RING: u64 = 1 << 31;

/// Where the parts of a record are.
struct Layout {
    header: u64,
    time: u64,
    length: u64,
    text_length: u64,
    facility: u64,
    caller: Option<u64>,
}

impl Layout {
    fn new(info: &VmcoreInfo) -> Result<Self, Unavailable> {
        let name = if info.size("printk_log").is_some() { "printk_log" } else { "log" };
        let offset = |member: &str| info.offset(&format!("{name}.{member}"));
        Ok(Self {
            header: required(info.size(name), &format!("SIZE({name})"))?,
            time: required(offset("ts_nsec"), "OFFSET(log.ts_nsec)")?,
            length: required(offset("len"), "OFFSET(log.len)")?,
            text_length: required(offset("text_len"), "OFFSET(log.text_len)")?,
            facility: required(offset("dict_len"), "OFFSET(log.dict_len)")?.saturating_add(2),
            caller: offset("caller_id"),
        })
    }
}

/// A record and where the next one is.
struct Record {
    line: LogLine,
    flags: u8,
    length: u64,
}

/// Reads the ring that VMCOREINFO names.
pub(super) fn read(
    memory: &dyn VirtualMemory,
    info: &VmcoreInfo,
) -> Result<Listing<LogLine>, Unavailable> {
    let layout = Layout::new(info)?;
    let symbol = |name: &str| required(info.symbol(name), &format!("SYMBOL({name})"));
    let anchor = |source| Unavailable::memory("the kernel log's anchors", source);
    let buffer = memory.read_u64(symbol("log_buf")?).map_err(anchor)?;
    let number = |name| memory.read_u32(symbol(name)?).map(u64::from).map_err(anchor);
    let size = number("log_buf_len")?;
    if size > MAX_RING {
        return Err(Unavailable::Damaged(format!("the kernel log's size is {size}")));
    }
    let (first, next) = (number("log_first_idx")?, number("log_next_idx")?);
    Ok(walk(memory, &layout, buffer, size, (first, next)))
}

/// Takes the records from index `first` up to index `next`.
fn walk(
    memory: &dyn VirtualMemory,
    layout: &Layout,
    buffer: u64,
    size: u64,
    (first, next): (u64, u64),
) -> Listing<LogLine> {
    let mut log = Listing::default();
    let mut open = false;
    let mut at = first;
    // Every record has at least a header, so that more bytes than the ring holds mean a circle.
    let mut budget = size;
    while at != next {
        let record = match read_record(memory, layout, buffer, size, at) {
            Ok(Some(record)) => record,
            Ok(None) if at != 0 => {
                at = 0;
                continue;
            }
            Ok(None) => {
                log.damage.push(Unavailable::Damaged(
                    "the kernel log has a record without a length at its start".to_owned(),
                ));
                return log;
            }
            Err(why) => {
                log.damage.push(why);
                return log;
            }
        };
        let Some(rest) = budget.checked_sub(record.length) else {
            log.damage.push(Unavailable::Damaged("the kernel log runs in a circle".to_owned()));
            return log;
        };
        budget = rest;
        at += record.length;
        let continues = record.flags & CONT != 0 && record.flags & PREFIX == 0;
        open = push(&mut log.items, record, open && continues);
    }
    log
}

/// Adds a record to the lines; tells whether the line is still open.
fn push(lines: &mut Vec<LogLine>, record: Record, joins: bool) -> bool {
    match lines.last_mut() {
        Some(last) if joins => last.text.push_str(&record.line.text),
        _ => lines.push(record.line),
    }
    record.flags & NEWLINE == 0
}

/// Reads the record at index `at`; none if it says that the ring starts over.
fn read_record(
    memory: &dyn VirtualMemory,
    layout: &Layout,
    buffer: u64,
    size: u64,
    at: u64,
) -> Result<Option<Record>, Unavailable> {
    let lost = |source| Unavailable::memory(&format!("kernel log record at {at}"), source);
    let address = buffer.wrapping_add(at);
    let number =
        |offset: u64, bytes| memory.read_number(address.wrapping_add(offset), bytes).map_err(lost);
    let length = number(layout.length, 2)?;
    if length == 0 {
        return Ok(None);
    }
    let text_length = number(layout.text_length, 2)?;
    let fits = length >= layout.header.saturating_add(text_length) && length <= size - at.min(size);
    if !fits {
        return Err(Unavailable::Damaged(format!(
            "the kernel log's record at {at} has length {length} and text of {text_length}"
        )));
    }
    let bytes = usize::try_from(text_length).expect("16 bits fit in usize");
    let text = memory.read_bytes(address.wrapping_add(layout.header), bytes).map_err(lost)?;
    let caller = layout.caller.map(|offset| number(offset, 4)).transpose()?;
    // One byte: flags in the low five bits, level in the high three.
    let packed = number(layout.facility.saturating_add(1), 1)?.to_le_bytes()[0];
    Ok(Some(Record {
        line: LogLine {
            nanoseconds: number(layout.time, 8)?,
            level: packed >> 5,
            caller: caller.and_then(|id| u32::try_from(id).ok()).map(caller_of),
            text: String::from_utf8_lossy(&text).into_owned(),
        },
        flags: packed & 0x1f,
        length,
    }))
}
