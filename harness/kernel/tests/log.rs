// SPDX-License-Identifier: MIT OR Apache-2.0
//! Logs of both generations, built byte by byte from the kernel's structures.

mod memory;

use kernel::log::{self, Caller, LogLine};
use kernel::{Listing, Unavailable};
use memory::Memory;
use vmcore::VmcoreInfo;

const BASE: u64 = 0xffff_ffff_8200_0000;

fn texts(log: &Listing<LogLine>) -> Vec<&str> {
    log.items.iter().map(|line| line.text.as_str()).collect()
}

/// `struct log` of CentOS 7's 3.10 with the keys its VMCOREINFO has.
mod records {
    use super::*;

    const INFO: &str = "SYMBOL(log_buf)=ffffffff82000000\nSYMBOL(log_buf_len)=ffffffff82000008\n\
        SYMBOL(log_first_idx)=ffffffff8200000c\nSYMBOL(log_next_idx)=ffffffff82000010\n\
        SIZE(log)=16\nOFFSET(log.ts_nsec)=0\nOFFSET(log.len)=8\nOFFSET(log.text_len)=10\n\
        OFFSET(log.dict_len)=12\n";
    const BUFFER: u64 = BASE + 0x104;

    struct Ring {
        memory: Memory,
        at: u64,
    }

    impl Ring {
        fn new(size: u32) -> Self {
            let mut memory = Memory::new(BASE, 0x1000);
            memory.put(BASE, &BUFFER.to_le_bytes());
            memory.put(BASE + 8, &size.to_le_bytes());
            Self { memory, at: 0 }
        }

        fn record(&mut self, seconds: u64, flags_level: u8, text: &str, dictionary: &str) {
            let (text, dictionary) = (text.as_bytes(), dictionary.as_bytes());
            let length = (16 + text.len() + dictionary.len()).next_multiple_of(4);
            let mut bytes = (seconds * 1_000_000_000).to_le_bytes().to_vec();
            for number in [length, text.len(), dictionary.len()] {
                bytes.extend(u16::try_from(number).expect("short").to_le_bytes());
            }
            bytes.extend([0, flags_level]);
            bytes.extend(text);
            bytes.extend(dictionary);
            self.memory.put(BUFFER + self.at, &bytes);
            self.at += length as u64;
        }

        fn read(&mut self, first: u32, next: u32) -> Result<Listing<LogLine>, Unavailable> {
            self.memory.put(BASE + 12, &first.to_le_bytes());
            self.memory.put(BASE + 16, &next.to_le_bytes());
            log::read(&self.memory, &VmcoreInfo::parse(INFO.as_bytes()))
        }

        fn here(&self) -> u32 {
            u32::try_from(self.at).expect("small")
        }
    }

    #[test]
    fn a_ring_that_wraps() {
        let mut ring = Ring::new(256);
        ring.record(3, 6 << 5 | 2, "third", "");
        let next = ring.here();
        ring.at = 64;
        ring.record(1, 6 << 5 | 2, "first", "SUBSYSTEM=x");
        ring.record(2, 2, "second", "");
        // A header without a length: the next record is at the start.
        let log = ring.read(64, next).unwrap();
        assert_eq!(texts(&log), ["first", "second", "third"]);
        assert_eq!(log.damage, []);
        assert_eq!((log.items[0].level, log.items[1].level), (6, 0));
        assert_eq!(log.items[0].to_string(), "[    1.000000] first");
        assert_eq!(log.items[0].caller, None);
    }

    /// `printk("a"); printk(KERN_CONT "b\n");` leaves two records, of which the first has no
    /// newline and the second continues.
    #[test]
    fn continued_lines_are_joined() {
        let mut ring = Ring::new(256);
        ring.record(1, 4, "Code: ", "");
        ring.record(1, 8, "48 8b ", "");
        ring.record(1, 8 | 2, "00", "");
        ring.record(2, 4 | 2, "next", "");
        let next = ring.here();
        assert_eq!(texts(&ring.read(0, next).unwrap()), ["Code: 48 8b 00", "next"]);
    }

