// SPDX-License-Identifier: MIT OR Apache-2.0
//! A read or write through a bad pointer.

use iced_x86::{
    Decoder, DecoderOptions, Instruction, InstructionInfoFactory, OpAccess, Register, UsedMemory,
};
use unwind::Frame;

use super::caller::with_callers;
use super::chain::origin;
use super::length::oversized;
use super::nature::{Bad, Use, refine};
use super::{Diagnosis, NULL_PAGE, by_number, called, lower};
use crate::blame::blamed;
use crate::claim::Claim;
use crate::express::Writer;
use crate::flow::{Slicer, Start, TermKind, held, number};
use crate::report::{Confidence, CrashKind};
use crate::scene::Scene;
use crate::symbol_name::source_name;

/// One access to memory by the faulting instruction.
struct Access {
    memory: UsedMemory,
    address: u64,
    write: bool,
    size: u8,
}

impl Access {
    /// Whether the address is that of one of its bytes.
    fn has(&self, address: u64) -> bool {
        address.wrapping_sub(self.address) < u64::from(self.size.max(1))
    }

    /// Address of its last byte.
    fn last(&self) -> u64 {
        self.address.wrapping_add(u64::from(self.size.saturating_sub(1)))
    }

    fn without_displacement(&self) -> u64 {
        self.address.wrapping_sub(self.memory.displacement())
    }
}

/// Diagnoses a fault on memory by the interrupted instruction of the frame; `None` if it touches
/// no memory whose address is known.
pub fn bad_access(scene: &dyn Scene, frames: &[Frame], reported: Option<u64>) -> Option<Diagnosis> {
    let frame = frames.first()?;
    let pc = frame.pc.address();
    let instruction = decode(&scene.code_bytes(pc), pc)?;
    let registers = by_number(&frame.registers);
    let access = faulting(scene, &instruction, &registers, reported)?;
    let kind = kind(&access);
    let guilty = blamed(scene, frames, 0);
    let mut diagnosis = Diagnosis {
        pc: frames.get(guilty).map(|frame| frame.pc),
        address: Some(access.address),
        how: Some(if access.write { Use::Write } else { Use::Read }),
        ..Diagnosis::new(kind)
    };
    let verb = if access.write { "writes" } else { "reads" };
    let claim = Claim::new(Some(true)).code(pc);
    diagnosis
        .evidence
        .push(claim.text(format!(" {verb} {} bytes at ", access.size)).data(access.address));
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
    if guilty > 0 && oversized(scene, callers, &mut diagnosis) {
        return Some(diagnosis);
    }
    pointer(scene, (frames, guilty), &instruction, &access, &mut diagnosis);
    Some(diagnosis)
}

fn decode(bytes: &[u8], address: u64) -> Option<Instruction> {
    let instruction = Decoder::with_ip(64, bytes, address, DecoderOptions::NONE).decode();
    (!instruction.is_invalid()).then_some(instruction)
}

/// The access at the reported address; without one, the first that the dump cannot satisfy.
fn faulting(
    scene: &dyn Scene,
    instruction: &Instruction,
    registers: &[Option<u64>; 16],
    reported: Option<u64>,
) -> Option<Access> {
    let mut factory = InstructionInfoFactory::new();
    let accesses = factory.info(instruction).used_memory().iter().filter_map(|memory| {
        let address = address(memory, registers)?;
        let size = u8::try_from(memory.memory_size().size()).ok()?;
        let write = matches!(
            memory.access(),
            OpAccess::Write | OpAccess::CondWrite | OpAccess::ReadWrite | OpAccess::ReadCondWrite
        );
        let touched = !matches!(memory.access(), OpAccess::None | OpAccess::NoMemAccess);
        touched.then_some(Access { memory: *memory, address, write, size })
    });
    let mut accesses: Vec<Access> = accesses.collect();
    let best = accesses.iter().position(|access| match reported {
        Some(reported) => access.has(reported),
        // One that runs over the end of a page may fault on its last bytes alone.
        None => {
            [access.address, access.last()].iter().any(|at| scene.why_unreadable(*at).is_some())
        }
    });
    let best = best.or_else(|| {
        // Up to 5.10 the kernel computes the address of a general protection fault without having
        // decoded the displacement (`get_kernel_gp_address`, arch/x86/kernel/traps.c).
        let wild = |access: &Access| kind(access) == CrashKind::GeneralProtection;
        let is = |access: &Access| Some(access.without_displacement()) == reported && wild(access);
        accesses.iter().position(is)
    })?;
    Some(accesses.swap_remove(best))
}

/// Address of the access, if it depends on known registers only.
fn address(memory: &UsedMemory, registers: &[Option<u64>; 16]) -> Option<u64> {
    // Segment bases are not among the registers; per-CPU memory does not fault by itself.
    if matches!(memory.segment(), Register::FS | Register::GS) {
        return None;
    }
    memory.virtual_address(0, |register, _, _| match register {
        Register::CS | Register::DS | Register::ES | Register::SS => Some(0),
        _ => {
            let value = held(registers, number(register)?)?;
            Some(if register.size() == 4 { value & 0xffff_ffff } else { value })
        }
    })
}

