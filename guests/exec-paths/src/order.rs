// SPDX-License-Identifier: MIT OR Apache-2.0
//! In which order steps are taken.

use protocol::{ExecPath, ExecStep};

/// The steps of so many rounds: one round after the other, or all of them shuffled by a seed, so
/// that each comes as often, and any after any, itself included.
pub(crate) fn order(paths: &[ExecPath], rounds: u32, seed: Option<u64>) -> Vec<ExecStep> {
    let rounds = usize::try_from(rounds).unwrap_or(usize::MAX);
    let all = paths.iter().copied().cycle().take(paths.len().saturating_mul(rounds));
    let (last, mut order): (Vec<_>, Vec<_>) = all.partition(|path| *path == ExecPath::ModuleUnload);
    if let Some(seed) = seed {
        shuffle(&mut order, seed);
    }
    // After it there is nothing left to be met, and a second time there is nothing to unload.
    order.extend(last.first());
    let of = u32::try_from(order.len()).unwrap_or(u32::MAX);
    (1..=of).zip(order).map(|(number, path)| ExecStep { path, number, of, seed }).collect()
}

/// Fisher and Yates's shuffle.
fn shuffle(order: &mut [ExecPath], seed: u64) {
    let mut numbers = Numbers(seed);
    for at in (1..order.len()).rev() {
        let among = u64::try_from(at).unwrap_or(u64::MAX).saturating_add(1);
        let other = usize::try_from(numbers.next() % among).unwrap_or_default();
        order.swap(at, other);
    }
}

/// SplitMix64, by Steele, Lea and Flood: the same numbers on every machine.
struct Numbers(u64);

impl Numbers {
    const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(rounds: u32, seed: Option<u64>) -> Vec<ExecPath> {
        let all: Vec<ExecPath> = ExecPath::all().collect();
        order(&all, rounds, seed).iter().map(|step| step.path).collect()
    }

    #[test]
    fn without_a_seed_the_order_is_that_of_the_list() {
        let all: Vec<ExecPath> = ExecPath::all().collect();
        assert_eq!(names(1, None), all);
        assert_eq!(names(2, None), [all.clone(), all].concat());
    }

    #[test]
    fn a_seed_gives_the_same_order_each_time_and_another_seed_another() {
        assert_eq!(names(2, Some(1)), names(2, Some(1)));
        assert_ne!(names(2, Some(1)), names(2, Some(2)));
        let mut sorted = names(2, Some(1));
        sorted.sort();
        let mut all = names(2, None);
        all.sort();
        assert_eq!(sorted, all, "none is lost");
    }

    /// The first numbers of SplitMix64 for the seed 1234567.
    #[test]
    fn a_seed_means_the_same_on_every_machine() {
        let mut numbers = Numbers(1_234_567);
        assert_eq!(numbers.next(), 6_457_827_717_110_365_317);
        assert_eq!(numbers.next(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn a_module_is_unloaded_once_and_last() {
        let paths = [ExecPath::ModuleUnload, ExecPath::Execve];
        let steps = order(&paths, 3, Some(5));
        let paths: Vec<ExecPath> = steps.iter().map(|step| step.path).collect();
        use ExecPath::{Execve, ModuleUnload};
        assert_eq!(paths, [Execve, Execve, Execve, ModuleUnload]);
        assert!(steps.iter().all(|step| step.of == 4) && steps[3].number == 4);
    }
}
