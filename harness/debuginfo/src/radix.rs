// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sorting numbers by their upper half, in a fixed number of steps for each.
//!
//! A kernel has 150,000 symbols and as many frame descriptions. A report needs both by address, and
//! comparing them with each other took a third of its instructions.

/// Bits that one pass sorts by; three passes cover the upper half.
const BITS: u32 = 11;
const PASSES: u32 = 3;
const BUCKETS: usize = 1 << BITS;
/// Below this many, comparing is cheaper than counting.
const FEW: usize = 256;

/// Sorts by the upper 32 bits; what has the same there keeps its order.
pub(crate) fn sort_by_upper_half(entries: &mut Vec<u64>) {
    if entries.len() < FEW {
        entries.sort_by_key(|entry| entry >> 32);
        return;
    }
    let mut other = vec![0; entries.len()];
    for pass in 0..PASSES {
        scatter(entries, &mut other, 32 + pass * BITS);
        std::mem::swap(entries, &mut other);
    }
}

/// Copies the entries in the order of the bits from `shift` on.
fn scatter(from: &[u64], to: &mut [u64], shift: u32) {
    let bucket = |entry: u64| usize::try_from(entry >> shift).unwrap_or(0) & (BUCKETS - 1);
    let mut places = [0_usize; BUCKETS];
    for entry in from {
        if let Some(count) = places.get_mut(bucket(*entry)) {
            *count += 1;
        }
    }
    let mut next = 0;
    for place in &mut places {
        next += std::mem::replace(place, next);
    }
    for entry in from {
        let Some(place) = places.get_mut(bucket(*entry)) else { continue };
        if let Some(slot) = to.get_mut(*place) {
            *slot = *entry;
        }
        *place += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers that look random (a linear congruential generator, MMIX's constants).
    fn numbers(count: usize) -> Vec<u64> {
        let step = |it: &u64| {
            Some(it.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407))
        };
        std::iter::successors(Some(7), step).take(count).collect()
    }

    #[test]
    fn the_order_is_that_of_a_stable_sort() {
        for count in [0, 1, 2, FEW - 1, FEW, 5000] {
            // Few different keys, so that many are the same.
            for mask in [u64::MAX, 0x0fff_0000_ffff_ffff, 0x8000_0001_ffff_ffff] {
                let all: Vec<u64> = numbers(count).into_iter().map(|it| it & mask).collect();
                let (mut sorted, mut expected) = (all.clone(), all);
                sort_by_upper_half(&mut sorted);
                expected.sort_by_key(|entry| entry >> 32);
                assert_eq!(sorted, expected, "{count} {mask:#x}");
            }
        }
    }
}
