// SPDX-License-Identifier: MIT OR Apache-2.0
//! Maple trees (`include/linux/maple_tree.h`, `Documentation/core-api/maple_tree.rst`, 6.1 and
//! later): ranges of numbers and what each stands for.
//!
//! A pointer to a node has the node's type in its bits 3 to 6; nodes are aligned to 256 bytes. A
//! node has slots, and pivots that say where the range of each slot ends; the last range ends where
//! that of the node does.

use std::collections::BTreeSet;

use crate::kernel::{Kernel, Listing, Unavailable, VirtualMemory as _};

/// Nodes that are read at most.
const MAX_NODES: usize = 1 << 20;
/// Slots of a node that are believed; the largest type has 31.
const MAX_SLOTS: u64 = 64;
/// Bits of a pointer to a node that are not its address.
const NODE_MASK: u64 = 0xff;
/// Smallest entry that is a node and no other internal one (`xa_is_node`).
const LOWEST_NODE: u64 = 4096;
/// Types of nodes (`enum maple_type`).
const DENSE: u64 = 0;
const LEAF_64: u64 = 1;
const ARANGE_64: u64 = 3;

/// What the tree at `tree` (a `struct maple_tree`) holds, in the order of its ranges.
pub(super) fn entries(kernel: &Kernel<'_>, tree: u64) -> Result<Listing<u64>, Unavailable> {
    let root = kernel.object("maple_tree", tree).number("ma_root")?;
    let mut walk = Walk { kernel, seen: BTreeSet::new(), found: Listing::default() };
    // The lowest two bits tell a node from what the tree stands for all by itself.
    if root & 3 == 2 && root >= LOWEST_NODE {
        walk.node(root, u64::MAX);
    } else if root != 0 {
        walk.found.items.push(root);
    }
    Ok(walk.found)
}

struct Walk<'k, 'a> {
    kernel: &'k Kernel<'a>,
    seen: BTreeSet<u64>,
    found: Listing<u64>,
}

impl Walk<'_, '_> {
    /// Takes what is below the node that `pointer` leads to, whose range ends with `end`.
    fn node(&mut self, pointer: u64, end: u64) {
        if self.seen.len() >= MAX_NODES || !self.seen.insert(pointer) {
            let words = format!("the maple tree runs in a circle at 0x{pointer:016x}");
            self.found.damage.push(Unavailable::Damaged(words));
            return;
        }
        match self.slots(pointer, end) {
            Ok(slots) => {
                let leaf = pointer >> 3 & 0xf <= LEAF_64;
                for (slot, end) in slots.into_iter().filter(|(slot, _)| *slot != 0) {
                    if leaf {
                        self.found.items.push(slot);
                    } else {
                        self.node(slot, end);
                    }
                }
            }
            Err(why) => self.found.damage.push(why),
        }
    }

    /// The slots of a node that are in use, each with the end of its range.
    fn slots(&self, pointer: u64, end: u64) -> Result<Vec<(u64, u64)>, Unavailable> {
        let node = pointer & !NODE_MASK;
        let structure = match pointer >> 3 & 0xf {
            DENSE => return Err(Unavailable::Damaged("a dense maple node".to_owned())),
            ARANGE_64 => "maple_arange_64",
            _ => "maple_range_64",
        };
        let slots = self.kernel.field(structure, "slot")?;
        let pivots = self.kernel.field(structure, "pivot")?;
        let count = (slots.size / 8).min(MAX_SLOTS);
        let read = |at: u64| {
            let what = |source| Unavailable::memory("a maple node", source);
            self.kernel.read_u64(node.wrapping_add(at)).map_err(what)
        };
        let mut found = Vec::new();
        for index in 0..count {
            let slot = read(slots.offset + index * 8)?;
            let pivot = match index < pivots.size / 8 {
                true => read(pivots.offset + index * 8)?,
                false => end,
            };
            // Pivots behind the last one in use are zero.
            let last = pivot >= end || (pivot == 0 && index > 0);
            found.push((slot, if last { end } else { pivot }));
            if last {
                break;
            }
        }
        Ok(found)
    }
}
