// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where in the source of the modules to look next: what the code does with the member that was bad, with the
//! object that was freed, with the lock that was not given back.
//!
//! It is advice: the code is searched by the types of its variables, and what goes another way is not found.

mod act;
mod objects;
mod search;

use debuginfo::Declared;
use unwind::Pc;

use act::Act;
pub(crate) use objects::allocates;
use objects::{Object, device_references, freed, made, once, small};
use search::{Acts, PUTTING_IN, Search, TAKING_OUT, site};

use crate::diagnosis::{
    About, BadPointer, Check, CheckKind, Diagnosis, Grounds, Hang, Lead, ListEntry, Lockup, Nature,
    NoLock, Overflow, Own, Site, Symptom, Test, TextPlace, Until, Waiting, What,
};
use crate::express::{Expression, NamedPart, Structure, Whole, Writer};
use crate::gone::Gone;
use crate::identify::Poison;
use crate::initialiser::initialiser;
use crate::scene::Scene;
use crate::source_line::SourceLine;

/// Modules that are searched.
const MAX_MODULES: usize = 4;

/// What is asked of the code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Question {
    /// Who sets the part, or initialises it.
    Set,
    /// Who frees such objects.
    Freed { again: bool },
    /// Who puts it into a list and takes it out.
    Listed,
    /// By which member such objects are linked for ever.
    Linked,
    /// Who puts it into its list.
    Unlinked,
    /// Which table lacks it.
    Table,
    /// Where it was computed.
    Computed,
    /// What the caller passed.
    Passed,
    /// Which test leads to where it is used.
    Tested,
    /// Who raises and lowers it.
    Counted,
    /// Who takes the lock.
    Taken,
    /// Who allocates too little: in the function to blame alone, or anywhere.
    Small { here: bool },
    /// Who takes and gives back references of network devices.
    Devices,
    /// Who writes to the buffer, or how much.
    Written,
}

/// Says in the diagnosis where to look.
pub fn find(scene: &dyn Scene, diagnosis: &mut Diagnosis) {
    complained(scene, diagnosis);
    let questions = questions(&diagnosis.what);
    if questions.is_empty() {
        return;
    }
    let about = diagnosis.about.clone().unwrap_or_default();
    // A variable is set by its own module.
    let of_variable = match about.part.as_ref().map(|part| &part.part.whole) {
        Some(Whole::Variable { address }) => scene.identity(*address).and_then(|it| it.module),
        _ => None,
    };
    let modules = match of_variable {
        Some(module) => vec![module.name],
        None => modules(scene, diagnosis.pc),
    };
    let Some(module) = modules.first().cloned() else { return };
    let Some(search) = Search::new(scene, &modules) else { return };
    let expression = diagnosis.expression().cloned();
    let pc = diagnosis.pc.map(Pc::for_lookup);
    let tested = diagnosis.pointer().and_then(|it| it.tested);
    let unlinked = diagnosis.pointer().and_then(|it| it.unlinked.clone());
    let asked = Asked { scene, search, about, module, expression, pc, tested, unlinked };
    for question in questions {
        let is_said = |lead: &Lead| match (question, lead) {
            // What is counted is set where it begins to be, and a table where it is defined.
            (Question::Set, Lead::Counted { .. } | Lead::Table { .. }) => true,
            (Question::Listed, Lead::Linked { .. }) => true,
            _ => false,
        };
        if !diagnosis.leads.iter().any(is_said) {
            diagnosis.leads.extend(asked.answer(question));
        }
    }
    blame_allocation(diagnosis);
}

/// Of what a function of the kernel was given that complained, whatever needs to be initialised.
fn complained(scene: &dyn Scene, diagnosis: &mut Diagnosis) {
    let complained = diagnosis.complained.as_ref().and_then(|it| it.given.as_ref());
    // What the kernel's function met there may be bad for another reason.
    let own = diagnosis.given.as_ref().filter(|_| diagnosis.pointer().is_none());
    let Some(given) = own.or(complained) else { return };
    let parts = given.objects.iter().filter_map(|object| object.part.clone());
    let mut parts = parts.filter(|part| initialiser(&part.part.ty).is_some_and(|it| it.has_list));
    let Some(part) = parts.next() else { return };
    let modules = all_modules(scene);
    let Some(search) = Search::new(scene, &modules) else { return };
    let about = About { part: Some(part), ..About::default() };
    let module = modules.join("`, `");
    let (expression, pc, tested, unlinked) = (None, None, None, None);
    let asked = Asked { scene, search, about, module, expression, pc, tested, unlinked };
    diagnosis.leads.extend(asked.set());
}

