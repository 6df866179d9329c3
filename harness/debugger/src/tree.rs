// SPDX-License-Identifier: MIT OR Apache-2.0
//! `tree`: the entries of a red-black tree, radix tree, XArray or maple tree.

use super::linked::{self, Entries, Show};
use super::{Arguments, Command, CommandError, Flag, Reply, Rule, Session, Words};
use kernel::memory::VirtualMemory as _;
use kernel::trees::{Entry, Order};
use kernel::{Listing, Unavailable};

/// The command.
pub(super) const COMMAND: Command = Command {
    name: "tree",
    summary: "the entries of a red-black tree, radix tree, XArray or maple tree",
    usage: "[-t rbtree|radix|xarray|maple] [-r OFFSET] [-o OFFSET] [-N] [-l] [-p] [-s TYPE[.MEMBER,...]] START",
    options: &[
        Flag::with("t", "KIND", "kind of tree; a word's beginning is enough (default: rbtree)"),
        Flag::with(
            "r",
            "OFFSET",
            "where the root is inside of what START is: bytes or TYPE.MEMBER",
        ),
        Flag::with(
            "o",
            "OFFSET",
            "where the rb_node is inside of each entry: bytes or TYPE.MEMBER",
        ),
        Flag::switch("N", "START is a node, not a root"),
        Flag::switch("l", "rbtree: in the order of the keys"),
        Flag::switch("p", "with the way from the root, or the index"),
        Flag::with("s", "TYPE", "what each entry is, and which members are shown"),
        Flag::with("S", "TYPE", "the same"),
        super::show::HEXADECIMAL,
        super::show::DECIMAL,
    ],
    rules: &[Rule::OneOf(&["x", "d"]), Rule::Needs(&["x", "d"], &["s", "S"]), Rule::Words(1)],
    words: Words::Mixed,
    run,
};

/// Entries that are listed.
const MAX_ENTRIES: usize = 1 << 20;
/// Kinds by name, as crash(8) has them.
const KINDS: [(&str, Kind); 4] = [
    ("rbtree", Kind::RedBlack),
    ("radix", Kind::Array),
    ("xarray", Kind::Array),
    ("maple", Kind::Maple),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    RedBlack,
    Array,
    Maple,
}

fn run(session: &mut Session<'_, '_>, arguments: &Arguments) -> Result<Reply, CommandError> {
    let start = arguments.words.first();
    let start = start.ok_or_else(|| CommandError::usage("where does the tree start?"))?;
    let mut start = linked::address(session, start)?;
    let kind = match arguments.value("t") {
        Some(text) => KINDS.iter().find(|(name, _)| name.starts_with(text)).map(|(_, kind)| *kind),
        None => Some(Kind::RedBlack),
    };
    let kind = kind.ok_or_else(|| CommandError::usage("kinds: rbtree, radix, xarray, maple"))?;
    let of_nodes = ["o", "l"].into_iter().find(|option| arguments.has(option));
    if let Some(option) = of_nodes.filter(|_| kind != Kind::RedBlack) {
        return Err(CommandError::usage(format!("-{option} is for red-black trees")));
    }
    if let Some(text) = arguments.value("r") {
        start = start.wrapping_add(linked::offset(session, text)?);
    }
    let mut found = match kind {
        Kind::RedBlack => red_black(session, arguments, start)?,
        Kind::Array if arguments.has("N") => {
            entries(session.kernel().xarray_node(start, MAX_ENTRIES)?)
        }
        Kind::Array => entries(session.kernel().xarray(start, MAX_ENTRIES)?),
        Kind::Maple if arguments.has("N") => {
            return Err(CommandError::usage("a maple tree is shown from its root"));
        }
        Kind::Maple => entries(session.kernel().maple(start, MAX_ENTRIES)?),
    };
    if !arguments.has("p") {
        found.notes.clear();
    }
    let show = Show::new(session, arguments)?;
    linked::reply(session, found, &show)
}

fn red_black(
    session: &Session<'_, '_>,
    arguments: &Arguments,
    start: u64,
) -> Result<Entries, CommandError> {
    let kernel = session.kernel();
    let top = if arguments.has("N") { start } else { kernel.read_u64(start)? };
    let order = if arguments.has("l") { Order::Sorted } else { Order::RootFirst };
    let back = match arguments.value("o") {
        Some(text) => linked::offset(session, text)?,
        None => 0,
    };
    let nodes = kernel.rb_nodes(top, order, MAX_ENTRIES)?;
    let note = |path: &String| match path.is_empty() {
        true => "position: root".to_owned(),
        false => {
            let turns: Vec<String> = path.chars().map(String::from).collect();
            format!("position: root/{}", turns.join("/"))
        }
    };
    Ok(Entries {
        addresses: nodes.items.iter().map(|node| node.address.wrapping_sub(back)).collect(),
        notes: nodes.items.iter().map(|node| note(&node.path)).collect(),
        damage: words(&nodes.damage),
    })
}

fn entries(found: Listing<Entry>) -> Entries {
    let note = |entry: &Entry| match entry.first == entry.last {
        true => format!("index: {}", entry.first),
        false => format!("index: {:#x}-{:#x}", entry.first, entry.last),
    };
    Entries {
        addresses: found.items.iter().map(|entry| entry.value).collect(),
        notes: found.items.iter().map(note).collect(),
        damage: words(&found.damage),
    }
}

fn words(damage: &[Unavailable]) -> Vec<String> {
    damage.iter().map(ToString::to_string).collect()
}
