// SPDX-License-Identifier: MIT OR Apache-2.0
//! Maple trees (`include/linux/maple_tree.h`, 6.1 and later).
//!
//! A pointer to a node has the node's type in bits 3 to 6; nodes are 256 bytes and aligned to that.
//! A node splits its range at pivots: slot n covers what lies above pivot n-1 up to pivot n, and
//! the first pivot of 0 (after the first slot) ends the node early.

use std::collections::BTreeSet;

use super::Entry;
use crate::{Kernel, Listing, Unavailable};

/// Low bits of a pointer that are no address (`MAPLE_NODE_MASK`).
const MASK: u64 = 255;
/// Where the type is (`MAPLE_NODE_TYPE_SHIFT`, `MAPLE_NODE_TYPE_MASK`).
const TYPE_SHIFT: u32 = 3;
const TYPE_MASK: u64 = 0xf;
/// Root pointers that are nodes are above this number (`xa_is_node`).
const LOWEST_NODE: u64 = 4096;
/// Deeper trees would have more nodes than memory has bytes.
const MAX_DEPTH: usize = 32;

/// `enum maple_type`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Dense,
    Leaf,
    Range,
    Allocation,
}

impl Kind {
    const fn of(pointer: u64) -> Option<Self> {
        match pointer >> TYPE_SHIFT & TYPE_MASK {
            0 => Some(Self::Dense),
            1 => Some(Self::Leaf),
            2 => Some(Self::Range),
            3 => Some(Self::Allocation),
            _ => None,
        }
    }
}

/// Where slots and pivots of a kind of node are.
struct Places {
    pivots: (u64, u64),
    slots: (u64, u64),
}

impl Kernel<'_> {
    /// Entries of the maple tree at `tree` (a `struct maple_tree`), by index; `limit` at most.
    ///
    /// # Errors
    /// If there are no maple trees in this kernel or the root cannot be read.
    pub fn maple(&self, tree: u64, limit: usize) -> Result<Listing<Entry>, Unavailable> {
        let root = self.field("maple_tree", "ma_root")?.offset;
        let root = self.word_of("the root of a maple tree", tree.wrapping_add(root))?;
        let mut found = Listing::default();
        if root == 0 {
            return Ok(found);
        }
        if root & 3 != 2 || root <= LOWEST_NODE {
            found.items.push(Entry { first: 0, last: 0, value: root });
            return Ok(found);
        }
        let mut seen = BTreeSet::new();
        let mut todo = vec![(root, 0, u64::MAX, 0_usize)];
        while let Some((pointer, min, max, depth)) = todo.pop() {
            let node = pointer & !MASK;
            let damaged = !seen.insert(node) || depth > MAX_DEPTH || found.items.len() >= limit;
            let kind = Kind::of(pointer).filter(|_| !damaged);
            let read = kind.map(|kind| (kind, self.maple_node(kind, node, min, max)));
            let (kind, slots) = match read {
                Some((kind, Ok(slots))) => (kind, slots),
                Some((_, Err(why))) => {
                    found.damage.push(why);
                    continue;
                }
                None => {
                    let words = format!("the maple tree is not whole at node 0x{node:016x}");
                    found.damage.push(Unavailable::Damaged(words));
                    continue;
                }
            };
            if matches!(kind, Kind::Leaf | Kind::Dense) {
                found.items.extend(slots.into_iter().filter(|entry| entry.value != 0));
            } else {
                let below = slots.into_iter().rev().filter(|entry| entry.value != 0);
                todo.extend(below.map(|entry| (entry.value, entry.first, entry.last, depth + 1)));
            }
        }
        Ok(found)
    }

    /// The slots of a node with their ranges.
    fn maple_node(
        &self,
        kind: Kind,
        node: u64,
        min: u64,
        max: u64,
    ) -> Result<Vec<Entry>, Unavailable> {
        let Places { pivots, slots } = self.maple_places(kind)?;
        let word = |offset: u64| self.word_of("a node of a maple tree", node.wrapping_add(offset));
        let mut found = Vec::new();
        let mut first = min;
        for index in 0..slots.1 {
            let last = match kind {
                Kind::Dense => first,
                _ if index < pivots.1 => match word(pivots.0.wrapping_add(index * 8))? {
                    0 if index > 0 => max,
                    pivot => pivot,
                },
                _ => max,
            };
            if last < first || last > max {
                return Err(Unavailable::Damaged(format!(
                    "node 0x{node:016x} of a maple tree has a range that is none"
                )));
            }
            let value = word(slots.0.wrapping_add(index * 8))?;
            found.push(Entry { first, last, value });
            match last.checked_add(1) {
                Some(next) if last < max => first = next,
                _ => break,
            }
        }
        Ok(found)
    }

    fn maple_places(&self, kind: Kind) -> Result<Places, Unavailable> {
        let array = |structure: &str, member: &str| {
            let field = self.field(structure, member)?;
            Ok::<_, Unavailable>((field.offset, field.size / 8))
        };
        Ok(match kind {
            Kind::Dense => Places { pivots: (0, 0), slots: array("maple_node", "slot")? },
            Kind::Leaf | Kind::Range => Places {
                pivots: array("maple_range_64", "pivot")?,
                slots: array("maple_range_64", "slot")?,
            },
            Kind::Allocation => Places {
                pivots: array("maple_arange_64", "pivot")?,
                slots: array("maple_arange_64", "slot")?,
            },
        })
    }
}
