// SPDX-License-Identifier: MIT OR Apache-2.0
//! Walks the kernel's trees: red-black trees, radix trees with their successor the XArray, and
//! maple trees.
//!
//! Nodes of a crashed kernel may be cut off, cross-linked or circular: no node is visited twice,
//! depth and number of entries are bounded, and a walk that ends early says why.

mod maple;
mod rbtree;
mod xarray;

use super::memory::VirtualMemory;
use super::{Kernel, Unavailable};

/// Order in which the nodes of a red-black tree are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Left subtree, node, right subtree: by key.
    Sorted,
    /// Node, left subtree, right subtree: as crash(8) lists them.
    RootFirst,
}

/// An entry of a tree that maps numbers to pointers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// First number that it is for.
    pub first: u64,
    /// Last number that it is for.
    pub last: u64,
    /// The entry: a pointer, or a number if its lowest bit is set.
    pub value: u64,
}

/// A node of a red-black tree and the way to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its address.
    pub address: u64,
    /// Turns from the root: `l` and `r`.
    pub path: String,
}

impl Kernel<'_> {
    fn word_of(&self, what: &str, address: u64) -> Result<u64, Unavailable> {
        self.read_u64(address).map_err(|source| Unavailable::memory(what, source))
    }
}
