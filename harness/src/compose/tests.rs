// SPDX-License-Identifier: MIT OR Apache-2.0
//! RAM with a crash in it, written by hand, as the readers of dumps see it.

use std::os::unix::fs::FileExt as _;

use vmcore::{Absent, PhysAddr, Vmcore};

use super::*;
use protocol::Memory;

const MIB: u64 = 1 << 20;
/// The stub's page, the notes and VMCOREINFO.
const STUB: u64 = 7 * MIB;
const NOTES: [u64; 3] = [0x2000, 0x2200, 0x2400];
const INFO: u64 = 0x5000;
const TEXT: &str = "OSRELEASE=6.1.0-test\nPAGESIZE=4096\nNUMBER(phys_base)=1048576\n";

/// 16 MiB of RAM with a hole in it, of which the last MiB of the first 8 is for a capture kernel.
fn memory() -> Memory {
    Memory {
        ram: vec![(0x1000, 8 * MIB), (9 * MIB + 0x234, 16 * MIB)],
        crash: (STUB, 8 * MIB),
        notes: NOTES.iter().map(|at| (*at, 0x200)).collect(),
        vmcoreinfo: (INFO, 0x1000),
        text: Some((0xffff_ffff_8100_0000, 0x1110_0000)),
        stub: STUB,
    }
}

/// A note as the kernel lays it out (`append_elf_note` in `kernel/crash_core.c`).
fn note(name: &str, kind: u32, content: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for number in [name.len() + 1, content.len(), usize::try_from(kind).unwrap()] {
        bytes.extend(u32::try_from(number).unwrap().to_le_bytes());
    }
    for part in [[name.as_bytes(), b"\0"].concat(), content.to_vec()] {
        bytes.extend(&part);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
    }
    bytes
}

/// What a crashed kernel leaves: the stub ran, two of three CPUs wrote their registers.
fn ram() -> Ram {
    let ram = Ram::create(16 * MIB).unwrap();
    let put = |at: u64, bytes: &[u8]| ram.file.write_all_at(bytes, at).unwrap();
    put(STUB + 0x80, &1_u32.to_le_bytes());
    put(STUB + 0x88, b"repro crash stub");
    for (at, pid) in [(NOTES[0], 11_u8), (NOTES[2], 33)] {
        // struct elf_prstatus: the pid at 32, 27 registers from 112 on, 336 bytes in all.
        let mut status = vec![0; 336];
        status[32] = pid;
        status[112 + 16 * 8] = 0x77; // ip
        put(at, &note("CORE", 1, &status));
    }
    put(INFO, &note("VMCOREINFO", 0, TEXT.as_bytes()));
    put(3 * MIB + 100, b"text in a page");
    put(10 * MIB, &noise());
    // Written to, and zero again.
    put(12 * MIB, &[0; 8192]);
    ram
}

/// A page that does not become smaller.
fn noise() -> Vec<u8> {
    let next = |state: &mut u64| {
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        Some((*state >> 56).to_le_bytes()[0])
    };
    (0..4096).scan(42, |state, _| next(state)).collect()
}

/// What every reader has to find.
fn check(vmcore: &Vmcore<'_>) {
    assert_eq!(vmcore.problems(), []);
    assert_eq!(vmcore.vmcoreinfo().os_release(), Some("6.1.0-test"));
    assert_eq!(vmcore.phys_base(), Some(1 << 20));
    let pids: Vec<_> = vmcore.cpus().iter().map(|cpu| cpu.pid).collect();
    assert_eq!(pids, [11, 33], "a CPU without a note is left out, the others are not lost");
    let read = |at: u64, length: usize| {
        let mut bytes = vec![0; length];
        vmcore.read_physical(PhysAddr(at), &mut bytes).map(|()| bytes)
    };
    assert_eq!(read(3 * MIB + 100, 14).unwrap(), b"text in a page");
    assert_eq!(read(10 * MIB, 4096).unwrap(), noise());
    for outside in [0, STUB, 8 * MIB + 1, 9 * MIB, 16 * MIB] {
        let absent = read(outside, 1).unwrap_err();
        assert!(matches!(absent, Absent::NotRam { .. }), "{outside:#x}: {absent:?}");
    }
    // All but what is for a capture kernel, in whole pages.
    assert_eq!(vmcore.memory_bytes(), (7 * MIB - 0x1000) + (7 * MIB - 0x1000));
}

