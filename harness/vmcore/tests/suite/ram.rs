// SPDX-License-Identifier: MIT OR Apache-2.0
//! Raw RAM: a flat file, and beside it what it does not say.

use synth::notes::{note, prstatus, vmcoreinfo};
use synth::{Memory, PAGE, Page, ram};
use vmcore::{Absent, Error, Format, Lost, PhysAddr, Place, Problem, Ram, RamRange, Vmcore};

use crate::sample::{Seen, VMCOREINFO, see};

/// Two ranges around a hole, as below 4 GiB on a PC: pages 0 to 7 and 16 to 19.
const RANGES: [(u64, u64); 2] = [(0, 0x8000), (0x1_0000, 0x1_4000)];

/// A machine whose kernel wrote notes into its memory: CPU 0 at 0x3010, CPU 1 none at 0x3400,
/// CPU 2 at 0x10800, VMCOREINFO at 0x5000.
fn machine() -> Memory {
    let mut memory = Memory::new();
    for pfn in (0..8).chain(16..20) {
        memory.set(pfn, Page::Kept(Memory::telling_page(pfn)));
    }
    memory.set(3, Page::Kept(vec![0; PAGE]));
    memory.set(5, Page::Kept(vec![0; PAGE]));
    memory.write(0x3010, &prstatus(95, &[7; 27]));
    memory.write(0x1_0800, &[prstatus(42, &[9; 27]), vec![0; 12]].concat());
    memory.write(0x5000, &vmcoreinfo(VMCOREINFO));
    memory
}

fn place(start: u64, size: u64) -> Place {
    Place::Memory { start: PhysAddr(start), size }
}

/// The file and its layout, ranges given from the top down: their order must not matter.
fn dump() -> (Vec<u8>, Ram) {
    let (file, offsets) = ram(&machine(), &RANGES);
    let ranges = RANGES.iter().zip(offsets).rev();
    let ranges = ranges.map(|((first, past), offset)| RamRange {
        start: PhysAddr(*first),
        size: past - first,
        offset,
    });
    let notes = vec![place(0x3010, 368), place(0x3400, 368), place(0x1_0800, 368)];
    (file, Ram { ranges: ranges.collect(), notes, vmcoreinfo: Some(place(0x5000, 4096)) })
}

#[test]
fn memory_around_a_hole_is_where_the_ranges_say() {
    let (file, ram) = dump();
    let vmcore = Vmcore::from_ram(&file, &ram).unwrap();
    assert_eq!(vmcore.problems(), []);
    for pfn in 0..24 {
        let expected = match machine().pages.get(&pfn) {
            Some(Page::Kept(bytes)) => Seen::Bytes(bytes.clone()),
            _ => Seen::NotRam,
        };
        assert_eq!(see(&vmcore, pfn), expected, "page {pfn}");
    }
    assert_eq!((vmcore.memory_bytes(), vmcore.dumped_bytes()), (12 * 4096, 12 * 4096));
    let info = vmcore.info();
    assert_eq!((info.format, info.max_pfn.0, info.complete), (Format::Ram, 20, true));
}

#[test]
fn reading_into_the_hole_names_its_first_byte() {
    let (file, ram) = dump();
    let vmcore = Vmcore::from_ram(&file, &ram).unwrap();
    let mut bytes = [0; 32];
    let absent = vmcore.read_physical(PhysAddr(0x7ff0), &mut bytes).unwrap_err();
    assert_eq!(absent, Absent::NotRam { address: PhysAddr(0x8000) });
}

#[test]
fn notes_and_vmcoreinfo_are_read_from_the_memory() {
    let (file, ram) = dump();
    let vmcore = Vmcore::from_ram(&file, &ram).unwrap();
    let pids: Vec<i32> = vmcore.cpus().iter().map(|cpu| cpu.pid).collect();
    assert_eq!(pids, [95, 42], "the CPU between them saved none");
    assert_eq!(vmcore.vmcoreinfo().os_release(), Some("6.1.0-synth"));
}

#[test]
fn notes_and_vmcoreinfo_can_be_given_as_bytes() {
    let (file, ram) = dump();
    let notes = vec![Place::Bytes([note("X", 9, b"?"), prstatus(7, &[1; 27])].concat())];
    for text in [VMCOREINFO.as_bytes().to_vec(), vmcoreinfo(VMCOREINFO)] {
        let vmcoreinfo = Some(Place::Bytes(text));
        let ram = Ram { notes: notes.clone(), vmcoreinfo, ..ram.clone() };
        let vmcore = Vmcore::from_ram(&file, &ram).unwrap();
        assert_eq!((vmcore.problems(), vmcore.cpus()[0].pid), (&[][..], 7));
        assert_eq!(vmcore.vmcoreinfo().os_release(), Some("6.1.0-synth"));
    }
}

#[test]
fn notes_in_no_memory_are_named() {
    let (file, mut ram) = dump();
    ram.notes[0] = place(0x9000, 368);
    ram.notes[1] = place(0x3400, u64::MAX);
    let vmcore = Vmcore::from_ram(&file, &ram).unwrap();
    let [Problem::NotesAbsent(absent), Problem::NotesCut(_)] = vmcore.problems() else {
        panic!("{:?}", vmcore.problems())
    };
    assert_eq!(absent, &Absent::NotRam { address: PhysAddr(0x9000) });
    assert_eq!((vmcore.cpus().len(), vmcore.info().complete), (1, false));
}

#[test]
fn file_shorter_than_its_ranges_has_lost_memory_not_none() {
    let (file, ram) = dump();
    let cut = &file[..0x9000];
    let vmcore = Vmcore::from_ram(&cut, &ram).unwrap();
    let expected = Problem::FileCut { needed: 0xc000, length: 0x9000 };
    assert!(vmcore.problems().contains(&expected), "{:?}", vmcore.problems());
    assert_eq!(see(&vmcore, 16), Seen::Bytes(file[0x8000..0x9000].to_vec()));
    let absent = vmcore.read_physical(PhysAddr(0x1_1000), &mut [0; 8]).unwrap_err();
    assert!(matches!(absent, Absent::Lost { why: Lost::Cut(_), .. }), "{absent}");
}

#[test]
fn ranges_that_make_no_sense_are_refused() {
    let (file, ram) = dump();
    let range = |start, size| RamRange { start: PhysAddr(start), size, offset: 0 };
    let overlapping = [ram.ranges[0], ram.ranges[1], range(0x7fff, 2)];
    let endless = [range(u64::MAX, 2)];
    for (ranges, wrong) in [(&overlapping[..], 0x7fff), (&endless, u64::MAX), (&[], 0)] {
        let ram = Ram { ranges: ranges.to_vec(), ..Ram::default() };
        let error = Vmcore::from_ram(&file, &ram).unwrap_err();
        let Error::RamRange { start, .. } = error else { panic!("{error}") };
        assert_eq!(start, PhysAddr(wrong));
    }
}

#[test]
fn flat_ram_starts_at_zero() {
    let file = [Memory::telling_page(0), Memory::telling_page(1)].concat();
    let vmcore = Vmcore::from_ram(&file, &Ram::flat(0x2000)).unwrap();
    assert_eq!(vmcore.problems(), [Problem::NoVmcoreinfo, Problem::NoCpuNotes]);
    assert_eq!(see(&vmcore, 1), Seen::Bytes(Memory::telling_page(1)));
    assert_eq!(see(&vmcore, 2), Seen::NotRam);
}