/// Where no module is known to have a part in it, the one whose code allocates too little most likely has.
fn blame_allocation(diagnosis: &mut Diagnosis) {
    let small = diagnosis.leads.iter().find_map(|lead| match lead {
        Lead::Small { pc, .. } => Some(*pc),
        _ => None,
    });
    let is_pointer = diagnosis.pointer().is_some();
    let Some(pc) = small.filter(|_| is_pointer && !diagnosis.blame.outside) else { return };
    if let Some(pointer) = diagnosis.pointer_mut() {
        pointer.overrun = true;
    }
    diagnosis.pc = Some(Pc::Interrupted(pc));
    diagnosis.blame.outside = true;
    diagnosis.helper = None;
    diagnosis.grounds = Grounds::Inferred;
    let words = "that it ran over what is noticed here is told by the code alone";
    diagnosis.unknown = Some(words.to_owned());
}

fn questions(what: &What) -> Vec<Question> {
    match what {
        What::Pointer(it) => of_pointer(it),
        What::Check(it) => of_check(it),
        What::Lockup(it) => of_lockup(it),
        What::Waiting(it) => of_waiting(it),
        What::Size(_)
        | What::Division(_)
        | What::Exhausted(_)
        | What::Requested
        | What::Running { .. }
        | What::Kind(_) => Vec::new(),
    }
}

fn of_pointer(it: &BadPointer) -> Vec<Question> {
    use Question as Q;
    if it.tested.is_some() {
        return vec![Q::Tested, Q::Set];
    }
    if it.is_index() {
        return vec![Q::Set];
    }
    if it.unlinked.is_some() {
        return vec![Q::Unlinked];
    }
    match &it.nature {
        Some(
            Nature::Freed { .. }
            | Nature::FreedArea
            | Nature::Hole
            | Nature::Text { place: TextPlace::Owner(_), .. }
            | Nature::Poison(Poison::SlabFree | Poison::SlabEnd | Poison::Page),
        ) => vec![Q::Linked, Q::Listed, Q::Freed { again: false }, Q::Counted],
        Some(Nature::Poison(_)) => vec![Q::Listed],
        Some(Nature::FreeList | Nature::Short { .. }) => vec![Q::Small { here: false }],
        None if it.symptom != Symptom::Null => {
            vec![Q::Small { here: false }, Q::Listed, Q::Set]
        }
        None
        | Some(
            Nature::NullPlus { .. }
            | Nature::Small { .. }
            | Nature::BelowNull { .. }
            | Nature::ErrorCode { .. }
            | Nature::PerCpuNull
            | Nature::NeverWritten { .. }
            | Nature::Text { .. },
        ) => vec![Q::Passed, Q::Table, Q::Listed, Q::Set],
        Some(Nature::Misplaced { .. }) => vec![Q::Computed, Q::Set],
        Some(Nature::NeverAllocated(_)) => vec![Q::Set],
        Some(
            Nature::UserMemory { is_given: false }
            | Nature::UserSpace
            | Nature::UserUnmapped { may_be_per_cpu: false }
            | Nature::Gone(Gone::Unloaded { is_shown: false, .. }),
        ) => {
            vec![Q::Linked, Q::Listed, Q::Set]
        }
        Some(
            Nature::Returned
            | Nature::FreedOrPast { .. }
            | Nature::Outside { .. }
            | Nature::NeverSet { .. }
            | Nature::OnStack
            | Nature::UserMemory { is_given: true }
            | Nature::UserUnmapped { may_be_per_cpu: true }
            | Nature::PerCpuPointer
            | Nature::PerCpuOffset { .. }
            | Nature::ReadOnly(_)
            | Nature::NotCode(_)
            | Nature::Guard { .. }
            | Nature::StackGuard
            | Nature::Beyond { .. }
            | Nature::Gone(_),
        ) => Vec::new(),
    }
}

