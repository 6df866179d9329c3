// SPDX-License-Identifier: MIT OR Apache-2.0
//! Dumps that were cut: at every length they open or say why not, no page reads as anything but
//! its own bytes or lost, and a dump that lacks anything does not pass for complete.

use synth::{Elf, Kdump, Packing, flatten, flatten_records};
use vmcore::{Error, Problem, ReadError, Vmcore};

use crate::sample::{Seen, VMCOREINFO, notes, see, small_memory, truth};

/// Opens every proper prefix of a file and looks at every page. Gives the number of prefixes
/// that open.
fn cut_everywhere(file: &[u8]) -> usize {
    let memory = small_memory();
    let mut opened = 0;
    for length in 0..file.len() {
        let prefix = &file[..length];
        let vmcore = match Vmcore::open(&prefix) {
            Ok(vmcore) => vmcore,
            Err(Error::NotVmcore { .. } | Error::Foreign(_)) => {
                assert!(length < 16, "not recognised at {length}");
                continue;
            }
            Err(Error::Cut { .. }) => continue,
            Err(other) => panic!("cut at {length}: {other}"),
        };
        opened += 1;
        assert!(!vmcore.info().complete, "complete at {length}");
        for pfn in 0..memory.max_pfn() + 2 {
            let (seen, truth) = (see(&vmcore, pfn), truth(&memory, pfn));
            assert!(seen == truth || seen == Seen::Lost, "page {pfn} at {length}: {seen:?}");
        }
    }
    opened
}

#[test]
fn kdump_cut_everywhere() {
    let vmcoreinfo = VMCOREINFO.to_owned();
    for packing in [Packing::Lzo, Packing::Zlib] {
        let kdump = Kdump { notes: notes(), vmcoreinfo: vmcoreinfo.clone(), ..Kdump::new(packing) };
        let file = kdump.write(&small_memory());
        // All but the two headers may be missing.
        assert_eq!(cut_everywhere(&file), file.len() - 4096 - 104);
    }
}

#[test]
fn elf_cut_everywhere() {
    let file = Elf { notes: notes(), ..Elf::of(&small_memory(), 0) }.write();
    // The ELF header and three program headers have to be there.
    assert_eq!(cut_everywhere(&file), file.len() - 64 - 3 * 56);
}

#[test]
fn flattened_cut_everywhere() {
    let file = Kdump { notes: notes(), ..Kdump::default() }.write(&small_memory());
    assert!(cut_everywhere(&flatten(&file, 1500)) > 0);
    let file = Elf { notes: notes(), ..Elf::of(&small_memory(), 0) }.write();
    assert!(cut_everywhere(&flatten(&file, 1500)) > 0);
}

/// If a stream without its end mark lacks a record in the middle, what it would have brought is
/// lost, be it headers, bits or data: it does not read as zeros, which would mean "no memory".
#[test]
fn record_missing_from_a_cut_flattened_file() {
    let memory = small_memory();
    let file = Kdump { notes: notes(), ..Kdump::default() }.write_parts(&memory);
    let whole = &file.bytes;
    for hole in [4200, file.bitmaps.start, file.bitmaps.start + 4096, file.data.start] {
        let end = (hole + 200).min(whole.len() - 10);
        let records = [(0, &whole[..hole]), (end as u64, &whole[end..])];
        let flat = flatten_records(&records);
        let vmcore = Vmcore::open(&flat).unwrap();
        for pfn in 0..memory.max_pfn() {
            let seen = see(&vmcore, pfn);
            assert!(seen == truth(&memory, pfn) || seen == Seen::Lost, "page {pfn} {hole:#x}");
        }
        assert!(!vmcore.info().complete);
    }
}

/// Sizes and counts from the header reach for more than any file has: nothing is allocated or
/// walked for them.
#[test]
fn huge_numbers_in_headers() {
    let kdump = Kdump { notes: notes(), ..Kdump::default() }.write(&small_memory());
    let elf =
        Elf { notes: notes(), extended_numbering: true, ..Elf::of(&small_memory(), 0) }.write();
    let fields = [
        (&kdump, vec![8, 428, 432, 436, 440, 460, 4096, 4096 + 8], 4),
        (&kdump, vec![4096 + 32, 4096 + 40, 4096 + 48, 4096 + 56, 4096 + 64, 4096 + 96], 8),
        (&elf, vec![32, 40, 128 + 8, 128 + 24, 128 + 32, 128 + 40, 184 + 8, 184 + 24, 184 + 32], 8),
        (&elf, vec![64 + 44, 48], 4),
    ];
    for (file, offsets, width) in fields {
        for at in offsets {
            for value in
                [0_u64, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, i64::MAX as u64, u64::MAX]
            {
                let mut file = file.clone();
                file[at..at + width].copy_from_slice(&value.to_le_bytes()[..width]);
                crate::exercise::exercise(&file);
            }
        }
    }
}

/// A flattened file whose records claim sizes and offsets that cannot be.
#[test]
fn nonsense_in_flattened_records() {
    let file = Kdump::default().write(&small_memory());
    for field in [4096, 4096 + 8] {
        for value in [-2_i64, i64::MIN, i64::MAX, i64::MAX - 4096] {
            let mut flat = flatten(&file, 4096);
            flat[field..field + 8].copy_from_slice(&value.to_be_bytes());
            crate::exercise::exercise(&flat);
        }
    }
    let mut flat = flatten(&file, 4096);
    flat[4096..4104].copy_from_slice(&(-2_i64).to_be_bytes());
    let error = Vmcore::open(&flat).unwrap_err().to_string();
    assert_eq!(error, "the flattened record at file offset 0x1000 is 0xfffffffffffffffe");
}

