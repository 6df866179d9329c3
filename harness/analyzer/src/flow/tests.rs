// SPDX-License-Identifier: MIT OR Apache-2.0
//! Values followed through hand-assembled functions. The bytes are commented with what `objdump`
//! prints for them; the code assembler of the decoder's crate would check the decoder with itself.

use std::collections::BTreeMap;

use iced_x86::Register;

use super::{Code, Correlated, Slicer, Start, Term, TermKind, Words, decided, evaluate};

/// Memory of a few known words.
struct Memory(BTreeMap<u64, u64>);

impl Words for Memory {
    fn word(&self, address: u64, size: u8) -> Option<u64> {
        let mask = if size == 8 { u64::MAX } else { (1 << (u32::from(size) * 8)) - 1 };
        self.0.get(&address).map(|word| word & mask)
    }
    fn per_cpu_base(&self) -> Option<u64> {
        Some(0xffff_8880_0000_0000)
    }
}

const BASE: u64 = 0xffff_ffff_c000_0000;

fn follow(bytes: &[u8], at: u64, register: Register, known: &[(u8, u64)], memory: &Memory) -> Term {
    let code = Code::decode(&[(BASE, bytes)]);
    let mut registers = [None; 16];
    for &(number, value) in known {
        registers[usize::from(number)] = Some(value);
    }
    let start = Start { position: code.at(BASE + at).expect("an instruction"), registers };
    Slicer::new(&code, memory, &|_| false, start).register(register)
}

#[test]
fn a_member_of_a_table_behind_a_global_is_two_loads() {
    // 0: mov rax,[rip+0x100]   7: mov rax,[rax+0x70]   b: call rax
    let bytes = [0x48, 0x8b, 0x05, 0, 1, 0, 0, 0x48, 0x8b, 0x40, 0x70, 0xff, 0xd0];
    let table = 0xffff_ffff_c048_1060;
    let memory = Memory(BTreeMap::from([(BASE + 0x107, table), (table + 0x70, 0)]));
    let term = follow(&bytes, 0xb, Register::RAX, &[(0, 0)], &memory);
    let TermKind::Load { address, size: 8, .. } = &term.kind else { panic!("{term:?}") };
    let TermKind::Sum { base, index: None, offset: 0x70 } = &address.kind else {
        panic!("{address:?}")
    };
    let TermKind::Load { address, .. } = &base.kind else { panic!("{base:?}") };
    assert_eq!(address.kind, TermKind::Constant(BASE + 0x107));
    assert_eq!(evaluate(&term, &memory), Some(0));
    assert_eq!(term.observed, Some(0));
}

#[test]
fn a_parameter_kept_in_a_callee_saved_register_is_observed_there() {
    // 0: push rbx  1: mov rbx,rdi  4: call +0  9: mov rax,[rbx+0x20]  d: mov rcx,[rax+0x8]
    let bytes =
        [0x53, 0x48, 0x89, 0xfb, 0xe8, 0, 0, 0, 0, 0x48, 0x8b, 0x43, 0x20, 0x48, 0x8b, 0x48, 0x08];
    let object = 0xffff_8880_1234_5600;
    let memory = Memory(BTreeMap::from([(object + 0x20, 0)]));
    let term = follow(&bytes, 0xd, Register::RAX, &[(0, 0), (3, object)], &memory);
    let TermKind::Load { address, .. } = &term.kind else { panic!("{term:?}") };
    let TermKind::Sum { base, offset: 0x20, .. } = &address.kind else { panic!("{address:?}") };
    assert_eq!(base.kind, TermKind::Entry(Register::RDI));
    assert_eq!(base.observed, Some(object));
    assert_eq!(evaluate(&term, &memory), Some(0));
}

