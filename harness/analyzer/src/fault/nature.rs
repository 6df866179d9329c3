// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a bad pointer is, and so what kind of mistake made it.
//!
//! The values on the way to the fault are looked at, not only the last one: a pointer that was
//! read from a freed object is a use after free, whatever stood there.

use kernel::Unreadable;
use kernel::mm::PAGE;
use kernel::mm::page::PageUse;
use kernel::mm::slab_layout::SlotPart;
use kernel::mm::slab_object::{ObjectState, SlabObject};
use kernel::mm::vmalloc::VmArea;
use unwind::Frame;

use super::access::WRITE;
use super::chain::slot;
use super::empty_list::empty_list;
use super::first_owner::is_first_owners;
use super::foot::Foot;
use super::found::Found;
use super::freed::{gone, holder};
use super::mistaken::mistaken;
use super::outside::behind;
use super::own_cpu::null_per_cpu;
use super::placed::{Past, misplaced, owner, past_end};
use super::system_call::is_given;
use super::unallocated::unallocated;
use super::written_text::text;
use crate::claim::Claim;
use crate::diagnosis::{
    About, Diagnosis, Grounds, Nature, Owner, Place, Role, Symptom, Table, Use,
};
use crate::express::{Expression, NamedPart, Writer};
use crate::flow::{Round, Term, TermKind, evaluate, round};
use crate::gone::Gone;
use crate::identify::{AddressRegion, BELOW_NULL, Identity, NULL_PAGE, Pattern, StackOwner};
use crate::initialiser::initialiser;
use crate::kind::CrashKind;
use crate::leftover::{MARK_LEFT, may_be_left};
use crate::scene::Scene;

/// Bit of the page fault's error code: the page was there.
const PRESENT: u64 = 1;
/// Variables of the kernel's image are at per-CPU distances below this one.
const SMALL_DISTANCE: u64 = 1 << 20;
/// Farther inside of a per-CPU variable, most likely nobody means a member of it.
const LARGEST_MEMBER: u64 = 1024;
/// Farther from its pointer than this, an address was led there by a number.
const NEAR: i64 = 1 << 16;
/// Links of lists and the like lie at multiples of this many bytes.
const ALIGNED: u64 = 8;

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

