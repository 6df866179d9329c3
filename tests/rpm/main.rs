// SPDX-License-Identifier: MIT OR Apache-2.0
//! Guests from RPM repositories: packages made by RPM's own programs, signed by GnuPG, served on
//! loopback; what must be refused, and the whole path to a proven verdict.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod brought;
mod distribution;
mod hostile;
mod imported;
mod refused;
mod whole;
mod world;
