// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the tests across crates share: the program as people run it, live runs that several tests
//! look at, and the peers whose word is compared with ours.

pub mod alone;
pub mod bench;
pub mod by_qemu;
pub mod compare;
pub mod debug_files;
pub mod deviations;
pub mod draw;
pub mod dump;
pub mod formats;
pub mod live;
pub mod lock;
pub mod oops;
pub mod opened;
pub mod peers;
pub mod pipeline;
pub mod project;
pub mod rpm;
pub mod script;
pub mod snapshot;
pub mod source;
pub mod symbols;
pub mod trial;
