// SPDX-License-Identifier: MIT OR Apache-2.0
//! Trees in the layouts of 3.10 to 6.12, whole and damaged.

use kernel::trees::{Entry, Order};

use crate::world::{KERNEL_MAP, Kind, World, with_kernel};

const AT: u64 = KERNEL_MAP + 0x110_0000;
const SLOTS: u64 = 64;

fn rb_world(links: &[(u64, u64, u64)]) -> World {
    let mut world = World::new();
    let word = Kind::Number(8);
    world.structure(
        "rb_node",
        24,
        &[("__rb_parent_color", 0, word), ("rb_right", 8, word), ("rb_left", 16, word)],
    );
    for (node, left, right) in links {
        world.put_u64(*node + 8, *right);
        world.put_u64(*node + 16, *left);
    }
    world
}

fn walked(links: &[(u64, u64, u64)], order: Order) -> (Vec<u64>, Vec<String>, usize) {
    let mut found = (Vec::new(), Vec::new(), 0);
    with_kernel(&rb_world(links), |kernel| {
        let nodes = kernel.rb_nodes(AT, order, 100).expect("a layout");
        let addresses = nodes.items.iter().map(|node| (node.address - AT) / 0x40).collect();
        let paths = nodes.items.iter().map(|node| node.path.clone()).collect();
        found = (addresses, paths, nodes.damage.len());
    });
    found
}

fn node(index: u64) -> u64 {
    AT + index * 0x40
}

#[test]
fn a_red_black_tree_is_listed_by_key_or_root_first() {
    let links =
        [(node(0), node(1), node(2)), (node(1), 0, node(3)), (node(2), 0, 0), (node(3), 0, 0)];
    let (sorted, _, damage) = walked(&links, Order::Sorted);
    assert_eq!((sorted, damage), (vec![1, 3, 0, 2], 0));
    let (first, paths, _) = walked(&links, Order::RootFirst);
    assert_eq!(first, [0, 1, 3, 2]);
    assert_eq!(paths, ["", "l", "lr", "r"]);
}

#[test]
fn a_red_black_tree_with_a_circle_ends() {
    let links = [(node(0), node(1), 0), (node(1), node(0), 0)];
    let (sorted, _, damage) = walked(&links, Order::Sorted);
    assert_eq!((sorted, damage), (vec![1, 0], 1));
}

fn slots(world: &mut World, node: u64, offset: u64, slots: &[(u64, u64)]) {
    for slot in 0..SLOTS {
        world.put_u64(node + offset + slot * 8, 0);
    }
    for (slot, value) in slots {
        world.put_u64(node + offset + slot * 8, *value);
    }
}

fn listed(world: &World) -> Vec<Entry> {
    let mut found = Vec::new();
    with_kernel(world, |kernel| {
        let entries = kernel.xarray(AT, 1000).expect("a layout");
        assert_eq!(entries.damage, []);
        found = entries.items;
    });
    found
}

fn one(index: u64, value: u64) -> Entry {
    Entry { first: index, last: index, value }
}

/// 4.20 and later: nodes are marked with 2 wherever a pointer leads to them.
#[test]
fn an_xarray_of_two_levels() {
    let mut world = World::new();
    let word = Kind::Number(8);
    world.structure("xarray", 16, &[("xa_lock", 0, word), ("xa_head", 8, word)]);
    world.structure("pointer", 8, &[("to", 0, word)]);
    world.structure(
        "xa_node",
        8 + 8 * 64,
        &[("shift", 0, Kind::Number(1)), ("slots", 8, Kind::Many("pointer", 64))],
    );
    let (top, leaf) = (AT + 0x1000, AT + 0x2000);
    world.put_u64(AT, 0);
    world.put_u64(AT + 8, top | 2);
    world.put(top, &[6, 0, 0, 0, 0, 0, 0, 0]);
    slots(&mut world, top, 8, &[(0, leaf | 2), (3, AT + 0x5000)]);
    world.put(leaf, &[0; 8]);
    // A sibling entry is no entry.
    slots(&mut world, leaf, 8, &[(1, AT + 0x6000), (2, 6), (5, 0x15)]);
    let wide = Entry { first: 192, last: 255, value: AT + 0x5000 };
    assert_eq!(listed(&world), [one(1, AT + 0x6000), one(5, 0x15), wide]);
}

/// 3.10: the height is a number, and only the root's pointer is marked.
#[test]
fn a_radix_tree_of_3_10() {
    let mut world = World::new();
    let word = Kind::Number(8);
    world.structure("pointer", 8, &[("to", 0, word)]);
    world.structure("radix_tree_root", 16, &[("height", 0, Kind::Number(4)), ("rnode", 8, word)]);
    world.structure(
        "radix_tree_node",
        8 + 8 * 64,
        &[("height", 0, Kind::Number(4)), ("slots", 8, Kind::Many("pointer", 64))],
    );
    let (top, leaf) = (AT + 0x1000, AT + 0x2000);
    world.put_u64(AT + 8, top | 1);
    world.put_u64(top, 2);
    slots(&mut world, top, 8, &[(1, leaf)]);
    world.put_u64(leaf, 1);
    slots(&mut world, leaf, 8, &[(2, AT + 0x6000)]);
    assert_eq!(listed(&world), [one(66, AT + 0x6000)]);
}

/// 6.1 and later: inner nodes of allocation trees have room for gaps, leaves have not.
#[test]
fn a_maple_tree_of_two_levels() {
    let mut world = World::new();
    let word = Kind::Number(8);
    world.structure("maple_tree", 16, &[("ma_lock", 0, word), ("ma_root", 8, word)]);
    world.structure("pointer", 8, &[("to", 0, word)]);
    let node = |pivots, slots| {
        [
            ("parent", 0, word),
            ("pivot", 8, Kind::Many("pointer", pivots)),
            ("slot", 8 + 8 * pivots, Kind::Many("pointer", slots)),
        ]
    };
    world.structure("maple_range_64", 256, &node(15, 16));
    world.structure("maple_arange_64", 256, &node(9, 10));
    let (top, low, high) = (AT + 0x1000, AT + 0x1100, AT + 0x1200);
    let pointer = |node: u64, kind: u64| node | kind << 3 | 6;
    world.put_u64(AT + 8, pointer(top, 3) | 2);
    world.put(top, &[0; 0x300]);
    world.put_u64(top + 8, 99);
    world.put_u64(top + 16, u64::MAX);
    world.put_u64(top + 80, pointer(low, 1));
    world.put_u64(top + 88, pointer(high, 1));
    // 0 to 9: nothing; 10 to 19; 20 to 99: nothing.
    world.put_u64(low + 8, 9);
    world.put_u64(low + 16, 19);
    world.put_u64(low + 24, 99);
    world.put_u64(low + 128 + 8, AT + 0x6000);
    // 100 to the end, with the pivots left at 0.
    world.put_u64(high + 8, 100);
    world.put_u64(high + 128, AT + 0x7000);
    with_kernel(&world, |kernel| {
        let entries = kernel.maple(AT, 100).unwrap();
        assert_eq!(entries.damage, []);
        let wanted = [Entry { first: 10, last: 19, value: AT + 0x6000 }, one(100, AT + 0x7000)];
        assert_eq!(entries.items, wanted);
    });
}
