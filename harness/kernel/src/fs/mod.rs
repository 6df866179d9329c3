// SPDX-License-Identifier: MIT OR Apache-2.0
//! Files that processes have open, their paths, and what is mounted where.

pub mod files;
pub mod mounts;
pub mod path;