/// Looks at a bad pointer and says in the diagnosis what it is. `term` is where it came from.
pub(super) fn refine(
    scene: &dyn Scene,
    frames: &[Frame],
    writer: Writer<'_>,
    term: Option<&Term>,
    bad: Bad,
    diagnosis: &mut Diagnosis,
) {
    let foot = term.map(|term| Foot::of(scene, writer, term, bad.pointer));
    diagnosis.about = foot.as_ref().map(Foot::about).or_else(|| diagnosis.about.take());
    let value = foot.and_then(|foot| foot.value).unwrap_or(bad.pointer);
    let mut found = follows_free_list(scene, frames).then(|| Nature::FreeList.into());
    let is_null = value < NULL_PAGE && found.is_none();
    let Some(pointer) = diagnosis.pointer_mut() else { return };
    if is_null && bad.how != Use::Call {
        pointer.symptom = Symptom::Null;
    } else if found.is_some() && pointer.symptom == Symptom::Null {
        // Links of such lists are numbers of which each may be anything.
        pointer.symptom = Symptom::Bad;
    }
    let round = term.and_then(|term| round(term, scene, bad.pointer));
    if found.is_none() {
        found = term.and_then(|term| null_per_cpu(scene, writer, term));
        pointer.symptom = if found.is_some() { Symptom::Null } else { pointer.symptom };
    }
    if found.is_none() {
        let what = (writer, round);
        let place = |it| misplaced(scene, what, it).or_else(|| behind(scene, what, it));
        found = term.and_then(|it| gone(scene, frames, what, it, bad.sp).or_else(|| place(it)));
    }
    if found.is_none() && is_null {
        found = foot.as_ref().and_then(|foot| small(foot, bad, pointer.expression.as_ref()));
        if found.is_some() {
            pointer.symptom = Symptom::Bad;
        }
    }
    if found.is_none() && is_null {
        found = null(value, bad).map(Found::from);
    }
    if found.is_none() {
        found = by_value(scene, foot.as_ref(), value).or_else(|| text(scene, term, bad.pointer));
        found = found.or_else(|| on_stack(scene, term?, bad.address));
    }
    left_by_others(scene, foot.as_ref(), found.as_ref(), diagnosis);
    if found.is_none() {
        found = never_allocated(scene, frames, foot.as_ref(), value).map(Found::from);
    }
    if found.is_none() && !is_null {
        found = led_to(scene, (term, foot.as_ref()), bad);
    }
    if found.as_ref().is_none_or(|found| matches!(found.nature, Nature::NullPlus { .. })) {
        diagnosis.evidence.extend(foot.as_ref().and_then(|foot| owner(scene, foot)));
        if foot.as_ref().is_some_and(|foot| is_from_the_unknown(scene, foot)) {
            diagnosis.leave_open("whether the object that it was read from is free cannot be told");
        }
    }
    term.iter().for_each(|term| past(scene, (writer, term), diagnosis));
    if let Some(claim) = term.and_then(|term| empty_list(scene, (writer, round), term)) {
        of_no_entry(claim, diagnosis);
    }
    term.iter().for_each(|term| elsewhere(scene, (writer, round, term), found.as_ref(), diagnosis));
    foot.iter().for_each(|foot| in_variable(scene, foot, diagnosis));

    let is_past = diagnosis.pointer().is_some_and(|it| it.past.is_some());
    let is_call = is_null && !is_past && bad.how == Use::Call;
    if let Some(foot) = foot.as_ref().filter(|_| is_call) {
        missing(scene, foot, diagnosis);
    }
    if let Some(foot) = foot.as_ref().filter(|_| is_null) {
        links(scene, foot, bad, diagnosis);
    }
    let Some(mut found) = found else {
        // Of NULL with a distance, NULL is what has to be named.
        let named = foot.filter(|_| is_null).and_then(|foot| foot.expression(scene));
        let is_known = diagnosis.grounds != Grounds::None;
        if let (Some(pointer), Some(named)) = (diagnosis.pointer_mut(), named.filter(|_| is_known))
        {
            pointer.expression = Some(named);
        }
        return;
    };
    if found.nature.kind(bad.how) == Some(CrashKind::UseAfterFree)
        && found.claim.is_none()
        && let Some(holder) = holder(scene, writer, &bad.registers)
    {
        found.claim = holder.claim;
        found.about = holder.about;
    }
    about(foot.as_ref(), &found, diagnosis);
    diagnosis.evidence.extend(found.claim);
    let is_known = diagnosis.grounds != Grounds::None;
    let Some(pointer) = diagnosis.pointer_mut() else { return };
    if found.nature == Nature::FreeList {
        pointer.expression = None;
    }
    let is_foots = found.nature.is_value() && found.nature != Nature::FreeList;
    let foot = || foot.filter(|_| is_foots).and_then(|it| it.expression(scene));
    if let Some(expression) = found.expression.or_else(foot).filter(|_| is_known) {
        pointer.expression = Some(expression);
    }
    pointer.nature = Some(found.nature);
}

/// What is where the pointer led, as far as that is no chance.
fn led_to(
    scene: &dyn Scene,
    (term, foot): (Option<&Term>, Option<&Foot<'_, '_>>),
    bad: Bad,
) -> Option<Found> {
    let is_led = foot.is_some_and(|foot| foot.distance.is_none_or(|it| it.abs() > NEAR))
        || bad.address.wrapping_sub(bad.pointer).cast_signed().abs() > NEAR;
    let mut found = by_place(scene, bad.address, bad.how)
        .filter(|found| !(is_led && is_of_whoever_was_there(&found.nature)))?;
    match &mut found.nature {
        Nature::UserMemory { is_given: it } => *it = is_given(scene, term, bad.pointer),
        Nature::Gone(Gone::Unloaded { was, is_shown, .. })
            if bad.how != Use::Call
                && was.data.is_none()
                && !foot.is_some_and(Foot::is_pointer) =>
        {
            *is_shown = false;
            found.claim = None;
        }
        _ => {}
    }
    Some(found)
}

/// Says in the diagnosis that the mark of a list's entry may be that of an entry that had the memory before.
///
/// Example: `hlist_del(&flow->node)` of a flow that was never put in, in memory that is not cleared.
fn left_by_others(
    scene: &dyn Scene,
    foot: Option<&Foot<'_, '_>>,
    found: Option<&Found>,
    diagnosis: &mut Diagnosis,
) {
    let is_mark =
        |found: &Found| matches!(&found.nature, Nature::Poison(poison) if poison.is_of_list());
    let foot = foot.filter(|_| found.is_some_and(is_mark));
    let at = foot.and_then(|foot| foot.loaded_from(scene));
    if at.is_some_and(|at| may_be_left(scene, at)) {
        diagnosis.leave_open(MARK_LEFT);
    }
}

