// SPDX-License-Identifier: MIT OR Apache-2.0
//! A crash on the stacks of CentOS 7's 3.10: frame pointers, no tables, no guard pages.

use analyzer::ModuleFiles;
use analyzer::analyze::{Analysis, Inputs, analyze};
use analyzer::context::{crashing, walks};
use analyzer::machine::Machine;
use analyzer::report::CrashKind;
use unwind::Trust;

use crate::cpus::cpus;
use crate::old_tasks::{MARK, old_task, structures};
use crate::world::{World, with_kernel};

const AREA: u64 = 0xffff_ffff_8150_0000;
const TASK: u64 = 0xffff_ffff_8160_0000;
const STACK: u64 = 0xffff_ffff_8180_0000;
const TEXT: u64 = 0xffff_ffff_8100_0000;

/// Return addresses; each function has 0x100 bytes.
const MACHINE_KEXEC: u64 = TEXT + 0x140;
const CRASH_KEXEC: u64 = TEXT + 0x240;
const OOPS_END: u64 = TEXT + 0x340;
const PAGE_FAULT: u64 = TEXT + 0x440;
const VICTIM: u64 = TEXT + 0x540;
const CALLER: u64 = TEXT + 0x640;
const STALE: u64 = TEXT + 0x740;

/// Stack pointer and frame of the code at fault; where its registers were saved.
const SP: u64 = STACK + 0x3c00;
const FRAME: u64 = SP + 0x40;
const REGS: u64 = SP - 168;

fn world() -> World {
    let mut world = World::new();
    cpus(&mut world);
    structures(&mut world);
    let (init, own) = (TASK + 0x1000, TASK);
    for (task, stack, pid, comm) in [(init, STACK + 0x8000, 0, "swapper/0"), (own, STACK, 42, "sh")]
    {
        old_task(&mut world, task, stack, (pid, comm));
        world.put_u64(stack + 104, MARK);
    }
    world.ring(&[init + 64, own + 64]);
    world.symbol("init_task", init);
    world.symbol("current_task", 0x80);
    world.put_u64(AREA + 0x80, own);
    world.symbol("crashing_cpu", TASK + 0x2000);
    world.put_u32(TASK + 0x2000, 0);
    text(&mut world);
    fault(&mut world);
    world
}

fn text(world: &mut World) {
    world.put(TEXT, &[0x90; 0x1000]);
    world.symbol("_stext", TEXT);
    let names = [
        ("machine_kexec", MACHINE_KEXEC),
        ("crash_kexec", CRASH_KEXEC),
        ("oops_end", OOPS_END),
        ("page_fault", PAGE_FAULT),
        ("victim", VICTIM),
        ("caller_of_victim", CALLER),
        ("long_ago", STALE),
    ];
    for (name, inside) in names {
        world.symbol(name, inside - 0x40);
        world.put(inside - 5, &[0xe8, 0, 0, 0, 0]);
    }
    world.symbol("_etext", TEXT + 0x1000);
}

/// The fault of `victim` in its frame, and the exception's frame on the same stack.
fn fault(world: &mut World) {
    world.put_u64(FRAME, STACK + 0x3f00);
    world.put_u64(FRAME + 8, CALLER);
    world.put_u64(STACK + 0x3f00, 0);
    world.registers[4] = FRAME;
    world.registers[16] = VICTIM;
    world.registers[17] = 0x10;
    world.registers[18] = 0x246;
    world.registers[19] = SP;
    world.registers[20] = 0x18;
    for (index, at) in (REGS..SP).step_by(8).enumerate() {
        world.put_u64(at, world.registers[index]);
    }
}

