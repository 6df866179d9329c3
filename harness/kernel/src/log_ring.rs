// SPDX-License-Identifier: MIT OR Apache-2.0
//! The log of kernels since 5.10: a lockless ring of descriptors and a ring of text.
//!
//! `struct printk_ringbuffer` of `kernel/printk/printk_ringbuffer.h`. A descriptor's
//! `state_var` has its state in the top two bits and its id below; only committed and finalized
//! ones whose id is the one looked for hold a line. Positions in the text ring count up for
//! ever; their low bits are the index.

use vmcore::VmcoreInfo;

use super::log_line::{LogLine, caller as caller_of, required};
use super::memory::VirtualMemory;
use super::unreadable::{Listing, Unavailable, Unreadable};

/// Bits of `state_var` that hold the id (`DESC_ID_MASK`, 64-bit kernels).
const ID: u64 = (1 << 62) - 1;
/// `desc_committed` and `desc_finalized`.
const COMMITTED: [u64; 2] = [1, 2];
/// Bytes of the id in front of each text (`struct prb_data_block`).
const BLOCK_ID: u64 = 8;
/// Largest exponent that is believed: 16 million lines, 2 GiB of text.
const MAX_COUNT_BITS: u64 = 24;
/// As above, for bytes of text.
const MAX_SIZE_BITS: u64 = 31;

/// The ring's anchors, read, and the offsets inside its elements.
struct Ring {
    count_bits: u64,
    descriptors: u64,
    infos: u64,
    head: u64,
    tail: u64,
    size_bits: u64,
    data: u64,
    descriptor_size: u64,
    state: u64,
    begin: u64,
    next: u64,
    info_size: u64,
    time: u64,
    text_length: u64,
    caller: Option<u64>,
}

/// Reads the ring that the pointer at `prb` points to.
pub(super) fn read(
    memory: &dyn VirtualMemory,
    info: &VmcoreInfo,
    prb: u64,
) -> Result<Listing<LogLine>, Unavailable> {
    let ring = Ring::read(memory, info, prb)?;
    let mut log = Listing::default();
    let mut lost = 0_u64;
    let mut first_loss = None;
    let mut id = ring.tail & ID;
    let end = (ring.head & ID).wrapping_add(1) & ID;
    for _ in 0..1_u64 << ring.count_bits {
        match ring.line(memory, id) {
            Ok(Some(line)) => log.items.push(line),
            Ok(None) => {}
            Err(source) => {
                lost += 1;
                first_loss.get_or_insert(source);
            }
        }
        id = id.wrapping_add(1) & ID;
        if id == end {
            break;
        }
    }
    if let Some(source) = first_loss {
        let what = format!("{lost} lines of the kernel log, the first of them");
        log.damage.push(Unavailable::memory(&what, source));
    }
    Ok(log)
}

impl Ring {
    fn read(memory: &dyn VirtualMemory, info: &VmcoreInfo, prb: u64) -> Result<Self, Unavailable> {
        let offset = |name: &str| required(info.offset(name), &format!("OFFSET({name})"));
        let size = |name: &str| required(info.size(name), &format!("SIZE({name})"));
        let anchor = |source| Unavailable::memory("the kernel log's anchors", source);
        let ring = memory.read_u64(prb).map_err(anchor)?;
        let descriptors = ring.wrapping_add(offset("printk_ringbuffer.desc_ring")?);
        let texts = ring.wrapping_add(offset("printk_ringbuffer.text_data_ring")?);
        let number = |base: u64, name: &str, bytes| {
            let address = base.wrapping_add(offset(name)?);
            memory.read_number(address, bytes).map_err(anchor)
        };
        let lpos = offset("prb_desc.text_blk_lpos")?;
        let counter = offset("atomic_long_t.counter").unwrap_or(0);
        let found = Self {
            count_bits: number(descriptors, "prb_desc_ring.count_bits", 4)?,
            descriptors: number(descriptors, "prb_desc_ring.descs", 8)?,
            infos: number(descriptors, "prb_desc_ring.infos", 8)?,
            head: number(descriptors.wrapping_add(counter), "prb_desc_ring.head_id", 8)?,
            tail: number(descriptors.wrapping_add(counter), "prb_desc_ring.tail_id", 8)?,
            size_bits: number(texts, "prb_data_ring.size_bits", 4)?,
            data: number(texts, "prb_data_ring.data", 8)?,
            descriptor_size: size("prb_desc")?,
            state: offset("prb_desc.state_var")?.wrapping_add(counter),
            begin: lpos.wrapping_add(offset("prb_data_blk_lpos.begin")?),
            next: lpos.wrapping_add(offset("prb_data_blk_lpos.next")?),
            info_size: size("printk_info")?,
            time: offset("printk_info.ts_nsec")?,
            text_length: offset("printk_info.text_len")?,
            caller: info.offset("printk_info.caller_id"),
        };
        if found.count_bits > MAX_COUNT_BITS || found.size_bits > MAX_SIZE_BITS {
            return Err(Unavailable::Damaged(format!(
                "the kernel log claims 2^{} lines and 2^{} bytes",
                found.count_bits, found.size_bits
            )));
        }
        Ok(found)
    }

    /// The line with this id; none if there is none any more or not yet.
    fn line(&self, memory: &dyn VirtualMemory, id: u64) -> Result<Option<LogLine>, Unreadable> {
        let index = id & ((1 << self.count_bits) - 1);
        let element = |base: u64, size: u64, offset: u64| {
            base.wrapping_add(index.wrapping_mul(size)).wrapping_add(offset)
        };
        let descriptor = |offset| element(self.descriptors, self.descriptor_size, offset);
        let info = |offset| element(self.infos, self.info_size, offset);

        let state = memory.read_u64(descriptor(self.state))?;
        if state & ID != id || !COMMITTED.contains(&(state >> 62)) {
            return Ok(None);
        }
        let begin = memory.read_u64(descriptor(self.begin))?;
        let next = memory.read_u64(descriptor(self.next))?;
        let claimed = u64::from(memory.read_u16(info(self.text_length))?);
        let text = match self.block(begin, next) {
            Some((start, length)) => {
                let length = usize::try_from(length.min(claimed)).expect("16 bits fit in usize");
                memory.read_bytes(self.data.wrapping_add(start), length)?
            }
            None => Vec::new(),
        };
        // `facility` and `flags`/`level` are the two bytes after `text_len` since 5.10.
        let packed = memory.read_u8(info(self.text_length.wrapping_add(3)))?;
        let caller = self.caller.map(|offset| memory.read_u32(info(offset))).transpose()?;
        Ok(Some(LogLine {
            nanoseconds: memory.read_u64(info(self.time))?,
            level: packed >> 5,
            caller: caller.map(caller_of),
            text: String::from_utf8_lossy(&text).into_owned(),
        }))
    }

    /// Index and length of the text between two positions; none if there is no text.
    ///
    /// A line that had no room has odd positions (`FAILED_LPOS`, `NO_LPOS`). A block that would
    /// run over the end of the ring is put at its start as a whole; one that ends exactly at the
    /// end has a `next` whose index is 0.
    fn block(&self, begin: u64, next: u64) -> Option<(u64, u64)> {
        if begin == next || begin & 1 == 1 || next & 1 == 1 {
            return None;
        }
        let size = 1_u64 << self.size_bits;
        let (first, mut end) = (begin & (size - 1), next & (size - 1));
        if end == 0 {
            end = size;
        }
        let start = if first > end { 0 } else { first } + BLOCK_ID;
        Some((start, end.checked_sub(start)?))
    }
}