/// Says in the diagnosis that what it is about was taken for an entry of a list, and is none.
fn of_no_entry(claim: Claim, diagnosis: &mut Diagnosis) {
    let words = "a list's own head was taken for an entry of it, or an entry that is in no list was followed";
    diagnosis.evidence.push(claim);
    diagnosis.grounds = diagnosis.grounds.max(Grounds::Inferred);
    diagnosis.unknown = Some(words.to_owned());
}

/// Says in the diagnosis which array on the way has no element of the number that is asked for.
fn past(scene: &dyn Scene, (writer, term): (Writer<'_>, &Term), diagnosis: &mut Diagnosis) {
    match past_end(scene, writer, term) {
        Some(Past::Outside { index, array, claim }) => {
            diagnosis.evidence.push(claim);
            if let Some(pointer) = diagnosis.pointer_mut() {
                pointer.past = Some((index, array));
            }
        }
        Some(Past::Declared { array, count }) => {
            let words = format!(
                "`{array}` is declared with {count} elements, and may have been allocated with more"
            );
            diagnosis.leave_open(&words);
        }
        None => {}
    }
}

/// Says in the diagnosis which pointer on the way leads to something else than it is used for, where the value that
/// was read through it tells of no other mistake.
fn elsewhere(
    scene: &dyn Scene,
    (writer, round, term): (Writer<'_>, Option<Round>, &Term),
    found: Option<&Found>,
    diagnosis: &mut Diagnosis,
) {
    let is_open = diagnosis.unknown.is_some();
    let is_told = found.is_some_and(|found| match found.nature.kind(Use::Read) {
        None => matches!(found.nature, Nature::Misplaced { .. } | Nature::FreeList),
        Some(kind) => !matches!(kind, CrashKind::ErrPtr | CrashKind::UserAccess),
    });
    let Some(pointer) = diagnosis.pointer_mut().filter(|it| it.past.is_none()) else { return };
    if is_told || is_open {
        return;
    }
    pointer.mistaken = mistaken(scene, (writer, round), term);
    if let Some(mistaken) = &pointer.mistaken {
        let doubt = mistaken.doubt();
        diagnosis.leave_open(doubt);
    }
}

/// Says in the diagnosis what NULL is the link of.
fn links(scene: &dyn Scene, foot: &Foot<'_, '_>, bad: Bad, diagnosis: &mut Diagnosis) {
    let is_unlinked = bad.how != Use::Call && is_unlinked(scene, foot) == Some(true);
    let Some(pointer) = diagnosis.pointer_mut() else { return };
    pointer.unset = pointer.mistaken.is_none().then(|| unset(scene, foot)).flatten();
    if pointer.unset.is_some() {
        on_some_stack(scene, foot, diagnosis);
    }
    let Some(pointer) = diagnosis.pointer_mut() else { return };
    // By the name that the module has for it, where it has one.
    pointer.unlinked = match &pointer.expression {
        Some(Expression::Member(node, _)) if is_unlinked => Some(node.as_ref().clone()),
        _ => None,
    };
}

/// Says in the diagnosis that a list without links is on a stack, if it is: nobody tells that its function still runs.
///
/// Example: `complete(request->done)` of a request that nobody waits for any more, as the wait timed out.
fn on_some_stack(scene: &dyn Scene, foot: &Foot<'_, '_>, diagnosis: &mut Diagnosis) {
    let Some(at) = foot.loaded_from(scene) else { return };
    let place = scene.identity(at).and_then(|place| place.stack).filter(|stack| !stack.guard);
    let Some(place) = place else { return };
    let whose = match &place.owner {
        StackOwner::Task { comm, .. } => format!("the stack of task `{comm}`"),
        StackOwner::Cpu(cpu) => format!("a stack of CPU {cpu}"),
    };
    let claim = Claim::new(Some(true)).data(at).text(format!(" is on {whose}"));
    diagnosis.evidence.push(claim);
    let words = format!(
        "it lies on {whose}: either its function has returned and others use that since, or nobody set it up"
    );
    diagnosis.leave_open(&words);
    diagnosis.about = None;
    if let Some(pointer) = diagnosis.pointer_mut() {
        pointer.unset = None;
    }
}

/// Says in the diagnosis that the code can be searched for the variable of a module that the pointer was read from,
/// where it is a member only of what the kernel takes it for.
fn in_variable(scene: &dyn Scene, foot: &Foot<'_, '_>, diagnosis: &mut Diagnosis) {
    if diagnosis.pointer().is_some_and(|it| it.past.is_some()) {
        return;
    }
    let Some(about) = diagnosis.about.as_mut() else { return };
    let is_of_kernel = |part| foot.writer.is_of_the_kernel(part);
    if about.part.as_ref().is_none_or(is_of_kernel)
        && let Some((at, size)) = slot(scene, foot.term)
    {
        let address = Term::new(TermKind::Constant(at), foot.term.site);
        about.part = foot.writer.unbounded().part_at(&address, size).or(about.part.take());
    }
}

/// What a function that frees was given that never came from the allocator.
fn never_allocated(
    scene: &dyn Scene,
    frames: &[Frame],
    foot: Option<&Foot<'_, '_>>,
    value: u64,
) -> Option<Nature> {
    // Of an empty list's head the entry would be freed that is around it.
    let is_whole = foot.is_none_or(|foot| foot.distance == Some(0));
    let given = is_whole.then(|| unallocated(scene, frames, value)).flatten()?;
    place(&given).map(Nature::NeverAllocated)
}

/// Says in the diagnosis in which table or variable the function is missing that was to be called.
fn missing(scene: &dyn Scene, foot: &Foot<'_, '_>, diagnosis: &mut Diagnosis) {
    if let Some((about, table)) = diagnosis.about.as_mut().zip(table(scene, foot)) {
        let Table { name, pointer, member, address, .. } = &table;
        let words = format!("`{pointer}` points to `{name}`, which has no `{member}`");
        diagnosis.evidence.push(Claim::new(Some(true)).text(words));
        diagnosis.blame.owned = scene.is_outside(*address);
        about.table = Some(table);
    } else if let Some((part, module)) = own_function(scene, foot) {
        let words = format!("`{}` is in a variable of {module}", part.expression);
        diagnosis.evidence.push(Claim::new(Some(true)).text(words));
        diagnosis.about = Some(About { part: Some(part), ..About::default() });
        diagnosis.blame.owned = true;
    }
}

/// Says in the diagnosis what the code can be searched for.
fn about(foot: Option<&Foot<'_, '_>>, found: &Found, diagnosis: &mut Diagnosis) {
    let mut about = found.about.clone();
    let own = diagnosis.about.take().unwrap_or_default();
    about.part = about.part.or(own.part);
    about.table = about.table.or(own.table);
    // What the pointer leads to was freed, and not what it was read from.
    if matches!(found.nature, Nature::FreedArea | Nature::Hole) {
        about.structure = foot.and_then(Foot::structure);
    }
    diagnosis.about = Some(about);
}

/// Whether the pointer was read from memory of which the dump does not tell whose it is, or whether it is
/// anybody's.
fn is_from_the_unknown(scene: &dyn Scene, foot: &Foot<'_, '_>) -> bool {
    let place = foot.loaded_from(scene).and_then(|slot| scene.identity(slot));
    place.is_some_and(|place| {
        let is_heap = place.region == AddressRegion::DirectMap;
        let is_told = |slab: &SlabObject| slab.state.is_free().is_some();
        let used_for = |place: &Identity| place.page.as_ref().map(|page| page.used_for);
        let is_open = |place: &Identity| {
            !place.unknown.is_empty() || used_for(place) == Some(PageUse::Unreferenced)
        };
        let is_known = place.stack.is_some() || place.kfence.is_some();
        is_heap && !is_known && place.slab.as_ref().map_or(is_open(&place), |slab| !is_told(slab))
    })
}

/// Whether the address is outside of what is known to be where a good pointer leads, `from`.
pub(super) fn leads_out(scene: &dyn Scene, from: u64, address: u64) -> bool {
    let bounds = scene.identity(from).and_then(|identity| bounds(scene, &identity));
    bounds.is_some_and(|it| address.wrapping_sub(it.start) >= it.size)
}

/// Says in the diagnosis where a number led that was added to a good pointer, `from`.
pub(super) fn beyond(
    scene: &dyn Scene,
    (from, index): (u64, Option<u64>),
    bad: Bad,
    diagnosis: &mut Diagnosis,
) {
    let bounds = scene.identity(from).and_then(|identity| bounds(scene, &identity));
    let outside = bounds.filter(|it| bad.address.wrapping_sub(it.start) >= it.size);
    let Some(pointer) = diagnosis.pointer_mut() else { return };
    pointer.role = Role::Index;
    pointer.below = index.is_some_and(is_below);
    pointer.nature = match outside {
        Some(Bounds { place, start, size }) => {
            Some(Nature::Beyond { place, at: bad.address.wrapping_sub(start).cast_signed(), size })
        }
        None => by_place(scene, bad.address, bad.how)
            .map(|found| found.nature)
            .filter(|nature| !is_of_whoever_was_there(nature)),
    };
}

/// Whether the number is a little below 0, of 32 or 64 bits.
fn is_below(index: u64) -> bool {
    /// Nobody goes farther below.
    const MOST: u64 = 1 << 16;
    index.wrapping_neg() <= MOST
        || (u64::from(u32::MAX) - MOST..=u64::from(u32::MAX)).contains(&index)
}

/// Whether it tells what was where the address leads: a number that is too large may lead there, too,
/// from something that has no part in that.
const fn is_of_whoever_was_there(nature: &Nature) -> bool {
    matches!(nature, Nature::Gone(_) | Nature::FreedArea | Nature::Hole | Nature::PerCpuPointer)
}

/// Where something begins and how large it is.
struct Bounds {
    place: Option<Place>,
    start: u64,
    size: u64,
}

/// What is known to be at an address, with its bounds.
fn bounds(scene: &dyn Scene, identity: &Identity) -> Option<Bounds> {
    let place = place(identity);
    if let Some(slab) = &identity.slab {
        let size = slab.slab.cache.object_size;
        return Some(Bounds { place, start: slab.start, size });
    }
    if let Some(symbol) = identity.symbol.as_ref().filter(|symbol| symbol.size > 0) {
        let start = identity.address.wrapping_sub(symbol.offset);
        // A symbol reaches to the next one, a variable may end before that.
        let size = variable_size(scene, start).unwrap_or(symbol.size);
        return Some(Bounds { place, start, size });
    }
    let area = identity.vm_area.as_ref().filter(|_| identity.stack.is_none())?;
    let place = Some(Place::VmArea);
    Some(Bounds { place, start: area.start, size: bytes(area) })
}

/// Bytes of the variable with static storage that begins at the address, by its type.
fn variable_size(scene: &dyn Scene, start: u64) -> Option<u64> {
    let image = scene.image_at(start)?;
    let variable = image.variable_at(start, None).found().filter(|it| it.address == start)?;
    image.type_size(variable.ty).found().filter(|size| *size > 0)
}

/// Functions of the slab allocator that follow its lists of free objects (`mm/slub.c`, 3.10 to 6.12).
const FREE_LISTS: [&str; 6] = [
    "freelist_ptr",
    "freelist_ptr_decode",
    "freelist_dereference",
    "get_freepointer",
    "get_freepointer_safe",
    "prefetch_freepointer",
];

/// Whether the fault is in the slab allocator where it follows a list of free objects: whoever asked
/// it for one has no part in what is wrong there.
fn follows_free_list(scene: &dyn Scene, frames: &[Frame]) -> bool {
    let Some(frame) = frames.first() else { return false };
    let pc = frame.pc.for_lookup();
    if scene.is_outside(pc) {
        return false;
    }
    let chain = scene.image_at(pc).and_then(|image| image.source(pc).found()).unwrap_or_default();
    let names = chain.iter().filter_map(|source| source.function.as_deref());
    names.into_iter().any(|name| FREE_LISTS.contains(&name))
}

/// The variable with static storage that a member was read from through a pointer: a table of functions.
fn table(scene: &dyn Scene, foot: &Foot<'_, '_>) -> Option<Table> {
    let slot = foot.loaded_from(scene)?;
    let identity = scene.identity(slot).filter(|_| scene.word(slot, 8) == Some(0))?;
    let module = identity.module.as_ref()?;
    let symbol = identity.symbol.as_ref().filter(|symbol| symbol.offset < symbol.size)?;
    // The linker's marks of where sections begin and end may stand for what lies there.
    if ["__start_", "__stop_"].iter().any(|mark| symbol.symbol.starts_with(mark)) {
        return None;
    }
    let Expression::Member(object, member) = foot.about().part?.expression else { return None };
    let Expression::Target(pointer) = *object else { return None };
    let name = format!("{} [{}]", symbol.symbol, module.name);
    let (module, address) = (module.name.clone(), slot);
    Some(Table { name, module, pointer: *pointer, member, address })
}

/// The pointer to a function in a variable of a module from outside of the kernel's tree that is NULL, by that
/// variable's own type, whatever the code calls it that got there; and the module.
fn own_function(scene: &dyn Scene, foot: &Foot<'_, '_>) -> Option<(NamedPart, String)> {
    let (at, _) = slot(scene, foot.term)?;
    let is_missing = scene.is_outside(at) && scene.word(at, 8) == Some(0);
    let identity = scene.identity(at).filter(|_| is_missing)?;
    let part = foot.writer.unbounded().function_pointer_at(at)?;
    Some((part, identity.module?.name))
}

/// What the pointer was read from, if that has lists that are never NULL and both links of this one are: a wait
/// queue, a completion, the head of a list.
fn unset(scene: &dyn Scene, foot: &Foot<'_, '_>) -> Option<Expression> {
    let part = foot.about().part?;
    let has_list = initialiser(&part.part.ty).is_some_and(|it| it.has_list);
    // An entry of a list that was cleared is no list.
    if !has_list || part.part.ty == "list_head" && foot.round.is_some() {
        return None;
    }
    // Another member that is NULL says nothing of the list: an unlocked mutex has no owner.
    let is_link = matches!(foot.expression(scene)?, Expression::Member(_, name) if name == "next");
    let next = foot.loaded_from(scene).filter(|_| is_link)?;
    // What was freed may have been cleared by that.
    let is_freed = scene.identity(next).is_some_and(|place| place.freed_memory().is_some());
    if is_freed {
        return None;
    }
    let are_null = scene.word(next, 8) == Some(0) && scene.word(next.checked_add(8)?, 8) == Some(0);
    are_null.then_some(part.expression)
}

/// Whether the pointer is the link to the one before of a node of which both are NULL: what is taken out of a list that
/// it is not in is written through that.
///
/// Example: `hlist_del_rcu(&helper->node)` of a helper that was never registered.
fn is_unlinked(scene: &dyn Scene, foot: &Foot<'_, '_>) -> Option<bool> {
    /// Each has its link to the next one first.
    const NODES: [&str; 2] = ["hlist_node", "hlist_nulls_node"];
    let (structure, offset) = foot.around()?;
    let previous = foot.loaded_from(scene)?;
    let next = previous.checked_sub(8)?;
    let are_null = scene.word(next, 8) == Some(0) && scene.word(previous, 8) == Some(0);
    Some(NODES.contains(&structure.tag.as_str()) && offset == 8 && are_null)
}

/// A small number that is not NULL, and to which nothing was added that is known.
///
/// Example: `kmalloc(0)` gives 0x10, an entry of an xarray may be a number, and so may what a thread was started
/// with; the kernel calls an access 0x13 a NULL pointer, and the pointer is 0x10.
fn small(foot: &Foot<'_, '_>, bad: Bad, named: Option<&Expression>) -> Option<Found> {
    let value = foot.value.filter(|value| *value != 0)?;
    let is_pointer = match foot.term.bare().kind {
        TermKind::Load { size, .. } => size == 8,
        TermKind::Returned { .. } | TermKind::Entry(_) => true,
        _ => foot.distance == Some(0),
    };
    if is_pointer {
        return Some(Nature::Small { value }.into());
    }
    // What is shorter than a pointer is a number, and the sum is what was taken for a pointer.
    let nature = Nature::Small { value: bad.pointer };
    Some(Found { expression: named.cloned(), ..nature.into() }).filter(|_| bad.pointer != 0)
}

/// NULL, where the address accessed does not show it.
fn null(value: u64, bad: Bad) -> Option<Nature> {
    let is_plain = bad.address < NULL_PAGE;
    (!is_plain && bad.how != Use::Call).then(|| {
        let distance = bad.address.wrapping_sub(value).cast_signed();
        Nature::NullPlus { distance }
    })
}

/// What a bad value is, as far as it tells that itself.
pub(crate) fn of_value(scene: &dyn Scene, value: u64) -> Option<Nature> {
    by_value(scene, None, value).map(|found| found.nature)
}

/// Values that are no addresses.
fn by_value(scene: &dyn Scene, foot: Option<&Foot<'_, '_>>, value: u64) -> Option<Found> {
    if value >= BELOW_NULL {
        return Some(below_null(scene, foot, value)?.into());
    }
    let Pattern::Poison { poison, .. } = scene.identity(value)?.pattern? else { return None };
    // What fills an object when it is freed, and when it is allocated.
    let from = foot.filter(|_| poison.fills_new_objects());
    let from = from.and_then(|foot| scene.identity(foot.loaded_from(scene)?)?.slab);
    let in_use = from.filter(|slab| {
        slab.state == ObjectState::Allocated
            && slab.part == SlotPart::Object
            && slab.slab.cache.checks.poison
    });
    Some(match in_use {
        Some(slab) => {
            let cache = slab.slab.cache.name.clone();
            let claim = Claim::new(Some(true)).text(format!("the object of {cache} at "));
            let claim =
                claim.data(slab.start).text(" is in use, and filled there as when it was new");
            let is_certain = is_first_owners(scene, &slab);
            Found { claim: Some(claim), ..Nature::NeverWritten { cache, is_certain }.into() }
        }
        None => Nature::Poison(poison).into(),
    })
}

/// A small negative number: an error code if it was taken from where pointers are kept, and not made
/// by subtracting from one.
fn below_null(scene: &dyn Scene, foot: Option<&Foot<'_, '_>>, value: u64) -> Option<Nature> {
    /// Nobody has a pointer to one of these and asks for what is around it.
    const NO_LINKS: [&str; 5] =
        ["spinlock", "raw_spinlock", "mutex", "rw_semaphore", "refcount_struct"];
    let Pattern::Error { errno, name } = scene.identity(value)?.pattern? else { return None };
    // `container_of()` keeps pointers aligned.
    let is_error = !value.is_multiple_of(ALIGNED)
        || foot.is_some_and(|foot| {
            // What a function returns may be the structure around a link as well.
            matches!(foot.term.bare().kind, TermKind::Load { .. } | TermKind::PerCpu { .. })
        });
    // Example: `cursor = rb_entry(rb_next(&cursor->rb), struct node, rb)` behind the last node.
    let member = foot.and_then(|foot| foot.member_at(errno.into()));
    let is_link = |tag: &str| !NO_LINKS.contains(&tag);
    Some(match member {
        Some((member, Some(tag))) if is_link(&tag) => {
            Nature::BelowNull { distance: errno, name, member: Some(member) }
        }
        _ if !is_error => Nature::BelowNull { distance: errno, name, member: None },
        // -1 stands for "none" as often as for -EPERM.
        member => Nature::ErrorCode { errno, name, is_certain: errno > 1 && member.is_none() },
    })
}

/// A word of the stack that is no address of anything: a local variable that nobody set.
fn on_stack(scene: &dyn Scene, term: &Term, address: u64) -> Option<Found> {
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
        Found { claim: Some(claim), ..Nature::OnStack.into() }
    })
}