fn kind(access: &Access) -> CrashKind {
    let canonical =
        matches!(access.address >> 47, 0 | 0x1_ffff) || matches!(access.address >> 56, 0 | 0xff);
    match (access.write, access.address < NULL_PAGE) {
        _ if !canonical => CrashKind::GeneralProtection,
        (false, true) => CrashKind::NullRead,
        (true, true) => CrashKind::NullWrite,
        (false, false) => CrashKind::BadRead,
        (true, false) => CrashKind::BadWrite,
    }
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
    let writer = Writer::new(scene, pc);
    let how = if access.write { Use::Write } else { Use::Read };
    let (address, sp) = (access.address, frame.sp);
    let bad_value = |pointer| Bad { pointer, address, how, sp, registers };
    let Some(register) = suspect(scene, &access.memory, value) else {
        diagnosis.unknown = Some("the address stands in the instruction itself".to_owned());
        refine(scene, writer, None, bad_value(access.address), diagnosis);
        return;
    };
    let Some(bad) = value(register) else { return };
    let claim = Claim::new(Some(true)).text(format!("{} holds ", lower(register))).data(bad);
    diagnosis.evidence.push(claim);
    let Some((code, position)) =
        scene.function_code(pc).and_then(|code| code.at(pc).map(|at| (code, at)))
    else {
        diagnosis.unknown = Some("the code of the function is not in the dump".to_owned());
        refine(scene, writer, None, bad_value(bad), diagnosis);
        return;
    };
    let keeps = |target| scene.keeps_registers(target);
    let start = Start { position, registers };
    let slicer = Slicer::new(&code, scene, &keeps, start);
    let term = with_callers(scene, frames, guilty, slicer.register(register));
    let origin = origin(scene, writer, &registers, &term, bad);
    diagnosis.evidence.extend(origin.steps);
    match origin.expression {
        Ok(expression) => {
            // `p = NULL` on the way says little; the variable's name says which pointer.
            let number = expression.starts_with(|c: char| c.is_ascii_digit());
            let local = writer.local_in(register).filter(|_| number && guilty == 0);
            diagnosis.expression = Some(local.unwrap_or(expression));
            diagnosis.confidence = origin.confidence;
            let is_operand = instruction.memory_base() == access.memory.base()
                && instruction.memory_index() == access.memory.index();
            if is_operand && guilty == 0 {
                let address = with_callers(scene, frames, guilty, slicer.operand_address());
                diagnosis.object = writer.object(&address, access.size);
            }
        }
        Err(why) => match writer.local_in(register).filter(|_| guilty == 0) {
            Some(local) => {
                let claim = Claim::new(Some(true));
                diagnosis.evidence.push(claim.text(format!(
                    "the debug information places `{local}` in {}",
                    lower(register)
                )));
                // Nothing was evaluated again on memory: the compiler's word is not a proof.
                diagnosis.unknown = Some(format!("where its value came from is {why}"));
                diagnosis.expression = Some(local);
                diagnosis.confidence = Confidence::Likely;
            }
            None => diagnosis.unknown = Some(format!("the pointer is {why}")),
        },
    }
    // Without data flow to the module's call, its part in the fault is a guess.
    if guilty > 0 && diagnosis.expression.is_none() {
        diagnosis.confidence = Confidence::Likely;
    }
    let term = origin.term.unwrap_or(term);
    refine(scene, writer, Some(&term), bad_value(bad), diagnosis);
    if let (TermKind::Local(slot), true) = (&term.kind, is_wild(diagnosis.kind)) {
        unset(&slicer, *slot, diagnosis);
    }
}

/// The register that makes the address bad: the base, or the index where the base alone is fine.
fn suspect(
    scene: &dyn Scene,
    memory: &UsedMemory,
    value: impl Fn(Register) -> Option<u64>,
) -> Option<Register> {
    match (memory.base(), memory.index()) {
        (Register::None | Register::RIP, Register::None) => None,
        (Register::None, index) => Some(index),
        // Of `table[i]` the table is fine and the index is not, or the other way round.
        (base, index) if index != Register::None => {
            let is_fine = |register| {
                let value = value(register).filter(|value| *value >= NULL_PAGE);
                value.is_some_and(|value| scene.why_unreadable(value).is_none())
            };
            Some(if is_fine(base) && !is_fine(index) { index } else { base })
        }
        (base, _) => Some(base),
    }
}

/// Whether nothing better is known of the pointer than that it is bad.
fn is_wild(kind: CrashKind) -> bool {
    matches!(
        kind,
        CrashKind::GeneralProtection
            | CrashKind::BadRead
            | CrashKind::BadWrite
            | CrashKind::UserAccess
    )
}

/// A local variable that nothing in the function sets: never, or only by those that it was handed
/// to, which did not.
fn unset(slicer: &Slicer<'_>, slot: i64, diagnosis: &mut Diagnosis) {
    let escapes = slicer.may_be_set(slot);
    let name = diagnosis.expression.as_deref().unwrap_or("the local variable").to_owned();
    diagnosis.kind = CrashKind::Uninitialized;
    let words = if escapes {
        diagnosis.confidence = Confidence::Likely;
        format!(
            "no instruction on the way stores to `{name}`; a function that got its address may have"
        )
    } else {
        format!("no instruction of the function stores to `{name}`")
    };
    diagnosis.evidence.push(Claim::new(Some(true)).text(words));
    diagnosis.nature = Some("what the stack held there before".to_owned());
}