fn of_check(it: &Check) -> Vec<Question> {
    match &it.kind {
        CheckKind::DoubleFree(_) => {
            vec![Question::Linked, Question::Freed { again: true }, Question::Counted]
        }
        CheckKind::List(ListEntry::NoList) => vec![Question::Set],
        CheckKind::List(ListEntry::Itself) => Vec::new(),
        CheckKind::List(ListEntry::ListFreed) => vec![Question::Freed { again: false }],
        CheckKind::List(_) => {
            vec![Question::Linked, Question::Listed, Question::Freed { again: false }]
        }
        CheckKind::Refcount(_) => vec![Question::Counted, Question::Freed { again: false }],
        // What writes to the string is right: where it goes is too small.
        CheckKind::Fortify(Overflow::TooLong { .. }) => vec![Question::Small { here: true }],
        CheckKind::Fortify(_) => vec![Question::Small { here: true }, Question::Written],
        CheckKind::Bug
        | CheckKind::InvalidOpcode
        | CheckKind::Trap
        | CheckKind::Warn
        | CheckKind::Warning
        | CheckKind::Panic { .. }
        | CheckKind::Called { .. }
        | CheckKind::StackProtector
        | CheckKind::SleepingInAtomic
        | CheckKind::OutOfMemory
        | CheckKind::Undefined
        | CheckKind::Other(..) => Vec::new(),
    }
}

fn of_lockup(it: &Lockup) -> Vec<Question> {
    use Question as Q;
    if it.left.is_some() {
        return Vec::new();
    }
    match &it.hang {
        Hang::NoLock(NoLock::Freed(_)) => vec![Q::Freed { again: false }, Q::Counted],
        Hang::NoLock(NoLock::NeverWritten { .. }) => vec![Q::Set],
        Hang::NoLock(NoLock::Other) => vec![Q::Freed { again: false }, Q::Set],
        Hang::Lock(_) | Hang::Own(Own::Path) | Hang::Held(_) | Hang::Asleep(_) => vec![Q::Taken],
        Hang::Own(_) => Vec::new(),
        Hang::Ring { until: None, .. } => vec![Q::Listed],
        Hang::Ring { .. } => Vec::new(),
        Hang::Circle(_) | Hang::BusyWait | Hang::Running | Hang::Unknown => Vec::new(),
    }
}

fn of_waiting(it: &Waiting) -> Vec<Question> {
    match (it.way(), &it.lock) {
        (Some(_), _) => Vec::new(),
        (None, Some(_)) if it.circle.is_empty() => vec![Question::Taken],
        (None, None) if matches!(it.until, Some(Until::Device { .. })) => vec![Question::Devices],
        (None, None) if it.until.is_some() => vec![Question::Counted, Question::Set],
        _ => Vec::new(),
    }
}

/// The module that has the code, or those that are from outside of the kernel's tree.
fn modules(scene: &dyn Scene, pc: Option<Pc>) -> Vec<String> {
    let module = |address: u64| scene.code_name(address).and_then(|code| code.module);
    let own = pc.map(Pc::for_lookup).filter(|pc| scene.is_outside(*pc)).and_then(module);
    if let Some(own) = own {
        return vec![own];
    }
    all_modules(scene)
}

/// The modules from outside of the kernel's tree, the first ones of many.
fn all_modules(scene: &dyn Scene) -> Vec<String> {
    let module = |address: u64| scene.code_name(address).and_then(|code| code.module);
    let mut all: Vec<String> = Vec::new();
    for name in scene.outside_functions().into_iter().filter_map(module) {
        if !all.contains(&name) {
            all.push(name);
        }
    }
    all.truncate(MAX_MODULES);
    all
}

/// What is asked about.
struct Asked<'s> {
    scene: &'s dyn Scene,
    search: Search<'s>,
    about: About,
    module: String,
    /// What was bad, as C.
    expression: Option<Expression>,
    /// An address inside of the function to blame.
    pc: Option<u64>,
    /// The test that leads there.
    tested: Option<Test>,
    /// The node that is in no list.
    unlinked: Option<Expression>,
}

