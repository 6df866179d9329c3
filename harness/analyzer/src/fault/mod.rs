// SPDX-License-Identifier: MIT OR Apache-2.0
//! From the registers of a fault to the expression that was bad.

mod bad_call;
mod caller;
mod chain;
mod check;
mod jumper;
mod length;
mod memory;
mod naming;
mod nature;
mod spin;
mod thunk;

use iced_x86::Register;
use unwind::{Frame, Pc, Registers};

use crate::claim::Claim;
use crate::flow::{CallTarget, call_target};
use crate::report::{Confidence, CrashKind};
use crate::scene::Scene;
use crate::stacks::Exhaustion;
use crate::symbol_name::source_name;

pub use bad_call::bad_call;
pub(crate) use caller::argument_of_call;
pub use check::{condition, divisor};
pub use memory::bad_access;
pub use nature::Use;
pub(crate) use spin::busy_wait;

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
    /// What was done with the bad pointer, where one was bad.
    pub how: Option<Use>,
    /// What the bad pointer is, in words that another boot does not change.
    pub nature: Option<String>,
    /// Whether those words are about the pointer itself, and not about what is at the address.
    pub is_value: bool,
    /// The function of the kernel that the code at fault called and that noticed or faulted.
    pub helper: Option<String>,
    /// What happened, where no pointer was bad.
    pub says: Option<Says>,
    /// What to look at next, where the kind alone would tell it badly.
    pub next: Option<String>,
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
            how: None,
            nature: None,
            is_value: false,
            helper: None,
            says: None,
            next: None,
            unknown: None,
        }
    }
}

/// What happened, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Says {
    /// For the title: short, without code marks.
    pub title: String,
    /// The sentence's start, which the place follows.
    pub sentence: String,
}

impl Says {
    /// A title and a sentence.
    pub fn new(title: impl Into<String>, sentence: impl Into<String>) -> Self {
        Self { title: title.into(), sentence: sentence.into() }
    }

    /// The same words for both.
    pub fn plain(words: impl Into<String>) -> Self {
        let title = words.into();
        Self { sentence: title.clone(), title }
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

/// Name of the function that the frame called, as its call says: the callee may have gone on with a
/// jump to another one.
pub(crate) fn called(scene: &dyn Scene, frame: &Frame) -> Option<String> {
    let Pc::Return(address) = frame.pc else { return None };
    let code = scene.function_code(frame.pc.for_lookup())?;
    let call = code.instructions().get(code.before(address)?)?;
    let Some(CallTarget::Direct(target)) = call_target(call) else { return None };
    let (name, offset) = scene.symbol_at(target)?;
    (offset == 0 && thunk::thunk_register(&name, 0).is_none())
        .then(|| source_name(&name).to_owned())
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
