// SPDX-License-Identifier: MIT OR Apache-2.0
//! Red-black trees (`struct rb_root`, `struct rb_node`, `include/linux/rbtree_types.h`).

use std::collections::BTreeSet;

use super::{Node, Order};
use crate::{Kernel, Listing, Unavailable};

/// Deepest node that is followed: a red-black tree of 2^64 nodes is no deeper than twice 64.
const MAX_DEPTH: usize = 128;

impl Kernel<'_> {
    /// Nodes of the red-black tree below the node at `top` (0: an empty tree), `limit` at most.
    ///
    /// # Errors
    /// If the layout of a node is not known.
    pub fn rb_nodes(
        &self,
        top: u64,
        order: Order,
        limit: usize,
    ) -> Result<Listing<Node>, Unavailable> {
        let left = self.field("rb_node", "rb_left")?.offset;
        let right = self.field("rb_node", "rb_right")?.offset;
        let mut found = Listing::default();
        let mut seen = BTreeSet::new();
        // A node's subtrees are still to be walked, or the node itself is to be listed.
        let mut todo = vec![(top, String::new(), false)];
        while let Some((address, path, opened)) = todo.pop() {
            if address == 0 {
                continue;
            }
            if opened {
                found.items.push(Node { address, path });
                continue;
            }
            let damage = if !seen.insert(address) {
                Some("comes back to a node it had before")
            } else if path.len() >= MAX_DEPTH {
                Some("is deeper than any")
            } else if seen.len() > limit {
                Some("has more nodes than are followed")
            } else {
                None
            };
            if let Some(words) = damage {
                let words = format!("the red-black tree {words}, at 0x{address:016x}");
                found.damage.push(Unavailable::Damaged(words));
                if seen.len() > limit {
                    break;
                }
                continue;
            }
            let child =
                |offset: u64| self.word_of("a node of a tree", address.wrapping_add(offset));
            let (to_left, to_right) = match (child(left), child(right)) {
                (Ok(to_left), Ok(to_right)) => (to_left, to_right),
                (Err(why), _) | (_, Err(why)) => {
                    found.damage.push(why);
                    continue;
                }
            };
            let below_left = (to_left, format!("{path}l"), false);
            let below_right = (to_right, format!("{path}r"), false);
            // The last one is taken first.
            match order {
                Order::Sorted => todo.extend([below_right, (address, path, true), below_left]),
                Order::RootFirst => todo.extend([below_right, below_left, (address, path, true)]),
            }
        }
        Ok(found)
    }
}