/// What lies at the address that was accessed.
fn by_place(scene: &dyn Scene, address: u64, how: Use) -> Option<Found> {
    let identity = scene.identity(address)?;
    if how != Use::Call
        && let Some(found) = per_cpu(scene, &identity)
    {
        return Some(found);
    }
    let error = scene.error_code();
    let has = |bits: u64| error.is_some_and(|error| error & bits == bits);
    let nature = match identity.region {
        // The processor found the page, and did not allow the access.
        AddressRegion::User if has(PRESENT) && identity.user.is_none() => {
            Nature::UserMemory { is_given: false }
        }
        AddressRegion::User => user(scene, &identity),
        AddressRegion::NonCanonical => return None,
        _ if how == Use::Call => return call(&identity),
        _ if matches!(how, Use::Write | Use::Change) && has(PRESENT | WRITE) => {
            Nature::ReadOnly(place(&identity))
        }
        AddressRegion::Vmalloc if is_unmapped(&identity) => match &identity.vm_area {
            Some(area) => {
                let (at, size) = (address.wrapping_sub(area.start), bytes(area));
                // Of the areas of per-CPU memory, what is not used is not mapped.
                if at < size {
                    return None;
                }
                Nature::Guard { at, size }
            }
            None if identity.stack.as_ref().is_some_and(|stack| stack.guard) => Nature::StackGuard,
            None if identity.freed_area.is_some() => Nature::FreedArea,
            None => Nature::Hole,
        },
        _ => Nature::Gone(identity.gone.clone()?),
    };
    let claim = shown(&nature, &identity);
    Some(Found { claim, ..nature.into() })
}

