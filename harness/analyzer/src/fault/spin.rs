// SPDX-License-Identifier: MIT OR Apache-2.0
//! The instruction that a busy wait waits with.

use std::collections::BTreeSet;

use iced_x86::Mnemonic;
use unwind::Pc;

use crate::flow::Code;
use crate::scene::Scene;

/// The `pause` of the loop that the program counter is in; `None` if it is in no loop that has
/// one. `cpu_relax()` is such an instruction, and the line of it is where the code waits.
pub(crate) fn busy_wait(scene: &dyn Scene, pc: Pc) -> Option<Pc> {
    let address = pc.for_lookup();
    let code = scene.function_code(address)?;
    let position = code.at(address)?;
    let circle = circle(&code, position);
    let pauses =
        circle.into_iter().filter(|&at| code.instruction(at).mnemonic() == Mnemonic::Pause);
    let nearest = pauses.min_by_key(|&at| at.abs_diff(position))?;
    Some(Pc::Interrupted(code.instruction(nearest).ip()))
}

/// Positions from which control comes back to them by way of this one.
fn circle(code: &Code, position: usize) -> BTreeSet<usize> {
    let after = reached(position, |at| code.successors(at));
    let before = reached(position, |at| code.predecessors(at).to_vec());
    after.intersection(&before).copied().collect()
}

fn reached(start: usize, next: impl Fn(usize) -> Vec<usize>) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    let mut pending = vec![start];
    while let Some(at) = pending.pop() {
        pending.extend(next(at).into_iter().filter(|at| found.insert(*at)));
    }
    found
}
