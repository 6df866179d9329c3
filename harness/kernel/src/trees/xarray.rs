// SPDX-License-Identifier: MIT OR Apache-2.0
//! XArrays (`include/linux/xarray.h`, 4.20 and later) and the radix trees before them
//! (`include/linux/radix-tree.h`).
//!
//! A pointer to a node has a mark in its low bits: 1 in radix trees, 2 in XArrays. A node's height
//! is a number of its own up to 3.14, the low bits of `path` up to 4.6, and follows from `shift`
//! since.

use std::collections::BTreeSet;

use super::Entry;
use crate::{Kernel, Listing, Unavailable};

/// Bits that one level takes (`XA_CHUNK_SHIFT`, `RADIX_TREE_MAP_SHIFT`), where the number of slots
/// does not tell.
const USUAL_BITS: u32 = 6;
/// Levels of a tree of 64-bit numbers are at most eleven.
const MAX_LEVELS: u32 = 12;
/// Nodes are above this number, marks and error values below it (`xa_is_node`).
const LOWEST_NODE: u64 = 4096;
/// Bits of `path` that are the height (`RADIX_TREE_HEIGHT_MASK`).
const PATH_HEIGHT: u64 = 0xfff;

/// How the nodes of this kernel are laid out.
struct Layout {
    node: &'static str,
    /// Offset of the first slot.
    slots: u64,
    bits: u32,
    /// The mark of a pointer to a node.
    mark: u64,
    /// Bits that have the mark.
    mask: u64,
    head: u64,
    /// Whether pointers from node to node have the mark too; before 4.7 only the root's had it.
    all_marked: bool,
}

impl Kernel<'_> {
    /// Entries of the XArray or radix tree at `root`, by index; `limit` at most.
    ///
    /// # Errors
    /// If the layout is not known or the root cannot be read.
    pub fn xarray(&self, root: u64, limit: usize) -> Result<Listing<Entry>, Unavailable> {
        let layout = self.xarray_layout()?;
        let head = self.word_of("the head of a tree", root.wrapping_add(layout.head))?;
        Ok(self.xarray_below(&layout, head, limit))
    }

    /// Entries below a node, whose address may have the mark of a node or not.
    ///
    /// # Errors
    /// If the layout is not known.
    pub fn xarray_node(&self, node: u64, limit: usize) -> Result<Listing<Entry>, Unavailable> {
        let layout = self.xarray_layout()?;
        let marked = node & !layout.mask | layout.mark;
        Ok(self.xarray_below(&layout, marked, limit))
    }

    fn xarray_layout(&self) -> Result<Layout, Unavailable> {
        let newer = self.has_field("xarray", "xa_head");
        let node = if newer { "xa_node" } else { "radix_tree_node" };
        let slots = self.field(node, "slots")?;
        let count = slots.size / 8;
        let bits = if count.is_power_of_two() && count > 1 { count.ilog2() } else { USUAL_BITS };
        let head = match newer {
            true => self.field("xarray", "xa_head")?,
            false => self.field("radix_tree_root", "rnode")?,
        };
        let (mark, mask) = if newer { (2, 3) } else { (1, 1) };
        let all_marked = self.has_field(node, "shift");
        Ok(Layout { node, slots: slots.offset, bits, mark, mask, head: head.offset, all_marked })
    }

    fn xarray_below(&self, layout: &Layout, head: u64, limit: usize) -> Listing<Entry> {
        let mut found = Listing::default();
        if head == 0 {
            return found;
        }
        let is_node = |entry: u64| entry & layout.mask == layout.mark && entry > LOWEST_NODE;
        if !is_node(head) {
            found.items.push(Entry { first: 0, last: 0, value: head });
            return found;
        }
        let mut seen = BTreeSet::new();
        let mut todo = vec![(head, 0_u64, None::<u32>)];
        while let Some((marked, base, expected)) = todo.pop() {
            let address = marked & !layout.mask;
            if !seen.insert(address) || found.items.len() >= limit {
                let words = format!("the tree is not whole at node 0x{address:016x}");
                found.damage.push(Unavailable::Damaged(words));
                continue;
            }
            let level = match self.shift_of(layout, address) {
                Ok(shift) if shift / layout.bits < MAX_LEVELS => shift,
                Ok(_) => {
                    let words = format!("node 0x{address:016x} of a tree has no sensible height");
                    found.damage.push(Unavailable::Damaged(words));
                    continue;
                }
                Err(why) => {
                    found.damage.push(why);
                    continue;
                }
            };
            if expected.is_some_and(|expected| expected != level) {
                let words = format!("node 0x{address:016x} of a tree is on the wrong level");
                found.damage.push(Unavailable::Damaged(words));
                continue;
            }
            let mut below = Vec::new();
            for slot in 0..1_u64 << layout.bits {
                let at = address.wrapping_add(layout.slots).wrapping_add(slot * 8);
                let value = match self.word_of("a node of a tree", at) {
                    Ok(value) => value,
                    Err(why) => {
                        found.damage.push(why);
                        break;
                    }
                };
                let first = base | slot.checked_shl(level).unwrap_or(0);
                if value == 0 {
                    continue;
                }
                if level > 0 && (is_node(value) || !layout.all_marked) {
                    below.push((value, first, level.checked_sub(layout.bits)));
                } else if !(layout.mask == 3 && value & 3 == 2) {
                    // Internal entries that are no nodes: siblings, retries.
                    let span = 1_u64.checked_shl(level).unwrap_or(0);
                    let last = first | span.wrapping_sub(1);
                    found.items.push(Entry { first, last, value });
                }
            }
            todo.extend(below.into_iter().rev());
        }
        found.items.sort_by_key(|entry| entry.first);
        found
    }

    /// Bits of an index that lie below a node.
    fn shift_of(&self, layout: &Layout, node: u64) -> Result<u32, Unavailable> {
        let object = self.object(layout.node, node);
        let number = |path| object.number(path);
        let small = |value: u64| u32::try_from(value).unwrap_or(u32::MAX);
        if self.has_field(layout.node, "shift") {
            return Ok(small(number("shift")?));
        }
        let height = match self.has_field(layout.node, "height") {
            true => number("height")?,
            false => number("path")? & PATH_HEIGHT,
        };
        let levels = small(height).checked_sub(1);
        let none = || Unavailable::Damaged(format!("node 0x{node:016x} of a tree has height 0"));
        Ok(levels.ok_or_else(none)?.saturating_mul(layout.bits))
    }
}
