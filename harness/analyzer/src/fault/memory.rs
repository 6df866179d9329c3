// SPDX-License-Identifier: MIT OR Apache-2.0
//! A read or write through a bad pointer.

use iced_x86::{
    Decoder, DecoderOptions, Instruction, InstructionInfoFactory, OpAccess, Register, UsedMemory,
};
use unwind::Frame;

use super::caller::with_callers;
use super::chain::origin;
use super::{Diagnosis, NULL_PAGE, by_number, lower};
use crate::claim::Claim;
use crate::express::Writer;
use crate::flow::{Slicer, Start, number};
use crate::report::{Confidence, CrashKind};
use crate::scene::Scene;

/// One access to memory by the faulting instruction.
struct Access {
    memory: UsedMemory,
    address: u64,
    write: bool,
    size: u8,
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
    let mut diagnosis =
        Diagnosis { pc: Some(frame.pc), address: Some(access.address), ..Diagnosis::new(kind) };
    let verb = if access.write { "writes" } else { "reads" };
    let claim = Claim::new(Some(true)).code(pc);
    diagnosis
        .evidence
        .push(claim.text(format!(" {verb} {} bytes at ", access.size)).data(access.address));
    if let Some(reported) = reported {
        let same = Claim::new(Some(reported == access.address));
        diagnosis.evidence.push(same.text("the kernel reported address ").data(reported));
    }
    pointer(scene, frames, &instruction, &access, &mut diagnosis);
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
        Some(reported) => reported.wrapping_sub(access.address) < u64::from(access.size.max(1)),
        None => scene.why_unreadable(access.address).is_some(),
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
            let value = registers[usize::from(number(register)?)]?;
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
    frames: &[Frame],
    instruction: &Instruction,
    access: &Access,
    diagnosis: &mut Diagnosis,
) {
    let Some(frame) = frames.first() else { return };
    let registers = by_number(&frame.registers);
    let value = |register| number(register).and_then(|n| registers[usize::from(n)]);
    let register = match (access.memory.base(), access.memory.index()) {
        (Register::None | Register::RIP, Register::None) => {
            diagnosis.unknown = Some("the address stands in the instruction itself".to_owned());
            return;
        }
        (Register::None, index) => index,
        (base, _) => base,
    };
    let Some(bad) = value(register) else { return };
    let claim = Claim::new(Some(true)).text(format!("{} holds ", lower(register))).data(bad);
    diagnosis.evidence.push(claim);
    let pc = frame.pc.for_lookup();
    let writer = Writer::new(scene, pc);
    let Some((code, position)) =
        scene.function_code(pc).and_then(|code| code.at(pc).map(|at| (code, at)))
    else {
        diagnosis.unknown = Some("the code of the function is not in the dump".to_owned());
        return;
    };
    let keeps = |target| scene.keeps_registers(target);
    let slicer = Slicer::new(&code, scene, &keeps, Start { position, registers });
    let term = with_callers(scene, frames, slicer.register(register));
    let origin = origin(scene, writer, &term, bad);
    diagnosis.evidence.extend(origin.steps);
    match origin.expression {
        Ok(expression) => {
            diagnosis.expression = Some(expression);
            diagnosis.confidence = origin.confidence;
            let is_operand = instruction.memory_base() == access.memory.base()
                && instruction.memory_index() == access.memory.index();
            if is_operand {
                let address = with_callers(scene, frames, slicer.operand_address());
                diagnosis.object = writer.object(&address, access.size);
            }
        }
        Err(why) => match writer.local_in(register) {
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
}
