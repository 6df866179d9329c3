// SPDX-License-Identifier: MIT OR Apache-2.0
//! Others' tools that read the same dumps and the same debug information: `crash`, drgn,
//! `addr2line`. Their word is what ours is compared with.

pub mod addr2line;
pub mod crash;
pub mod debuginfod;
pub mod drgn;
pub mod schema;
pub mod setup;
