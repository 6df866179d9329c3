// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whatever the stack, the tables and the start hold: a walk ends, within its limit, and goes up.

use crate::machine::{
    BARE, ENTRY, FUNCTION_A, FUNCTION_B, IRQ, Machine, NMI, STACK_BYTES, TASK, TEXT, TEXT_BYTES,
    append_pt_regs, call_entry, regs_entry, section,
};
use proptest::prelude::*;
use unwind::orc::{Bp, Cfa, Kind, OrcEntry, Table, Version};
use unwind::{Register, Registers, StackKind, Stacks, Start, Walk, walk};

/// Words that a confused stack may hold: code, places on any stack, odd ones, anything.
fn word() -> impl Strategy<Value = u64> {
    prop_oneof![
        4 => TEXT..TEXT + TEXT_BYTES,
        2 => TASK..TASK + STACK_BYTES,
        1 => (TASK..TASK + STACK_BYTES).prop_map(|address| address & !7),
        1 => (IRQ..IRQ + STACK_BYTES).prop_map(|address| address & !7),
        1 => (NMI..NMI + STACK_BYTES).prop_map(|address| address & !7),
        1 => prop_oneof![Just(0x10), Just(0x33), Just(0), Just(u64::MAX), Just(1 << 63)],
        1 => any::<u64>(),
    ]
}

fn register() -> impl Strategy<Value = Register> {
    (0..16_u16).prop_filter_map("a register", Register::from_dwarf)
}

fn entry() -> impl Strategy<Value = OrcEntry> {
    let offset = || prop_oneof![0..256_i64, any::<i16>().prop_map(i64::from)];
    let kind = prop_oneof![
        4 => Just(Kind::Call),
        1 => Just(Kind::Regs),
        1 => Just(Kind::RegsPartial),
        1 => Just(Kind::Undefined),
    ];
    let cfa = prop_oneof![
        4 => offset().prop_map(|offset| Cfa::Register { base: Register::Rsp, offset }),
        1 => (register(), offset()).prop_map(|(base, offset)| Cfa::Register { base, offset }),
        1 => (register(), offset(), offset())
            .prop_map(|(base, offset, add)| Cfa::Indirect { base, offset, add }),
    ];
    let bp = prop_oneof![
        Just(Bp::Same),
        offset().prop_map(Bp::AtCfa),
        offset().prop_map(Bp::AtBp),
        Just(Bp::Unknown),
    ];
    (kind, cfa, bp, any::<bool>()).prop_map(|(kind, cfa, bp, signal)| OrcEntry {
        kind,
        cfa,
        bp,
        signal,
    })
}

fn stack_of_words(words: &[u64]) -> test_assembler::Section {
    words.iter().fold(section(), |section, word| section.D64(*word))
}

prop_compose! {
    fn machine()(
        task in prop::collection::vec(word(), 0..400),
        irq in prop::collection::vec(word(), 0..100),
        nmi in prop::collection::vec(word(), 0..100),
        entries in prop::collection::vec(entry(), 0..6),
        code in prop::option::of(prop::collection::vec(any::<u8>(), 0x1000)),
    ) -> Machine {
        let mut machine = Machine::new()
            .with(TASK, stack_of_words(&task))
            .with(IRQ, stack_of_words(&irq))
            .with(NMI, stack_of_words(&nmi));
        for (function, entry) in [FUNCTION_A, FUNCTION_B, ENTRY].into_iter().zip(&entries) {
            machine = machine.orc_entry(function, *entry);
        }
        if let Some(code) = code {
            machine = machine.with(BARE, section().append_bytes(&code));
        }
        machine
    }
}

prop_compose! {
    fn start()(
        rip in word(),
        rsp in word(),
        others in prop::collection::vec(prop::option::of(word()), 16),
    ) -> Registers {
        let mut registers = Registers::at(rip, rsp);
        for (register, value) in Register::ALL.into_iter().zip(others) {
            if register != Register::Rsp {
                registers.set(register, value);
            }
        }
        registers
    }
}

