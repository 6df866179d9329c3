// SPDX-License-Identifier: MIT OR Apache-2.0
//! Fuzzes the whole analysis of a dump without debug information. Start from a small dump, such as
//! the one that the tests of damage write.
#![no_main]

#[path = "../exercise.rs"]
mod exercise;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = exercise::exercise(data, None);
});
