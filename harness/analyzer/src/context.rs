// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where the two stacks of a crash begin.
//!
//! The *fault view* begins with the registers of the fault, the *panic path* where the capture
//! kernel was entered. A CPU's note holds one or the other: the oops path hands the fault's
//! registers to the capture kernel, `panic()` its own, and a dump taken from outside (QEMU) the
//! registers of a CPU that had long finished crashing.

use unwind::{
    ExceptionFrame, Frame, Memory, Pc, Register, Registers, Stack, StackKind, Stacks, Start,
    StopReason, Trust, Walk, walk,
};
use vmcore::{CpuNote, PtRegs};

use crate::machine::Machine;
use crate::scene::Scene as _;
use crate::stacks::StackWords;
use kernel::Kernel;

/// Frames that a walk may have. 64 KiB of stack, four times the usual, in frames of 16 bytes:
/// recursion that used its stack up is walked to its start.
pub(crate) const FRAME_LIMIT: usize = 4096;
/// Bytes of stack that a function on the way to the capture kernel has at most.
const NEAR: u64 = 1 << 10;
/// Functions on the way to the capture kernel that capture their own registers
/// (`crash_setup_regs()` is inlined into `__crash_kexec()`; before 4.7 into `crash_kexec()`).
const CRASH_PATH: [&str; 7] = [
    "machine_kexec",
    "__crash_kexec",
    "crash_kexec",
    "panic",
    "vpanic",
    "nmi_panic",
    "native_machine_crash_shutdown",
];

/// The registers of the crashing CPU.
#[derive(Debug, Clone, Copy)]
pub struct Crashing {
    registers: PtRegs,
    /// Whether they are from when QEMU took the dump, not from when the kernel crashed.
    from_outside: bool,
}

/// The two walks of the crashing CPU.
#[derive(Debug, Clone)]
pub struct Walks {
    /// From the registers of the fault, or from the caller of `panic()`.
    pub fault: Walk,
    /// From where the capture kernel was entered to the exception that led there.
    pub panic: Walk,
    /// Where the fault's registers lie on the stack, if the panic path ends there; else it goes on
    /// through the fault.
    pub entry: Option<ExceptionFrame>,
    /// What the fault view begins with.
    pub begins: Begins,
}

/// What a fault view begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begins {
    /// The registers of an exception.
    Fault,
    /// The caller of `panic()`.
    Panic,
    /// The stack of a report that did not end the kernel, or not there: of a text.
    Report,
}

impl Walks {
    /// Both in one: the way to the capture kernel, then the fault.
    pub(crate) fn joined(self) -> Walk {
        let Self { mut panic, mut fault, entry, .. } = self;
        if entry.is_none() && !panic.frames.is_empty() {
            // The panic path was walked through to its end.
            return panic;
        }
        if let Some(first) = fault.frames.first_mut() {
            first.exception = entry;
        }
        panic.frames.append(&mut fault.frames);
        Walk { frames: panic.frames, stop: fault.stop }
    }
}

/// Walks both stacks of the crashing CPU.
pub fn walks(machine: &Machine<'_>, crashing: &Crashing) -> Walks {
    let registers = registers(&crashing.registers);
    let from_note = machine.walk(Start::interrupted(registers.clone()));
    let after_the_fact = crashing.from_outside || machine.is_in(registers.rip, &CRASH_PATH);
    if !after_the_fact {
        let (panic, entry) = panic_path(machine, &registers).unwrap_or_else(none);
        return Walks { fault: from_note, panic, entry, begins: Begins::Fault };
    }
    let exception = from_note.frames.iter().position(|frame| frame.exception.is_some());
    let panicked = from_note
        .frames
        .iter()
        .rposition(|frame| machine.is_in(frame.pc.for_lookup(), &CRASH_PATH))
        .map_or(0, |position| position + 1);
    // An exception further out than `panic()` is where the panicking code ran in, an interrupt
    // say; one further in is the fault.
    let (start, is_fault) = match exception {
        Some(exception) if exception < panicked || panicked == 0 => (exception, true),
        _ if crashing.from_outside && exception.is_some() => (exception.unwrap_or(0), true),
        _ => (panicked, false),
    };
    let fault = Walk {
        frames: from_note.frames.get(start..).unwrap_or_default().to_vec(),
        stop: from_note.stop.clone(),
    };
    let begins = if is_fault { Begins::Fault } else { Begins::Panic };
    Walks { fault, panic: from_note, entry: None, begins }
}

fn none() -> (Walk, Option<ExceptionFrame>) {
    (Walk { frames: Vec::new(), stop: StopReason::Root }, None)
}

/// The note's registers for the unwinder.
pub fn registers(note: &PtRegs) -> Registers {
    Registers::from_pt_regs(&[
        note.r15,
        note.r14,
        note.r13,
        note.r12,
        note.bp,
        note.bx,
        note.r11,
        note.r10,
        note.r9,
        note.r8,
        note.ax,
        note.cx,
        note.dx,
        note.si,
        note.di,
        note.orig_ax,
        note.ip,
        note.cs,
        note.flags,
        note.sp,
        note.ss,
    ])
}

/// The registers of the crashing CPU, if anything tells them.
pub fn crashing(kernel: &Kernel<'_>) -> Option<Crashing> {
    let note = crashing_note(kernel);
    // A dump without notes is from outside too: raw RAM, say.
    if note.is_none_or(|note| note.qemu.is_some())
        && let Some(cpu) = kernel.crash().cpu
        && let Ok(Some(registers)) = kernel.saved_registers(cpu)
    {
        return Some(Crashing { registers, from_outside: false });
    }
    let note = note?;
    Some(Crashing { registers: note.registers, from_outside: note.qemu.is_some() })
}

