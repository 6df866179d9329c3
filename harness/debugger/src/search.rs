// SPDX-License-Identifier: MIT OR Apache-2.0
//! `search`: where in memory a value lies.

use serde::Serialize;

use super::resolve::{count, hexadecimal};
use super::{Arguments, Command, CommandError, Flag, Reply, Rule, Session, Text, Words};
use kernel::VirtualMemory as _;

/// The command.
pub(super) const COMMAND: Command = Command {
    name: "search",
    summary: "where in memory a value lies",
    usage: "[-m MASK] [-t | -s START [-l LENGTH | -e END]] VALUE...",
    options: &[
        Flag::with("s", "START", "where to begin (address or symbol)"),
        Flag::with("e", "END", "where to end"),
        Flag::with("l", "LENGTH", "how many bytes to look at"),
        Flag::with("m", "MASK", "bits that do not matter"),
        Flag::switch("t", "the stack of every task"),
    ],
    rules: &[Rule::OneOf(&["t", "s"]), Rule::OneOf(&["t", "l", "e"])],
    words: Words::Mixed,
    run,
};

/// Bytes that are looked at, at most.
const MAX_BYTES: u64 = 4 << 30;
/// Places that are told, at most.
const MAX_FOUND: usize = 100_000;
/// Bytes that are read at once.
const PAGE: u64 = 4096;

#[derive(Debug, Serialize)]
struct Found {
    places: Vec<Place>,
    /// Pages that could not be read.
    unread_pages: u64,
    /// Whether there may be more.
    cut: bool,
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
    let mut found = Found { places: Vec::new(), unread_pages: 0, cut: false };
    for (start, end, pid) in ranges(session, arguments)? {
        let wanted = |word: u64| values.iter().any(|value| word | mask == value | mask);
        look(session, (start, end), pid, &wanted, &mut found);
    }
    Ok(Reply::new(found))
}

type Range = (u64, u64, Option<i32>);

fn ranges(session: &Session<'_, '_>, arguments: &Arguments) -> Result<Vec<Range>, CommandError> {
    let kernel = session.kernel();
    if arguments.has("t") {
        let tasks = kernel.tasks()?.items.iter();
        let stack = |task: &kernel::tasks::Task| {
            kernel.task_stack(task).map(|stack| (stack.low, stack.high, Some(task.pid)))
        };
        return Ok(tasks.filter_map(stack).collect());
    }
    let direct = || -> Result<(u64, u64), CommandError> {
        let none = || CommandError::nothing("where memory is mapped is not known: give -s");
        let map = kernel.direct_map().ok_or_else(none)?;
        let pages = kernel.vmcore().info().max_pfn.0;
        Ok((map.base, map.base.saturating_add(pages.saturating_mul(PAGE))))
    };
    let (start, end) = match arguments.value("s") {
        Some(text) => (session.address(text)?.value, None),
        None => direct().map(|(start, end)| (start, Some(end)))?,
    };
    let end = match (arguments.value("e"), arguments.value("l"), end) {
        (Some(text), _, _) => session.address(text)?.value,
        (None, Some(text), _) => start.saturating_add(count(text)?),
        (None, None, Some(end)) => end,
        (None, None, None) => {
            return Err(CommandError::usage("-s needs -l or -e"));
        }
    };
    if end <= start || end - start > MAX_BYTES {
        return Err(CommandError::usage("the range is empty or longer than 4 GiB"));
    }
    Ok(vec![(start, end, None)])
}

fn look(
    session: &Session<'_, '_>,
    (start, end): (u64, u64),
    pid: Option<i32>,
    wanted: &dyn Fn(u64) -> bool,
    found: &mut Found,
) {
    let mut at = start & !7;
    let mut buffer = [0; 4096];
    while at < end {
        let next = end.min((at & !(PAGE - 1)).saturating_add(PAGE));
        let length = usize::try_from(next - at).unwrap_or(buffer.len()).min(buffer.len());
        let Some(bytes) = buffer.get_mut(..length) else { return };
        if session.kernel().read(at, bytes).is_err() {
            found.unread_pages += 1;
            at = next;
            continue;
        }
        for (slot, word) in (at..).step_by(8).zip(bytes.as_chunks::<8>().0) {
            let word = u64::from_le_bytes(*word);
            if !wanted(word) {
                continue;
            }
            if found.places.len() >= MAX_FOUND {
                found.cut = true;
                return;
            }
            let (address, value) = (format!("{slot:x}"), format!("{word:x}"));
            found.places.push(Place { address, value, stack_of: pid });
        }
        at = next;
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
        if self.places.is_empty() {
            out.push_str("(not found)\n");
        }
        if self.unread_pages != 0 {
            out.push_str(&format!("({} pages are not in the dump)\n", self.unread_pages));
        }
        if self.cut {
            out.push_str("(and more)\n");
        }
        out
    }
}
