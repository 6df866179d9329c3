// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sets of files written by `makedumpfile --split`.

use synth::{Kdump, Memory, Packing, Page, flatten};
use vmcore::{Absent, Lost, Pfn, PhysAddr, Problem, ReadAt, SetError, Vmcore};

use crate::sample::{Seen, VMCOREINFO, assert_pages, memory, notes, see};

/// Bounds of the files of a set; the memory ends at page 4102.
const BOUNDS: [u64; 4] = [0, 64, 2048, 4102];

/// The files of the set, in the order of their pages.
fn files(packing: Packing) -> Vec<Vec<u8>> {
    let part = |bounds: &[u64]| {
        let split = Some((bounds[0], bounds[1]));
        let vmcoreinfo = VMCOREINFO.to_owned();
        Kdump { split, notes: notes(), vmcoreinfo, ..Kdump::new(packing) }.write(&memory())
    };
    BOUNDS.windows(2).map(part).collect()
}

fn open<'f>(files: &[&'f Vec<u8>]) -> Result<Vmcore<'f>, SetError> {
    let readers: Vec<&dyn ReadAt> = files.iter().map(|file| *file as &dyn ReadAt).collect();
    Vmcore::open_set(&readers)
}

fn pages(first: u64, past: u64) -> std::ops::Range<Pfn> {
    Pfn(first)..Pfn(past)
}

#[test]
fn files_of_a_set_are_one_dump_in_any_order() {
    let memory = memory();
    for packing in Packing::ALL {
        let [one, two, three] = files(packing).try_into().unwrap();
        for order in [[&one, &two, &three], [&three, &one, &two], [&two, &three, &one]] {
            let vmcore = open(&order).unwrap();
            assert_eq!(vmcore.problems(), []);
            assert_pages(&vmcore, &memory);
            let whole = Kdump::new(packing).write(&memory);
            let whole = Vmcore::open(&whole).unwrap();
            assert_eq!(vmcore.dumped_bytes(), whole.dumped_bytes());
            assert_eq!(vmcore.memory_bytes(), whole.memory_bytes());
            assert_eq!((vmcore.info().split.clone(), vmcore.cpus().len()), (None, 2));
            assert!(vmcore.info().complete);
        }
    }
}

/// Each file may have come over ssh as a stream (`makedumpfile -F`), whatever the others are.
#[test]
fn files_of_a_set_may_be_flattened() {
    let plain = files(Packing::Lzo);
    for flattened in [vec![1], vec![0, 2], vec![0, 1, 2], vec![]] {
        let given: Vec<Vec<u8>> = plain
            .iter()
            .enumerate()
            .map(|(at, file)| match flattened.contains(&at) {
                true => flatten(file, 3000),
                false => file.clone(),
            })
            .collect();
        let vmcore = open(&[&given[2], &given[0], &given[1]]).unwrap();
        assert_eq!(vmcore.problems(), []);
        assert_eq!(vmcore.info().flattened, !flattened.is_empty());
        assert_pages(&vmcore, &memory());
    }
    // A stream that was cut is named as that of its pages.
    let stream = flatten(&plain[1], 3000);
    let cut = stream[..stream.len() - 16].to_vec();
    let vmcore = open(&[&plain[0], &cut, &plain[2]]).unwrap();
    let [Problem::InPart { pages: named, problem }, ..] = vmcore.problems() else {
        panic!("{:?}", vmcore.problems())
    };
    assert_eq!(*named, pages(64, 2048));
    assert!(matches!(**problem, Problem::FlattenedCut { .. }), "{problem}");
}

#[test]
fn reading_goes_on_in_the_next_file() {
    let files = files(Packing::Zlib);
    let vmcore = open(&[&files[1], &files[0]]).unwrap();
    let mut bytes = vec![0; 2 * 4096];
    vmcore.read_physical(PhysAddr(63 * 4096), &mut bytes).unwrap();
    assert_eq!(bytes, [Memory::telling_page(63), Memory::telling_page(64)].concat());
}

