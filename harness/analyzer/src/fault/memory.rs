// SPDX-License-Identifier: MIT OR Apache-2.0
//! A read or write through a bad pointer.

use iced_x86::{Instruction, Register};
use unwind::Frame;

use super::access::{Access, Suspect, decode};
use super::called;
use super::caller::with_callers;
use super::chain::{Origin, origin};
use super::length::oversized;
use super::nature::{Bad, beyond, leads_out, refine};
use super::passed_on::passed_on;
use super::placed::may_be_index;
use super::tested;
use super::ties::tie;
use crate::blame::{blamed, tied};
use crate::claim::Claim;
use crate::diagnosis::{
    About, BadPointer, Diagnosis, Grounds, Nature, Place, Role, Symptom, Use, What,
};
use crate::express::{Expression, Pointee, Writer};
use crate::flow::{Slicer, Start, Term, TermKind, evaluate, held, number};
use crate::identify::NULL_PAGE;
use crate::link::by_number;
use crate::scene::Scene;
use crate::symbol_name::source_name;
use crate::thunk::lower;

/// Of a sum of a pointer and a number that leads to nothing.
const EITHER: &str = "whether the pointer or the number that is added to it is bad is not known";

/// Of a number that leads out of what a pointer leads to, which is no array by its type.
const OTHERS: &str = "either the number is too large, or what it was meant for was freed and has another owner by now";

/// Diagnoses a fault on memory by the interrupted instruction of the frame; `None` if it touches
/// no memory whose address is known.
pub fn bad_access(scene: &dyn Scene, frames: &[Frame], reported: Option<u64>) -> Option<Diagnosis> {
    let frame = frames.first()?;
    let at = frame.pc.address();
    let instruction = decode(&scene.code_bytes(at), at)?;
    let registers = by_number(&frame.registers);
    let access = Access::faulting(scene, &instruction, &registers, reported)?;
    let guilty = blamed(scene, frames, 0);
    let what = What::Pointer(BadPointer {
        how: access.how,
        address: access.address,
        symptom: access.symptom(),
        role: Role::Pointer,
        nature: None,
        expression: None,
        past: None,
        unset: None,
        unlinked: None,
        mistaken: None,
        overrun: false,
        below: false,
        tested: None,
        object: None,
    });
    let pc = frames.get(guilty).map(|frame| frame.pc);
    let blame = tied(scene, frames, 0, guilty);
    let mut diagnosis = Diagnosis { pc, blame, ..Diagnosis::new(what) };
    let verb = match access.how {
        Use::Write => "writes",
        Use::Change => "reads and writes",
        Use::Read | Use::Call => "reads",
    };
    let claim = Claim::new(Some(true)).code(frame.pc.address());
    // How many a string instruction takes is in its registers.
    let amount = if access.size == 0 { String::new() } else { format!("{} bytes ", access.size) };
    diagnosis.evidence.push(claim.text(format!(" {verb} {amount}at ")).data(access.address));
    if let Some(reported) = reported {
        let is_inside = access.has(reported);
        let lacks = !is_inside && access.without_displacement() == reported;
        let same = Claim::new(Some(is_inside || lacks));
        let claim = same.text("the kernel reported address ").data(reported);
        let words = match (lacks, reported == access.address) {
            (true, _) => ", which lacks the instruction's displacement",
            // The first bytes are on a page that is there.
            (false, false) if is_inside => ", where the next page begins",
            _ => "",
        };
        diagnosis.evidence.push(claim.text(words));
    }
    if let Some(inner) = guilty.checked_sub(1).and_then(|inner| frames.get(inner)) {
        let name = scene.symbol_at(inner.pc.for_lookup()).map(|(name, _)| name);
        let running = name.map(|name| source_name(&name).to_owned());
        diagnosis.helper = frames.get(guilty).and_then(|frame| called(scene, frame)).or(running);
    }
    let callers = frames.get(guilty..).unwrap_or_default();
    if guilty > 0 && oversized(scene, callers, frame, &mut diagnosis) {
        return Some(diagnosis);
    }
    pointer(scene, (frames, guilty), &instruction, &access, &mut diagnosis);
    Some(diagnosis)
}

