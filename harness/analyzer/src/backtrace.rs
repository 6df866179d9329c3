// SPDX-License-Identifier: MIT OR Apache-2.0
//! Frames with names: functions, inlined functions, files and lines.

use debuginfo::SourceFrame;
use unwind::{Frame as RawFrame, Pc, StopReason, Walk, fold};

use crate::claim::{Addresses, Claim};
use crate::frame_names::FrameNames;
use crate::frame_values::Argument;
use crate::gone::{Gone, TakenFor};
use crate::kernel_header::in_kernel_tree;
use crate::machine::Machine;
use crate::printer::CodeName;
use crate::report::{Frame, Repeats, Trust};
use crate::source_line::SourceLine;

/// One line of a backtrace, its addresses not printed yet.
#[derive(Debug, Clone)]
pub struct Line {
    /// Where the frame is.
    pub pc: Pc,
    /// Symbol of the code.
    pub code: Option<CodeName>,
    /// What code lay there, if it is gone.
    pub gone: Option<Gone>,
    /// Function, file and line; of an inlined one, or of the function that has the code.
    pub source: Option<SourceFrame>,
    /// What stands in that line, where the sources are at hand.
    pub text: Option<String>,
    /// Whether this function was inlined into the next line's.
    pub inlined: bool,
    /// How the frame was found.
    pub trust: Trust,
    /// What lies between this frame and the next.
    pub boundary: Option<Claim>,
    /// Rounds of recursion that were left out after this one.
    pub repeats: Option<Repeats>,
    /// Bytes of stack that the function takes.
    pub stack_bytes: Option<u64>,
    /// Number of the frame in the walk, and inline depth in it.
    pub place: (usize, u32),
    /// What the function was given.
    pub arguments: Vec<Argument>,
}

/// The lines of a walk: the inlined functions of each frame, then the function itself. Recursion
/// is one round, whose last line says how many more there are.
pub fn lines(names: &dyn FrameNames, walk: &Walk) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for run in fold(&walk.frames) {
        for index in run.first..run.first + run.period {
            let Some(frame) = walk.frames.get(index) else { break };
            of_frame(names, (index, frame), &mut lines);
            if let Some(last) = lines.last_mut() {
                last.boundary = boundary(walk, index);
            }
        }
        if let Some(last) = lines.last_mut().filter(|_| run.rounds > 1) {
            let count = |number| u32::try_from(number).unwrap_or(u32::MAX);
            last.repeats =
                Some(Repeats { frames: count(run.period), times: count(run.rounds - 1) });
            // What follows is what follows the last round.
            last.boundary = boundary(walk, run.first + run.period * run.rounds - 1);
        }
    }
    lines
}

/// Adds to each line what its function was given.
pub fn with_arguments(machine: &Machine<'_>, walk: &Walk, lines: &mut [Line]) {
    let mut last = (usize::MAX, Vec::new());
    for line in lines {
        let (index, depth) = line.place;
        if last.0 != index {
            last = (index, machine.arguments(walk, index));
        }
        let here = last.1.iter().filter(|argument| argument.depth == depth);
        line.arguments = here.cloned().collect();
    }
}

fn of_frame(names: &dyn FrameNames, (index, frame): (usize, &RawFrame), lines: &mut Vec<Line>) {
    let pc = frame.pc.for_lookup();
    let image = names.image_at(pc);
    let chain = image.and_then(|image| image.source(pc).found()).unwrap_or_default();
    let code = code_name(names, frame.pc);
    let image = image.filter(|_| code.as_ref().is_some_and(|code| code.module.is_some()));
    let gone = if code.is_none() { names.gone_code(pc) } else { None };
    let line = |source: Option<SourceFrame>, depth: usize| Line {
        pc: frame.pc,
        code: code.clone(),
        gone: gone.clone(),
        inlined: source.as_ref().is_some_and(|source| source.inlined),
        text: source.as_ref().and_then(|it| SourceLine::of_frame(image, it)?.text),
        source,
        trust: trust(frame.trust),
        boundary: None,
        repeats: None,
        stack_bytes: frame.cfa.and_then(|cfa| cfa.checked_sub(frame.sp)),
        place: (index, u32::try_from(depth).unwrap_or(u32::MAX)),
        arguments: Vec::new(),
    };
    if chain.is_empty() {
        lines.push(line(None, 0));
    } else {
        let depths = (0..chain.len()).rev();
        lines
            .extend(chain.into_iter().zip(depths).map(|(source, depth)| line(Some(source), depth)));
    }
}

/// The symbol of a program counter: that of the call, with the distance of the return address
/// (`f+0x30/0x30` for a call that is the last instruction of `f`, as the kernel prints it).
fn code_name(names: &dyn FrameNames, pc: Pc) -> Option<CodeName> {
    let mut name = names.code_name(pc.for_lookup())?;
    name.offset = name.offset.wrapping_add(pc.address().wrapping_sub(pc.for_lookup()));
    Some(name)
}

