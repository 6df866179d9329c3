// SPDX-License-Identifier: MIT OR Apache-2.0
//! From the registers of a fault to the expression that was bad.

mod bad_call;
mod caller;
mod chain;
mod memory;

use iced_x86::Register;
use unwind::{Frame, Pc, Registers};

use crate::claim::Claim;
use crate::report::{Confidence, CrashKind};
use crate::scene::Scene;
use crate::stacks::Exhaustion;

pub use bad_call::bad_call;
pub use memory::bad_access;

/// Addresses below this one are NULL plus a small offset: the first page is never mapped.
pub const NULL_PAGE: u64 = 4096;

/// What a fault came down to.
#[derive(Debug, Clone)]
pub struct Diagnosis {
    /// What happened.
    pub kind: CrashKind,
    /// Instruction at fault, for the culprit's line; its frame's program counter otherwise.
    pub pc: Option<Pc>,
    /// The C expression that held the bad value.
    pub expression: Option<String>,
    /// The object accessed through it, for reads and writes; the code that is gone, for calls.
    pub object: Option<String>,
    /// The bad value itself, or the address accessed.
    pub address: Option<u64>,
    /// How far the evidence carries.
    pub confidence: Confidence,
    /// The steps.
    pub evidence: Vec<Claim>,
    /// What used the stack up, for faults at its end.
    pub exhaustion: Option<Exhaustion>,
    /// Why nothing better is known, in words.
    pub unknown: Option<String>,
}

impl Diagnosis {
    /// A diagnosis of which only the kind is known.
    pub fn new(kind: CrashKind) -> Self {
        Self {
            kind,
            pc: None,
            expression: None,
            object: None,
            address: None,
            confidence: Confidence::Unknown,
            evidence: Vec::new(),
            exhaustion: None,
            unknown: None,
        }
    }
}

/// Says what the fault in the innermost frame came down to. `address` is the address of the
/// faulting access, where the kernel's message or `cr2` told it.
pub fn examine(scene: &dyn Scene, frames: &[Frame], address: Option<u64>) -> Option<Diagnosis> {
    let first = frames.first()?;
    if scene.is_text(first.pc.for_lookup()) {
        bad_access(scene, frames, address)
    } else {
        Some(bad_call(scene, frames))
    }
}

/// The registers of a frame by the decoder's numbers.
fn by_number(registers: &Registers) -> [Option<u64>; 16] {
    use unwind::Register as R;
    const ORDER: [R; 16] = [
        R::Rax,
        R::Rcx,
        R::Rdx,
        R::Rbx,
        R::Rsp,
        R::Rbp,
        R::Rsi,
        R::Rdi,
        R::R8,
        R::R9,
        R::R10,
        R::R11,
        R::R12,
        R::R13,
        R::R14,
        R::R15,
    ];
    ORDER.map(|register| registers.get(register))
}

/// The register's name as people write it.
fn lower(register: Register) -> String {
    format!("{register:?}").to_lowercase()
}