/// Finds the register that made the address bad and where its value came from.
fn pointer(
    scene: &dyn Scene,
    (frames, guilty): (&[Frame], usize),
    instruction: &Instruction,
    access: &Access,
    diagnosis: &mut Diagnosis,
) {
    let Some(frame) = frames.first() else { return };
    let registers = by_number(&frame.registers);
    let value = |register| number(register).and_then(|number| held(&registers, number));
    let pc = frame.pc.for_lookup();
    let callers = frames.get(guilty..).unwrap_or_default();
    let blamed = callers.first().map(|frame| frame.pc.for_lookup());
    let writer = Writer::new(scene, pc).used_as(Pointee::Data).from(blamed.unwrap_or(pc));
    let how = access.how;
    let (address, sp) = (access.address, frame.sp);
    let bad_value = |pointer| Bad { pointer, address, how, sp, registers };
    let (register, from, is_told) = match access.suspect(scene, value) {
        Suspect::Pointer(register) => {
            let (register, is_told) = by_type(scene, (frame, guilty > 0), access, register);
            (register, None, is_told)
        }
        Suspect::Index { register, from } => (register, Some(from), true),
        Suspect::None => {
            diagnosis.unknown = Some("the address stands in the instruction itself".to_owned());
            if guilty == 0 {
                tested::accessed(scene, frames, access.address, diagnosis);
            }
            refine(scene, frames, writer, None, bad_value(access.address), diagnosis);
            return;
        }
    };
    let Some(bad) = value(register) else { return };
    let claim = Claim::new(Some(true)).text(format!("{} holds ", lower(register))).data(bad);
    diagnosis.evidence.push(claim);
    let Some((code, position)) =
        scene.function_code(pc).and_then(|code| code.at(pc).map(|at| (code, at)))
    else {
        diagnosis.unknown = Some("the code of the function is not known".to_owned());
        refine(scene, frames, writer, None, bad_value(bad), diagnosis);
        return;
    };
    let keeps = |target| scene.keeps_registers(target);
    let start = Start { position, registers };
    let slicer = Slicer::new(&code, scene, &keeps, start);
    let term = with_callers(scene, frames, guilty, slicer.register(register));
    let giver = blamed.filter(|_| guilty > 0);
    tie(scene, frames, (writer, &term), giver, &mut diagnosis.blame);
    if let (Some(by), true) = (blamed, guilty > 0)
        && let Some(argument) = term.computed_from(by)
        && !writer.is_plain(&term)
    {
        let own = || with_callers(scene, frames, 0, slicer.register(register));
        let given = Given { pc: by, term: &term, argument };
        computed(scene, (frames, pc), (given, &own), bad_value(bad), diagnosis);
        return;
    }
    let found = origin(scene, writer, frames, &term, bad);
    let term = named(writer, (found, term), register, guilty, diagnosis);
    // A number in a loop is at hand by the name of its variable, whatever it was computed from.
    if from.is_some()
        && guilty == 0
        && let Some(local) = writer.local_in(register)
    {
        name(diagnosis, Expression::name(local));
    }
    if guilty > 0 && diagnosis.expression().is_none() {
        tested::passed(scene, callers, &term, diagnosis);
    }
    let is_operand = access.is_operand_of(instruction) && diagnosis.expression().is_some();
    if is_operand && guilty == 0 {
        let address = with_callers(scene, frames, guilty, slicer.operand_address());
        let address = crate::fault::named(scene, frames, writer.pc(), &address);
        let object = writer.object(&address, access.size);
        if let Some(pointer) = diagnosis.pointer_mut() {
            pointer.object = object;
        }
    }
    // Where nothing is known of the value, the module's part in the fault is a guess.
    if guilty > 0 && diagnosis.grounds == Grounds::None {
        diagnosis.grounds = Grounds::Inferred;
    }
    tie(scene, frames, (writer, &term), giver, &mut diagnosis.blame);
    match from {
        // Either of them may be the wrong one.
        Some(_) if !may_be_index(bad) => {
            diagnosis.leave_open(EITHER);
        }
        Some(from) if guilty == 0 || diagnosis.expression().is_some() => {
            beyond(scene, (from, Some(bad)), bad_value(bad), diagnosis);
            let array = other_register(instruction, register);
            let array = array.filter(|_| guilty == 0).map(|array| slicer.register(array));
            if let Some(array) = array.map(|term| with_callers(scene, frames, guilty, term)) {
                named_array(scene, frames, writer, (&term, &array, from), diagnosis);
            }
        }
        // A number of the kernel's own comes of what it was given.
        Some(_) => {}
        None if guilty > 0 && diagnosis.expression().is_none() => {
            let own = with_callers(scene, frames, 0, slicer.register(register));
            by_kernel(scene, (frames, pc), &own, bad_value(bad), diagnosis);
        }
        None => led(scene, (frames, guilty), writer, &term, bad_value(bad), diagnosis),
    }
    if !is_told || access.is_ambiguous(scene, value) {
        diagnosis.leave_open(EITHER);
    }
    if let (TermKind::Local(slot), true) = (&term.kind, is_wild(diagnosis)) {
        unset(&slicer, *slot, diagnosis);
    }
}

