// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the processor was at: its registers, and the code around the fault.

use maud::{Markup, html};

use super::wide;
use crate::run::fault_state::{FaultState, Instruction};
use crate::run::outcome::RunResult;
use guest::shown::visible;

/// Registers and code, folded.
pub(super) fn state(run: &RunResult) -> Option<Markup> {
    let FaultState { registers, code } = run.fault.as_ref()?;
    let width = code.iter().map(|it| place(it).chars().count()).max().unwrap_or(0);
    let instructions = html! { pre { @for it in code { (instruction(it, width)) } } };
    Some(html! {
        details {
            summary { (registers.len()) " registers, " (code.len()) " instructions" }
            @if !code.is_empty() { (wide("code", &instructions)) }
            dl.registers.mono {
                @for register in registers {
                    div { dt { (visible(&register.name)) } dd { (visible(&register.value)) } }
                }
            }
        }
    })
}

/// An instruction; places have a width, so that the code begins in one column.
fn instruction(it: &Instruction, width: usize) -> Markup {
    html! {
        span class=[it.at_fault.then_some("fault")] {
            span.nr { (visible(&it.address)) " " (format!("{:<width$}", place(it))) }
            "  " (visible(&it.text))
        }
    }
}

fn place(it: &Instruction) -> String {
    visible(it.place.as_deref().unwrap_or_default())
}