#[test]
fn missing_files_are_named_by_their_pages() {
    let files = files(Packing::Lzo);
    for (given, missing, absent) in [
        (&[0, 2][..], vec![pages(64, 2048)], 2047),
        (&[1], vec![pages(0, 64), pages(2048, 4102)], 7),
        (&[0, 1], vec![pages(2048, 4102)], 4096),
    ] {
        let given: Vec<&Vec<u8>> = given.iter().map(|index| &files[*index]).collect();
        let vmcore = open(&given).unwrap();
        let gaps: Vec<Problem> =
            missing.into_iter().map(|pages| Problem::SetGap { pages }).collect();
        assert_eq!((vmcore.problems(), vmcore.info().complete), (&gaps[..], false));
        let address = PhysAddr(absent * 4096);
        let error = vmcore.read_physical(address, &mut [0; 8]).unwrap_err();
        let why = Lost::OtherFile { pfn: Pfn(absent) };
        assert_eq!(error, Absent::Lost { address, why });
        // What every file knows is known all the same.
        assert_eq!(see(&vmcore, 0), Seen::NotRam);
        assert_eq!(see(&vmcore, 4097), Seen::Excluded);
    }
}

/// One file of a set alone says the same as a set with that file only.
#[test]
fn a_file_alone_is_a_set_with_gaps() {
    let files = files(Packing::Lzo);
    let vmcore = Vmcore::open(&files[1]).unwrap();
    let gaps = [pages(0, 64), pages(2048, 4102)].map(|pages| Problem::SetGap { pages });
    assert_eq!(vmcore.problems(), gaps);
}

#[test]
fn a_file_given_twice_is_named() {
    let files = files(Packing::Lzo);
    let vmcore = open(&[&files[0], &files[1], &files[1], &files[2]]).unwrap();
    assert_eq!(vmcore.problems(), [Problem::SetOverlap { pages: pages(64, 2048) }]);
    assert!(vmcore.info().complete);
    assert_pages(&vmcore, &memory());
}

#[test]
fn a_cut_file_is_named_by_its_pages() {
    let mut files = files(Packing::Lzo);
    let length = files[1].len() - 100;
    files[1].truncate(length);
    let vmcore = open(&[&files[2], &files[1], &files[0]]).unwrap();
    let [Problem::InPart { pages: named, problem }] = vmcore.problems() else {
        panic!("{:?}", vmcore.problems())
    };
    assert_eq!(*named, pages(64, 2048));
    assert!(matches!(**problem, Problem::FileCut { .. }), "{problem}");
    assert!(!vmcore.info().complete);
}

#[test]
fn what_is_no_set_is_refused_by_the_number_of_the_file() {
    let files = files(Packing::Lzo);
    let whole = Kdump::default().write(&memory());
    let mut other = memory();
    other.set(5000, Page::Excluded);
    let other = Kdump { split: Some((64, 2048)), ..Kdump::default() }.write(&other);
    assert_eq!(open(&[&files[0], &whole]).unwrap_err(), SetError::NotSplit { file: 1 });
    assert_eq!(open(&[&files[0], &other]).unwrap_err(), SetError::OtherDump { file: 1 });
    let text = b"no dump at all".to_vec();
    let error = open(&[&files[0], &files[1], &text]).unwrap_err();
    assert_eq!((error.file(), open(&[]).unwrap_err()), (2, SetError::Empty));
}

/// Bounds come from the file and may be anything.
#[test]
fn bounds_that_make_no_sense_are_survived() {
    let all = files(Packing::Lzo);
    for (first, past) in [(u64::MAX, 0), (2048, 64), (64, u64::MAX), (u64::MAX, u64::MAX)] {
        let split = Some((first, past));
        let vmcoreinfo = VMCOREINFO.to_owned();
        let strange = Kdump { split, notes: notes(), vmcoreinfo, ..Kdump::default() };
        let strange = strange.write(&memory());
        let vmcore = open(&[&all[0], &strange, &all[2]]).unwrap();
        for pfn in 0..4105 {
            let _any = see(&vmcore, pfn);
        }
        assert_eq!(see(&vmcore, 7), Seen::Bytes(Memory::telling_page(7)));
    }
}