/// On each stack the stack pointer only grows, and no stack comes twice.
fn goes_up(machine: &Machine, walk: &Walk) -> Result<(), TestCaseError> {
    let stack = |sp| machine.stack_of(sp).map(|stack| stack.low);
    let mut left = Vec::new();
    for pair in walk.frames.windows(2) {
        let (inner, outer) = (stack(pair[0].sp), stack(pair[1].sp));
        if inner == outer {
            prop_assert!(pair[1].sp > pair[0].sp, "{:#x} after {:#x}", pair[1].sp, pair[0].sp);
        } else {
            left.push(inner);
            prop_assert!(!left.contains(&outer), "{outer:x?} entered again");
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn walk_ends_and_goes_up(
        machine in machine(), registers in start(), limit in 0..600_usize,
    ) {
        let walk = walk(&machine, &machine, &machine, Start::interrupted(registers), limit);
        prop_assert!(walk.frames.len() <= limit);
        goes_up(&machine, &walk)?;
    }

    #[test]
    fn same_input_gives_the_same_walk(machine in machine(), registers in start()) {
        let again = machine.walk_from(registers.clone());
        prop_assert_eq!(machine.walk_from(registers), again);
    }

    /// A table of any bytes, in any version, answers without a panic; sorting finds an entry
    /// for every address that the table's own entries cover.
    #[test]
    fn table_of_any_bytes_answers(
        ip_address in any::<u64>(),
        ips in prop::collection::vec(any::<[u8; 4]>(), 0..50),
        entry in any::<[u8; 6]>(),
        pc in any::<u64>(),
    ) {
        let entries = entry.repeat(ips.len());
        for version in [Version::V1AddFirst, Version::V1, Version::V2, Version::V3, Version::V4] {
            let bytes = ips.concat();
            let sorted = Table::sorted(ip_address, &bytes, &entries, version).expect("match");
            sorted.lookup(pc);
            let unsorted = Table::unsorted(ip_address, &bytes, &entries, version).expect("match");
            prop_assert_eq!(unsorted.lookup(u64::MAX).is_some(), !ips.is_empty());
        }
    }
}

/// A stack full of return addresses ends at its top.
#[test]
fn recursion_down_to_the_guard_page_ends_at_the_limit_or_the_top() {
    let words = vec![FUNCTION_A + 0x20; 2048];
    let machine = Machine::new()
        .orc_entry(FUNCTION_A, call_entry(8))
        .call_before(FUNCTION_A + 0x20)
        .with(TASK, stack_of_words(&words));
    let start = || Start::interrupted(Registers::at(FUNCTION_A, TASK));
    let to_the_top = walk(&machine, &machine, &machine, start(), usize::MAX);
    assert_eq!(to_the_top.frames.len(), 2049);
    let limited = walk(&machine, &machine, &machine, start(), 1000);
    assert_eq!(limited.frames.len(), 1000);
    let runs = unwind::fold(&limited.frames);
    assert_eq!(runs.last().map(|run| (run.period, run.rounds)), Some((1, 999)));
}

/// Overflow of the task's stack: the double fault stack leads to a stack pointer in the guard
/// page, which is no stack, and from there up into the stack.
#[test]
fn stack_pointer_in_the_guard_page_is_followed() {
    let guard = TASK - 0x10;
    let stack = section().D64(0).D64(0).D64(FUNCTION_B + 0x40).append_repeated(0, 64);
    let nmi = append_pt_regs(section(), FUNCTION_A, 0x10, guard);
    let machine = Machine::new()
        .orc_entry(ENTRY, regs_entry(Kind::Regs))
        .orc_entry(FUNCTION_A, call_entry(0x18))
        .call_before(FUNCTION_B + 0x40)
        .with(guard, stack)
        .with(NMI, nmi);
    let walk = machine.walk_from(Registers::at(ENTRY, NMI));
    let stacks: Vec<_> = walk.frames.iter().map(|frame| frame.stack).collect();
    assert_eq!(stacks[..3], [Some(StackKind::Nmi), None, Some(StackKind::Task)]);
}
