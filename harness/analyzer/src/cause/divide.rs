// SPDX-License-Identifier: MIT OR Apache-2.0
//! A division by zero.

use unwind::Frame;

use crate::diagnosis::{Diagnosis, Division, What};
use crate::fault::divisor;
use crate::scene::Scene;

/// Diagnoses the division of the innermost frame.
pub(super) fn diagnose(machine: &dyn Scene, frames: &[Frame]) -> Diagnosis {
    divisor(machine, frames).unwrap_or_else(|| {
        let pc = frames.first().map(|frame| frame.pc);
        let what = What::Division(Division { divisor: None, expression: None });
        Diagnosis { pc, ..Diagnosis::new(what) }
    })
}
