// SPDX-License-Identifier: MIT OR Apache-2.0
//! `repro review --upgrade` in a repository whose reports were reviewed with an earlier program.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod evidence;
mod facts;
mod repository;
