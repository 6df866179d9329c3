// SPDX-License-Identifier: MIT OR Apache-2.0
//! A pointer of which the code itself knows that it is NULL, since it comes there only where a test found that.
//!
//! Example: of `if (!mode) *mode = 0400;` a compiler makes a store to address 0, and of `if (!sock)
//! shutdown(sock);` a call with the number 0. The name is in the test.

use iced_x86::{FlowControl, Instruction, Mnemonic, OpKind, Register};
use unwind::Frame;

use super::caller::with_callers;
use super::check::reachable;
use super::naming::named;
use crate::claim::Claim;
use crate::diagnosis::{Diagnosis, Grounds, Test};
use crate::express::{Expression, Writer};
use crate::flow::{Code, Slicer, Start, Term, TermKind, evaluate};
use crate::link::waits_in;
use crate::scene::Scene;

/// Instructions that are gone back.
const MOST: usize = 64;

/// A pointer that was tested.
struct Tested {
    /// As C.
    expression: Expression,
    /// An address in the test.
    pc: u64,
    /// Whether each way tests it, and the dump's memory still has NULL, as far as it tells.
    is_certain: bool,
}

/// Says in the diagnosis which pointer is NULL where the code of the innermost frame accesses a number.
pub(super) fn accessed(
    scene: &dyn Scene,
    frames: &[Frame],
    address: u64,
    diagnosis: &mut Diagnosis,
) {
    let Some(frame) = frames.first() else { return };
    let pc = frame.pc.for_lookup();
    let Some(code) = scene.function_code(pc) else { return };
    let Some(position) = code.at(pc) else { return };
    let fits = |reach: &Reach| reach.bytes.is_some_and(|bytes| address < bytes);
    if let Some(tested) = search(scene, frames, (&code, position), &fits) {
        say(scene, tested, diagnosis);
    }
}

/// Says in the diagnosis which pointer is NULL where the code that `frames[0]` is in passed the number 0 on: `term` is
/// what became of that in the functions that it called.
pub(super) fn passed(scene: &dyn Scene, frames: &[Frame], term: &Term, diagnosis: &mut Diagnosis) {
    let Some(frame) = frames.first() else { return };
    let Some((callee, register)) = given_zero(term, frame.pc.for_lookup()) else { return };
    let Some(site) = waits_in(scene, frame) else { return };
    let parameter = Writer::number_of(register);
    let tag = parameter.and_then(|it| Writer::new(scene, callee).pointee_of_parameter(it));
    let Some(tag) = tag else { return };
    let fits = |reach: &Reach| reach.tag.as_ref() == Some(&tag);
    if let Some(tested) = search(scene, frames, (&site.code, site.position), &fits) {
        say(scene, tested, diagnosis);
    }
}

/// The function that was given the number 0 by the code at `caller`, as an address inside of it, and the register.
fn given_zero(term: &Term, caller: u64) -> Option<(u64, Register)> {
    let TermKind::Argument { pc, register, term } = &term.kind else { return None };
    let TermKind::Caller { pc: by, term } = &term.kind else { return None };
    match term.kind {
        TermKind::Constant(0) if *by == caller => Some((*pc, *register)),
        _ => given_zero(term, caller),
    }
}

fn say(scene: &dyn Scene, tested: Tested, diagnosis: &mut Diagnosis) {
    let Tested { expression, pc, is_certain } = tested;
    let words = match is_certain {
        true => format!("the code comes here only where `{expression}` is NULL"),
        false => format!("the code comes here where `{expression}` is NULL"),
    };
    let claim = Claim::new(Some(true)).text(words);
    diagnosis.evidence.push(match scene.source_line(pc) {
        Some(line) => claim.text(": it is tested").at(Some(&line)),
        None => claim,
    });
    diagnosis.unknown = None;
    diagnosis.grounds = match (is_certain, diagnosis.grounds) {
        (true, Grounds::None) => Grounds::Shown,
        (true, known) => known,
        (false, _) => Grounds::Inferred,
    };
    if let Some(pointer) = diagnosis.pointer_mut() {
        pointer.expression = Some(expression);
        pointer.tested = Some(Test { pc, is_certain });
    }
}

/// What a pointer that was tested leads to.
struct Reach {
    /// Its bytes.
    bytes: Option<u64>,
    /// The structure's tag.
    tag: Option<String>,
}

/// A search for the nearest test, on all ways that lead to a place, that found a fitting pointer to be NULL.
struct Search<'s> {
    scene: &'s dyn Scene,
    frames: &'s [Frame],
    code: &'s Code,
    /// Which instructions control comes to: what fills the gap behind a return leads on only on paper.
    reached: Vec<bool>,
    fits: &'s dyn Fn(&Reach) -> bool,
    /// Instructions that may still be gone back over.
    left: usize,
}

/// Structures by which others are linked: who follows them tests cursors, which are no pointers of the source.
const LINKS: [&str; 5] = ["list_head", "hlist_node", "hlist_nulls_node", "llist_node", "rb_node"];