#[test]
fn a_value_spilled_to_the_stack_is_found_again() {
    // 0: sub rsp,0x18  4: mov [rsp+8],rsi  9: call +0  e: mov rax,[rsp+8]  13: mov rdx,[rax]
    let bytes = [
        0x48, 0x83, 0xec, 0x18, 0x48, 0x89, 0x74, 0x24, 0x08, 0xe8, 0, 0, 0, 0, 0x48, 0x8b, 0x44,
        0x24, 0x08, 0x48, 0x8b, 0x10,
    ];
    let memory = Memory(BTreeMap::from([(0x5008, 0x42)]));
    let term = follow(&bytes, 0x13, Register::RAX, &[(0, 0x42), (4, 0x5000)], &memory);
    assert_eq!(term.kind, TermKind::Entry(Register::RSI));
    assert_eq!(term.observed, Some(0x42));
}

#[test]
fn the_result_of_a_call_is_named_and_other_scratch_registers_are_lost() {
    // 0: call +0x10  5: mov rdx,[rax]
    let bytes = [0xe8, 0x10, 0, 0, 0, 0x48, 0x8b, 0x10];
    let memory = Memory(BTreeMap::new());
    let term = follow(&bytes, 5, Register::RAX, &[(0, 0)], &memory);
    assert_eq!(term.kind, TermKind::Returned { target: Some(BASE + 0x15) });
    let lost = follow(&bytes, 5, Register::RDI, &[], &memory);
    assert!(matches!(lost.kind, TermKind::Unknown(_)), "{lost:?}");
}

#[test]
fn of_two_paths_the_one_that_the_fault_contradicts_is_dropped() {
    // 0: mov rax,[rdi+8]  4: test esi,esi  6: je +4  8: mov rax,[rdi+0x10]  c: mov rdx,[rax]
    let bytes =
        [0x48, 0x8b, 0x47, 0x08, 0x85, 0xf6, 0x74, 0x04, 0x48, 0x8b, 0x47, 0x10, 0x48, 0x8b, 0x10];
    let memory = Memory(BTreeMap::from([(0x1008, 0x77), (0x1010, 0)]));
    let term = follow(&bytes, 0xc, Register::RAX, &[(0, 0), (7, 0x1000)], &memory);
    let TermKind::Load { address, .. } = &term.kind else { panic!("{term:?}") };
    assert!(matches!(address.kind, TermKind::Sum { offset: 0x10, .. }), "{address:?}");
    let either = follow(&bytes, 0xc, Register::RAX, &[(7, 0x1000)], &memory);
    assert!(matches!(either.kind, TermKind::Choice(ref terms) if terms.len() == 2), "{either:?}");
}

#[test]
fn what_two_ways_compute_alike_was_computed_at_either_place() {
    // 0: test esi,esi  2: je +6 (a)  4: mov rax,[rdi+8]  8: jmp +4 (e)  a: mov rax,[rdi+8]
    // e: mov rdx,[rax]
    let bytes = [
        0x85, 0xf6, 0x74, 0x06, 0x48, 0x8b, 0x47, 0x08, 0xeb, 0x04, 0x48, 0x8b, 0x47, 0x08, 0x48,
        0x8b, 0x10,
    ];
    let term = follow(&bytes, 0xe, Register::RAX, &[(7, 0x1000)], &Memory(BTreeMap::new()));
    assert!(matches!(term.kind, TermKind::Load { .. }) && term.has_twin, "{term:?}");
    let one = follow(&bytes, 0x8, Register::RAX, &[(7, 0x1000)], &Memory(BTreeMap::new()));
    assert!(matches!(one.kind, TermKind::Load { .. }) && !one.has_twin, "{one:?}");
}

#[test]
fn a_loop_ends() {
    // 0: mov rax,[rax]  3: test rax,rax  6: jne -8 (to 0)  8: mov rdx,[rax]
    let bytes = [0x48, 0x8b, 0x00, 0x48, 0x85, 0xc0, 0x75, 0xf8, 0x48, 0x8b, 0x10];
    let term = follow(&bytes, 8, Register::RAX, &[(0, 0)], &Memory(BTreeMap::new()));
    assert!(matches!(term.kind, TermKind::Load { .. }), "{term:?}");
}

