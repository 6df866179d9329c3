// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tests of the readers on dumps from the independent writer.

mod absent;
mod codecs;
mod containers;
mod damage;
mod elf;
#[path = "../../fuzz/exercise.rs"]
mod exercise;
mod foreign;
mod kdump;
mod large;
mod length;
mod mutations;
mod notes;
mod qemu;
mod ram;
mod sample;
mod split;