impl Asked<'_> {
    fn answer(&self, question: Question) -> Option<Lead> {
        match question {
            Question::Set => self.set(),
            Question::Freed { again } => self.freed(again),
            Question::Listed => self.listed(),
            Question::Linked => self.linked(),
            Question::Unlinked => self.unlinked(),
            Question::Table => self.table(),
            Question::Computed => self.computed(),
            Question::Passed => self.passed(),
            Question::Tested => self.tested(),
            Question::Counted => self.counted(),
            Question::Taken => self.taken(),
            Question::Written => self.written(),
            Question::Devices => self.devices(),
            Question::Small { here: false } => small(self.scene, &self.search, None),
            Question::Small { here: true } => {
                let own = self.pc.and_then(|pc| self.scene.function_entry(pc))?;
                small(self.scene, &self.search, Some(own))
            }
        }
    }

    /// The acts with a part; `None` if not all of the code was looked at.
    fn acts(&self, part: &NamedPart) -> Option<Acts> {
        let acts = self.search.acts(&part.part);
        (!acts.is_cut).then_some(acts)
    }

    fn set(&self) -> Option<Lead> {
        let part = self.about.part.as_ref()?;
        if link(&part.part.ty).is_some_and(|it| it.of_entry) {
            return None;
        }
        let acts = self.acts(part)?;
        let made = || made(self.scene, &self.search, &part.part);
        let (object, module) = (part.expression.clone(), self.module.clone());
        // What is put into a list needs no initialisation.
        let is_put = |act: &Act| given(act, &PUTTING_IN);
        if part.part.ty == "list_head" && !sites(&acts, is_put).is_empty() {
            return None;
        }
        if let Some(initialiser) = initialiser(&part.part.ty) {
            let is_it = |act: &Act| match act {
                Act::Initialised => true,
                Act::Given { function, .. } => initialiser.functions.contains(&function.as_str()),
                Act::Set | Act::Cleared => initialiser.by_store,
                _ => false,
            };
            let mut done = sites(&acts, is_it);
            // No instruction makes the address of what an object begins with.
            if done.is_empty() && part.part.start == 0 {
                done = once(self.search.given_whole(initialiser.functions, &part.part)?);
            }
            return Some(Lead::Uninitialised {
                object,
                by: initialiser.by,
                done,
                made: made(),
                module,
            });
        }
        // Where a table begins, its address is that of its first function, too.
        let is_function = part.part.ty.is_empty();
        let is_set = |act: &Act| match act {
            Act::Set => true,
            Act::Given { .. } => !is_function,
            _ => false,
        };
        let set = sites(&acts, is_set);
        let cleared = sites(&acts, |act| *act == Act::Cleared);
        // Of what the kernel's own code met, that no module sets it says nothing.
        let is_variable = matches!(part.part.whole, Whole::Variable { .. });
        let is_own = is_variable || self.pc.is_some_and(|pc| self.scene.is_outside(pc));
        if set.is_empty() && !is_own {
            return None;
        }
        if self.about.is_array && !set.is_empty() {
            return Some(Lead::Sized { array: object, set });
        }
        let made = if set.is_empty() { made() } else { None };
        let defined = match part.part.whole {
            Whole::Variable { address } if set.is_empty() => self.defined(address),
            _ => None,
        };
        Some(Lead::Set { object, set, cleared, made, defined, module })
    }

    fn freed(&self, again: bool) -> Option<Lead> {
        // A link is freed with what it is a member of.
        let structure = self.structure().filter(|it| link(&it.tag).is_none());
        // The memory may have had other owners since.
        let is_own = |at: &u64| self.scene.is_outside(at.wrapping_sub(1)) || structure.is_none();
        let known = self.about.freed.filter(is_own);
        let known = known.and_then(|at| site(self.scene, Pc::Return(at)));
        let object = Object { structure, expression: self.expression.as_ref(), pc: self.pc };
        let (found, callers) = freed(self.scene, &self.search, object);
        let structure = structure.map(|it| it.tag.clone());
        if let Some(known) = known {
            let (by, callers) = (vec![known], Vec::new());
            return Some(Lead::Freed { structure, by, callers, is_known: true, again });
        }
        let own = self.pc.and_then(|pc| site(self.scene, Pc::Interrupted(pc))).filter(|_| again);
        let is_any = !found.is_empty();
        let by = once(own.into_iter().chain(found).collect());
        let callers = if by.len() == 1 { callers } else { Vec::new() };
        is_any.then_some(Lead::Freed { structure, by, callers, is_known: false, again })
    }

    /// The structure of the object.
    fn structure(&self) -> Option<&Structure> {
        self.about.structure.as_ref().or_else(|| match &self.about.part.as_ref()?.part.whole {
            Whole::Structure(structure) => Some(structure),
            Whole::Variable { .. } => None,
        })
    }

    /// The member by which such objects are put into a list or a table, and never taken out.
    fn linked(&self) -> Option<Lead> {
        const LINKS: [&str; 3] = ["list_head", "hlist_node", "hlist_nulls_node"];
        let structure = self.structure()?;
        let writer = Writer::new(self.scene, self.pc?);
        let mut all = writer.parts_of(structure, &LINKS).into_iter().filter_map(|part| {
            let acts = self.acts(&part)?;
            let is_node = part.part.ty != "list_head";
            let is_put = |act: &Act| given(act, &PUTTING_IN) || is_node && *act == Act::Set;
            let put = sites(&acts, is_put);
            let is_out = acts.lists_are_cut || !taken_out(&acts, is_node).is_empty();
            let is_left = !put.is_empty() && !is_out;
            let structure = structure.tag.clone();
            let by = link(&part.part.ty)?.by;
            is_left.then_some(Lead::Linked { structure, link: part.expression, by, put })
        });
        let first = all.next()?;
        all.next().is_none().then_some(first)
    }

    fn unlinked(&self) -> Option<Lead> {
        let site = site(self.scene, Pc::Interrupted(self.pc?))?;
        let handed = |part: &NamedPart| {
            let acts = self.acts(part)?;
            let is_given = |act: &Act| matches!(act, Act::Given { .. });
            let all = sites(&acts, is_given).into_iter();
            Some(all.filter(|it| it.function != site.function).collect())
        };
        let given = self.about.part.as_ref().and_then(handed).unwrap_or_default();
        Some(Lead::Unlinked { node: self.unlinked.clone()?, site, given })
    }

    fn table(&self) -> Option<Lead> {
        let table = self.about.table.clone()?;
        let defined = self.defined(table.address);
        Some(Lead::Table { table, defined })
    }

    /// Where the variable is defined that has the address.
    fn defined(&self, address: u64) -> Option<SourceLine> {
        let image = self.scene.image_at(address)?;
        let Declared { file, line } = image.declared_at(address).found()?;
        Some(SourceLine::of(Some(image), file, line))
    }

    fn computed(&self) -> Option<Lead> {
        let at = self.about.computed?;
        let site = site(self.scene, Pc::Interrupted(at))?;
        Some(Lead::Computed { pointer: self.expression.clone()?, site })
    }

    fn passed(&self) -> Option<Lead> {
        let passed = self.about.passed.as_ref()?;
        let site = site(self.scene, Pc::Interrupted(passed.pc))?;
        let (pointer, passed) = (self.expression.clone()?, passed.expression.clone());
        Some(Lead::Passed { pointer, passed, site })
    }

    fn tested(&self) -> Option<Lead> {
        let Test { pc, is_certain } = self.tested?;
        let site = site(self.scene, Pc::Interrupted(pc))?;
        Some(Lead::Tested { pointer: self.expression.clone()?, site, is_certain })
    }

    fn listed(&self) -> Option<Lead> {
        let part = self.about.part.as_ref()?;
        let link = link(&part.part.ty).filter(|_| part.part.structure().is_some())?;
        let acts = self.acts(part)?;
        let put = sites(&acts, |act| given(act, &PUTTING_IN));
        let out = taken_out(&acts, link.of_entry);
        if out.is_empty() && acts.lists_are_cut {
            return None;
        }
        // A list's head is what nothing puts in; others are linked by functions of the kernel, or by stores.
        let is_stored = link.of_entry && !sites(&acts, |act| *act == Act::Set).is_empty();
        if !is_stored && put.is_empty() && out.is_empty() {
            return None;
        }
        let module = self.module.clone();
        Some(Lead::Listed { entry: part.expression.clone(), by: link.by, out, put, module })
    }

    fn counted(&self) -> Option<Lead> {
        let part = self.about.part.as_ref()?;
        let acts = self.acts(part)?;
        let raised = sites(&acts, |act| *act == Act::Raised);
        let lowered = sites(&acts, |act| *act == Act::Lowered);
        let is_counted = !raised.is_empty() || !lowered.is_empty();
        let (counter, module) = (part.expression.clone(), self.module.clone());
        let member = match &counter {
            Expression::Member(_, name) => {
                part.part.structure().map(|tag| (name.clone(), tag.to_owned()))
            }
            _ => None,
        };
        is_counted.then_some(Lead::Counted { counter, member, raised, lowered, module })
    }

    fn devices(&self) -> Option<Lead> {
        let device = self.expression.clone()?;
        let (taken, given) = device_references(self.scene, &self.search);
        let module = self.module.clone();
        let is_any = !taken.is_empty() || !given.is_empty();
        is_any.then_some(Lead::References { device, taken, given, module })
    }

    fn written(&self) -> Option<Lead> {
        let Some(part) = &self.about.part else {
            let function = self.about.function.clone()?;
            let site = site(self.scene, Pc::Interrupted(self.pc?))?;
            return Some(Lead::Length { function, site, room: self.about.room.clone() });
        };
        let mut by: Vec<(Option<String>, Site)> = Vec::new();
        for (act, site) in self.acts(part)?.all {
            let function = match act {
                Act::Given { function, argument: 0 }
                    if ![MEASURING.as_slice(), &BOUNDED].concat().contains(&function.as_str()) =>
                {
                    Some(function)
                }
                Act::Set => None,
                _ => continue,
            };
            if !by.contains(&(function.clone(), site.clone())) {
                by.push((function, site));
            }
        }
        // Those that know no bound first.
        by.sort_by_key(|(function, _)| {
            !function.as_deref().is_some_and(|it| UNBOUNDED.contains(&it))
        });
        (!by.is_empty()).then(|| Lead::Written { buffer: part.expression.clone(), by })
    }

    fn taken(&self) -> Option<Lead> {
        let part = self.about.part.as_ref()?;
        if !self.about.kept.is_empty() {
            let (lock, by) = (part.expression.clone(), self.about.kept.clone());
            return Some(Lead::Kept { lock, by });
        }
        let acts = self.acts(part)?;
        let by = sites(&acts, |act| matches!(act, Act::Given { argument: 0, .. }));
        (!by.is_empty()).then(|| Lead::Taken { lock: part.expression.clone(), by })
    }
}

