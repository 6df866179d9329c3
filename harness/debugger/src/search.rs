// SPDX-License-Identifier: MIT OR Apache-2.0
//! `search`: where in memory a value lies.

use std::collections::BTreeSet;

use serde::Serialize;

use super::regions::{Range, Regions};
use super::resolve::{count, hexadecimal};
use super::{Arguments, Command, CommandError, Flag, Reply, Rule, Session, Text, Words};
use kernel::mm::PAGE;
use kernel::{Kernel, Unreadable, VirtualMemory as _};

/// The command.
pub(super) const COMMAND: Command = Command {
    name: "search",
    summary: "where in memory a value lies",
    usage: "[-m MASK] [-t | [-k] [-s START] [-l LENGTH | -e END]] VALUE...",
    options: &[
        Flag::switch(
            "k",
            "the kernel's image, modules, vmalloc areas and all other memory, each place once (default)",
        ),
        Flag::with("s", "START", "where to begin (address or symbol)"),
        Flag::with("e", "END", "where to end"),
        Flag::with("l", "LENGTH", "how many bytes to look at"),
        Flag::with("m", "MASK", "bits that do not matter"),
        Flag::switch("t", "the stack of every task"),
    ],
    rules: &[Rule::OneOf(&["t", "k"]), Rule::OneOf(&["t", "s"]), Rule::OneOf(&["t", "l", "e"])],
    words: Words::Mixed,
    run,
};

/// Bytes that are read, at most.
const MAX_BYTES: u64 = 16 << 30;
/// What it costs to find that a page is not there: as much as to read so many bytes.
const ABSENT: u64 = 64;
/// Places that are told, at most.
const MAX_FOUND: usize = 100_000;

#[derive(Debug, Serialize)]
struct Found {
    places: Vec<Place>,
    /// Pages that are not in the dump.
    unread_pages: u64,
    /// Whether there may be more.
    cut: bool,
    /// Where it ended, if that was before the end.
    ended_at: Option<String>,
    /// What nothing tells the place of.
    not_searched: Vec<String>,
    /// Whether there was any memory to look at.
    #[serde(skip)]
    is_mapped: bool,
}

#[derive(Debug, Serialize)]
struct Place {
    address: String,
    value: String,
    /// Whose stack it is on.
    stack_of: Option<i32>,
}

fn run(session: &mut Session<'_, '_>, arguments: &Arguments) -> Result<Reply, CommandError> {
    let values = arguments.words.iter().map(|word| session.address(word).map(|found| found.value));
    let values = values.collect::<Result<Vec<_>, _>>()?;
    if values.is_empty() {
        return Err(CommandError::usage("which value?"));
    }
    let mask = match arguments.value("m") {
        None => 0,
        Some(text) => {
            hexadecimal(text).ok_or_else(|| CommandError::usage(format!("`{text}` is no mask")))?
        }
    };
    let mut search = Search::new(session.kernel(), values, mask);
    if arguments.has("t") {
        search.stacks()?;
    } else {
        let address = |text| session.address(text).map(|found| found.value);
        let limits = Limits {
            start: arguments.value("s").map(address).transpose()?,
            end: arguments.value("e").map(address).transpose()?,
            length: arguments.value("l").map(count).transpose()?,
        };
        search.memory(limits)?;
    }
    Ok(Reply::new(search.found()))
}

/// What was typed to say where to look.
struct Limits {
    start: Option<u64>,
    end: Option<u64>,
    length: Option<u64>,
}

/// What a piece of memory is.
#[derive(Clone, Copy)]
enum Part {
    /// The stack of a task.
    Stack(i32),
    /// What was typed.
    Typed,
    /// Memory that is mapped for itself.
    Mapped,
    /// All memory in one piece, from physical address 0 at this address on.
    Direct(u64),
}

/// A search that goes on.
struct Search<'k, 'a> {
    kernel: &'k Kernel<'a>,
    values: Vec<u64>,
    mask: u64,
    /// Bytes that may be read still.
    left: u64,
    /// Address, value and whose stack it is on.
    hits: Vec<(u64, u64, Option<i32>)>,
    /// Physical addresses of those in memory that is mapped for itself.
    seen: BTreeSet<u64>,
    unread_pages: u64,
    ended_at: Option<u64>,
    lacking: Vec<String>,
    is_mapped: bool,
}

impl<'k, 'a> Search<'k, 'a> {
    fn new(kernel: &'k Kernel<'a>, values: Vec<u64>, mask: u64) -> Self {
        Self {
            kernel,
            values,
            mask,
            left: MAX_BYTES,
            hits: Vec::new(),
            seen: BTreeSet::new(),
            unread_pages: 0,
            ended_at: None,
            lacking: Vec::new(),
            is_mapped: false,
        }
    }

    fn stacks(&mut self) -> Result<(), CommandError> {
        for task in &self.kernel.tasks()?.items {
            if let Some(stack) = self.kernel.task_stack(task) {
                self.look((stack.low, stack.high), Part::Stack(task.pid));
            }
        }
        Ok(())
    }