#[test]
fn per_cpu_memory_is_told_apart() {
    // 0: mov rax,gs:0x1fbc0  9: mov rdx,[rax+0x10]
    let bytes = [0x65, 0x48, 0x8b, 0x04, 0x25, 0xc0, 0xfb, 0x01, 0x00, 0x48, 0x8b, 0x50, 0x10];
    let memory = Memory(BTreeMap::from([(0xffff_8880_0001_fbc0, 0x99)]));
    let term = follow(&bytes, 9, Register::RAX, &[(0, 0x99)], &memory);
    assert_eq!(term.kind, TermKind::PerCpu { offset: 0x1fbc0, size: 8 });
    assert_eq!(evaluate(&term, &memory), Some(0x99));
}

/// A call that does not return is the last instruction of its range, and the cold part of the function lies
/// right behind it, as in a module's memory.
#[test]
fn control_does_not_run_from_one_range_into_the_next() {
    // 0: test edi,edi  2: jne 9  4: call +0 | 9: nop  a: ret
    let bytes = [0x85, 0xff, 0x75, 0x05, 0xe8, 0, 0, 0, 0, 0x90, 0xc3];
    let (hot, cold) = bytes.split_at(9);
    let code = Code::decode(&[(BASE, hot), (BASE + 9, cold)]);
    let at = |offset| code.at(BASE + offset).unwrap();
    assert!(code.successors(at(4)).is_empty(), "the call does not return");
    assert_eq!(code.successors(at(2)), [at(4), at(9)], "the jump goes there");
    assert_eq!(code.predecessors(at(9)), [at(2)]);
}

/// A pointer that is loaded on two ways stays one when a distance is added to it.
#[test]
fn a_distance_does_not_hide_that_a_value_has_two_sources() {
    let mut term = Term::new(TermKind::Entry(Register::RDI), 0);
    term.has_twin = true;
    let TermKind::Sum { base, .. } = term.plus(8).kind else { panic!("no sum") };
    assert!(base.has_twin);
}

/// Behind `call __stack_chk_fail`, the last of one way out, lies what a branch leads to.
#[test]
fn behind_a_call_that_does_not_return_lies_the_code_of_another_way() {
    // 0: test edi,edi  2: jne 9  4: call +0 | 9: nop  a: ret
    let bytes = [0x85, 0xff, 0x75, 0x05, 0xe8, 0, 0, 0, 0, 0x90, 0xc3];
    let code = Code::decode(&[(BASE, &bytes)]);
    let at = |offset| code.at(BASE + offset).unwrap();
    assert_eq!(code.predecessors(at(9)), [at(2), at(4)]);
    let cut = code.clone().without_returns(|target| target == BASE + 9);
    assert_eq!(cut.predecessors(at(9)), [at(2)]);
    let same = code.clone().without_returns(|_| false);
    assert_eq!(same.predecessors(at(9)), [at(2), at(4)]);
}

/// `if (!x) take(); wait(); if (x) give();`, of which the second test goes as the first one did; `change` stands
/// for an instruction of two bytes between them.
fn two_tests(change: [u8; 2]) -> Code {
    // 0: push rbx  1: mov ebx,edi  3: test ebx,ebx  5: jne c  7: call +0  c: (change)  e: call +0
    // 13: test ebx,ebx  15: je 1c  17: call +0  1c: pop rbx  1d: ret
    let mut bytes = vec![0x53, 0x89, 0xfb, 0x85, 0xdb, 0x75, 0x05, 0xe8, 0, 0, 0, 0];
    bytes.extend(change);
    bytes.extend([0xe8, 0, 0, 0, 0, 0x85, 0xdb, 0x74, 0x05, 0xe8, 0, 0, 0, 0, 0x5b, 0xc3]);
    Code::decode(&[(BASE, &bytes)])
}

/// `xchg ax, ax`, which does nothing.
const NOTHING: [u8; 2] = [0x66, 0x90];
/// `mov ebx, eax`.
const CHANGED: [u8; 2] = [0x89, 0xc3];

