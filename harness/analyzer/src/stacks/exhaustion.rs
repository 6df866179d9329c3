// SPDX-License-Identifier: MIT OR Apache-2.0
//! What used up a kernel stack.

use unwind::{Frame, Pc, fold};

use crate::machine::Machine;
use crate::symbol_name::source_name;

/// Of a stack that was used up by recursion, the recursion has at least half.
const SHARE: u64 = 2;

/// What used a stack up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exhaustion {
    /// Functions that called each other over and over, or those with the largest frames.
    pub functions: Vec<String>,
    /// How many frames the recursion has; `None` if large frames used the stack up.
    pub frames: Option<usize>,
}

/// The recursion that used at least half of `bytes` of stack, if one did.
pub(crate) fn recursion(
    machine: &Machine<'_>,
    frames: &[Frame],
    bytes: u64,
) -> Option<(Pc, Exhaustion)> {
    let used = |run: &unwind::Run| {
        let last = frames.get(run.first + run.period * run.rounds - 1);
        last.zip(frames.get(run.first)).map_or(0, |(last, first)| last.sp.saturating_sub(first.sp))
    };
    let runs = fold(frames);
    let longest = runs.iter().filter(|run| run.rounds > 1).max_by_key(|run| used(run))?;
    if used(longest) < bytes / SHARE {
        return None;
    }
    let round = frames.get(longest.first..longest.first + longest.period)?;
    let functions = round.iter().map(|frame| name(machine, frame.pc)).collect();
    let frames = Some(longest.rounds * longest.period);
    Some((round.first()?.pc, Exhaustion { functions, frames }))
}

/// The functions with the largest of `frames`, the innermost first.
pub(crate) fn largest(machine: &Machine<'_>, frames: &[Frame]) -> Option<(Pc, Exhaustion)> {
    let size = |frame: &Frame| frame.cfa.map_or(0, |cfa| cfa.saturating_sub(frame.sp));
    let most = frames.iter().map(size).max()?;
    let mut all = frames.iter().filter(|frame| size(frame) == most);
    let first = all.next()?;
    let mut functions = vec![name(machine, first.pc)];
    for function in all.map(|frame| name(machine, frame.pc)) {
        if !functions.contains(&function) {
            functions.push(function);
        }
    }
    Some((first.pc, Exhaustion { functions, frames: None }))
}

/// Name of the function at `pc`, as in its source.
pub(crate) fn name(machine: &Machine<'_>, pc: Pc) -> String {
    use crate::printer::CodeNames;
    let code = machine.code_name(pc.for_lookup());
    code.map_or_else(|| "?".to_owned(), |code| source_name(&code.symbol).to_owned())
}

impl Exhaustion {
    /// In words; without the number of frames, which another boot changes, if `stable`.
    pub(crate) fn words(&self, stable: bool) -> String {
        let functions = self.functions.join("`, `");
        match self.frames {
            Some(frames) if !stable => {
                format!("stack exhausted by recursion of `{functions}` ({frames} frames in a row)")
            }
            Some(_) => format!("stack exhausted by recursion of `{functions}`"),
            None => format!("stack exhausted by large frames, the largest of `{functions}`"),
        }
    }
}
