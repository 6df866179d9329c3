// SPDX-License-Identifier: MIT OR Apache-2.0
//! Fuzzes the debug information of a kernel and of a module. Start from the objects that the tests
//! compile.
#![no_main]

#[path = "../exercise.rs"]
mod exercise;

use std::collections::BTreeMap;

use debuginfo::Image;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Ok(image) = Image::kernel(data, 0) {
        exercise::ask(&image, 0xffff_ffff_8100_0000);
    }
    let sections = BTreeMap::from([(".text".to_owned(), 0xffff_ffff_c000_0000)]);
    if let Ok(image) = Image::module(data, &sections) {
        exercise::ask(&image, 0xffff_ffff_c000_0000);
    }
});