/// The register that is added to this one in the address of the instruction's operand.
fn other_register(instruction: &Instruction, register: Register) -> Option<Register> {
    let both = [instruction.memory_base(), instruction.memory_index()];
    both.into_iter().find(|it| *it != register && *it != Register::None)
}

/// Which of two registers that were added is the pointer, by the types of what is in them, where their values do not
/// tell; and whether that is known.
fn by_type(
    scene: &dyn Scene,
    (frame, is_kernels): (&Frame, bool),
    access: &Access,
    suspect: Register,
) -> (Register, bool) {
    let (pc, registers) = (frame.pc.for_lookup(), by_number(&frame.registers));
    let value = |register| number(register).and_then(|number| held(&registers, number));
    let Some(rival) = access.rival(scene, suspect, value) else { return (suspect, true) };
    // The kernel's own functions count from where a string begins.
    if is_kernels && value(rival).is_some_and(|count| count < NULL_PAGE) {
        return (suspect, true);
    }
    let code = scene.function_code(pc);
    let Some((code, position)) = code.and_then(|it| it.at(pc).map(|at| (it, at))) else {
        return (suspect, false);
    };
    let keeps = |target| scene.keeps_registers(target);
    let slicer = Slicer::new(&code, scene, &keeps, Start { position, registers });
    let writer = Writer::new(scene, pc).used_as(Pointee::Data);
    let is_pointer = |register| {
        let term = slicer.register(register);
        writer.is_pointer(&crate::fault::named(scene, &[], pc, &term))
    };
    match (is_pointer(suspect), is_pointer(rival)) {
        (false, true) => (rival, true),
        // NULL is no number that leads anywhere.
        (is_one, is_other) => (suspect, is_one != is_other || value(suspect) == Some(0)),
    }
}

/// What a function of the kernel was given.
struct Given<'t> {
    /// An address in the code to blame, which gave it.
    pc: u64,
    /// The address that was accessed.
    term: &'t Term,
    /// The part of it that was given.
    argument: &'t Term,
}

/// Judges an address that a function of the kernel computed from what it was given; `own` is what the kernel's code
/// itself has for it.
fn computed(
    scene: &dyn Scene,
    (frames, pc): (&[Frame], u64),
    (given, own): (Given<'_>, &dyn Fn() -> Term),
    bad: Bad,
    diagnosis: &mut Diagnosis,
) {
    let Given { pc: blamed, term, argument } = given;
    let Some(value) = evaluate(argument, scene).or(argument.observed) else {
        let why = "computed from an argument whose value is not known";
        diagnosis.unknown = Some(format!("the address was {why}"));
        by_kernel(scene, (frames, pc), &own(), bad, diagnosis);
        diagnosis.grounds = Grounds::Inferred;
        return;
    };
    // Of several ways that all begin with the argument, one that gives the address is enough.
    let is_shown = match &term.kind {
        TermKind::Choice(ways) => ways.iter().any(|way| evaluate(way, scene) == Some(bad.pointer)),
        _ => evaluate(term, scene) == Some(bad.pointer),
    };
    let bad = Bad { pointer: value, ..bad };
    passed(scene, frames, (blamed, argument, is_shown), bad, diagnosis);
}

/// Says in the diagnosis what the kernel's own code, at `pc` or further out, calls the bad pointer, of which the module
/// to blame is not known to have a name.
fn by_kernel(
    scene: &dyn Scene,
    (frames, pc): (&[Frame], u64),
    term: &Term,
    bad: Bad,
    diagnosis: &mut Diagnosis,
) {
    let writer = Writer::new(scene, pc).used_as(Pointee::Data);
    // Of several ways through a function that copies, each begins with what it was given.
    let is_given = |way: &&Term| {
        let is_argument = matches!(way.kind, TermKind::Argument { .. });
        is_argument && evaluate(way, scene) == Some(bad.pointer)
    };
    let term = match &term.kind {
        TermKind::Choice(ways) => ways.iter().find(is_given).unwrap_or(term),
        _ => term,
    };
    let found = origin(scene, writer, frames, term, bad.pointer);
    let is_shown = found.grounds == Grounds::Shown;
    let named = found.expression.ok().filter(|c| is_shown && !c.is_number() && !c.has_distance());
    if let Some(named) = named {
        diagnosis.evidence.extend(found.steps);
        name(diagnosis, named);
    }
    let term = found.term.filter(|_| is_shown);
    refine(scene, frames, writer, term.as_ref(), bad, diagnosis);
}

/// Says in the diagnosis what the bad pointer is that the term made, or which number led away from a good one.
fn led(
    scene: &dyn Scene,
    (frames, guilty): (&[Frame], usize),
    writer: Writer<'_>,
    term: &Term,
    bad: Bad,
    diagnosis: &mut Diagnosis,
) {
    match added(scene, writer, term, bad.address).filter(|_| guilty == 0) {
        Some(Added { from, array, index, expression }) => {
            name(diagnosis, expression);
            let number = index.observed.or_else(|| evaluate(index, scene));
            beyond(scene, (from, number), bad, diagnosis);
            named_array(scene, frames, writer, (index, array, from), diagnosis);
        }
        None => {
            refine(scene, frames, writer, Some(term), bad, diagnosis);
            passed_on(scene, frames, term, diagnosis);
        }
    }
}

/// A number that was added to a good pointer, and led out of what that leads to.
struct Added<'t> {
    /// The pointer's value.
    from: u64,
    /// The pointer.
    array: &'t Term,
    /// The number.
    index: &'t Term,
    /// The same as C.
    expression: Expression,
}

