// SPDX-License-Identifier: MIT OR Apache-2.0
//! Walks the kernel's circular lists (`struct list_head`, `include/linux/list.h`).
//!
//! A list in a crashed kernel may be cut, cross-linked or run in circles that do not contain its
//! head; a walk ends in all these cases and says which it was.

use std::collections::BTreeSet;

use super::memory::VirtualMemory;
use super::unreadable::{Listing, Unavailable};

/// `LIST_POISON1` and `LIST_POISON2`, less the configurable offset: what a deleted entry points
/// to (`include/linux/poison.h`; `0x100`/`0x200` before 4.18, `0x100`/`0x122` since).
const POISON: [u64; 3] = [0x100, 0x122, 0x200];
/// `CONFIG_ILLEGAL_POINTER_VALUE` of x86-64.
const POISON_BASE: u64 = 0xdead_0000_0000_0000;

/// Addresses of the `list_head`s on the list at `head`, without `head` itself.
///
/// `what` names the list in messages; no more than `limit` entries are taken.
pub(super) fn walk(
    memory: &dyn VirtualMemory,
    head: u64,
    limit: usize,
    what: &str,
) -> Listing<u64> {
    let mut found = Listing::default();
    let mut seen = BTreeSet::new();
    let mut at = head;
    loop {
        let next = match memory.read_u64(at) {
            Ok(next) => next,
            Err(source) => {
                let what = format!("{what} after {} entries", found.items.len());
                found.damage.push(Unavailable::memory(&what, source));
                return found;
            }
        };
        if next == head {
            return found;
        }
        if let Some(why) = objection(next, &seen, found.items.len(), limit) {
            found.damage.push(Unavailable::Damaged(format!(
                "{what} {why} after {} entries",
                found.items.len()
            )));
            return found;
        }
        seen.insert(next);
        found.items.push(next);
        at = next;
    }
}

/// Why a walk must not go on to `next`.
fn objection(next: u64, seen: &BTreeSet<u64>, count: usize, limit: usize) -> Option<String> {
    if next == 0 {
        return Some("ends in NULL".to_owned());
    }
    if POISON.iter().any(|poison| next == POISON_BASE + poison || next == *poison) {
        return Some("runs into a deleted entry".to_owned());
    }
    if seen.contains(&next) {
        return Some(format!("runs in a circle at 0x{next:016x}"));
    }
    (count >= limit).then(|| format!("is longer than {limit} entries: not followed further"))
}
