// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a bad pointer is, and so what kind of mistake made it.
//!
//! The values on the way to the fault are looked at, not only the last one: a pointer that was
//! read from a freed object is a use after free, whatever stood there.

use super::{Diagnosis, NULL_PAGE, lower};
use crate::claim::Claim;
use crate::express::Writer;
use crate::flow::{Term, TermKind, evaluate, full};
use crate::identify::{AddressRegion, Identity, Pattern};
use crate::report::{Confidence, CrashKind};
use crate::scene::Scene;
use kernel::mm::slab_layout::SlotPart;
use kernel::mm::slab_object::{ObjectState, SlabObject};

/// `-4095` to `-1` are error codes (`MAX_ERRNO`, `include/linux/err.h`).
const ERRORS: u64 = 0u64.wrapping_sub(4095);
/// Bits of the page fault's error code: the page was there; it was a write.
const PRESENT: u64 = 1;
const WRITE: u64 = 2;
/// Bytes before a pointer that are looked at for text which runs into it.
const RUN: u64 = 256;

/// What was done with the pointer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// It was read through.
    Read,
    /// It was written through.
    Write,
    /// It was called or jumped to.
    Call,
}

/// A bad access, as far as it says what the pointer was.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bad {
    /// The pointer's value.
    pub(super) pointer: u64,
    /// What was accessed through it.
    pub(super) address: u64,
    /// What was done.
    pub(super) how: Use,
    /// The stack pointer at the fault.
    pub(super) sp: u64,
    /// The registers at the fault, by the decoder's numbers.
    pub(super) registers: [Option<u64>; 16],
}

/// Looks at a bad pointer and says in the diagnosis what it is.
pub(super) fn refine(
    scene: &dyn Scene,
    writer: Writer<'_>,
    term: Option<&Term>,
    bad: Bad,
    diagnosis: &mut Diagnosis,
) {
    let Bad { pointer, address, how, sp, registers } = bad;
    let root = term.and_then(|term| root(scene, term)).unwrap_or(pointer);
    let mut found = term.and_then(|term| gone(scene, writer, term, sp));
    if found.is_none() {
        found = by_value(scene, root).or_else(|| text(scene, term, pointer));
    }
    if found.is_none() {
        found = term.and_then(|term| on_stack(scene, term, address));
    }
    if found.is_none() && root >= NULL_PAGE {
        found = by_place(scene, address, how);
    }
    let Some(mut found) = found else { return };
    if found.kind == Some(CrashKind::UseAfterFree) && found.claim.is_none() {
        found.claim = holder(scene, writer, &registers);
    }
    diagnosis.kind = found.kind.unwrap_or(diagnosis.kind);
    diagnosis.nature = Some(found.words);
    diagnosis.is_value = found.is_value;
    diagnosis.next = found.next.map(str::to_owned);
    diagnosis.evidence.extend(found.claim);
    if found.doubtful && diagnosis.confidence == Confidence::Proven {
        diagnosis.confidence = Confidence::Likely;
    }
}

/// What was found out about a pointer.
struct Nature {
    /// The kind of mistake; `None` if the access tells it better.
    kind: Option<CrashKind>,
    /// What the pointer leads to, after "leads to".
    words: String,
    claim: Option<Claim>,
    /// Whether the dump does not show the mistake itself.
    doubtful: bool,
    /// Whether the words are about the pointer itself, and not about what is at the address.
    is_value: bool,
    /// What to look at next, where the kind alone would tell it badly.
    next: Option<&'static str>,
}

impl Nature {
    fn sure(kind: impl Into<Option<CrashKind>>, words: impl Into<String>) -> Self {
        let (kind, words) = (kind.into(), words.into());
        Self { kind, words, claim: None, doubtful: false, is_value: false, next: None }
    }

    /// What the value of the pointer tells.
    fn value(kind: impl Into<Option<CrashKind>>, words: impl Into<String>) -> Self {
        Self { is_value: true, ..Self::sure(kind, words) }
    }
}

/// The pointer without the offset that was added to it.
fn root(scene: &dyn Scene, term: &Term) -> Option<u64> {
    match &term.kind {
        TermKind::Sum { base, .. } => root(scene, base),
        TermKind::Caller { term, .. } => root(scene, term),
        _ => term.observed.or_else(|| evaluate(term, scene)),
    }
}

/// Whether a value on the way was read from memory whose owner gave it back: a freed object, the
/// frame of a function that returned.
fn gone(scene: &dyn Scene, writer: Writer<'_>, term: &Term, sp: u64) -> Option<Nature> {
    if let TermKind::Caller { pc, term } = &term.kind {
        return gone(scene, Writer::new(scene, *pc), term, sp);
    }
    for part in term.parts() {
        if let Some(found) = gone(scene, writer, part, sp) {
            return Some(found);
        }
    }
    let TermKind::Load { address, .. } = &term.kind else { return None };
    let at = evaluate(address, scene)?;
    let read = || match writer.expression(term) {
        Ok(text) => format!("`{text}` is read"),
        Err(_) => "it is read".to_owned(),
    };
    let identity = scene.identity(at)?;
    if let Some(slab) = identity.slab {
        return freed(&slab, || read() + " from");
    }
    let stack = identity.stack.filter(|place| !place.guard)?.stack;
    // Nothing of a live frame lies below the stack pointer: the kernel has no red zone there.
    if at >= sp || !(stack.low..stack.high).contains(&sp) {
        return None;
    }
    let claim = Claim::new(Some(true)).text(read()).text(" at ").data(at);
    let claim = claim.text(", below the stack pointer, which is ").data(sp);
    let words = "what was left in the frame of a function that has returned";
    let nature = Nature::value(CrashKind::UseAfterFree, words);
    let next = "who keeps the address of a local variable for longer than its function runs";
    Some(Nature { claim: Some(claim), next: Some(next), ..nature })
}

