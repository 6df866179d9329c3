// SPDX-License-Identifier: MIT OR Apache-2.0
//! `list`: follows a list and shows what is on it.

use serde::Serialize;

use super::linked::{self, Show};
use super::{Arguments, Command, CommandError, Flag, Reply, Rule, Session, Words};
use kernel::memory::VirtualMemory as _;

/// The command.
pub(super) const COMMAND: Command = Command {
    name: "list",
    summary: "follow a list",
    usage: "[-o OFFSET] [-e END] [-H | -h] [-r] [-s TYPE[.MEMBER,...]] [-l OFFSET] [-x | -d] [OFFSET] START",
    options: &[
        Flag::with("o", "OFFSET", "where the pointer to the next entry is: bytes or TYPE.MEMBER"),
        Flag::with("e", "END", "the address that ends the list"),
        Flag::switch("H", "START is a list_head outside of the entries, which is not shown"),
        Flag::switch("h", "START is the first entry; its list_head is at -o"),
        Flag::switch("r", "backwards, by the list_head's prev"),
        Flag::with("s", "TYPE", "what each entry is, and which members are shown"),
        Flag::with("S", "TYPE", "the same"),
        Flag::with("l", "OFFSET", "with -s, where the address is inside of TYPE"),
        super::show::HEXADECIMAL,
        super::show::DECIMAL,
    ],
    rules: &[
        Rule::OneOf(&["H", "h"]),
        Rule::OneOf(&["x", "d"]),
        Rule::Needs(&["l", "x", "d"], &["s", "S"]),
        Rule::Words(2),
        Rule::WordsWith(1, &["o"]),
    ],
    words: Words::Mixed,
    run,
};

/// Entries that are followed.
const MAX_ENTRIES: usize = 1 << 20;
/// Distance from a `list_head`'s start to its `prev`.
const PREVIOUS: u64 = 8;

/// How a walk goes on.
#[derive(Debug, Clone, Copy, Serialize)]
struct Walk {
    first: u64,
    /// Offset of the pointer to the next entry's link, from an address of the walk.
    pointer: u64,
    /// What is subtracted of a link to get what is shown.
    back: u64,
    end: u64,
}

fn run(session: &mut Session<'_, '_>, arguments: &Arguments) -> Result<Reply, CommandError> {
    let (offset, start) = match (arguments.value("o"), arguments.words.as_slice()) {
        (_, []) => return Err(CommandError::usage("where does the list start?")),
        (Some(offset), [start, ..]) => (linked::offset(session, offset)?, start.as_str()),
        (None, [start]) => (0, start.as_str()),
        // `list task_struct.tasks ADDRESS`, or the other way round.
        (None, [one, other, ..]) => linked::offset_and_start(session, one, other)?,
    };
    let start = linked::address(session, start)?;
    let pointer = if arguments.has("r") { PREVIOUS } else { 0 };
    let end = match arguments.value("e") {
        Some(text) => Some(linked::address(session, text)?),
        None => None,
    };
    let kernel = session.kernel();
    let embedded = arguments.has("H") || arguments.has("h");
    let walk = if arguments.has("H") {
        let first = kernel.read_u64(start.wrapping_add(pointer))?;
        Walk { first, pointer, back: offset, end: end.unwrap_or(start) }
    } else if arguments.has("h") {
        let first = start.wrapping_add(offset);
        Walk { first, pointer, back: offset, end: end.unwrap_or(first) }
    } else {
        // The pointer leads from entry to entry.
        Walk { first: start, pointer: offset.wrapping_add(pointer), back: 0, end: end.unwrap_or(0) }
    };
    let mut found = linked::Entries::default();
    if let Some(damage) = follow(session, walk, embedded, arguments.has("h"), &mut found.addresses)
    {
        found.damage.push(damage);
    }
    let show = Show::new(session, arguments)?;
    linked::reply(session, found, &show)
}

/// Follows the pointers; why that ended early, if it did.
fn follow(
    session: &Session<'_, '_>,
    walk: Walk,
    embedded: bool,
    first_is_entry: bool,
    found: &mut Vec<u64>,
) -> Option<String> {
    let kernel = session.kernel();
    let mut seen = std::collections::BTreeSet::new();
    let mut at = walk.first;
    let mut is_first = true;
    loop {
        if at == 0 || (at == walk.end && !(is_first && (first_is_entry || !embedded))) {
            return None;
        }
        is_first = false;
        if !seen.insert(at) {
            // A ring that was entered at one of its own entries ends where it began.
            return (at != walk.first)
                .then(|| format!("duplicate list entry: {:x}", at.wrapping_sub(walk.back)));
        }
        if found.len() >= MAX_ENTRIES {
            return Some("more entries than are followed".to_owned());
        }
        found.push(at.wrapping_sub(walk.back));
        match kernel.read_u64(at.wrapping_add(walk.pointer)) {
            Ok(next) => at = next,
            Err(why) => return Some(why.to_string()),
        }
    }
}
