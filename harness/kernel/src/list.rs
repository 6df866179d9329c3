// SPDX-License-Identifier: MIT OR Apache-2.0
//! Walks the kernel's circular lists (`struct list_head`, `include/linux/list.h`).
//!
//! A list in a crashed kernel may be cut, cross-linked or run in circles that do not contain its
//! head; a walk ends in all these cases and says which it was.

use std::collections::BTreeSet;

use super::memory::VirtualMemory;
use super::unreadable::{Listing, Unavailable, Unreadable};

/// `LIST_POISON1` and `LIST_POISON2`, less the configurable offset: what a deleted entry points
/// to (`include/linux/poison.h`; `0x100`/`0x200` before 4.18, `0x100`/`0x122` since).
const POISON: [u64; 3] = [0x100, 0x122, 0x200];
/// `CONFIG_ILLEGAL_POINTER_VALUE` of x86-64.
const POISON_BASE: u64 = 0xdead_0000_0000_0000;

impl super::Kernel<'_> {
    /// Addresses of the `list_head`s on the list at `head`, without `head` itself; `what` names
    /// the list in messages, no more than `limit` entries are taken.
    #[must_use]
    pub fn list(&self, head: u64, limit: usize, what: &str) -> Listing<u64> {
        walk(self, head, limit, what)
    }
}

/// Addresses of the `list_head`s on the list at `head`, without `head` itself.
///
/// `what` names the list in messages; no more than `limit` entries are taken.
pub(super) fn walk(
    memory: &dyn VirtualMemory,
    head: u64,
    limit: usize,
    what: &str,
) -> Listing<u64> {
    follow(head, limit, what, &|at| memory.read_u64(at))
}

/// The same, and where the list is damaged the entries that the links from its other end lead to: each of those
/// has to point back to the one that led to it.
pub(super) fn walk_both_ways(
    memory: &dyn VirtualMemory,
    head: u64,
    limit: usize,
    what: &str,
) -> Listing<u64> {
    let mut found = walk(memory, head, limit, what);
    if found.damage.is_empty() {
        return found;
    }
    let back = |at: u64| {
        let previous = memory.read_u64(at.wrapping_add(8))?;
        // An entry that cannot be read is one all the same: who knows it says so.
        let forward = memory.read_u64(previous).unwrap_or(at);
        Ok(if forward == at { previous } else { 0 })
    };
    let others = follow(head, limit, &format!("{what}, from its end,"), &back);
    let known: BTreeSet<u64> = found.items.iter().copied().collect();
    let known = |at: &u64| known.contains(at);
    let met = others.items.iter().any(known);
    let rest: Vec<u64> = others.items.into_iter().take_while(|at| !known(at)).collect();
    found.items.extend(rest.into_iter().rev());
    if !met {
        found.damage.extend(others.damage);
    }
    found
}

/// Addresses of the `list_head`s that `next` leads to from `head` on.
fn follow(
    head: u64,
    limit: usize,
    what: &str,
    next: &dyn Fn(u64) -> Result<u64, Unreadable>,
) -> Listing<u64> {
    let mut found = Listing::default();
    let mut seen = BTreeSet::new();
    let mut at = head;
    loop {
        let next = match next(at) {
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// Words at addresses, nothing else.
    struct Words(BTreeMap<u64, u64>);

    impl VirtualMemory for Words {
        fn read(&self, address: u64, buf: &mut [u8]) -> Result<(), Unreadable> {
            let word = self.0.get(&address).ok_or(Unreadable::NonCanonical { address })?;
            buf.copy_from_slice(&word.to_le_bytes());
            Ok(())
        }
    }

    fn walked(links: &[(u64, u64)], limit: usize) -> (Vec<u64>, Vec<String>) {
        let list = walk(&Words(links.iter().copied().collect()), 0x1000, limit, "the list");
        (list.items, list.damage.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_whole_list_ends_at_its_head() {
        let links = [(0x1000, 0x2000), (0x2000, 0x3000), (0x3000, 0x1000)];
        assert_eq!(walked(&links, 9), (vec![0x2000, 0x3000], vec![]));
        assert_eq!(walked(&[(0x1000, 0x1000)], 9), (vec![], vec![]));
    }

    #[test]
    fn a_circle_without_the_head_ends() {
        let links = [(0x1000, 0x2000), (0x2000, 0x3000), (0x3000, 0x2000)];
        let (items, damage) = walked(&links, 99);
        assert_eq!(items, [0x2000, 0x3000]);
        assert_eq!(damage, ["the list runs in a circle at 0x0000000000002000 after 2 entries"]);
    }

    #[test]
    fn an_entry_that_points_to_itself_ends() {
        let (items, damage) = walked(&[(0x1000, 0x2000), (0x2000, 0x2000)], 99);
        assert_eq!((items.len(), damage.len()), (1, 1));
    }

    #[test]
    fn a_list_into_the_unreadable_keeps_what_came_before() {
        let (items, damage) = walked(&[(0x1000, 0x2000)], 99);
        assert_eq!(items, [0x2000]);
        assert_eq!(damage, ["the list after 1 entries: 0x0000000000002000: non-canonical address"]);
    }

    /// Entries at 0x2000, 0x3000, 0x4000 and 0x5000, those given left out.
    fn both_ways(lost: &[u64], changed: &[(u64, u64)]) -> (Vec<u64>, usize) {
        let ring = [0x1000, 0x2000, 0x3000, 0x4000, 0x5000];
        let mut links = BTreeMap::new();
        for (at, entry) in ring.iter().enumerate() {
            links.insert(*entry, ring[(at + 1) % 5]);
            links.insert(entry + 8, ring[(at + 4) % 5]);
        }
        links.extend(changed.iter().copied());
        links.retain(|at, _| !lost.contains(&(at & !0xf)));
        let list = walk_both_ways(&Words(links), 0x1000, 9, "the list");
        (list.items, list.damage.len())
    }

    #[test]
    fn what_lies_behind_an_entry_that_is_lost_is_found_from_the_other_end() {
        assert_eq!(both_ways(&[], &[]), (vec![0x2000, 0x3000, 0x4000, 0x5000], 0));
        assert_eq!(both_ways(&[0x3000], &[]), (vec![0x2000, 0x3000, 0x4000, 0x5000], 1));
        // Between two that are lost nothing leads to the others.
        assert_eq!(both_ways(&[0x2000, 0x4000], &[]), (vec![0x2000, 0x4000, 0x5000], 2));
        assert_eq!(both_ways(&[0x1000], &[]), (vec![], 2));
    }

    #[test]
    fn a_link_that_nothing_points_back_to_is_not_followed() {
        let (items, damage) = both_ways(&[0x3000], &[(0x5008, 0x2000)]);
        assert_eq!((items, damage), (vec![0x2000, 0x3000, 0x5000], 2));
    }

    #[test]
    fn null_poison_and_the_limit_are_named() {
        let ends = |next| walked(&[(0x1000, 0x2000), (0x2000, next)], 99).1.join("");
        assert_eq!(ends(0), "the list ends in NULL after 1 entries");
        assert_eq!(
            ends(0xdead_0000_0000_0122),
            "the list runs into a deleted entry after 1 entries"
        );
        let endless: Vec<(u64, u64)> = (1..50).map(|n| (n * 0x1000, (n + 1) * 0x1000)).collect();
        let (items, damage) = walked(&endless, 5);
        assert_eq!((items.len(), damage.len()), (5, 1));
    }
}