/// What lies between this frame and the next one.
fn boundary(walk: &Walk, index: usize) -> Option<Claim> {
    let frame = walk.frames.get(index)?;
    let Some(next) = walk.frames.get(index + 1) else { return end(&walk.stop) };
    let stacks = match (frame.stack, next.stack) {
        (Some(from), Some(to)) if from != to => Some(format!("{from}, then {to}")),
        _ => None,
    };
    let words = match (next.exception.is_some(), stacks) {
        (true, Some(stacks)) => format!("exception or interrupt: {stacks}"),
        (true, None) => "exception or interrupt".to_owned(),
        (false, Some(stacks)) => stacks,
        (false, None) => return None,
    };
    Some(Claim::new(None).text(words))
}

fn end(stop: &StopReason) -> Option<Claim> {
    let claim = Claim::new(None);
    match stop {
        StopReason::User(registers) => Some(claim.text("user mode, rip ").data(registers.rip)),
        StopReason::Root => None,
        StopReason::NoMemory { address } => {
            Some(claim.text("the stack cannot be read at ").data(*address))
        }
        StopReason::BadPc { pc } => Some(claim.text("no way on: ").data(*pc).text(" is no code")),
        StopReason::NoProgress { sp } => {
            Some(claim.text("no way on: the stack leads back to ").data(*sp))
        }
        StopReason::NoRule { pc } => {
            Some(claim.text("no way on: nothing tells how to unwind ").code(*pc))
        }
        StopReason::Limit => Some(claim.text("more frames left out")),
    }
}

/// How sure a frame is, as reports say it.
#[must_use]
pub fn trust(trust: unwind::Trust) -> Trust {
    match trust {
        unwind::Trust::Exact => Trust::Exact,
        unwind::Trust::Cfi => Trust::Cfi,
        unwind::Trust::Orc => Trust::Orc,
        unwind::Trust::FramePointer => Trust::FramePointer,
        unwind::Trust::Jumped => Trust::Jumped,
        unwind::Trust::Told => Trust::Told,
        unwind::Trust::Call => Trust::Call,
        unwind::Trust::Scan => Trust::Scan,
    }
}

/// The lines as frames of the report.
///
/// In the stable form the kernel's own code is left without lines and inlined functions, and all code without
/// offsets: an update of the kernel changes all three. A line of a module is named by its text where that is
/// known: what is added above it does not change that.
pub fn frames(lines: &[Line], addresses: &mut dyn Addresses) -> Vec<Frame> {
    let stable = addresses.is_stable();
    let mut frames: Vec<Frame> = Vec::new();
    for line in lines {
        let of_module = line.code.as_ref().is_some_and(|code| code.module.is_some());
        if stable && line.inlined && !of_module {
            continue;
        }
        let detailed = of_module || !stable;
        let index = u32::try_from(frames.len()).unwrap_or(u32::MAX);
        frames.push(frame(line, index, detailed, addresses));
    }
    frames
}

fn gone_code(gone: &Gone) -> String {
    gone.taken_for(TakenFor::Code).to_string()
}

fn frame(line: &Line, index: u32, detailed: bool, addresses: &mut dyn Addresses) -> Frame {
    let stable = addresses.is_stable();
    let code = line.code.as_ref();
    let source = line.source.as_ref();
    let named = source.and_then(|source| source.function.clone());
    let symbol = code.map(|code| code.symbol.clone());
    let sized = code.filter(|_| !stable && !line.inlined);
    let source = source.filter(|_| detailed);
    let text = line.text.as_ref().filter(|_| detailed);
    Frame {
        index,
        address: addresses.field(line.pc.address()),
        function: named.or_else(|| symbol.clone()).or_else(|| line.gone.as_ref().map(gone_code)),
        symbol: symbol.filter(|_| !line.inlined && detailed),
        offset: sized.map(|code| format!("{:#x}", code.offset)),
        size: sized.map(|code| format!("{:#x}", code.size)),
        module: code.and_then(|code| code.module.clone()),
        file: source
            .and_then(|source| source.file.as_deref())
            .map(|it| in_kernel_tree(it).to_owned()),
        line: source.and_then(|source| source.line).filter(|_| !stable || text.is_none()),
        source: text.cloned(),
        inlined: line.inlined,
        trust: line.trust,
        arguments: if detailed {
            line.arguments.iter().map(|argument| argument.text(addresses)).collect()
        } else {
            Vec::new()
        },
        boundary: line.boundary.as_ref().map(|claim| addresses.evidence(claim).claim),
        stack_bytes: line.stack_bytes.filter(|_| !stable && !line.inlined),
        // How deep a stack is differs between boots.
        repeats: line.repeats.map(|repeats| match stable {
            true => Repeats { times: 0, ..repeats },
            false => repeats,
        }),
    }
}