/// What shows that memory is gone.
fn shown(nature: &Nature, identity: &Identity) -> Option<Claim> {
    let claim = Claim::new(Some(true)).data(identity.address);
    match nature {
        Nature::Gone(Gone::Unloaded { is_shown: true, .. }) => {
            Some(claim.text(" is in the area for modules, where no module is loaded any more"))
        }
        Nature::FreedArea => {
            let area = identity.freed_area.as_ref()?;
            let claim = claim.text(" is in the vmalloc area that was freed at ").data(area.start);
            Some(claim.text(format!(", of {:#x} bytes", area.end.wrapping_sub(area.start))))
        }
        _ => None,
    }
}

/// A pointer to per-CPU memory: it is a distance, which leads to memory with that of every CPU and to
/// nothing without.
fn per_cpu(scene: &dyn Scene, identity: &Identity) -> Option<Found> {
    let address = identity.address;
    let is_number = matches!(identity.region, AddressRegion::User | AddressRegion::NonCanonical);
    let is_nothing = identity.user.as_ref().is_none_or(|user| user.vma.is_none());
    let bases = scene.per_cpu_bases();
    if !is_number || !is_nothing || address < NULL_PAGE || bases.is_empty() {
        return None;
    }
    // Of the variables of the kernel's image, the offset itself tells which one.
    if address < SMALL_DISTANCE && scene.per_cpu_symbol(address).is_some() {
        return None;
    }
    let all = bases.iter().map(|base| base.wrapping_add(address));
    let region = |at: u64| {
        let region = scene.identity(at)?.region;
        let is_kernels = matches!(region, AddressRegion::DirectMap | AddressRegion::Vmalloc);
        (is_kernels && scene.is_mapped(at) == Some(true)).then_some(region)
    };
    let regions: Vec<AddressRegion> = all.clone().map_while(region).collect();
    if regions.len() != all.len() {
        return None;
    }
    let claim = Claim::new(Some(true)).data(address).text(" and the distance of CPU 0 lead to ");
    let claim = claim.data(all.clone().next()?).text(", which is mapped, and so for each CPU");
    // From where the first units are, in the direct map, any number that is not too large leads to memory.
    let is_chunk = regions.iter().all(|region| *region == AddressRegion::Vmalloc);
    let nature = match address >= SMALL_DISTANCE && is_chunk {
        true => Nature::PerCpuPointer,
        false => Nature::UserUnmapped { may_be_per_cpu: true },
    };
    Some(Found { claim: Some(claim), ..nature.into() })
}

