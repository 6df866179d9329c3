// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which of a kind a lock is: all objects of a structure have the same lock at the same place.

use iced_x86::{InstructionInfoFactory, Mnemonic, OpKind, Register};

use crate::express::{Kept, PointerVariable, Whole, Writer};
use crate::flow::{Code, Slicer, Start, Term, TermKind, copied, full, is_call, number, written};
use crate::scene::Scene;

/// Instructions before a call that may make the address that it gets.
const NEAR: usize = 12;

/// Where in which structure a lock lies.
#[derive(Debug, Clone)]
pub(super) struct LockClass {
    /// Tag of the structure.
    tag: String,
    /// Distance from its start, in bytes.
    offset: u64,
    /// Whether it is one of an array's.
    element: bool,
}

impl LockClass {
    /// Whether the structure is an element of an array, which one is not known.
    pub(super) const fn is_of_element(&self) -> bool {
        self.element
    }

    /// Whether both are the same member of one structure.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        self.tag == other.tag && self.offset == other.offset
    }

    /// Whether both are members of one structure, and not the same.
    pub(super) fn is_beside(&self, other: &Self) -> bool {
        self.tag == other.tag && self.offset != other.offset
    }
}

/// The class of the lock that a pointer leads to, whose structure's tag is known; `None` where types do not tell. Structures of the kernel's
/// own tell nothing: all wait queues, and all of what has one, have a lock at the same place.
pub(super) fn lock_class(
    writer: &Writer<'_>,
    pointer: &Term,
    tag: Option<&str>,
) -> Option<LockClass> {
    match &pointer.kind {
        TermKind::Caller { pc, term } => lock_class(&writer.at(*pc), term, tag),
        TermKind::Argument { term, .. } => lock_class(writer, term, tag),
        _ => {
            let (structure, offset) = writer.holder(pointer, tag)?;
            let element = matches!(&pointer.kind, TermKind::Sum { index: Some(_), .. });
            Some(LockClass { tag: structure.tag, offset, element })
        }
    }
}

/// The class of the lock that the call at a position is given, by the variable that the address is made from.
///
/// Example: `table = get_table(db, protocol)`, which is one of several: whichever it is, the lock is a `bib_table`'s.
pub(super) fn class_by_variable(scene: &dyn Scene, code: &Code, call: usize) -> Option<LockClass> {
    let mut factory = InstructionInfoFactory::new();
    let (mut at, mut register) = (call, Register::RDI);
    for _ in 0..NEAR {
        let &[before] = code.predecessors(at) else { return None };
        at = before;
        let instruction = code.instruction(at);
        let is_its =
            number(register).is_some_and(|it| written(&mut factory, instruction).contains(it));
        if !is_its {
            continue;
        }
        if let Some((_, from)) = copied(instruction) {
            register = full(from);
            continue;
        }
        let displacement = match instruction.mnemonic() {
            Mnemonic::Lea if instruction.memory_index() == Register::None => {
                register = instruction.memory_base();
                instruction.memory_displacement64().cast_signed()
            }
            Mnemonic::Add if instruction.op1_kind() != OpKind::Register => {
                instruction.try_immediate(1).ok()?.cast_signed()
            }
            _ => return None,
        };
        let writer = Writer::new(scene, instruction.ip());
        let part =
            writer.part_by(register, displacement, 4).filter(|_| !is_call(instruction))?.part;
        let Whole::Structure(structure) = part.whole else { return None };
        return Some(LockClass { tag: structure.tag, offset: part.start, element: false });
    }
    None
}

/// The class of the lock that the call at a position is given, by a variable that is made from the same value.
///
/// Example: `wb`, which is `work` less a distance, and `&wb->lock`, which is `work` less another one.
pub(super) fn class_by_root(scene: &dyn Scene, code: &Code, call: usize) -> Option<LockClass> {
    let keeps = |target| scene.keeps_registers(target);
    let start = Start { position: call, registers: [None; 16] };
    let slicer = Slicer::new(code, scene, &keeps, start);
    let address = slicer.register(Register::RDI);
    let (root, distance) = split(&address)?;
    let writer = Writer::new(scene, code.instruction(call).ip());
    writer.pointers().into_iter().find_map(|PointerVariable { name, depth, kept, size }| {
        let (register, more) = match kept {
            Kept::Register(register) => (register, 0),
            Kept::RegisterPlus(register, more) => (register, more),
            Kept::AtRegister(..) | Kept::Frame(_) => return None,
        };
        let value = slicer.register(full(register));
        let (other, own) = split(&value).filter(|(other, _)| other.same_computation(root))?;
        let inside = distance.checked_sub(own)?.checked_sub(more)?;
        u64::try_from(inside).ok().filter(|inside| *inside < size)?;
        let term = Box::new(other.clone());
        let variable = Term::new(TermKind::Variable { name, pc: writer.pc(), depth, term }, 0);
        let part = writer.part_at(&variable.plus(inside), 4)?.part;
        let Whole::Structure(structure) = part.whole else { return None };
        Some(LockClass { tag: structure.tag, offset: part.start, element: false })
    })
}

/// A value that comes from elsewhere, and what was added to it.
fn split(term: &Term) -> Option<(&Term, i64)> {
    let (root, distance) = match &term.kind {
        TermKind::Sum { base, index: None, offset } => (base.as_ref(), *offset),
        _ => (term, 0),
    };
    let is_root =
        matches!(root.kind, TermKind::Entry(_) | TermKind::Load { .. } | TermKind::Returned { .. });
    is_root.then_some((root, distance))
}