/// A flattened file may have a hole of any size, so that nothing in it is past its end.
#[test]
fn huge_counts_in_a_flattened_file_with_a_hole() {
    let elf = Elf { extended_numbering: true, ..Elf::of(&small_memory(), 0) };
    let mut file = elf.write();
    file[64 + 44..64 + 48].fill(0xff);
    let mut flat = flatten_records(&[(0, &file[..]), (1 << 50, b"end")]);
    flat.extend(synth::END_MARK);
    let error = Vmcore::open(&flat).unwrap_err();
    assert_eq!(error.to_string(), "the file ends inside its program headers");
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(cause, "240518168520 bytes at offset 0x80 are too many to be right");
}

/// Any number of note segments may point at the same notes.
#[test]
fn notes_that_are_given_over_and_over() {
    let notes = synth::notes::note("FILLER", 0, &vec![0; 1 << 20]);
    let nothing = synth::Segment { virt: 0, phys: 0, stored: Vec::new(), size: 0 };
    let mut file = Elf { segments: vec![nothing; 3000], notes, ..Elf::default() }.write();
    let first: Vec<u8> = file[64..120].to_vec();
    for n in 1..=3000 {
        file[64 + 56 * n..120 + 56 * n].copy_from_slice(&first);
    }
    let vmcore = Vmcore::open(&file).unwrap();
    assert!(matches!(vmcore.problems()[0], Problem::NotesCut(ReadError::TooMany { .. })));
}

/// Millions of entries that make no sense are counted, and a few of them listed.
#[test]
fn malformed_entries_without_end_are_counted() {
    let nowhere = synth::Segment { virt: 0, phys: u64::MAX, stored: Vec::new(), size: 4096 };
    // A note of a CPU with nothing in it.
    let empty = synth::notes::note("CORE", 1, &[]);
    let elf = Elf {
        segments: vec![nowhere; 30_000],
        notes: [empty.repeat(20_000), notes()].concat(),
        ..Elf::default()
    };
    let file = elf.write();
    let vmcore = Vmcore::open(&file).unwrap();
    assert_eq!(vmcore.problems().len(), 34);
    assert!(vmcore.problems().contains(&Problem::MoreBadSegments { count: 29_984 }));
    assert!(vmcore.problems().contains(&Problem::MoreBadNotes { count: 19_984 }));
    assert_eq!(vmcore.cpus().len(), 2);
    // Sections of notes that lie past the end.
    let mut file = Elf { segments: elf.segments, ..Elf::default() }.write();
    for header in file[64..64 + 56 * 30_000].chunks_exact_mut(56) {
        header[..4].copy_from_slice(&4_u32.to_le_bytes());
        header[8..16].copy_from_slice(&(1_u64 << 40).to_le_bytes());
        header[32..40].copy_from_slice(&1_u64.to_le_bytes());
    }
    assert!(Vmcore::open(&file).unwrap().problems().len() < 20);
}

/// Most resident memory that this process had, in KiB (`proc_pid_status(5)`).
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux has it");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("the peak");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

/// Sizes and places that reach far past what there is, in files where nothing is past the end
/// because of a hole: what is taken from memory has a bound of its own.
#[test]
fn nonsense_sizes_take_no_memory() {
    let kdump = Kdump { notes: notes(), vmcoreinfo: VMCOREINFO.to_owned(), ..Kdump::default() };
    let kdump = kdump.write(&small_memory());
    let elf =
        Elf { notes: notes(), extended_numbering: true, ..Elf::of(&small_memory(), 0) }.write();
    let before = peak();
    let sizes = [1_u64 << 20, (64 << 20) - 8, 1 << 31, 1 << 40, u64::MAX];
    // Sizes and offsets of VMCOREINFO, notes and erased symbols; of the notes and of memory.
    let fields: [(&[u8], &[usize]); 2] = [
        (&kdump, &[4128, 4136, 4144, 4152, 4160, 4168]),
        (&elf, &[136, 160, 168, 192, 208, 216, 224]),
    ];
    for (file, places) in fields {
        for place in places {
            for size in sizes {
                let mut file = file.to_vec();
                file[*place..*place + 8].copy_from_slice(&size.to_le_bytes());
                let mut flat = flatten_records(&[(0, &file[..]), (1 << 50, b"end")]);
                flat.extend(synth::END_MARK);
                crate::exercise::exercise(&flat);
            }
        }
    }
    // Numbers of program headers, and of pages that a bitmap stands for.
    let counts: [(&[u8], usize, u32); 4] = [
        (&elf, 108, 1 << 20),
        (&elf, 108, u32::MAX),
        (&kdump, 440, u32::MAX),
        (&kdump, 436, u32::MAX),
    ];
    for (file, place, count) in counts {
        let mut file = file.to_vec();
        file[4096 + 96..4096 + 104].fill(0);
        file[place..place + 4].copy_from_slice(&count.to_le_bytes());
        let mut flat = flatten_records(&[(0, &file[..]), (1 << 50, b"end")]);
        flat.extend(synth::END_MARK);
        crate::exercise::exercise(&flat);
    }
    let taken = (peak() - before) >> 10;
    // What is read at once is at most 64 MiB.
    assert!(taken < 128, "{taken} MiB");
}