/// The number that made the pointer bad, where it is a sum of the two: `p = array + n; p->member`.
fn added<'t>(
    scene: &dyn Scene,
    writer: Writer<'_>,
    term: &'t Term,
    address: u64,
) -> Option<Added<'t>> {
    let TermKind::Sum { base, index: Some((index, _)), .. } = &term.kind else { return None };
    let value = |term: &Term| term.observed.or_else(|| evaluate(term, scene));
    let is_far = |from: &u64| leads_out(scene, *from, address);
    let all = [(base.as_ref(), index.as_ref()), (index.as_ref(), base.as_ref())];
    all.into_iter().find_map(|(array, index)| {
        let from = value(array).filter(is_far)?;
        value(index).filter(|value| may_be_index(*value))?;
        let expression = writer.expression(index).ok().filter(|c| !c.is_number())?;
        Some(Added { from, array, index, expression })
    })
}

/// Says in the diagnosis which array has no element of the number that was bad, in what `from` leads to. Behind a
/// pointer to a structure there may have been more than is there now: of a `ring` that was exchanged for a smaller one,
/// its `data[n]` was there.
fn named_array(
    scene: &dyn Scene,
    frames: &[Frame],
    writer: Writer<'_>,
    (index, array, from): (&Term, &Term, u64),
    diagnosis: &mut Diagnosis,
) {
    let array = crate::fault::named(scene, frames, writer.pc(), array);
    let named = writer.expression(&array).ok().filter(|c| !c.has_distance() && !c.is_number());
    let part = |term: &Term| match &term.bare().kind {
        TermKind::Load { address, size, .. } => writer.unbounded().part_at(address, *size),
        _ => None,
    };
    // Of a local variable, the array's own size is what is left to look at.
    let own = part(index);
    let is_array = own.is_none();
    let part = own.or_else(|| part(&array));
    let structure = writer.unbounded().pointee(&array);
    let is_struct = structure.is_some();
    diagnosis.about = Some(About { part, structure, is_array, ..About::default() });
    let Some(pointer) = diagnosis.pointer_mut() else { return };
    let Some(nature @ (Nature::Beyond { .. } | Nature::Guard { .. })) = &pointer.nature else {
        return;
    };
    let is_variable = matches!(nature, Nature::Beyond { place: Some(Place::Symbol(_)), .. });
    let object = pointer.object.as_ref();
    let is_element = named.as_ref().zip(object).is_some_and(|(array, it)| it.is_element_of(array));
    let is_of_numbers = !is_struct && writer.unbounded().is_pointer(&array);
    let is_array = is_variable || is_element || is_of_numbers;
    if let (Some(index), Some(array), true) = (pointer.expression.clone(), named, is_array) {
        pointer.past = Some((index, array));
    } else if !is_array && !is_own(scene, from) {
        diagnosis.leave_open(OTHERS);
    }
}

/// Whether the address is in an object of the slab allocator that it noted a module's allocation of.
fn is_own(scene: &dyn Scene, address: u64) -> bool {
    let slab = scene.identity(address).and_then(|identity| identity.slab);
    let allocated = slab.and_then(|slab| slab.allocated);
    allocated.is_some_and(|track| scene.is_outside(track.caller))
}