impl Search<'_> {
    /// The nearest one; another pointer that fits, too, and was tested before, may be it as well.
    fn nearest(&mut self, position: usize) -> Option<Tested> {
        let found = self.before(position)?;
        let at = self.code.at(found.pc)?;
        let mut other = self.before(at);
        while let Some(next) = other {
            if next.expression != found.expression {
                return Some(Tested { is_certain: false, ..found });
            }
            other = self.code.at(next.pc).and_then(|at| self.before(at));
        }
        Some(found)
    }

    /// Whether what a pointer leads to may be it.
    fn is_fitting(&self, reach: &Reach) -> bool {
        let is_link = reach.tag.as_ref().is_some_and(|tag| LINKS.contains(&tag.as_str()));
        !is_link && (self.fits)(reach)
    }

    /// The test before the position: the same pointer on each way.
    fn before(&mut self, mut at: usize) -> Option<Tested> {
        loop {
            self.left = self.left.checked_sub(1)?;
            let ways = self.code.predecessors(at).iter().copied();
            let is_reached = |at: &usize| self.reached.get(*at).copied().unwrap_or_default();
            let ways: Vec<usize> = ways.filter(is_reached).collect();
            let &[only] = ways.as_slice() else { return self.on_all(&ways, at) };
            if let Some(found) = self.between(only, at) {
                return Some(found);
            }
            at = only;
        }
    }

    /// The same pointer on each way that tests one; on another it may be NULL without a test.
    fn on_all(&mut self, ways: &[usize], to: usize) -> Option<Tested> {
        let mut same: Option<Tested> = None;
        let mut is_certain = true;
        for &way in ways {
            let found = self.between(way, to).or_else(|| self.before(way));
            let Some(found) = found else {
                is_certain = false;
                continue;
            };
            same = match same {
                Some(known) if known.expression != found.expression => return None,
                Some(known) => {
                    Some(Tested { is_certain: known.is_certain && found.is_certain, ..known })
                }
                None => Some(found),
            };
        }
        same.map(|it| Tested { is_certain: it.is_certain && is_certain, ..it })
    }

    /// What the jump at a position found to be NULL, where it goes to `to`.
    fn between(&self, jump: usize, to: usize) -> Option<Tested> {
        self.of(null_test(self.code, jump, to)?)
    }

    /// What is compared at the position, where it has a name and fits.
    fn of(&self, position: usize) -> Option<Tested> {
        let (scene, instruction) = (self.scene, self.code.instruction(position));
        let pc = instruction.ip();
        let keeps = |target| scene.keeps_registers(target);
        // What the registers hold by now is another matter.
        let start = Start { position, registers: [None; 16] };
        let term = Slicer::new(self.code, scene, &keeps, start).operand(0)?;
        let term = with_callers(scene, self.frames, 0, term);
        let is_certain = evaluate(&term, scene).is_none_or(|value| value == 0);
        let writer = Writer::new(scene, pc);
        let register = instruction.op0_register();
        // The variable is what the source tests.
        if let Some((name, bytes, tag)) = writer.pointer_in(register) {
            let fits = self.is_fitting(&Reach { bytes, tag });
            return fits.then(|| Tested { expression: Expression::name(name), pc, is_certain });
        }
        let term = named(scene, self.frames, pc, &term);
        let tag = writer.pointee(&term).map(|structure| structure.tag);
        let reach = Reach { bytes: writer.reach(&term), tag };
        let expression = writer.expression(&term).ok().filter(|_| self.is_fitting(&reach));
        let expression = expression.filter(|c| !c.has_distance() && !c.is_number());
        Some(Tested { expression: expression?, pc, is_certain })
    }
}

fn search(
    scene: &dyn Scene,
    frames: &[Frame],
    (code, position): (&Code, usize),
    fits: &dyn Fn(&Reach) -> bool,
) -> Option<Tested> {
    let reached = reachable(code);
    Search { scene, frames, code, reached, fits, left: MOST }.nearest(position)
}

/// The position of the comparison with NULL that the jump at a position decides by, where control goes to `to` if
/// they are equal, and only then.
fn null_test(code: &Code, jump: usize, to: usize) -> Option<usize> {
    let instruction = code.instruction(jump);
    if instruction.flow_control() != FlowControl::ConditionalBranch {
        return None;
    }
    let (target, next) =
        (code.at(instruction.near_branch_target()), code.at(instruction.next_ip()));
    let wanted = match instruction.mnemonic() {
        Mnemonic::Je => target,
        Mnemonic::Jne => next,
        _ => return None,
    };
    let &[compare] = code.predecessors(jump) else { return None };
    let is_one_way = target != next && wanted == Some(to);
    (is_one_way && is_with_null(code.instruction(compare))).then_some(compare)
}

/// Whether the instruction compares eight bytes with 0.
fn is_with_null(instruction: &Instruction) -> bool {
    let is_zero = || instruction.try_immediate(1).is_ok_and(|number| number == 0);
    match (instruction.mnemonic(), instruction.op0_kind(), instruction.op1_kind()) {
        (Mnemonic::Test, OpKind::Register, OpKind::Register) => {
            let register = instruction.op0_register();
            register.is_gpr64() && register == instruction.op1_register()
        }
        (Mnemonic::Cmp, OpKind::Register, _) => instruction.op0_register().is_gpr64() && is_zero(),
        (Mnemonic::Cmp, OpKind::Memory, _) => instruction.memory_size().size() == 8 && is_zero(),
        _ => false,
    }
}