#[test]
fn the_memory_is_an_elf_vmcore_that_nobody_wrote() {
    let image = Image::of(&ram(), &memory()).unwrap();
    let vmcore = Vmcore::open(&image).unwrap();
    check(&vmcore);
    let mut zeros = [1; 10];
    vmcore.read_physical(PhysAddr(12 * MIB), &mut zeros).unwrap();
    assert_eq!(zeros, [0; 10]);
}

#[test]
fn the_written_vmcore_says_the_same() {
    let image = Image::of(&ram(), &memory()).unwrap();
    let file = tempfile::tempfile().unwrap();
    let bytes = write(&image, &file).unwrap();
    let map = crate::map::Map::of(&file).unwrap();
    assert_eq!(u64::try_from(map.len()).unwrap(), bytes);
    let content = &map[..];
    assert_eq!(vmcore::true_length(&content).unwrap(), bytes);
    let vmcore = Vmcore::open(&content).unwrap();
    check(&vmcore);
    let info = vmcore.info();
    assert_eq!(info.format.to_string(), "kdump-compressed");
    assert_eq!((info.dump_level, info.nr_cpus, info.complete), (Some(1), Some(2), true));
    assert_eq!(info.uts.as_ref().unwrap().release, "6.1.0-test");
    let mut zeros = [1; 10];
    vmcore.read_physical(PhysAddr(12 * MIB), &mut zeros).unwrap();
    assert_eq!(zeros, [0; 10], "what is left out is zeros");
    // All of it: pages of zeros have descriptors, too.
    assert_eq!(vmcore.dumped_bytes(), vmcore.memory_bytes());
    // Headers, bitmaps and descriptors of 24 bytes, then five pages: one for all zeros, two notes'
    // page, VMCOREINFO's, the text's, the noise.
    let pages = vmcore.memory_bytes() / 4096;
    assert!(bytes < 5 * 4096 + pages * 24 + 5 * 4096, "{bytes}");
}

/// `crash` reads a page of zeros only if it has a descriptor, and makedumpfile gives all of them
/// one: that of a page of zeros at the start of the pages, as it is.
#[test]
fn all_pages_of_zeros_lead_to_one() {
    let image = Image::of(&ram(), &memory()).unwrap();
    let file = tempfile::tempfile().unwrap();
    write(&image, &file).unwrap();
    let map = crate::map::Map::of(&file).unwrap();
    let word = |at: usize| u32::from_le_bytes(map[at..at + 4].try_into().unwrap());
    let size = |at: usize| usize::try_from(word(at)).unwrap();
    // struct disk_dump_header: sub_hdr_size, bitmap_blocks, max_mapnr.
    let bitmaps = (1 + size(432)) * 4096;
    let one = size(436) * 4096 / 2;
    let table = bitmaps + 2 * one;
    let bits = |bitmap: usize, page: usize| map[bitmap + page / 8] >> (page % 8) & 1 == 1;
    let existing: Vec<usize> = (0..size(440)).filter(|page| bits(bitmaps, *page)).collect();
    assert_eq!(map[bitmaps..bitmaps + one], map[bitmaps + one..table], "no page is left out");
    // struct page_desc: offset, size, flags.
    let descriptor = |index: usize| {
        let at = table + 24 * index;
        let offset = u64::from_le_bytes(map[at..at + 8].try_into().unwrap());
        (usize::try_from(offset).unwrap(), size(at + 8), word(at + 12))
    };
    let zeros = table + 24 * existing.len();
    assert_eq!(map[zeros..zeros + 4096], [0; 4096]);
    // The notes, VMCOREINFO, the text at 3 MiB, the noise at 10 MiB.
    let filled = [2, 5, 3 * 256, 10 * 256];
    for (index, page) in existing.iter().enumerate() {
        let (offset, size, flags) = descriptor(index);
        if filled.contains(page) {
            assert!(offset >= zeros + 4096, "page {page}");
        } else {
            assert_eq!((offset, size, flags), (zeros, 4096, 0), "page {page}");
        }
    }
}

