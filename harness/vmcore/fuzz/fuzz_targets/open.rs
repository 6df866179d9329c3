// SPDX-License-Identifier: MIT OR Apache-2.0
//! Fuzzes opening a dump and reading from it. Start from dumps that `synth` writes, or from
//! small real ones.
#![no_main]

#[path = "../exercise.rs"]
mod exercise;

libfuzzer_sys::fuzz_target!(|data: &[u8]| exercise::exercise(data));
