// SPDX-License-Identifier: MIT OR Apache-2.0
//! Damaged dumps of a small kernel through the whole analysis: each gives a report or an error,
//! soon, in bounded memory.

use synth::Kdump;

use crate::cpus::crashed;
use crate::exercise::exercise;
use crate::world::World;

/// Mutations of each dump. `MUTATIONS=100000 cargo nextest run -p debugger
/// -E 'test(damage)'` makes more of them.
const MUTATIONS: u32 = 150;
/// The longest that one analysis may compute, in ticks of 10 ms.
const LONGEST: u64 = 500;
/// The most memory that all of them may ever have used, in KiB.
const MOST_MEMORY: u64 = 512 << 10;

/// The same dump as ELF and compressed, and its `vmlinux`.
fn sound() -> ([Vec<u8>; 2], Vec<u8>) {
    let world: World = crashed(1, 42);
    let kdump = Kdump {
        notes: synth::notes::prstatus(42, &[0xffff_ffff_8100_0010; 27]),
        vmcoreinfo: world.info.clone(),
        ..Kdump::default()
    };
    ([world.dump(), kdump.write(&world.memory)], world.vmlinux())
}

/// Marsaglia's xorshift64.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).expect("less than the bound")
    }

    fn byte(&mut self) -> u8 {
        u8::try_from(self.below(256)).expect("less than 256")
    }
}

/// Changes one byte or a block. Most of a dump is zeros, so that every second place is one that
/// is not.
fn mutate(random: &mut Random, bytes: &mut [u8], places: &[usize]) {
    let at = match random.below(2) {
        0 => random.below(bytes.len()),
        _ => places[random.below(places.len())],
    };
    let length = match random.below(3) {
        0 => 1 + random.below(600),
        1 => 8,
        _ => 1,
    };
    let end = (at + length).min(bytes.len());
    match random.below(4) {
        0 => bytes[at..end].fill(0),
        1 => bytes[at..end].fill(0xff),
        2 => {
            let from = random.below(bytes.len() - (end - at));
            bytes.copy_within(from..from + (end - at), at);
        }
        _ => bytes[at..end].iter_mut().for_each(|byte| *byte = random.byte()),
    }
}

/// Ticks that this thread has computed.
fn ticks() -> u64 {
    let stat = std::fs::read_to_string("/proc/thread-self/stat").expect("Linux");
    let fields: Vec<&str> =
        stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    // proc_pid_stat(5): utime and stime are fields 14 and 15, the first one here is number 3.
    [11, 12].iter().map(|index| fields[*index].parse::<u64>().expect("a number")).sum()
}

/// Calls the analysis and says how if it takes too long.
fn soon(dump: &[u8], vmlinux: Option<&[u8]>, what: &str) -> bool {
    let before = ticks();
    let report = exercise(dump, vmlinux);
    let taken = ticks() - before;
    assert!(taken < LONGEST, "{what} takes {taken} ticks");
    report
}

fn assert_memory_is_bounded() {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("Linux has it");
    let peak: u64 = peak.trim().trim_end_matches(" kB").parse().expect("a number");
    assert!(peak < MOST_MEMORY, "{peak} KiB");
}

#[test]
fn sound_dumps_give_reports() {
    let (dumps, vmlinux) = sound();
    for dump in dumps {
        assert!(exercise(&dump, Some(&vmlinux)));
        assert!(exercise(&dump, None));
    }
}

#[test]
fn dumps_cut_anywhere_give_a_report_or_an_error() {
    let (dumps, vmlinux) = sound();
    for dump in dumps {
        for percent in (0..100).step_by(2) {
            let length = dump.len() * percent / 100;
            soon(&dump[..length], Some(&vmlinux), &format!("a cut at {percent} %"));
        }
    }
    assert_memory_is_bounded();
}

#[test]
fn damage_in_a_dump_gives_a_report_or_an_error() {
    let (dumps, vmlinux) = sound();
    let count = std::env::var("MUTATIONS").map_or(MUTATIONS, |count| count.parse().unwrap());
    for (number, dump) in (1..).zip(dumps) {
        let places: Vec<usize> = (0..dump.len()).filter(|at| dump[*at] != 0).collect();
        let mut random = Random(number);
        for round in 0..count {
            let mut damaged = dump.clone();
            for _ in 0..=random.below(3) {
                mutate(&mut random, &mut damaged, &places);
            }
            let with = (round % 2 == 0).then_some(vmlinux.as_slice());
            soon(&damaged, with, &format!("mutation {round} of dump {number}"));
        }
    }
    assert_memory_is_bounded();
}

#[test]
fn damage_in_a_vmlinux_gives_a_report_or_an_error() {
    let ([dump, _], vmlinux) = sound();
    let count = std::env::var("MUTATIONS").map_or(MUTATIONS, |count| count.parse().unwrap());
    let places: Vec<usize> = (0..vmlinux.len()).filter(|at| vmlinux[*at] != 0).collect();
    let mut random = Random(7);
    for round in 0..count {
        let mut damaged = vmlinux.clone();
        mutate(&mut random, &mut damaged, &places);
        soon(&dump, Some(&damaged), &format!("mutation {round} of the vmlinux"));
    }
    assert_memory_is_bounded();
}
