// SPDX-License-Identifier: MIT OR Apache-2.0
//! The files that `makedumpfile --split` makes of one dump.
//!
//! Each has the headers, the notes and the bitmaps of the whole dump, and the pages of one range
//! of page numbers, which its sub-header names (`split`, `start_pfn`, `end_pfn` in makedumpfile's
//! `diskdump_mod.h`).

use std::ops::Range;

use crate::open::{Opened, Part, Said};
use crate::{Absent, Pfn, PhysAddr, Problem, SetError};

/// Files of a set by the pages they have; a dump that is not split is a set of one.
pub(crate) struct Set<'d> {
    parts: Vec<(Range<u64>, Part<'d>)>,
    page_size: u64,
}

impl<'d> Set<'d> {
    /// A dump in one file.
    pub(crate) fn of_one(part: Part<'d>, page_size: u32) -> Self {
        Self { parts: vec![(0..u64::MAX, part)], page_size: page_size.into() }
    }

    /// The first file, which has everything but the pages of the others.
    pub(crate) fn first(&self) -> &Part<'d> {
        &self.parts.first().expect("no set is empty").1
    }

    /// Bytes of memory in all files.
    pub(crate) fn bytes_in_files(&self) -> u64 {
        self.parts.iter().map(|(_, part)| part.bytes_in_file()).fold(0, u64::saturating_add)
    }

    /// Fills `buffer` from `address` on.
    pub(crate) fn read(&self, address: PhysAddr, buffer: &mut [u8]) -> Result<(), Absent> {
        if let [(_, only)] = self.parts.as_slice() {
            return only.read(address, buffer);
        }
        let mut at = address;
        let mut rest = buffer;
        loop {
            let part = self.part_with(at.0 / self.page_size);
            // The next page may be in another file.
            let page_end = (at.0 / self.page_size).saturating_add(1).saturating_mul(self.page_size);
            let length = usize::try_from(page_end - at.0).unwrap_or(usize::MAX).min(rest.len());
            let (now, later) = rest.split_at_mut(length);
            part.read(at, now)?;
            if later.is_empty() {
                return Ok(());
            }
            if page_end == u64::MAX {
                return Err(Absent::NotRam { address: PhysAddr(u64::MAX) });
            }
            (at, rest) = (PhysAddr(page_end), later);
        }
    }

    /// The file with a page. If none has it, the first one tells why.
    fn part_with(&self, page: u64) -> &Part<'d> {
        let after = self.parts.partition_point(|(pages, _)| pages.start <= page);
        let before = self.parts.get(..after).unwrap_or_default().iter().rev();
        let mut having = before.filter(|(pages, _)| pages.contains(&page));
        having.next().map_or(self.first(), |(_, part)| part)
    }
}

/// Puts the files of a set together, whatever their order.
pub(crate) fn join(files: Vec<Opened<'_>>) -> Result<(Set<'_>, Said), SetError> {
    let mut ranges = Vec::new();
    let first = files.first().map(|file| &file.said).ok_or(SetError::Empty)?;
    for (file, opened) in files.iter().enumerate() {
        let pages = opened.said.info.split.clone().ok_or(SetError::NotSplit { file })?;
        if !opened.said.is_of_the_dump_of(first) {
            return Err(SetError::OtherDump { file });
        }
        ranges.push(pages.start.0..pages.end.0);
    }
    let mut files: Vec<_> = ranges.into_iter().zip(files).collect();
    files.sort_by_key(|(pages, _)| (pages.start, pages.end));
    let mut problems = common(&files);
    let max_pfn = files.first().map_or(0, |(_, file)| file.said.info.max_pfn.0);
    coverage(files.iter().map(|(pages, _)| pages), max_pfn, &mut problems);
    let flattened = files.iter().any(|(_, file)| file.said.info.flattened);
    let mut parts = Vec::new();
    let mut said: Option<Said> = None;
    for (pages, Opened { part, said: its }) in files {
        parts.push((pages, part));
        said.get_or_insert(its);
    }
    let mut said = said.ok_or(SetError::Empty)?;
    said.problems = problems;
    said.info.split = None;
    said.info.flattened = flattened;
    Ok((Set { parts, page_size: said.info.page_size.into() }, said))
}

/// The problems that all files have, then those of each alone.
fn common(files: &[(Range<u64>, Opened<'_>)]) -> Vec<Problem> {
    let in_all = |problem: &&Problem| {
        files.iter().all(|(_, file)| file.said.problems.iter().any(|other| other == *problem))
    };
    let first = files.first().map_or(&[][..], |(_, file)| &file.said.problems);
    let mut problems: Vec<Problem> = first.iter().filter(in_all).cloned().collect();
    for (pages, file) in files {
        let own = file.said.problems.iter().filter(|problem| !in_all(problem));
        problems.extend(own.map(|problem| Problem::InPart {
            pages: Pfn(pages.start)..Pfn(pages.end),
            problem: Box::new(problem.clone()),
        }));
    }
    problems
}

/// Names pages that no file has, and those that two have. The ranges are in their order.
pub(crate) fn coverage<'r>(
    ranges: impl Iterator<Item = &'r Range<u64>>,
    max_pfn: u64,
    problems: &mut Vec<Problem>,
) {
    let mut reached = 0;
    for pages in ranges {
        if pages.start > reached {
            problems.push(Problem::SetGap { pages: Pfn(reached)..Pfn(pages.start) });
        } else if pages.start < reached.min(pages.end) {
            let twice = Pfn(pages.start)..Pfn(pages.end.min(reached));
            problems.push(Problem::SetOverlap { pages: twice });
        }
        reached = reached.max(pages.end);
    }
    if reached < max_pfn {
        problems.push(Problem::SetGap { pages: Pfn(reached)..Pfn(max_pfn) });
    }
}