#[test]
fn tests_of_the_same_value_go_the_same_way() {
    let code = two_tests(NOTHING);
    let at = |offset| code.at(BASE + offset).unwrap();
    let groups = Correlated::all(&code);
    let [group] = groups.as_slice() else { panic!("{groups:?}") };
    // Where the value is 0, the first is not taken and the second is.
    assert_eq!(group.successors(&code, at(0x5), true), [at(0x7)]);
    assert_eq!(group.successors(&code, at(0x15), true), [at(0x1c)]);
    assert_eq!(group.successors(&code, at(0x5), false), [at(0xc)]);
    assert_eq!(group.successors(&code, at(0x15), false), [at(0x17)]);
    assert_eq!(group.successors(&code, at(0x7), false), [at(0xc)], "no branch");
    assert_eq!(Correlated::all(&two_tests(CHANGED)), []);
}

#[test]
fn a_register_that_is_kept_tells_where_the_branches_went() {
    let code = two_tests(NOTHING);
    let at = |offset| code.at(BASE + offset).unwrap();
    let went = |code: &Code, rbx: Option<u64>| {
        let mut registers = [None; 16];
        registers[3] = rbx;
        decided(code, &|_| false, (at(0x1c), &registers))
    };
    // Only the lower half of the register is tested.
    let zero = BTreeMap::from([(at(0x5), at(0x7)), (at(0x15), at(0x1c))]);
    assert_eq!(went(&code, Some(0xffff_ffff_0000_0000)), zero);
    let other = BTreeMap::from([(at(0x5), at(0xc)), (at(0x15), at(0x17))]);
    assert_eq!(went(&code, Some(7)), other);
    assert_eq!(went(&code, None), BTreeMap::new());
    let changed = two_tests(CHANGED);
    assert_eq!(went(&changed, Some(0)), BTreeMap::from([(at(0x15), at(0x1c))]));
}

#[test]
fn a_loops_pointer_that_was_moved_on_is_what_it_is_less_the_steps() {
    // 0: mov rbx,rdi  3: mov rdi,[rbx+8]  7: add rbx,0x10  b: call +0  10: cmp rbx,rbp  13: jne 3
    let bytes = [
        0x48, 0x89, 0xfb, 0x48, 0x8b, 0x7b, 0x08, 0x48, 0x83, 0xc3, 0x10, 0xe8, 0, 0, 0, 0, 0x48,
        0x39, 0xeb, 0x75, 0xee,
    ];
    let memory = Memory(BTreeMap::from([(0x1028, 0x77)]));
    let term = follow(&bytes, 0xb, Register::RDI, &[(3, 0x1030)], &memory);
    let TermKind::Load { address, .. } = &term.kind else { panic!("{term:?}") };
    let TermKind::Sum { base, offset: 8, .. } = &address.kind else { panic!("{address:?}") };
    assert!(matches!(base.kind, TermKind::Walk { .. }), "{base:?}");
    assert_eq!(base.observed, Some(0x1020));
    assert_eq!(evaluate(&term, &memory), Some(0x77));
}

/// `new = array + --cursor`: what the register holds is the member as it is now, and not what it was, less 1.
#[test]
fn a_number_that_is_stored_back_is_what_memory_has() {
    // 0: mov eax,[r13+0x10]  4: sub eax,1  7: mov [r13+0x10],eax  b: lea r14,[rax+rax*2]  f: nop
    let code = [
        0x41, 0x8b, 0x45, 0x10, 0x83, 0xe8, 0x01, 0x41, 0x89, 0x45, 0x10, 0x4c, 0x8d, 0x34, 0x40,
        0x90,
    ];
    let cells = 0xffff_8880_0000_1000_u64;
    let memory = Memory(BTreeMap::from([(cells + 0x10, 0xffff_ffff)]));
    let known = [(13, cells), (14, 0x2_ffff_fffd)];
    let term = follow(&code, 0xf, Register::R14, &known, &memory);
    assert_eq!(evaluate(&term, &memory), Some(0x2_ffff_fffd));
    // Where the store has not been made yet, memory has what was read.
    let memory = Memory(BTreeMap::from([(cells + 0x10, 5)]));
    let term = follow(&code, 7, Register::RAX, &[(13, cells)], &memory);
    assert_eq!(evaluate(&term, &memory), Some(4));
}