/// What was read from an object, if it is free.
fn freed(slab: &SlabObject, read: impl Fn() -> String) -> Option<Nature> {
    let is_free = matches!(slab.state, ObjectState::Free | ObjectState::FreeOnCpu(_));
    if !is_free || slab.part != SlotPart::Object {
        return None;
    }
    let cache = cache(slab);
    let claim =
        Claim::new(Some(true)).text(format!("{} an object of {cache} that is free: ", read()));
    let claim = tracks(slab, claim.data(slab.start));
    let words = format!("what was left in a freed object of {cache}");
    Some(Nature { claim: Some(claim), ..Nature::value(CrashKind::UseAfterFree, words) })
}

/// The free object that a register leads into, where only the poison in a pointer's place tells of
/// it: of a timer in an object that was freed, `timer` is at hand, and with it who freed it.
fn holder(scene: &dyn Scene, writer: Writer<'_>, registers: &[Option<u64>; 16]) -> Option<Claim> {
    (0..).zip(registers).find_map(|(number, value)| {
        let slab = scene.identity((*value)?)?.slab?;
        let register = full(number);
        let local = writer.local_in(register).map(|name| format!("`{name}`"));
        let name = local.unwrap_or_else(|| lower(register));
        freed(&slab, || format!("{name} leads into"))?.claim
    })
}

fn cache(slab: &SlabObject) -> String {
    slab.slab.cache.name.clone()
}

/// Who allocated and freed the object, where the allocator noted that.
fn tracks(slab: &SlabObject, mut claim: Claim) -> Claim {
    if let Some(track) = &slab.freed {
        claim = claim.text(", freed by ").code(track.caller);
    }
    if let Some(track) = &slab.allocated {
        claim = claim.text(", allocated by ").code(track.caller);
    }
    claim
}

/// Values that are no addresses.
fn by_value(scene: &dyn Scene, root: u64) -> Option<Nature> {
    if root < NULL_PAGE {
        return None;
    }
    if root >= ERRORS {
        let pattern = scene.identity(root).and_then(|identity| identity.pattern);
        let name = match pattern {
            Some(Pattern::Error { name: Some(name), .. }) => format!("-{name}"),
            _ => root.cast_signed().to_string(),
        };
        return Some(Nature::value(CrashKind::ErrPtr, format!("the error code {name}")));
    }
    match scene.identity(root)?.pattern? {
        Pattern::Poison { meaning, .. } if meaning.contains("list entry") => {
            Some(Nature::value(CrashKind::ListCorruption, format!("the {meaning}")))
        }
        Pattern::Poison { meaning, .. } => {
            let kind = match meaning {
                m if m.contains("freed slab") || m.contains("freed page") => {
                    CrashKind::UseAfterFree
                }
                m if m.contains("never initialised") => CrashKind::Uninitialized,
                m if m.contains("red zone") => CrashKind::OutOfBounds,
                _ => return Some(Nature::value(None, meaning)),
            };
            Some(Nature::value(kind, meaning))
        }
        _ => None,
    }
}

/// Text in a pointer's place: a neighbour that overflowed, or memory that has a new owner.
fn text(scene: &dyn Scene, term: Option<&Term>, pointer: u64) -> Option<Nature> {
    let Pattern::Text(characters) = scene.identity(pointer)?.pattern? else { return None };
    let words = format!("the text \"{characters}\"");
    let plain = Some(Nature { doubtful: true, ..Nature::value(None, words.clone()) });
    let Some(Term { kind: TermKind::Load { address, .. }, .. }) = term else { return plain };
    let Some(at) = evaluate(address, scene) else { return plain };
    let Some(slab) = scene.identity(at).and_then(|identity| identity.slab) else { return plain };
    let run = run(scene, at);
    let start = at.wrapping_sub(run);
    let of = cache(&slab);
    if start < slab.start {
        let claim = Claim::new(Some(true)).text("text runs into the object at ").data(slab.start);
        let claim = claim.text(format!(" (of {of}) from the object before it"));
        let claim = Some(claim);
        return Some(Nature { claim, ..Nature::value(CrashKind::HeapOverflow, words) });
    }
    let claim = Claim::new(Some(true)).text("the object of ").text(of).text(" at ");
    let claim = claim.data(slab.start).text(" holds text there: it has another owner by now");
    let claim = Some(claim);
    Some(Nature { claim, doubtful: true, ..Nature::value(CrashKind::UseAfterFree, words) })
}

