// SPDX-License-Identifier: MIT OR Apache-2.0
//! `bt -t`, `-T`, `-e`, `-r`: what is on a stack, whoever left it there.

use unwind::{PT_REGS_WORDS, Registers, Stack, Stacks as _};

use super::bt_form::{Backtrace, Line, Row, Saved, empty, named};
use analyzer::machine::Machine;
use analyzer::printer::CodeNames as _;
use analyzer::report::Trust;
use kernel::VirtualMemory as _;
use kernel::tasks::Task;

/// Selectors of x86-64's kernel (`arch/x86/include/asm/segment.h`): code of the kernel, code of
/// user programs of 64 and of 32 bits, and the two stack segments; 0 is what an interrupt leaves.
const KERNEL_CODE: u64 = 0x10;
const USER_CODE: [u64; 2] = [0x33, 0x23];
const STACKS: [u64; 3] = [0x18, 0x2b, 0];
/// Flag that is always set, and those that never are (Intel SDM volume 1, 3.4.3).
const FLAGS_SET: u64 = 2;
const FLAGS_CLEAR: u64 = 1 << 3 | 1 << 5 | 1 << 15 | 0xffff_ffff_ffc0_0000;

fn stack(machine: &Machine<'_>, task: &Task) -> Option<Stack> {
    machine.kernel().task_stack(task).filter(|stack| stack.low != 0)
}

/// Every word of a task's stack that could be a return address.
pub(super) fn returns(machine: &Machine<'_>, task: &Task, whole: bool) -> Backtrace {
    let mut found = empty(task);
    let kernel = machine.kernel();
    let Some(stack) = stack(machine, task) else {
        found.note = Some("its stack is freed".to_owned());
        return found;
    };
    let from = if whole { stack.low } else { top(machine, task, stack) };
    for slot in (from..stack.high).step_by(8) {
        let Ok(value) = kernel.read_u64(slot) else { continue };
        if !kernel.is_text(value) {
            continue;
        }
        let Some(code) = machine.code_name(value.wrapping_sub(1)) else { continue };
        found.frames.push(Line {
            index: found.frames.len(),
            stack: format!("{slot:016x}"),
            address: format!("{value:016x}"),
            function: format!("{}+{}", code.symbol, code.offset + 1),
            symbol: code.symbol,
            arguments: Vec::new(),
            module: code.module,
            trust: Trust::Scan,
            source: Vec::new(),
            exception: None,
            words: Vec::new(),
        });
    }
    found.note = Some("words of the stack, in its order: many of them are stale".to_owned());
    found
}

/// Where the used part of a stack begins.
fn top(machine: &Machine<'_>, task: &Task, stack: Stack) -> u64 {
    let walk = machine.backtrace_of(task).ok();
    let top = walk.and_then(|walked| walked.walk.frames.first().map(|frame| frame.sp));
    let inside = |sp: &u64| machine.kernel().stack_of(*sp).is_some_and(|at| at.low == stack.low);
    top.filter(inside).unwrap_or(stack.low) & !7
}

/// The stack's words, symbols by name.
pub(super) fn raw(machine: &Machine<'_>, task: &Task) -> Backtrace {
    let mut found = empty(task);
    let Some(stack) = stack(machine, task) else {
        found.note = Some("its stack is freed".to_owned());
        return found;
    };
    let kernel = machine.kernel();
    for at in (stack.low..stack.high).step_by(16) {
        let word = |slot: u64| {
            let Ok(value) = kernel.read_u64(slot) else { return "(not in the dump)".to_owned() };
            let name = machine.code_name(value).filter(|_| value >> 63 == 1);
            name.map_or_else(
                || format!("{value:016x}"),
                |name| format!("{}+{}", name.symbol, name.offset),
            )
        };
        let values = vec![word(at), word(at.wrapping_add(8))];
        found.words.push(Row { address: format!("{at:016x}"), values });
    }
    found
}

/// What looks like saved registers, anywhere on the stack.
pub(super) fn exceptions(machine: &Machine<'_>, task: &Task) -> Backtrace {
    let mut found = empty(task);
    let Some(stack) = stack(machine, task) else {
        found.note = Some("its stack is freed".to_owned());
        return found;
    };
    let kernel = machine.kernel();
    let words: Vec<Option<u64>> =
        (stack.low..stack.high).step_by(8).map(|slot| kernel.read_u64(slot).ok()).collect();
    for (index, window) in words.windows(PT_REGS_WORDS).enumerate() {
        let mut saved = [0; PT_REGS_WORDS];
        let whole = saved.iter_mut().zip(window).all(|(to, from)| {
            *to = from.unwrap_or(0);
            from.is_some()
        });
        let Some(mode) = mode(&saved).filter(|_| whole) else { continue };
        let registers = Registers::from_pt_regs(&saved);
        let place = machine.code_name(registers.rip);
        if mode == "KERNEL-MODE" && place.is_none() {
            continue;
        }
        let place = place.map(|name| format!("{}+{}", name.symbol, name.offset));
        found.exceptions.push(Saved {
            address: format!("{:016x}", stack.low.wrapping_add(index as u64 * 8)),
            mode,
            place: place.filter(|_| mode == "KERNEL-MODE").unwrap_or_default(),
            registers: named(&registers),
        });
    }
    if found.exceptions.is_empty() {
        found.note = Some("nothing on its stack looks like saved registers".to_owned());
    }
    found
}

/// Whose registers the words of a `struct pt_regs` could be.
fn mode(words: &[u64; PT_REGS_WORDS]) -> Option<&'static str> {
    let [.., rip, cs, flags, rsp, ss] = *words;
    let flags = flags & FLAGS_CLEAR == 0 && flags & FLAGS_SET != 0;
    if !flags || !STACKS.contains(&ss) {
        return None;
    }
    // With five levels of page tables a user address has up to 56 bits.
    let kernel = |address: u64| address >> 56 == 0xff;
    let user = |address: u64| address >> 56 == 0 && address != 0;
    if cs == KERNEL_CODE && kernel(rip) && kernel(rsp) {
        Some("KERNEL-MODE")
    } else if USER_CODE.contains(&cs) && user(rip) && user(rsp) && ss == 0x2b {
        Some("USER-MODE")
    } else {
        None
    }
}
