// SPDX-License-Identifier: MIT OR Apache-2.0
//! Registers of a CPU that another one's panic stopped by an NMI.

use debugger::Output;

use crate::cpus::crashed_with;
use crate::world::{World, answers};

const TEXT: u64 = 0xffff_ffff_8100_0000;
const LOOP: u64 = TEXT + 0x340;
const CALLER: u64 = TEXT + 0x540;
/// The task of CPU 0, whose note the dump has; CPU 1 crashed.
const TASK: u64 = 0xffff_ffff_8160_0000;
const STACK: u64 = 0xffff_ffff_8180_0000;
const SP: u64 = STACK + 0x3e00;

fn world() -> World {
    let mut world = crashed_with(1, 42, &["Kernel panic - not syncing: test"]);
    world.put(TEXT, &[0x90; 0x1000]);
    world.symbol("_stext", TEXT);
    for (name, inside) in [("endless", LOOP), ("caller", CALLER)] {
        world.symbol(name, inside - 0x40);
        world.put(inside - 5, &[0xe8, 0, 0, 0, 0]);
    }
    world.symbol("_etext", TEXT + 0x1000);
    world.put_u64(TASK + 8, STACK);
    world.put(STACK, &[0; 0x4000]);
    world.put_u64(SP, CALLER);
    // Of struct pt_regs: ax, di, ip, sp.
    for (place, value) in [(10, 0xa1), (14, SP + 0x10), (16, LOOP), (19, SP)] {
        world.registers[place] = value;
    }
    world
}

fn said(line: &str) -> String {
    answers(&world(), line).iter().skip(1).map(Output::text).collect()
}

#[test]
fn a_cpu_that_was_stopped_shows_its_registers_before_its_first_frame() {
    let text = said("set -c 0; bt");
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let at = |begin: &str| lines.iter().position(|line| line.starts_with(begin));
    assert_eq!(at("[exception RIP: endless"), Some(1), "{text}");
    assert!(lines[2].starts_with("RIP: ffffffff81000340  RSP: ffffffff81803e00"), "{text}");
    assert!(lines[3].starts_with("RAX: 00000000000000a1"), "{text}");
    assert!(at("#0 [ffffffff81803e00] endless at ffffffff81000340") > Some(3), "{text}");
}

#[test]
fn registers_of_frame_0_have_names() {
    assert!(
        said("set -c 0; p $rip").contains("0xffffffff81000340"),
        "{}",
        said("set -c 0; p $rip")
    );
    assert_eq!(said("set -c 0; p $rax + 1"), "$rax + 1 = 162\n");
    assert!(said("set -c 0; rd $rsp").starts_with("ffffffff81803e00:  ffffffff81000540"));
    assert!(said("set -c 0; rd $sp+8").starts_with("ffffffff81803e08:  0000000000000000"));
    assert!(said("set -c 0; eval $rdi - $rsp").starts_with("hexadecimal: 10\n"));
    assert_eq!(said("set -c 0; rd $nothing"), "rd: `$nothing` is no register\n");
    assert_eq!(said("set -c 0; p $nothing"), "p: `$nothing` is no register\n");
}

#[test]
fn offsets_in_hexadecimal_need_no_other_option() {
    assert!(said("set -c 0; bt -x").contains("] endless+0x40 at "), "{}", said("set -c 0; bt -x"));
    assert!(said("set -c 0; bt -s").contains("] endless+64 at "), "{}", said("set -c 0; bt -s"));
}
