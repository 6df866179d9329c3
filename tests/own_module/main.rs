// SPDX-License-Identifier: MIT OR Apache-2.0
//! A team with a module of its own: a folder outside of this project, the installed program, and
//! nothing else. Real guests, captured fast from snapshots: some seconds a run.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod hostile;
mod kinds;
mod kvm;
mod newcomer;
mod others;
mod pipelines;
mod repository;
mod since_when;
mod updated;