    #[test]
    fn a_length_beyond_the_ring_keeps_what_came_before() {
        let mut ring = Ring::new(256);
        ring.record(1, 2, "good", "");
        let bad = BUFFER + ring.at;
        ring.memory.put(bad + 8, &0xfff0_u16.to_le_bytes());
        let log = ring.read(0, 200).unwrap();
        assert_eq!(texts(&log), ["good"]);
        assert_eq!(log.damage.len(), 1);
    }

    #[test]
    fn a_ring_that_never_meets_its_end_is_left() {
        let mut ring = Ring::new(256);
        ring.record(1, 2, "again", "");
        // Its end lies inside the record, so that the walk would run past it for ever.
        let log = ring.read(0, 2).unwrap();
        assert_eq!(log.damage.len(), 1);
        assert!(log.items.len() <= 16);
    }
}

/// `struct printk_ringbuffer` of 5.10 and later, with the layout that 6.1 has.
mod ring {
    use super::*;

    const INFO: &str = "SYMBOL(prb)=ffffffff82000000\n\
        OFFSET(printk_ringbuffer.desc_ring)=0\nOFFSET(printk_ringbuffer.text_data_ring)=48\n\
        OFFSET(prb_desc_ring.count_bits)=0\nOFFSET(prb_desc_ring.descs)=8\n\
        OFFSET(prb_desc_ring.infos)=16\nOFFSET(prb_desc_ring.head_id)=24\n\
        OFFSET(prb_desc_ring.tail_id)=32\nSIZE(prb_desc)=24\nOFFSET(prb_desc.state_var)=0\n\
        OFFSET(prb_desc.text_blk_lpos)=8\nOFFSET(prb_data_blk_lpos.begin)=0\n\
        OFFSET(prb_data_blk_lpos.next)=8\nSIZE(printk_info)=88\nOFFSET(printk_info.ts_nsec)=8\n\
        OFFSET(printk_info.text_len)=16\nOFFSET(printk_info.caller_id)=20\n\
        OFFSET(prb_data_ring.size_bits)=0\nOFFSET(prb_data_ring.data)=8\n\
        OFFSET(atomic_long_t.counter)=0\n";
    const RING: u64 = BASE + 0x100;
    const DESCRIPTORS: u64 = BASE + 0x200;
    const INFOS: u64 = BASE + 0x400;
    const DATA: u64 = BASE + 0x800;
    const COMMITTED: u64 = 1;
    const FINALIZED: u64 = 2;
    const REUSABLE: u64 = 3;

    /// Four descriptors, 128 bytes of text.
    fn empty(tail: u64, head: u64) -> Memory {
        let mut memory = Memory::new(BASE, 0x1000);
        memory.put(BASE, &RING.to_le_bytes());
        memory.put(RING, &2_u32.to_le_bytes());
        for (offset, value) in [(8, DESCRIPTORS), (16, INFOS), (24, head), (32, tail), (56, DATA)] {
            memory.put(RING + offset, &value.to_le_bytes());
        }
        memory.put(RING + 48, &7_u32.to_le_bytes());
        memory
    }

    fn line(memory: &mut Memory, id: u64, state: u64, place: (u64, u64), text: &str) {
        let descriptor = DESCRIPTORS + id % 4 * 24;
        memory.put(descriptor, &(state << 62 | id).to_le_bytes());
        memory.put(descriptor + 8, &place.0.to_le_bytes());
        memory.put(descriptor + 16, &place.1.to_le_bytes());
        let info = INFOS + id % 4 * 88;
        memory.put(info + 8, &(id * 1_500_000_000).to_le_bytes());
        memory.put(info + 16, &u16::try_from(text.len()).expect("short").to_le_bytes());
        memory.put(info + 19, &[4 << 5 | 2]);
        memory.put(
            info + 20,
            &(if id.is_multiple_of(2) { 95_u32 } else { 1 << 31 | 1 }).to_le_bytes(),
        );
        // Where the text is put: behind its id, at the ring's start if it would run over its end.
        let fits = place.0 / 128 == (place.1 - 1) / 128;
        let start = if fits { place.0 % 128 } else { 0 };
        if place.0 & 1 == 0 {
            memory.put(DATA + start + 8, text.as_bytes());
        }
    }

