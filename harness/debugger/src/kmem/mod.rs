// SPDX-License-Identifier: MIT OR Apache-2.0
//! `kmem`: what is at an address, and how memory is used.

mod address;
mod areas;
mod counters;
mod pages;
mod slabs;
mod usage;
mod zones;

use zones::Form;

use super::{Arguments, Command, CommandError, Flag, Reply, Rule, Session, Words};

/// The command.
pub(super) const COMMAND: Command = Command {
    name: "kmem",
    summary: "what is at an address, and how memory is used",
    usage: "[-i | -v | -V | -p | -s | -S | -f | -z | -n | -o] [ADDRESS|SYMBOL|CACHE]...",
    options: &[
        Flag::switch("i", "how memory is used as a whole"),
        Flag::switch("s", "caches of the slab allocator, or those named; of an address its object"),
        Flag::switch("S", "the same, with every slab and object of a cache or address"),
        Flag::switch("p", "page frames: all, or those of the addresses (physical or virtual)"),
        Flag::switch("v", "vmalloc areas: all, or those of the addresses"),
        Flag::switch("V", "the kernel's counters of memory"),
        Flag::switch("f", "free blocks of each zone"),
        Flag::switch("z", "zones and their limits"),
        Flag::switch("n", "nodes and their zones"),
        Flag::switch("o", "what is added to a per-CPU symbol for each CPU"),
    ],
    rules: &[
        Rule::OneOf(&["i", "s", "S", "p", "v", "V", "f", "z", "n", "o"]),
        Rule::WordsWith(0, &["i", "V", "f", "z", "n", "o"]),
        Rule::NeedsWord(&["S"]),
    ],
    words: Words::Mixed,
    run,
};

fn run(session: &mut Session<'_, '_>, arguments: &Arguments) -> Result<Reply, CommandError> {
    let words = arguments.words.as_slice();
    if arguments.has("i") {
        return usage::show(session).map(Reply::new);
    }
    if arguments.has("V") {
        return counters::show(session).map(Reply::new);
    }
    if arguments.has("o") {
        return zones::offsets(session).map(Reply::new);
    }
    let forms = [("f", Form::Free), ("z", Form::Zones), ("n", Form::Nodes)];
    if let Some((_, form)) = forms.into_iter().find(|(name, _)| arguments.has(name)) {
        return zones::show(session, form).map(Reply::new);
    }
    if arguments.has("v") {
        return areas::show(session, words).map(Reply::new);
    }
    if arguments.has("p") {
        return pages::show(session, words).map(Reply::new);
    }
    if arguments.has("s") || arguments.has("S") {
        return slabs::show(session, words, arguments.has("S")).map(Reply::new);
    }
    if words.is_empty() {
        return Err(CommandError::usage("which address, or -i, -s, -p, -v, -V?"));
    }
    address::show(session, words).map(Reply::new)
}