/// Whether the dump tells that nothing is mapped there.
fn is_unmapped(identity: &Identity) -> bool {
    identity.unreadable.as_ref().is_some_and(|why| why.is_mapped() == Some(false))
}

/// Bytes of an area that are mapped: without the guard page.
fn bytes(area: &VmArea) -> u64 {
    let whole = area.end.saturating_sub(area.start).saturating_sub(PAGE);
    let pages = area.user.as_ref().map(|user| user.pages.saturating_mul(PAGE));
    pages.filter(|pages| *pages > 0).unwrap_or(whole)
}

fn user(scene: &dyn Scene, identity: &Identity) -> Nature {
    if identity.user.as_ref().is_some_and(|user| user.vma.is_some()) {
        return Nature::UserMemory { is_given: false };
    }
    let per_cpu = scene
        .per_cpu_symbol(identity.address)
        .filter(|(_, inside)| identity.address < SMALL_DISTANCE && *inside < LARGEST_MEMBER);
    match per_cpu {
        Some((variable, _)) => Nature::PerCpuOffset { variable },
        // The list of mappings cannot be read, or which task crashed is not known.
        None if identity.user.is_none() && scene.has_process() != Some(false) => Nature::UserSpace,
        None => Nature::UserUnmapped { may_be_per_cpu: false },
    }
}

/// Code that is none.
fn call(identity: &Identity) -> Option<Found> {
    if let Some(gone) = &identity.gone {
        return Some(Nature::Gone(gone.clone()).into());
    }
    let is_there = identity.unreadable.as_ref().map_or(Some(true), Unreadable::is_mapped)?;
    is_there.then(|| Nature::NotCode(place(identity)).into())
}

/// What is there, in words that another boot does not change.
pub(super) fn place(identity: &Identity) -> Option<Place> {
    let symbol = identity.symbol.as_ref().map(|symbol| Place::Symbol(symbol.symbol.clone()));
    let module = || identity.module.as_ref().map(|module| Place::Module(module.name.clone()));
    let slab = || {
        identity
            .slab
            .as_ref()
            .map(|slab| Place::Slab(Owner { cache: slab.slab.cache.name.clone() }))
    };
    let stack = || identity.stack.as_ref().map(|_| Place::Stack);
    symbol.or_else(module).or_else(slab).or_else(stack)
}
