// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tests on what the host's compiler makes of the fixtures.
#![expect(clippy::unwrap_used, reason = "helpers of tests: what cannot go on fails the test")]

mod core_layout;
#[path = "../../fuzz/exercise.rs"]
mod exercise;
mod frame_values;
mod frames;
mod functions;
mod hostile;
mod laid;
mod lines;
mod mentions;
mod packed;
mod separate;
mod symbols;
mod tools;
mod types;
mod variables;