/// The note of the crashing CPU: by the pid of its task where that is unmistakable, else by its
/// place among the CPUs online (offline CPUs have no note).
fn crashing_note<'k>(kernel: &'k Kernel<'_>) -> Option<&'k CpuNote> {
    let notes = kernel.vmcore().cpus();
    let crash = kernel.crash();
    if let Some(task) = crash.task.as_ref().filter(|task| task.pid != 0) {
        let mut same = notes
            .iter()
            // QEMU does not know pids and writes numbers of its own there.
            .filter(|note| note.qemu.is_none() && note.pid == task.pid);
        if let (Some(note), None) = (same.next(), same.next()) {
            return Some(note);
        }
    }
    let cpu = crash.cpu?;
    let online = kernel.online_cpus().unwrap_or_default();
    let position = online.iter().position(|&online| online == cpu);
    let position = position.filter(|_| online.len() == notes.len());
    let position = position.or_else(|| usize::try_from(cpu).ok())?;
    notes.get(position)
}

/// Finds the way from the fault to the capture kernel on the fault's own stack.
///
/// The words below the fault's stack pointer are searched, deepest first, for a return address
/// into one of the functions on that way. What lies there may be stale, so a candidate counts
/// only if unwinding from it by the tables arrives exactly at the registers of the fault. One that
/// arrives there by a scan only is taken if there is no other.
fn panic_path(machine: &Machine<'_>, fault: &Registers) -> Option<(Walk, Option<ExceptionFrame>)> {
    let top = fault.get(Register::Rsp)?;
    let (stack, end) = crash_stack(machine, top)?;
    let mut guess = None;
    for (slot, address) in StackWords::new(machine.kernel(), stack.low, end) {
        let pc = Pc::Return(address);
        if !machine.is_in(pc.for_lookup(), &CRASH_PATH) {
            continue;
        }
        for registers in candidates(machine, slot, address, end) {
            let Some((walk, entry)) = arrives(machine, Start { pc, registers }, fault, top) else {
                continue;
            };
            if walk.frames.iter().all(|frame| frame.trust < Trust::Scan) {
                return Some((walk, entry));
            }
            guess.get_or_insert((walk, entry));
        }
    }
    guess
}

/// What may have been in the registers where the call of `slot` returns to: nothing but the stack
/// pointer, or the frame pointer too.
///
/// A function with a frame pointer first saves its caller's, right below the return address. On a
/// kernel of frame pointers (3.10) the tables need it: the frame of `machine_kexec()` is described
/// by rbp, and without it only a scan would go on, over words that are stale. What it called last is no
/// C function and saved none; then its frame is right below the return address into its caller.
fn candidates(
    machine: &Machine<'_>,
    slot: u64,
    address: u64,
    end: u64,
) -> impl Iterator<Item = Registers> {
    let bare = Registers::at(address, slot.wrapping_add(8));
    let saved = slot.checked_sub(8).and_then(|below| machine.kernel().read_u64(below));
    let is_frame = |bp: &u64| *bp > slot && *bp < end && bp.is_multiple_of(8);
    let callers =
        StackWords::new(machine.kernel(), slot.wrapping_add(8), end.min(slot.saturating_add(NEAR)));
    let is_path =
        |(_, address): &(u64, u64)| machine.is_in(Pc::Return(*address).for_lookup(), &CRASH_PATH);
    let below_caller = callers.into_iter().find(is_path).map(|(slot, _)| slot.wrapping_sub(8));
    let framed = saved.filter(is_frame).into_iter().chain(below_caller).map({
        let bare = bare.clone();
        move |bp| {
            let mut registers = bare.clone();
            registers.set(Register::Rbp, Some(bp));
            registers
        }
    });
    std::iter::once(bare).chain(framed)
}

/// The walk from `start` up to the fault, if it arrives there.
fn arrives(
    machine: &Machine<'_>,
    start: Start,
    fault: &Registers,
    top: u64,
) -> Option<(Walk, Option<ExceptionFrame>)> {
    let found = machine.walk(start);
    let at_fault = |frame: &Frame| {
        frame.exception.is_some()
            && frame.registers.rip == fault.rip
            && frame.registers.get(Register::Rsp) == Some(top)
    };
    let position = found.frames.iter().position(at_fault)?;
    let entry = found.frames.get(position)?.exception;
    Some((confirmed(found, position), entry))
}

/// The stack that the way to the capture kernel lies on, and where the search on it ends: the
/// fault's own, or if that was used up, the one for double faults.
fn crash_stack(machine: &Machine<'_>, top: u64) -> Option<(Stack, u64)> {
    if let Some(own) = machine.kernel().stack_of(top) {
        return Some((own, top));
    }
    let stacks = machine.kernel().cpu_stacks(machine.kernel().crash().cpu?);
    let other = stacks.into_iter().find(|stack| stack.kind == StackKind::DoubleFault)?;
    Some((other, other.high))
}

/// The way up to the fault, which has a view of its own. Its first frame was found by a search,
/// but the walk from there confirmed it.
fn confirmed(mut walk: Walk, fault: usize) -> Walk {
    walk.frames.truncate(fault);
    let weakest = walk.frames.iter().skip(1).map(|frame| frame.trust).max();
    if let Some(first) = walk.frames.first_mut() {
        first.trust = weakest.unwrap_or(Trust::Scan);
    }
    walk.stop = StopReason::Root;
    walk
}

impl Machine<'_> {
    /// Walks a stack of the CPU that crashed.
    pub fn walk(&self, start: Start) -> Walk {
        if let Some(task) = &self.kernel().crash().task {
            return self.walk_task(start, task);
        }
        walk(self.kernel(), self, self.kernel(), start, FRAME_LIMIT)
    }
}