#[test]
fn pages_of_zeros_among_others_come_back_where_they_were() {
    // More pages than are compressed in one go.
    let ram = Ram::create(64 * MIB).unwrap();
    let put = |at: u64, bytes: &[u8]| ram.file.write_all_at(bytes, at).unwrap();
    put(STUB + 0x80, &1_u32.to_le_bytes());
    put(STUB + 0x88, b"repro crash stub");
    put(NOTES[0], &note("CORE", 1, &[0; 336]));
    put(INFO, &note("VMCOREINFO", 0, TEXT.as_bytes()));
    for page in 0..3000 {
        put(20 * MIB + page * 8192, b"every second page");
    }
    let memory = Memory { ram: vec![(0x1000, 64 * MIB)], ..memory() };
    let image = Image::of(&ram, &memory).unwrap();
    let file = tempfile::tempfile().unwrap();
    let bytes = write(&image, &file).unwrap();
    let map = crate::map::Map::of(&file).unwrap();
    let content = &map[..];
    assert_eq!(vmcore::true_length(&content).unwrap(), bytes);
    let vmcore = Vmcore::open(&content).unwrap();
    assert_eq!(vmcore.problems(), []);
    for page in (0..STUB / 4096).skip(1).chain(8 * 256..64 * 256) {
        let (mut found, mut expected) = ([1; 4096], [1; 4096]);
        vmcore.read_physical(PhysAddr(page * 4096), &mut found).unwrap();
        ram.file.read_exact_at(&mut expected, page * 4096).unwrap();
        assert_eq!(found, expected, "page {page}");
    }
}

#[test]
fn a_kernel_without_phys_base_in_vmcoreinfo_has_it_from_its_text() {
    let ram = ram();
    ram.file.write_all_at(&note("VMCOREINFO", 0, b"OSRELEASE=3.10.0\n"), INFO).unwrap();
    let image = Image::of(&ram, &memory()).unwrap();
    let file = tempfile::tempfile().unwrap();
    write(&image, &file).unwrap();
    let map = crate::map::Map::of(&file).unwrap();
    let content = &map[..];
    assert_eq!(Vmcore::open(&content).unwrap().phys_base(), Some(0x1010_0000));
}

#[test]
fn a_stub_that_did_not_run_or_is_gone_is_no_capture() {
    let (ram, memory) = (ram(), memory());
    ram.file.write_all_at(&[0; 4], STUB + 0x80).unwrap();
    assert!(matches!(Image::of(&ram, &memory), Err(BadImage::NotEntered)));
    ram.file.write_all_at(&[0; 32], STUB + 0x80).unwrap();
    assert!(matches!(Image::of(&ram, &memory), Err(BadImage::NoStub)));
    ram.file.set_len(0).unwrap();
    ram.file.set_len(MIB).unwrap();
    assert!(matches!(Image::of(&ram, &memory), Err(BadImage::NoStub)));
}

#[test]
fn what_a_guest_claims_of_its_memory_is_checked() {
    let ram = ram();
    let no_notes = Memory { notes: vec![(0x9000, 0x200)], ..memory() };
    assert!(matches!(Image::of(&ram, &no_notes), Err(BadImage::NoNotes)));
    for claim in [
        Memory { notes: vec![(17 * MIB, 0x200)], ..memory() },
        Memory { notes: vec![(u64::MAX - 3, 0x200)], ..memory() },
        Memory { vmcoreinfo: (0x2000, u64::MAX), ..memory() },
        Memory { ram: vec![], ..memory() },
        Memory { ram: vec![(9, 8), (3, 4)], ..memory() },
        Memory { ram: vec![(0x1000, 4 * MIB), (0x2000, 8 * MIB)], ..memory() },
        Memory { ram: vec![(u64::MAX - 8191, u64::MAX)], ..memory() },
    ] {
        let told = Image::of(&ram, &claim);
        assert!(matches!(told, Err(BadImage::Told { .. } | BadImage::Read(_))), "{claim:?}");
    }
}

/// Readers such as libkdumpfile, and drgn with it, refuse a header without the kernel's version.
#[test]
fn the_header_has_the_kernels_names_from_its_memory() {
    let ram = ram();
    // phys_base is 1 MiB: the namespace is at 3 MiB, its names behind a counter of 4 bytes.
    let info = format!("{TEXT}SYMBOL(init_uts_ns)=ffffffff80200000\n");
    ram.file.write_all_at(&note("VMCOREINFO", 0, info.as_bytes()), INFO).unwrap();
    let names = ["Linux", "host", "6.1.0-test", "#1 SMP", "x86_64", "(none)"];
    for (field, text) in names.into_iter().enumerate() {
        let at = 3 * MIB + 4 + 65 * u64::try_from(field).unwrap();
        ram.file.write_all_at(&[text.as_bytes(), b"\0"].concat(), at).unwrap();
    }
    let image = Image::of(&ram, &memory()).unwrap();
    let file = tempfile::tempfile().unwrap();
    write(&image, &file).unwrap();
    let map = crate::map::Map::of(&file).unwrap();
    let content = &map[..];
    let vmcore = Vmcore::open(&content).unwrap();
    let uts = vmcore.info().uts.as_ref().unwrap();
    assert_eq!((uts.release.as_str(), uts.version.as_str()), ("6.1.0-test", "#1 SMP"));
}
