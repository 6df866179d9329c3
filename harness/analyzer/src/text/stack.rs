// SPDX-License-Identifier: MIT OR Apache-2.0
//! The stack of a report, as frames that a diagnosis can look at.

use klog::{Frame as Told, Place, Registers as ToldRegisters};
use unwind::{ExceptionFrame, Frame, Pc, Register, Registers, StopReason, Trust, Walk};

use super::log_report::{Item, Section};
use crate::symbol_name::source_name;

/// Functions that print a stack and come first on it (`lib/dump_stack.c`, `arch/x86/kernel/dumpstack.c`).
const PRINTING: [&str; 5] =
    ["dump_stack", "__dump_stack", "dump_stack_lvl", "show_stack", "show_trace_log_lvl"];

/// Frames that `panic()` is among.
const PANICKING: usize = 6;

/// One function on a stack, with those that a program says were inlined into it.
#[derive(Debug, Clone)]
pub(super) struct TextFrame {
    pub(super) place: Place,
    /// Innermost first.
    pub(super) inlined: Vec<Place>,
    pub(super) trust: Trust,
    /// Whether the code was interrupted; else it called.
    pub(super) is_interrupted: bool,
    /// Whether what is further in ran in an exception or interrupt that came here.
    pub(super) is_behind: bool,
    /// Registers there, where it was interrupted.
    pub(super) registers: Option<ToldRegisters>,
}

/// A stack of the text.
pub(super) struct Stack {
    pub(super) frames: Vec<TextFrame>,
    pub(super) walk: Walk,
}

/// The functions on the stack: where it ran, then the trace. `?` lines only where nothing better is known.
/// `is_fetch`: the processor would fetch no instruction there.
pub(super) fn frames(section: &Section, is_fetch: bool) -> Vec<TextFrame> {
    let mut found: Vec<TextFrame> = Vec::new();
    let mut inlined: Vec<Place> = Vec::new();
    let mut is_behind = false;
    if let Some(place) = &section.rip {
        found.push(TextFrame {
            place: place.clone(),
            inlined: Vec::new(),
            trust: Trust::Exact,
            is_interrupted: true,
            is_behind: false,
            registers: Some(section.registers.clone()),
        });
    }
    let is_bad_call = section.rip.as_ref().is_some_and(|place| place.symbol.is_none() || is_fetch);
    let has_reliable =
        section.items.iter().any(|item| matches!(item, Item::Frame(frame) if frame.reliable));
    let mut is_first = true;
    for item in &section.items {
        match item {
            Item::Interrupted => is_behind = true,
            Item::Rip(place, registers) => {
                // The line repeats what was interrupted where the trace has it as well.
                found.push(TextFrame {
                    place: place.clone(),
                    inlined: std::mem::take(&mut inlined),
                    trust: Trust::Told,
                    is_interrupted: true,
                    is_behind: true,
                    registers: Some((**registers).clone()),
                });
                is_behind = false;
            }
            Item::Frame(frame) if frame.inlined => inlined.push(frame.place.clone()),
            Item::Frame(frame) => {
                let trust = trust(frame, is_bad_call && is_first);
                // The first one may be the caller of a function that has no frame of its own yet.
                let may_be_caller = is_first && found.len() == 1;
                is_first = false;
                if trust == Trust::Scan && has_reliable && !may_be_caller {
                    inlined.clear();
                    continue;
                }
                found.push(TextFrame {
                    place: frame.place.clone(),
                    inlined: std::mem::take(&mut inlined),
                    trust,
                    is_interrupted: false,
                    // What was interrupted comes behind the code of the entry.
                    is_behind: is_behind && !is_entry(frame),
                    registers: None,
                });
                is_behind &= is_entry(frame);
            }
        }
    }
    found
}

/// Whether it is the kernel's code for the entry of an interrupt or exception.
fn is_entry(frame: &Told) -> bool {
    let Some(symbol) = &frame.place.symbol else { return false };
    let name = source_name(&symbol.name);
    ["asm_", "sysvec_", "exc_"].iter().any(|start| name.starts_with(start))
        || ["apic_timer_interrupt", "common_interrupt", "ret_from_intr"].contains(&name)
}

/// How sure a line of a trace is. The first one behind a call to a bad address is the return address of
/// that call, though the kernel could not unwind from there.
fn trust(frame: &Told, is_behind_bad_call: bool) -> Trust {
    match (frame.reliable, is_behind_bad_call) {
        (true, _) => Trust::Told,
        (false, true) => Trust::Call,
        (false, false) => Trust::Scan,
    }
}

/// The frames without those that only print the stack.
pub(super) fn without_printing(mut frames: Vec<TextFrame>) -> Vec<TextFrame> {
    let prints = |frame: &TextFrame| {
        let symbol = frame.place.symbol.as_ref().map(|symbol| source_name(&symbol.name));
        symbol.is_some_and(|name| PRINTING.contains(&name))
    };
    let first = frames.iter().take_while(|frame| prints(frame)).count();
    frames.drain(..first);
    frames
}

/// The frames behind those of `panic()`, which a dump's view of the same crash begins behind, too.
pub(super) fn without_panic(frames: Vec<TextFrame>) -> Vec<TextFrame> {
    let mut frames = without_printing(frames);
    let is_panic = |frame: &TextFrame| {
        let symbol = frame.place.symbol.as_ref().map(|symbol| source_name(&symbol.name));
        symbol.is_some_and(|name| ["panic", "vpanic", "nmi_panic"].contains(&name))
    };
    let last = frames.iter().take(PANICKING).rposition(is_panic);
    frames.drain(..last.map_or(0, |last| last + 1));
    frames
}

/// The walk of those frames; `address` gives each place its address.
pub(super) fn walk(
    user: Option<u64>,
    frames: &[TextFrame],
    mut address: impl FnMut(&Place) -> Option<u64>,
) -> Walk {
    let mut walked = Vec::new();
    for frame in frames {
        let Some(address) = address(&frame.place) else { continue };
        let registers = match &frame.registers {
            Some(told) => registers(told, address),
            None => nothing_but(address),
        };
        let pc = if frame.is_interrupted { Pc::Interrupted(address) } else { Pc::Return(address) };
        walked.push(Frame {
            pc,
            sp: registers.get(Register::Rsp).unwrap_or(0),
            cfa: None,
            registers,
            trust: frame.trust,
            stack: None,
            exception: frame.is_behind.then_some(ExceptionFrame { address: 0, full: false }),
        });
    }
    let user = user.map(|rip| StopReason::User(Box::new(Registers::at(rip, 0))));
    Walk { frames: walked, stop: user.unwrap_or(StopReason::Root) }
}

/// Registers of which only the program counter is known.
fn nothing_but(rip: u64) -> Registers {
    let mut registers = Registers::at(rip, 0);
    registers.set(Register::Rsp, None);
    registers
}

fn registers(told: &ToldRegisters, rip: u64) -> Registers {
    let mut registers = Registers::at(rip, 0);
    for (register, value) in Register::BY_NUMBER.into_iter().zip(told.general) {
        registers.set(register, value);
    }
    registers.flags = told.flags;
    registers
}