/// Where the code takes the link out of its list or tree. A `node` is cleared, too.
fn taken_out(acts: &Acts, node: bool) -> Vec<Site> {
    sites(acts, |act| match act {
        Act::TakenOut => true,
        Act::Cleared => node,
        _ => given(act, &TAKING_OUT),
    })
}

/// Where the code does that.
fn sites(acts: &Acts, is_it: impl Fn(&Act) -> bool) -> Vec<Site> {
    let found = acts.all.iter().filter(|(act, _)| is_it(act)).map(|(_, site)| site.clone());
    once(found.collect())
}

/// Whether the part is the first argument of one of the functions.
fn given(act: &Act, functions: &[&str]) -> bool {
    matches!(act, Act::Given { function, argument: 0 } if functions.contains(&function.as_str()))
}

/// Functions that write as much as there is.
const UNBOUNDED: [&str; 6] = ["sprintf", "vsprintf", "strcpy", "strcat", "stpcpy", "memcpy"];
/// Functions that are told how much there is.
const BOUNDED: [&str; 7] =
    ["snprintf", "vsnprintf", "scnprintf", "vscnprintf", "strscpy", "strlcpy", "strlcat"];
/// Functions that only read what they are given.
const MEASURING: [&str; 5] = ["strlen", "strnlen", "strcmp", "strncmp", "memcmp"];
/// A link of lists or trees.
struct Link {
    /// What takes an entry out.
    by: &'static str,
    /// Whether heads have another type.
    of_entry: bool,
}

fn link(ty: &str) -> Option<Link> {
    let of = |by, of_entry| Some(Link { by, of_entry });
    match ty {
        "list_head" => of("list_del", false),
        "hlist_node" => of("hlist_del", true),
        "hlist_nulls_node" => of("hlist_nulls_del_rcu", true),
        "rb_node" => of("rb_erase", true),
        _ => None,
    }
}