/// Frames from `machine_kexec()` to the exception, each with room for locals that hold stale
/// words; the lowest is at `low`.
fn way_to_kexec(world: &mut World, low: u64) {
    let mut at = low;
    for (returns, next) in
        [(MACHINE_KEXEC, low + 0x60), (CRASH_KEXEC, low + 0xc0), (OOPS_END, low + 0x120)]
    {
        world.put_u64(at, next);
        world.put_u64(at + 8, returns);
        world.put_u64(at + 0x28, STALE);
        at = next;
    }
    // The first function of the exception, called by the entry code.
    world.put_u64(at, FRAME);
    world.put_u64(at + 8, PAGE_FAULT);
    assert_eq!(at + 16, REGS, "the entry code calls with the registers at its stack pointer");
}

/// The dump keeps no page of zeros, so not all of the stack can be read in one piece.
#[test]
fn the_way_to_the_capture_kernel_is_found_by_frame_pointers_beside_a_page_left_out() {
    let mut world = world();
    way_to_kexec(&mut world, REGS - 0x130);
    with_kernel(&world, |kernel| {
        let mut page = [0; 8];
        let read = unwind::Memory::read_bytes(kernel, STACK + 0x1000, &mut page);
        assert_eq!(read, None, "a page of the stack is not in the dump");
        let machine = Machine::new(kernel);
        let found = walks(&machine, &crashing(kernel).expect("registers"));
        let path: Vec<u64> = found.panic.frames.iter().map(|frame| frame.pc.address()).collect();
        assert_eq!(path, [MACHINE_KEXEC, CRASH_KEXEC, OOPS_END, PAGE_FAULT]);
        assert!(found.panic.frames.iter().all(|frame| frame.trust < Trust::Scan));
        let fault: Vec<u64> = found.fault.frames.iter().map(|frame| frame.pc.address()).collect();
        assert_eq!(fault, [VICTIM, CALLER]);
    });
}

/// `machine_kexec()` called code that is no C function and saved no frame pointer: below its return
/// address is a word of no stack.
#[test]
fn the_way_to_the_capture_kernel_begins_with_the_last_c_function() {
    let mut world = world();
    let low = REGS - 0x130;
    way_to_kexec(&mut world, low);
    world.put_u64(low, 0x1234);
    with_kernel(&world, |kernel| {
        let machine = Machine::new(kernel);
        let found = walks(&machine, &crashing(kernel).expect("registers"));
        let path: Vec<u64> = found.panic.frames.iter().map(|frame| frame.pc.address()).collect();
        assert_eq!(path, [MACHINE_KEXEC, CRASH_KEXEC, OOPS_END, PAGE_FAULT]);
        assert!(found.panic.frames.iter().all(|frame| frame.trust < Trust::Scan));
    });
}

struct NoModules;

impl ModuleFiles for NoModules {
    fn module(&self, _name: &str, _: Option<&[u8]>) -> Option<debuginfo::Files<'_>> {
        None
    }
}

fn analyzed(world: &World) -> Analysis {
    let (dump, file) = (world.dump(), world.vmlinux());
    let bytes = dump.as_slice();
    let core = vmcore::Vmcore::open(&bytes).expect("a dump");
    let inputs = Inputs { vmcore: &core, vmlinux: Some((&file).into()), modules: &NoModules };
    analyze(&inputs).expect("a kernel")
}

/// Functions with large frames went over the end and returned; who crashed later is another.
#[test]
fn functions_that_overran_the_stack_and_returned_are_told_by_their_frame_pointers() {
    let mut world = world();
    world.put(STACK + 0x68, &[0; 0x4000 - 0x68]);
    fault(&mut world);
    world.put_u64(STACK + 104, 0x7575_7575_7575_7575);
    let mut at = STACK + 0x300;
    for (returns, size) in [(OOPS_END, 0x400), (STALE, 0x1400), (CALLER, 0x800), (VICTIM, 0x200)] {
        world.put_u64(at, at + size);
        world.put_u64(at + 8, returns);
        at += size;
    }
    let report = analyzed(&world).report;
    let verdict = report.verdict;
    assert_eq!(verdict.kind, CrashKind::StackOverflow);
    assert!(verdict.summary.contains("`long_ago`"), "{}", verdict.summary);
}
