// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reproduces a kernel crash in QEMU, collects the vmcore and says why it crashed.

mod alternatives;
pub mod analysis;
pub mod capture;
pub mod case;
pub mod cli;
pub mod compose;
pub mod config;
mod crash_folder;
mod debug_files;
mod dump;
pub mod error;
pub mod events;
pub mod exit;
pub mod foreign;
pub mod group;
pub mod host;
pub mod initramfs;
mod input;
pub mod interrupt;
mod json;
pub mod map;
pub mod module_disk;
mod opened;
mod packed;
pub mod recording;
pub mod report;
pub mod review;
pub mod run;
pub mod score;
pub mod snapshot;
mod symbols;
mod terms;
mod text;
pub mod units;
pub mod vm;
