// SPDX-License-Identifier: MIT OR Apache-2.0
//! Every container with every codec gives back the memory it was written from.

use synth::{Elf, Kdump, Packing, flatten, flatten_records};
use vmcore::{Codec, Error, Format, ReadAt, ReadError, Vmcore};

use crate::sample::{VMCOREINFO, assert_holds, memory, notes, small_memory};

/// The sample memory as a kdump-compressed dump with notes.
fn kdump(packing: Packing, version: i32) -> Vec<u8> {
    let vmcoreinfo = VMCOREINFO.to_owned();
    Kdump { version, notes: notes(), vmcoreinfo, ..Kdump::new(packing) }.write(&memory())
}

#[test]
fn kdump_compressed_with_each_codec() {
    for packing in Packing::ALL {
        assert_holds(&kdump(packing, 6), &memory());
    }
}

#[test]
fn elf() {
    let elf = Elf { notes: notes(), ..Elf::of(&memory(), 0xffff_8880_0000_0000) };
    assert_holds(&elf.write(), &memory());
}

#[test]
fn flattened_in_records_of_any_size() {
    let elf = Elf { notes: notes(), ..Elf::of(&memory(), 0) }.write();
    for file in [kdump(Packing::Lzo, 6), elf] {
        for chunk in [100, 4096, 5000, file.len()] {
            let flat = flatten(&file, chunk);
            assert_holds(&flat, &memory());
            assert!(Vmcore::open(&flat).unwrap().info().flattened);
        }
    }
}

/// makedumpfile writes the header again when it knows more, and QEMU writes descriptors and
/// data alternately: a later record counts, and their order does not matter.
#[test]
fn flattened_with_overwritten_and_unordered_records() {
    let file = kdump(Packing::Zlib, 6);
    let stale = vec![0xee; 9000];
    let (head, rest) = file.split_at(8192);
    let (middle, end) = rest.split_at(5000);
    let offset =
        |bytes: &[u8]| u64::try_from(bytes.as_ptr().addr() - file.as_ptr().addr()).unwrap();
    let records =
        [(0, &stale[..]), (offset(end), end), (4000, &stale), (offset(middle), middle), (0, head)];
    let mut flat = flatten_records(&records);
    flat.extend(synth::END_MARK);
    assert_holds(&flat, &memory());
}

/// A record of zeros need not be written: what no record brings reads as zeros, as in a sparse
/// file, if the end mark shows that none is missing.
#[test]
fn flattened_with_holes() {
    let file = kdump(Packing::None, 6);
    let hole = file.windows(4096).rposition(|page| page.iter().all(|byte| *byte == 0)).unwrap();
    let records = [(0, &file[..hole]), (hole as u64 + 4096, &file[hole + 4096..])];
    let mut flat = flatten_records(&records);
    flat.extend(synth::END_MARK);
    assert_holds(&flat, &memory());
}

#[test]
fn container_says_what_it_is() {
    for (packing, codec) in [
        (Packing::Zlib, Codec::Zlib),
        (Packing::Lzo, Codec::Lzo),
        (Packing::Snappy, Codec::Snappy),
        (Packing::Zstd, Codec::Zstd),
        (Packing::None, Codec::Raw),
    ] {
        // Old writers do not name the compression in the header: the pages show it.
        for status_names_packing in [true, false] {
            let kdump = Kdump { status_names_packing, ..Kdump::new(packing) };
            let kdump = Kdump { nr_cpus: 4, phys_base: -0x1a20_0000, ..kdump }.write(&memory());
            let vmcore = Vmcore::open(&kdump).unwrap();
            let info = vmcore.info();
            assert_eq!(info.compression, Some(codec));
            assert_eq!(info.format, Format::KdumpCompressed);
            assert_eq!((info.header_version, info.dump_level), (Some(6), Some(31)));
            assert_eq!((info.nr_cpus, info.page_size), (Some(4), 4096));
            assert_eq!(info.max_pfn.0, memory().max_pfn());
            assert_eq!(vmcore.phys_base(), Some(-0x1a20_0000));
            let uts = info.uts.as_ref().unwrap();
            assert_eq!((uts.release.as_str(), uts.machine.as_str()), ("6.1.0-synth", "x86_64"));
        }
    }
    let elf = Elf::of(&memory(), 0).write();
    let vmcore = Vmcore::open(&elf).unwrap();
    assert_eq!(vmcore.info().format, Format::Elf);
    assert_eq!(vmcore.info().max_pfn.0, memory().max_pfn());
    assert_eq!((vmcore.info().compression, vmcore.info().dump_level), (None, None));
}

#[test]
fn amounts_of_memory() {
    let (existing, dumped) = (21 * 4096, 15 * 4096);
    for file in [kdump(Packing::Lzo, 6), Elf::of(&memory(), 0).write()] {
        let vmcore = Vmcore::open(&file).unwrap();
        assert_eq!((vmcore.memory_bytes(), vmcore.dumped_bytes()), (existing, dumped));
    }
}

#[test]
fn other_files_are_named() {
    let open = |file: &[u8]| Vmcore::open(&file).unwrap_err().to_string();
    assert_eq!(
        open(b"\x23\x21\x2f\x62\x00\x6e\x2f\x73\x01"),
        "not a vmcore: the file starts with bytes 23 21 2f 62 00 6e 2f 73"
    );
    let newer = Kdump { version: 7, ..Kdump::default() }.write(&small_memory());
    assert_eq!(open(&newer), "the header version at file offset 0x8 is 0x7");
}

/// A reader that lends no bytes and fails on one stretch, as a disk does.
struct Failing<'f> {
    file: &'f [u8],
    bad: std::ops::Range<u64>,
}

impl ReadAt for Failing<'_> {
    fn len(&self) -> u64 {
        ReadAt::len(self.file)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), ReadError> {
        let end = offset + buffer.len() as u64;
        if offset < self.bad.end && self.bad.start < end {
            return Err(ReadError::Failed { offset, message: "medium error".to_owned() });
        }
        self.file.read_at(offset, buffer)
    }
}

#[test]
fn reader_that_lends_nothing_serves_as_well() {
    for file in [kdump(Packing::Zlib, 6), Elf { notes: notes(), ..Elf::of(&memory(), 0) }.write()] {
        assert_holds(&Failing { file: &file, bad: 0..0 }, &memory());
        let flat = flatten(&file, 1000);
        assert_holds(&Failing { file: &flat, bad: 0..0 }, &memory());
    }
}

#[test]
fn failure_of_the_reader_is_passed_on() {
    let file = kdump(Packing::Zlib, 6);
    let error = Vmcore::open(&Failing { file: &file, bad: 0..8 }).unwrap_err();
    let Error::Cut { source: ReadError::Failed { message, .. }, .. } = error else {
        panic!("{error}");
    };
    assert_eq!(message, "medium error");
}