    /// A range that was typed is looked at as it is; else the regions of the kernel, from the beginning or to the
    /// end that was typed.
    fn memory(&mut self, limits: Limits) -> Result<(), CommandError> {
        let regions = Regions::of(self.kernel);
        let from = limits.start.or_else(|| limits.length.and(regions.start()));
        let end = limits.end.or_else(|| Some(from?.saturating_add(limits.length?)));
        if limits.start.is_some_and(|start| start >> 63 == 0) {
            let words = "an address of user space: only the kernel's memory is searched";
            return Err(CommandError::usage(words));
        }
        if from.zip(end).is_some_and(|(from, end)| end <= from) {
            return Err(CommandError::usage("the range is empty"));
        }
        if let (Some(start), Some(end)) = (limits.start, end) {
            self.look((start, end), Part::Typed);
            return Ok(());
        }
        let regions = regions.within((from.unwrap_or(0), end.unwrap_or(u64::MAX)));
        self.lacking = regions.lacking;
        for range in regions.mapped {
            self.look(range, Part::Mapped);
        }
        if let (Some(range), Some(map)) = (regions.direct, self.kernel.direct_map()) {
            self.look(range, Part::Direct(map.base));
        }
        self.hits.sort_unstable();
        Ok(())
    }

    fn look(&mut self, (start, end): Range, part: Part) {
        let mut at = start & !7;
        let mut buffer = [0; 4096];
        while at < end && self.hits.len() < MAX_FOUND {
            if self.left < PAGE {
                self.ended_at.get_or_insert(at);
                return;
            }
            let next = end.min((at & !(PAGE - 1)).saturating_add(PAGE));
            let length = usize::try_from(next - at).unwrap_or(buffer.len()).min(buffer.len());
            let Some(bytes) = buffer.get_mut(..length) else { return };
            at = match self.kernel.read(at, bytes) {
                Ok(()) => {
                    self.words(at, bytes, part);
                    next
                }
                Err(why) => self.behind(at, &why).min(end),
            };
        }
    }

    /// Takes the words of a page.
    fn words(&mut self, at: u64, bytes: &[u8], part: Part) {
        self.is_mapped = true;
        self.left = self.left.saturating_sub(PAGE);
        for (slot, word) in (at..).step_by(8).zip(bytes.as_chunks::<8>().0) {
            let word = u64::from_le_bytes(*word);
            let is_it = |value: &u64| word | self.mask == value | self.mask;
            if !self.values.iter().any(is_it) || self.hits.len() >= MAX_FOUND {
                continue;
            }
            let is_new = match part {
                Part::Stack(_) | Part::Typed => true,
                Part::Mapped => {
                    let physical = self.kernel.space().physical(slot);
                    physical.map_or(true, |physical| self.seen.insert(physical.0))
                }
                Part::Direct(base) => !self.seen.contains(&slot.wrapping_sub(base)),
            };
            let pid = if let Part::Stack(pid) = part { Some(pid) } else { None };
            self.hits.extend(is_new.then_some((slot, word, pid)));
        }
    }

    /// Where to go on behind an address that cannot be read: behind all that the missing entry of a page table would
    /// map.
    fn behind(&mut self, at: u64, why: &Unreadable) -> u64 {
        self.left = self.left.saturating_sub(ABSENT);
        if why.is_mapped() != Some(false) {
            self.unread_pages += 1;
            self.is_mapped = true;
        }
        let bytes = match why {
            Unreadable::NotMapped { level, .. } => 1 << level.shift(),
            _ => PAGE,
        };
        (at & !(bytes - 1)).saturating_add(bytes)
    }

    fn found(self) -> Found {
        let place = |(address, value, stack_of)| Place {
            address: format!("{address:x}"),
            value: format!("{value:x}"),
            stack_of,
        };
        Found {
            cut: self.hits.len() >= MAX_FOUND,
            places: self.hits.into_iter().map(place).collect(),
            unread_pages: self.unread_pages,
            ended_at: self.ended_at.map(|at| format!("{at:x}")),
            not_searched: self.lacking,
            is_mapped: self.is_mapped,
        }
    }
}

impl Text for Found {
    fn text(&self) -> String {
        let mut out = String::new();
        for place in &self.places {
            let stack = place.stack_of.map(|pid| format!("  (stack of pid {pid})"));
            out.push_str(&format!(
                "{}: {}{}\n",
                place.address,
                place.value,
                stack.unwrap_or_default()
            ));
        }
        let mut notes = Vec::new();
        if self.places.is_empty() {
            notes.push(
                if self.is_mapped { "not found" } else { "nothing is mapped there" }.to_owned(),
            );
        }
        if !self.not_searched.is_empty() {
            notes.push(format!("not searched: {}", self.not_searched.join(", ")));
        }
        if !notes.is_empty() {
            out.push_str(&format!("({})\n", notes.join("; ")));
        }
        if self.unread_pages != 0 {
            out.push_str(&format!("({} pages are not in the dump)\n", self.unread_pages));
        }
        if let Some(at) = &self.ended_at {
            out.push_str(&format!("(the search ended at {at}: `-s {at}` goes on there)\n"));
        }
        if self.cut {
            out.push_str("(and more)\n");
        }
        out
    }
}
