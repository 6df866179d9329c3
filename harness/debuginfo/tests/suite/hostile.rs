// SPDX-License-Identifier: MIT OR Apache-2.0
//! Damaged files give worse answers, but no panic and no endless loop.

use std::collections::BTreeMap;

use debuginfo::Image;

use crate::exercise::{ask, ask_frame};
use crate::tools::{KERNEL, Workshop};

/// Numbers that repeat from run to run (Knuth's linear congruential generator).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self, below: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % below
    }
}

/// Damages a file in some places, again and again, and asks everything.
fn survive(good: &[u8], seed: u64, rounds: usize, open: impl Fn(&[u8])) {
    let mut numbers = Numbers(seed);
    for _ in 0..rounds {
        let mut bytes = good.to_vec();
        for _ in 0..=numbers.next(24) {
            let place = numbers.next(bytes.len());
            bytes[place] = match numbers.next(4) {
                0 => 0xff,
                1 => 0,
                2 => bytes[place].wrapping_add(1),
                _ => u8::try_from(numbers.next(256)).unwrap(),
            };
        }
        if numbers.next(16) == 0 {
            let length = numbers.next(bytes.len());
            bytes.truncate(length);
        }
        open(&bytes);
    }
}

#[test]
fn damaged_kernels_are_survived() {
    let shop = Workshop::new();
    for (seed, options) in
        [(1, &["-gdwarf-5"][..]), (2, &["-gdwarf-4"]), (3, &["-g0", "-gbtf"]), (4, &["-gz=zlib"])]
    {
        let good = std::fs::read(shop.kernel("kernel", options)).unwrap();
        survive(&good, seed, 150, |bytes| {
            if let Ok(image) = Image::kernel(bytes, 0) {
                ask(&image, crate::tools::TEXT);
            }
        });
    }
}

#[test]
fn damaged_modules_are_survived() {
    let shop = Workshop::new();
    let sections: BTreeMap<String, u64> =
        [(".text".to_owned(), 0xffff_ffff_c000_0000)].into_iter().collect();
    for (seed, dwarf) in [(5, "-gdwarf-5"), (6, "-gdwarf-4")] {
        let file = shop.compile("code.c", "module.o", &[KERNEL, &[dwarf, "-c"]].concat());
        let good = std::fs::read(file).unwrap();
        survive(&good, seed, 150, |bytes| {
            if let Ok(image) = Image::module(bytes, &sections) {
                ask(&image, 0xffff_ffff_c000_0000);
            }
        });
    }
}

#[test]
fn damaged_call_frame_information_is_survived() {
    let shop = Workshop::new();
    let base = 0xffff_ffff_c000_0000;
    let sections: BTreeMap<String, u64> = [(".text".to_owned(), base)].into_iter().collect();
    // Small enough that most of the damage is to the frames.
    let file = shop.compile("entry.S", "entry.o", &["-c"]);
    survive(&std::fs::read(file).unwrap(), 7, 4000, |bytes| {
        if let Ok(image) = Image::module(bytes, &sections) {
            (base..base + 0x20).for_each(|pc| ask_frame(&image, pc));
        }
    });
}
