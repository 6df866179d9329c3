// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the documents say of the program: commands and options in both languages, the examples, and
//! the files made from its code.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod commands;
mod examples;
mod generated;
mod translations;
