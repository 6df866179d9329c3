// SPDX-License-Identifier: MIT OR Apache-2.0
//! `list` and `tree` with their options and words in every order.

use crate::world::{self, KERNEL_MAP, Kind, World};

const HEAD: u64 = KERNEL_MAP + 0x110_0000;
const ROOT: u64 = HEAD + 0x40;
const ENTRIES: [u64; 2] = [HEAD + 0x100, HEAD + 0x200];
/// Offsets of an entry's links.
const LINK: u64 = 0x10;
const NODE: u64 = 0x20;

/// Two entries on a list and in a tree, the second one to the right of the first.
fn world() -> World {
    let mut world = World::new();
    let word = Kind::Number(8);
    world.structure("list_head", 16, &[("next", 0, word), ("prev", 8, word)]);
    let node = [("__rb_parent_color", 0, word), ("rb_right", 8, word), ("rb_left", 16, word)];
    world.structure("rb_node", 24, &node);
    let members = [
        ("value", 0, word),
        ("other", 8, word),
        ("link", 0x10, Kind::One("list_head")),
        ("node", 0x20, Kind::One("rb_node")),
    ];
    world.structure("entry", 0x38, &members);
    world.symbol("head", HEAD);
    world.symbol("root", ROOT);
    let [one, two] = ENTRIES;
    let links = [HEAD, one + LINK, two + LINK];
    for (index, link) in links.iter().enumerate() {
        world.put_u64(*link, links[(index + 1) % 3]);
        world.put_u64(*link + 8, links[(index + 2) % 3]);
    }
    for (entry, value, right) in [(one, 3, two + NODE), (two, 4, 0)] {
        world.put_u64(entry, value);
        world.put_u64(entry + 8, value + 2);
        world.put_u64(entry + NODE + 8, right);
        world.put_u64(entry + NODE + 16, 0);
    }
    world.put_u64(ROOT, one + NODE);
    world
}

fn said(line: &str) -> String {
    world::said(&world(), line)
}

/// Every order of some pieces.
fn orders<'p>(pieces: &[&'p str]) -> Vec<Vec<&'p str>> {
    let [first, rest @ ..] = pieces else { return vec![Vec::new()] };
    let mut found = Vec::new();
    for order in orders(rest) {
        for at in 0..=order.len() {
            let mut longer = order.clone();
            longer.insert(at, first);
            found.push(longer);
        }
    }
    found
}

fn all_say(command: &str, pieces: &[&str], expected: &str) {
    let orders = orders(pieces);
    assert_eq!(orders.len(), (1..=pieces.len()).product::<usize>());
    for order in orders {
        let line = format!("{command} {}", order.join(" "));
        assert_eq!(said(&line), expected, "{line}");
    }
}

/// What is said of the entries with members.
fn entries(entries: [(u64, u64); 2], members: &[(&str, u64)]) -> String {
    let mut out = String::new();
    for (address, value) in entries {
        out.push_str(&format!("{address:x}\n"));
        for (name, more) in members {
            out.push_str(&format!("  {name} = {},\n", value + more));
        }
    }
    out
}

#[test]
fn words_and_options_of_a_list_stand_in_any_order() {
    let [one, two] = ENTRIES.map(|address| (address, if address == ENTRIES[0] { 3 } else { 4 }));
    let value = entries([one, two], &[("value", 0)]);
    all_say("list", &["-H", "head", "entry.link", "-s entry.value"], &value);
    all_say("list", &["-H", "head", "-o entry.link", "-s entry.value"], &value);
    all_say("list", &["-H", "head", "16", "-s entry.value"], &value);
    let both = entries([one, two], &[("value", 0), ("other", 2)]);
    all_say("list", &["-H", "head", "0x10", "-s entry.value,other"], &both);
    let backwards = entries([two, one], &[("value", 0)]);
    all_say("list", &["-Hr", "head", "entry.link", "-s entry.value"], &backwards);
}

#[test]
fn a_list_may_be_entered_at_an_entry() {
    let [one, two] = ENTRIES.map(|address| (address, if address == ENTRIES[0] { 3 } else { 4 }));
    let start = format!("{:x}", one.0);
    let end = format!("-e {HEAD:x}");
    let value = entries([one, two], &[("value", 0)]);
    all_say("list", &["-h", &start, "entry.link", "-s entry.value", &end], &value);
}

#[test]
fn two_words_of_which_none_is_an_offset_are_refused() {
    assert_eq!(
        said("list head root"),
        "list: neither `head` nor `root` is an offset: bytes or TYPE.MEMBER\n"
    );
}

#[test]
fn words_and_options_of_a_tree_stand_in_any_order() {
    let entries = entries([(ENTRIES[0], 3), (ENTRIES[1], 4)], &[("value", 0), ("other", 2)]);
    all_say("tree", &["-t rbtree", "root", "-o entry.node", "-s entry.value,other"], &entries);
    all_say("tree", &["-l", "root", "-o 0x20", "-s entry.value,other"], &entries);
}
