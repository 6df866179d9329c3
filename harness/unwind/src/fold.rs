// SPDX-License-Identifier: MIT OR Apache-2.0
//! Finds recursion in a list of frames, so that a report can print each round once.

use crate::Frame;

/// Longest sequence of frames looked for; recursion through more functions stays unfolded.
const LONGEST_PERIOD: usize = 32;
/// Rounds needed to speak of recursion; two equal frames in a row are common and harmless.
const FEWEST_ROUNDS: usize = 3;

/// Frames `first .. first + period * rounds`: `rounds` times the same `period` frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// Index of the first frame.
    pub first: usize,
    /// Frames in one round.
    pub period: usize,
    /// How often they come in a row; 1 for frames that do not repeat.
    pub rounds: usize,
}

/// Cuts the frames into runs that together cover all of them, in order. Frames are equal if they
/// are looked up at the same address.
pub fn fold(frames: &[Frame]) -> Vec<Run> {
    let keys: Vec<u64> = frames.iter().map(|frame| frame.pc.for_lookup()).collect();
    let mut runs = Vec::new();
    let mut plain = 0;
    let mut at = 0;
    while at < keys.len() {
        if let Some(run) = recursion_at(&keys, at) {
            if plain < at {
                runs.push(Run { first: plain, period: at - plain, rounds: 1 });
            }
            runs.push(run);
            at += run.period * run.rounds;
            plain = at;
        } else {
            at += 1;
        }
    }
    if plain < at {
        runs.push(Run { first: plain, period: at - plain, rounds: 1 });
    }
    runs
}

fn recursion_at(keys: &[u64], first: usize) -> Option<Run> {
    let rest = keys.get(first..)?;
    (1..=LONGEST_PERIOD.min(rest.len() / FEWEST_ROUNDS)).find_map(|period| {
        let round = rest.get(..period)?;
        let rounds = rest.chunks_exact(period).take_while(|chunk| *chunk == round).count();
        (rounds >= FEWEST_ROUNDS).then_some(Run { first, period, rounds })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Pc, Registers, Trust};

    fn runs(pcs: &[u64]) -> Vec<(usize, usize, usize)> {
        let frames: Vec<Frame> = pcs
            .iter()
            .map(|pc| Frame {
                pc: Pc::Return(*pc),
                sp: 0,
                cfa: None,
                registers: Registers::default(),
                trust: Trust::Orc,
                stack: None,
                exception: None,
            })
            .collect();
        fold(&frames).iter().map(|run| (run.first, run.period, run.rounds)).collect()
    }

    #[test]
    fn frames_without_recursion_are_one_run() {
        assert_eq!(runs(&[]), []);
        assert_eq!(runs(&[1, 2, 3, 2, 1]), [(0, 5, 1)]);
        assert_eq!(runs(&[1, 7, 7, 2]), [(0, 4, 1)], "twice is no recursion");
    }

    #[test]
    fn recursion_through_two_functions_is_folded() {
        let pcs = [9, 1, 2, 1, 2, 1, 2, 1, 8, 7];
        assert_eq!(runs(&pcs), [(0, 1, 1), (1, 2, 3), (7, 3, 1)]);
    }

    #[test]
    fn shortest_round_wins() {
        assert_eq!(runs(&[5; 12]), [(0, 1, 12)]);
    }

    #[test]
    fn runs_cover_all_frames_in_order() {
        let pcs = [1, 1, 1, 2, 3, 2, 3, 2, 3, 4, 4, 4];
        assert_eq!(runs(&pcs), [(0, 1, 3), (3, 2, 3), (9, 1, 3)]);
    }
}