/// Bytes of text directly before the address.
fn run(scene: &dyn Scene, at: u64) -> u64 {
    let is_text = |distance: &u64| {
        let byte = scene.word(at.wrapping_sub(*distance), 1);
        byte.is_some_and(|byte| matches!(byte, 0x20..=0x7e | 9 | 10 | 13))
    };
    (1..=RUN).take_while(is_text).count() as u64
}

/// A word of the stack that is no address of anything: a local variable that nobody set.
fn on_stack(scene: &dyn Scene, term: &Term, address: u64) -> Option<Nature> {
    let TermKind::Load { address: slot, .. } = &term.kind else { return None };
    let at = scene.identity(evaluate(slot, scene)?)?;
    let is_local = at.stack.as_ref().is_some_and(|stack| !stack.guard);
    let place = scene.identity(address)?;
    let is_nothing = match place.region {
        AddressRegion::NonCanonical => true,
        AddressRegion::User => {
            address >= NULL_PAGE && place.user.is_none_or(|user| user.vma.is_none())
        }
        _ => false,
    };
    (is_local && is_nothing).then(|| {
        let claim = Claim::new(Some(true)).text("the pointer lies in a local variable, at ");
        let claim = claim.data(at.address).text(" on the stack");
        let words = "what the stack held there before, or what overwrote it";
        let nature = Nature::value(CrashKind::Uninitialized, words);
        Nature { claim: Some(claim), doubtful: true, ..nature }
    })
}

/// What lies at the address that was accessed.
fn by_place(scene: &dyn Scene, address: u64, how: Use) -> Option<Nature> {
    let identity = scene.identity(address)?;
    let error = scene.error_code();
    let has = |bits: u64| error.is_some_and(|error| error & bits == bits);
    match identity.region {
        AddressRegion::User => Some(user(scene, &identity)),
        AddressRegion::NonCanonical => None,
        _ if how == Use::Call => call(&identity, scene.gone_text(address)),
        _ if how == Use::Write && has(PRESENT | WRITE) => {
            let what = named(&identity).unwrap_or_else(|| "memory".to_owned());
            Some(Nature::sure(CrashKind::WriteToReadOnly, format!("{what}, which is read-only")))
        }
        AddressRegion::Vmalloc if identity.unreadable.is_some() => Some(match &identity.vm_area {
            Some(area) => {
                let (end, asked) = (address.wrapping_sub(area.start), area.end - area.start);
                let words = format!(
                    "the guard page behind a vmalloc area, at {end:#x} of {asked:#x} bytes"
                );
                Nature::sure(CrashKind::OutOfBounds, words)
            }
            None if identity.stack.as_ref().is_some_and(|stack| stack.guard) => {
                Nature::sure(CrashKind::OutOfBounds, "the guard page of a kernel stack")
            }
            None => Nature::sure(None, "a hole between vmalloc areas: never mapped, or freed"),
        }),
        _ => identity.gone.map(|gone| Nature::sure(CrashKind::UnloadedCode, gone)),
    }
}

fn user(scene: &dyn Scene, identity: &Identity) -> Nature {
    if identity.user.as_ref().is_some_and(|user| user.vma.is_some()) {
        let words = "memory of the process, which only copy_from_user() and its like may touch";
        return Nature::sure(CrashKind::UserAccess, words);
    }
    if let Some((variable, _)) =
        scene.per_cpu_symbol(identity.address).filter(|_| identity.address < 1 << 20)
    {
        let words =
            format!("the offset of per-CPU variable `{variable}`, used without this_cpu_ptr()");
        return Nature { doubtful: true, ..Nature::sure(None, words) };
    }
    Nature::sure(None, "an address of user space where nothing is mapped")
}

/// Code that is none.
fn call(identity: &Identity, gone: Option<String>) -> Option<Nature> {
    if let Some(gone) = gone {
        if gone.contains("start") {
            return Some(Nature::sure(CrashKind::FreedInitCode, gone));
        }
        // No module was ever unloaded: what is gone is what a module gave back by itself.
        if !gone.contains("unloaded") {
            let words = "the initialization code of a module, which is freed after use";
            return Some(Nature::sure(CrashKind::FreedInitCode, words));
        }
        return Some(Nature::sure(CrashKind::UnloadedCode, gone));
    }
    if identity.unreadable.is_some() {
        return None;
    }
    let what = named(identity).unwrap_or_else(|| "data".to_owned());
    Some(Nature::sure(CrashKind::ExecOfNonExecutable, format!("{what}, which is no code")))
}

/// What is there, in words that another boot does not change.
fn named(identity: &Identity) -> Option<String> {
    let symbol = identity.symbol.as_ref().map(|symbol| format!("`{}`", symbol.symbol));
    let module = identity.module.as_ref().map(|module| format!("memory of module {}", module.name));
    let slab = identity.slab.as_ref().map(|slab| format!("an object of {}", cache(slab)));
    let stack = identity.stack.as_ref().map(|_| "a kernel stack".to_owned());
    symbol.or(module).or(slab).or(stack)
}
