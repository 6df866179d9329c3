// SPDX-License-Identifier: MIT OR Apache-2.0
//! A division by zero.

use unwind::Frame;

use crate::fault::{Diagnosis, Says, divisor};
use crate::machine::Machine;
use crate::report::CrashKind;

/// Diagnoses the division of the innermost frame.
pub(super) fn diagnose(machine: &Machine<'_>, frames: &[Frame]) -> Diagnosis {
    let mut diagnosis = divisor(machine, frames).unwrap_or_else(|| Diagnosis {
        pc: frames.first().map(|frame| frame.pc),
        ..Diagnosis::new(CrashKind::DivideError)
    });
    diagnosis.says = Some(match &diagnosis.expression {
        Some(e) if diagnosis.address == Some(0) => {
            Says::new(format!("division by {e}, which is 0"), format!("`{e}` is 0: divided by"))
        }
        Some(e) => Says::new(
            format!("division by {e} overflowed"),
            format!("the quotient of a division by `{e}` does not fit"),
        ),
        None => Says::new("divide error", "division by zero or with a quotient that does not fit"),
    });
    diagnosis
}
