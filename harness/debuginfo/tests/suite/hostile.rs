// SPDX-License-Identifier: MIT OR Apache-2.0
//! Damaged files give worse answers, but no panic and no endless loop.

use std::collections::BTreeMap;

use debuginfo::Image;

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

/// Asks everything there is to ask.
fn ask(image: &Image<'_>, base: u64) {
    let _ = image.build_id();
    let _ = image.modinfo("license");
    let _ = image.orc();
    for name in ["layout", "operations", "inner", "declared_only"] {
        let _ = image.find_struct(name);
        let _ = image.size_of(name);
    }
    let layout = image.find_struct("layout").found();
    for path in ["anonymous_short", "bits_wide", "list[3].second", "matrix[1][1]", "callback"] {
        if let Some(field) = image.member("layout", path).found() {
            let _ = image.type_name(Some(field.ty));
            let _ = layout.map(|layout| image.member_at(layout, field.offset));
        }
    }
    let _ = image.enumerator("KIND_BYTE");
    for name in ["table", "counter", "banner"] {
        let _ = image.variable(name).map(|found| image.variable_at(found.address, None));
    }
    for offset in (0..0x300).step_by(23) {
        let pc = base + offset;
        let _ = image.symbol_at(pc);
        let _ = image.source(pc);
        let _ = image.function(pc);
        let _ = image.locals(pc);
        let _ = image.parameter_location(pc, 1);
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