    fn read(memory: &Memory) -> Listing<LogLine> {
        log::read(memory, &VmcoreInfo::parse(INFO.as_bytes())).expect("a log")
    }

    #[test]
    fn lines_in_order_with_level_time_and_caller() {
        let mut memory = empty(5, 7);
        line(&mut memory, 5, FINALIZED, (256, 280), "five");
        line(&mut memory, 6, FINALIZED, (280, 304), "six");
        line(&mut memory, 7, COMMITTED, (304, 328), "seven");
        let log = read(&memory);
        assert_eq!(texts(&log), ["five", "six", "seven"]);
        assert_eq!(log.items[0].nanoseconds, 7_500_000_000);
        assert_eq!(log.items[0].level, 4);
        assert_eq!(log.items[0].caller, Some(Caller::Cpu(1)));
        assert_eq!(log.items[1].caller, Some(Caller::Task(95)));
        assert_eq!(log.damage, []);
    }

    #[test]
    fn text_that_would_run_over_the_end_is_at_the_start() {
        let mut memory = empty(1, 1);
        line(&mut memory, 1, FINALIZED, (128 + 112, 256 + 24), "wrapped text");
        assert_eq!(texts(&read(&memory)), ["wrapped text"]);
    }

    #[test]
    fn text_that_ends_at_the_very_end_is_no_wrap() {
        let mut memory = empty(1, 1);
        line(&mut memory, 1, FINALIZED, (128 + 104, 256), "at the end");
        assert_eq!(texts(&read(&memory)), ["at the end"]);
    }

    #[test]
    fn lines_without_text_or_not_yet_written_or_reused() {
        let mut memory = empty(4, 7);
        line(&mut memory, 4, REUSABLE, (0, 24), "old");
        line(&mut memory, 5, FINALIZED, (3, 3), "");
        line(&mut memory, 6, 0, (24, 48), "reserved");
        // The descriptor holds an id of the round before.
        line(&mut memory, 3, FINALIZED, (48, 72), "stale");
        assert_eq!(texts(&read(&memory)), [""]);
    }

    #[test]
    fn a_text_longer_than_its_block_is_cut() {
        let mut memory = empty(1, 1);
        line(&mut memory, 1, FINALIZED, (0, 16), "0123456789");
        assert_eq!(texts(&read(&memory)), ["01234567"]);
    }

    #[test]
    fn sizes_beyond_reason_are_refused() {
        let mut memory = empty(1, 1);
        memory.put(RING, &63_u32.to_le_bytes());
        let info = VmcoreInfo::parse(INFO.as_bytes());
        let error = log::read(&memory, &info).unwrap_err();
        assert!(matches!(error, Unavailable::Damaged(_)), "{error}");
    }

    /// Head and tail are garbage that never meet: the number of descriptors bounds the walk.
    #[test]
    fn ids_that_never_meet_end() {
        let memory = empty(u64::MAX, 12345);
        assert_eq!(read(&memory).items, []);
    }
}

#[test]
fn vmcoreinfo_without_a_log_says_so() {
    let memory = Memory::new(BASE, 64);
    let error = log::read(&memory, &VmcoreInfo::parse(b"OSRELEASE=2.6.32\n")).unwrap_err();
    assert_eq!(error.to_string(), "no symbol `VMCOREINFO SIZE(log)`");
}