/// `slot = ring->next; ring->next = slot + 1; slot->payload`: memory has one more than what was read.
#[test]
fn what_was_read_is_what_memory_has_less_what_was_added_since() {
    // 0: mov rax,[rdi+8]  4: lea rdx,[rax+0x10]  8: mov [rdi+8],rdx  c: mov rax,[rax]  f: nop
    let code = [
        0x48, 0x8b, 0x47, 0x08, 0x48, 0x8d, 0x50, 0x10, 0x48, 0x89, 0x57, 0x08, 0x48, 0x8b, 0x00,
        0x90,
    ];
    let (ring, slot) = (0xffff_8880_0000_1000_u64, 0xffff_8880_0000_2000_u64);
    let memory = Memory(BTreeMap::from([(ring + 8, slot + 0x10), (slot, 7), (slot + 0x10, 8)]));
    let term = follow(&code, 0xf, Register::RAX, &[(7, ring)], &memory);
    assert_eq!(evaluate(&term, &memory), Some(7));
    // Before the store, memory has what was read.
    let memory = Memory(BTreeMap::from([(ring + 8, slot), (slot, 7)]));
    let term = follow(&code, 8, Register::RAX, &[(7, ring)], &memory);
    assert_eq!(evaluate(&term, &memory), Some(slot));
}

/// `job = list->first; list->first = job->next;`: what memory has by now is another one.
#[test]
fn what_was_read_where_something_else_was_stored_since_is_known_by_what_still_holds_it() {
    // 0: mov rax,[rdi]  3: mov rdx,[rax]  6: mov [rdi],rdx  9: mov rcx,[rax+8]  d: nop
    let code = [0x48, 0x8b, 0x07, 0x48, 0x8b, 0x10, 0x48, 0x89, 0x17, 0x48, 0x8b, 0x48, 0x08, 0x90];
    let (list, job, next) =
        (0xffff_8880_0000_1000_u64, 0xffff_8880_0000_2000_u64, 0xffff_8880_0000_3000_u64);
    let memory = Memory(BTreeMap::from([(list, next), (job + 8, 5), (next + 8, 6)]));
    let term = follow(&code, 0xd, Register::RCX, &[(7, list), (0, job)], &memory);
    assert_eq!(evaluate(&term, &memory), Some(5));
    let term = follow(&code, 0xd, Register::RCX, &[(7, list)], &memory);
    assert_eq!(evaluate(&term, &memory), None);
}

/// `sum = job->sum; if (last) release(); *sum`: what was called on the other way may have changed the register.
#[test]
fn a_register_that_another_way_to_the_end_changes_tells_nothing() {
    // 0: mov r12,[rdi+8]  4: test eax,eax  6: je 9  8: nop  9: call +0  e: jmp 8
    let code = [0x4c, 0x8b, 0x67, 0x08, 0x85, 0xc0, 0x74, 0x01, 0x90, 0xe8, 0, 0, 0, 0, 0xeb, 0xf8];
    let memory = Memory(BTreeMap::new());
    let job = |bytes: &[u8]| {
        let known = [(7, 0xffff_8880_0000_1000), (12, 0)];
        let term = follow(bytes, 8, Register::R12, &known, &memory);
        assert_eq!(term.observed, Some(0));
        let TermKind::Load { address, .. } = term.kind else { panic!("{term:?}") };
        let TermKind::Sum { base, .. } = address.kind else { panic!("{address:?}") };
        base.observed
    };
    assert_eq!(job(&code), None);
    // Without the call.
    let mut jumps = code;
    jumps[9..14].fill(0x90);
    assert_eq!(job(&jumps), Some(0xffff_8880_0000_1000));
}