/// Judges an argument that the code to blame, at `pc`, gave to a function of the kernel, which computed
/// the bad address from it: `kfree()` of an error code faults where its page would be.
fn passed(
    scene: &dyn Scene,
    frames: &[Frame],
    (pc, argument, is_shown): (u64, &Term, bool),
    bad: Bad,
    diagnosis: &mut Diagnosis,
) {
    let writer = Writer::new(scene, pc).used_as(Pointee::Data);
    let found = origin(scene, writer, frames, argument, bad.pointer);
    diagnosis.evidence.extend(found.steps);
    let words = "the function that it was given to computed the address from it: it was ";
    let confirmed = is_shown.then_some(true);
    diagnosis.evidence.push(Claim::new(confirmed).text(words).data(bad.pointer));
    match found.expression {
        Ok(expression) => {
            name(diagnosis, expression);
            let is_known = is_shown && found.grounds == Grounds::Shown;
            diagnosis.grounds = if is_known { Grounds::Shown } else { Grounds::Inferred };
        }
        Err(why) => {
            diagnosis.unknown = Some(format!("the pointer is {why}"));
            diagnosis.grounds = Grounds::Inferred;
        }
    }
    let term = found.term.unwrap_or_else(|| argument.clone());
    refine(scene, frames, writer, Some(&term), bad, diagnosis);
}

/// Says where the value in the register came from and what it is called; what is left of its term
/// without the alternatives that were ruled out.
fn named(
    writer: Writer<'_>,
    (origin, term): (Origin, Term),
    register: Register,
    guilty: usize,
    diagnosis: &mut Diagnosis,
) -> Term {
    diagnosis.evidence.extend(origin.steps);
    let local = || writer.local_in(register).filter(|_| guilty == 0).map(Expression::name);
    match (origin.expression, local()) {
        (Ok(expression), local) => {
            // `p = NULL` on the way says little; the variable's name says which pointer.
            let named = if expression.is_number() { local } else { Some(expression) };
            if let Some(named) = named {
                name(diagnosis, named);
            }
            diagnosis.grounds = origin.grounds;
            diagnosis.unknown = origin.left_out;
        }
        (Err(why), Some(local)) => {
            let words = format!("the debug information places `{local}` in {}", lower(register));
            diagnosis.evidence.push(Claim::new(Some(true)).text(words));
            // Nothing was evaluated again on memory: the compiler's word is not a proof.
            diagnosis.unknown = Some(format!("where its value came from is {why}"));
            name(diagnosis, local);
            diagnosis.grounds = Grounds::Inferred;
        }
        // It is known, and has no name outside of the kernel.
        (Err(_), None) if origin.grounds != Grounds::None => diagnosis.grounds = origin.grounds,
        (Err(why), None) => diagnosis.unknown = Some(format!("the pointer is {why}")),
    }
    origin.term.unwrap_or(term)
}

/// Says what the bad pointer is called.
fn name(diagnosis: &mut Diagnosis, expression: Expression) {
    if let Some(pointer) = diagnosis.pointer_mut() {
        pointer.expression = Some(expression);
    }
}

/// Whether nothing better is known of the pointer than that it is bad.
fn is_wild(diagnosis: &Diagnosis) -> bool {
    let is_user = |nature: &Nature| {
        matches!(
            nature,
            Nature::UserMemory { .. } | Nature::UserSpace | Nature::UserUnmapped { .. }
        )
    };
    diagnosis.pointer().is_some_and(|pointer| match &pointer.nature {
        None => pointer.symptom != Symptom::Null,
        Some(nature) => is_user(nature) || nature.kind(pointer.how).is_none(),
    })
}

/// Whether it is a small number, which may be what others set it to.
fn is_small(diagnosis: &Diagnosis) -> bool {
    let nature = diagnosis.pointer().and_then(|pointer| pointer.nature.as_ref());
    matches!(nature, Some(Nature::Small { .. }))
}

/// A local variable that nothing in the function sets: never, or only by those that it was handed
/// to, which did not.
fn unset(slicer: &Slicer<'_>, slot: i64, diagnosis: &mut Diagnosis) {
    let escapes = slicer.may_be_set(slot);
    if escapes && is_small(diagnosis) {
        return;
    }
    let name =
        diagnosis.expression().map_or_else(|| "the variable".to_owned(), |e| format!("`{e}`"));
    let words = if escapes {
        diagnosis.grounds = Grounds::Inferred;
        format!(
            "no instruction on the way stores to {name}; a function that got its address may have"
        )
    } else {
        format!("no instruction of the function stores to {name}")
    };
    diagnosis.evidence.push(Claim::new(Some(true)).text(words));
    if let Some(pointer) = diagnosis.pointer_mut() {
        pointer.nature = Some(Nature::NeverSet { escapes });
    }
}
