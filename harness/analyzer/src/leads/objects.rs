// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where a module makes objects of a structure, and where it frees them.

use std::collections::BTreeMap;

use iced_x86::{OpKind, Register};

use super::search::{Call, Search};
use crate::diagnosis::{Lead, Made, Site};
use crate::express::{Expression, Part, Structure, Whole, Writer};
use crate::fault::named_in_code;
use crate::flow::{ARGUMENTS, CallTarget, Operator, Term, TermKind, call_target};
use crate::scene::Scene;
use crate::source_line::SourceLine;

/// Functions that allocate, each with the number of its argument with the size, if it has one (`include/linux/slab.h`,
/// `include/linux/vmalloc.h`, `include/linux/gfp.h`, 3.10 to 6.12).
const ALLOCATING: [(&str, Option<usize>); 34] = [
    ("__kmalloc", Some(0)),
    ("__kmalloc_noprof", Some(0)),
    ("__kmalloc_node", Some(0)),
    ("__kmalloc_node_noprof", None),
    ("kmalloc_trace", Some(2)),
    ("kmalloc_trace_noprof", Some(2)),
    ("kmalloc_node_trace", Some(3)),
    ("__kmalloc_cache_noprof", Some(2)),
    ("__kmalloc_cache_node_noprof", Some(3)),
    ("kmalloc_large", Some(0)),
    ("__kmalloc_large_noprof", Some(0)),
    ("kmalloc_order", None),
    ("kmalloc_order_trace", None),
    ("kmem_cache_alloc", None),
    ("kmem_cache_alloc_noprof", None),
    ("kmem_cache_alloc_trace", Some(2)),
    ("kmem_cache_alloc_node", None),
    ("kmem_cache_alloc_node_trace", Some(3)),
    ("kmem_cache_alloc_lru", None),
    ("kvmalloc_node", Some(0)),
    ("__kvmalloc_node_noprof", None),
    ("vmalloc", Some(0)),
    ("vmalloc_noprof", Some(0)),
    ("vzalloc", Some(0)),
    ("vzalloc_noprof", Some(0)),
    ("mempool_alloc", None),
    ("mempool_alloc_noprof", None),
    ("devm_kmalloc", None),
    ("__get_free_pages", None),
    ("get_free_pages_noprof", None),
    ("get_zeroed_page", None),
    ("get_zeroed_page_noprof", None),
    ("alloc_pages_exact", Some(0)),
    ("alloc_pages_exact_noprof", Some(0)),
];

/// Whether the function allocates.
pub(crate) fn allocates(function: &str) -> bool {
    ALLOCATING.iter().any(|(name, _)| *name == function)
}

/// Functions that free what one of their arguments leads to, by its number (`include/linux/slab.h`,
/// `include/linux/rcupdate.h`, `include/linux/vmalloc.h`, `include/linux/gfp.h`, `include/linux/skbuff.h`, 3.10 to 6.12). That of the last ones is a member.
const FREEING: [(&str, usize); 22] = [
    ("kfree", 0),
    ("kfree_sensitive", 0),
    ("kzfree", 0),
    ("kvfree", 0),
    ("kvfree_sensitive", 0),
    ("vfree", 0),
    ("free_pages", 0),
    ("free_pages_exact", 0),
    ("kmem_cache_free", 1),
    ("mempool_free", 0),
    ("devm_kfree", 1),
    ("kfree_call_rcu", 0),
    ("kvfree_call_rcu", 0),
    ("kfree_skb", 0),
    ("kfree_skb_reason", 0),
    ("sk_skb_reason_drop", 1),
    ("consume_skb", 0),
    ("__kfree_skb", 0),
    ("free_netdev", 0),
    ("call_rcu", 0),
    ("call_rcu_hurry", 0),
    ("call_rcu_sched", 0),
];
/// Members that are asked for to find where some of a structure are set.
const MAX_STORES: usize = 1 << 11;

/// What is freed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Object<'o> {
    /// Its structure, where its type is known.
    pub(super) structure: Option<&'o Structure>,
    /// The pointer as C, in the function to blame.
    pub(super) expression: Option<&'o Expression>,
    /// An address inside of that function.
    pub(super) pc: Option<u64>,
}

/// Where such objects are freed, the function to blame first; and if that is one place alone, from where the code
/// comes there.
pub(super) fn freed(
    scene: &dyn Scene,
    search: &Search<'_>,
    object: Object<'_>,
) -> (Vec<Site>, Vec<Site>) {
    let own = object.pc.and_then(|pc| scene.function_entry(pc));
    let (mut inside, mut found, mut places) = (Vec::new(), Vec::new(), Vec::new());
    for Call { code, at, what: number, .. } in search.calls(&FREEING) {
        let register = ARGUMENTS.get(number);
        let Some(term) = register.and_then(|it| search.value((code, at), *it)) else { continue };
        let ip = code.instruction(at).ip();
        let writer = Writer::new(scene, ip);
        let is_own = own == Some(code.entry());
        let is_named = || {
            let expression = writer.expression(&term).ok();
            is_own && expression.is_some() && expression.as_ref() == object.expression
        };
        let is_whole = || writer.pointee(&term).as_ref() == object.structure;
        let is_part = || {
            let part = writer.part_at(&term, 8);
            let tag = object.structure.map(|it| it.tag.as_str());
            part.is_some_and(|part| part.part.structure() == tag)
        };
        let is_it = object.structure.is_some() && (is_whole() || is_part()) || is_named();
        let Some(site) = search.site(ip) else { continue };
        places.push((site.clone(), (code.entry(), ip)));
        if is_it {
            let sites = if is_own { &mut inside } else { &mut found };
            sites.push(site);
        }
    }
    inside.extend(found);
    let sites = once(inside);
    let callers = if let [only] = sites.as_slice() {
        // What was freed again may be of a type that is not known there.
        let here = own.zip(object.pc).filter(|(_, pc)| search.site(*pc).as_ref() == Some(only));
        let same = places.into_iter().filter(|(site, _)| site == only).map(|(_, place)| place);
        let all = here.into_iter().chain(same);
        all.flat_map(|place| callers(scene, search, place)).collect()
    } else {
        Vec::new()
    };
    (sites, once(callers))
}

/// From where the code comes to a place: the call of the function that is inlined there, or the calls of the function
/// that has it.
fn callers(scene: &dyn Scene, search: &Search<'_>, (entry, ip): (u64, u64)) -> Vec<Site> {
    let image = scene.image_at(ip);
    let chain = image.and_then(|image| image.source(ip).found()).unwrap_or_default();
    let own = search.site(ip);
    let is_behind = |name: &str| own.as_ref().is_none_or(|own| own.function != name);
    // The frames of functions that are inlined come first.
    let mut outer = chain.into_iter().skip_while(|it| it.function.as_deref().is_none_or(is_behind));
    let site = outer.nth(1).and_then(|outer| {
        Some(Site { line: SourceLine::of_frame(image, &outer)?, function: outer.function? })
    });
    if let Some(site) = site {
        return vec![site];
    }
    let calls = search.instructions().filter(|(code, at)| {
        matches!(call_target(code.instruction(*at)), Some(CallTarget::Direct(target)) if target == entry)
    });
    calls.filter_map(|(code, at)| search.site(code.instruction(at).ip())).collect()
}

/// The only allocation of fewer bytes than the structure has that its result is taken for, in the function that
/// begins at `own`, or in any.
///
/// Example: `kzalloc(sizeof(void *), GFP_KERNEL)` for a structure of 760 bytes.
pub(super) fn small(scene: &dyn Scene, search: &Search<'_>, own: Option<u64>) -> Option<Lead> {
    let all = search.calls(&ALLOCATING).into_iter();
    let all = all.filter(|call| own.is_none_or(|own| call.code.entry() == own));
    let known = all.filter_map(|call| {
        let Call { code, at, target, what } = call;
        let size = *ARGUMENTS.get(what?)?;
        let ip = code.instruction(at).ip();
        let (structure, variable) = result(scene, (ip, target))?;
        let (gets, each) = asked(&search.value((code, at), size)?)?;
        Some(Allocation { structure, variable, gets, each, site: search.site(ip)?, pc: ip })
    });
    let known: Vec<Allocation> = known.collect();
    let mut found = known.iter().filter(|it| it.is_small() && !it.is_shortened(&known));
    let first = found.next()?;
    found.next().is_none().then(|| first.lead())
}

/// A call that allocates, and what its result is taken for.
struct Allocation {
    structure: Structure,
    variable: Option<Expression>,
    gets: u64,
    /// Whether that is for each of several.
    each: bool,
    site: Site,
    pc: u64,
}

impl Allocation {
    const fn is_small(&self) -> bool {
        self.gets > 0 && self.gets < self.structure.size
    }

    /// Whether the same function of the source allocates the whole structure, too: then less is asked for on purpose.
    ///
    /// Example: `size = anonymous ? offsetof(struct counter, list) : sizeof(struct counter)`.
    fn is_shortened(&self, all: &[Self]) -> bool {
        let is_whole = |other: &&Self| {
            other.structure == self.structure
                && other.site.function == self.site.function
                && !other.is_small()
        };
        all.iter().any(|other| is_whole(&other))
    }

    fn lead(&self) -> Lead {
        let Structure { tag, size: needs } = self.structure.clone();
        let (variable, site) = (self.variable.clone(), self.site.clone());
        let (gets, each, pc) = (self.gets, self.each, self.pc);
        Lead::Small { variable, structure: tag, needs, gets, each, site, pc }
    }
}

/// How many bytes are asked for, or for each of a number that is not known: `kmalloc(sizeof(*p) * n)`.
fn asked(size: &Term) -> Option<(u64, bool)> {
    match &size.bare().kind {
        TermKind::Constant(gets) => Some((*gets, false)),
        TermKind::Extend { term, .. } => asked(term),
        TermKind::Sum { base, index: Some((_, scale)), offset: 0 } => {
            (base.kind == TermKind::Constant(0)).then_some(((*scale).into(), true))
        }
        TermKind::Binary { op, right, .. } => match (op, &right.kind) {
            (Operator::Multiply, TermKind::Constant(factor)) => Some((*factor, true)),
            (Operator::ShiftLeft, TermKind::Constant(bits)) => {
                Some((1_u64.checked_shl(u32::try_from(*bits).ok()?)?, true))
            }
            _ => None,
        },
        _ => None,
    }
}

/// Functions that take a reference of a network device, and those that give one back (`include/linux/netdevice.h`,
/// 3.10 to 6.12): most are inlined, and count for each CPU.
const TAKING_DEVICES: [&str; 9] = [
    "dev_hold",
    "__dev_hold",
    "dev_hold_track",
    "netdev_hold",
    "netdev_ref_inc",
    "dev_get_by_index",
    "dev_get_by_name",
    "netdev_get_by_index",
    "netdev_get_by_name",
];
const GIVING_DEVICES: [&str; 5] =
    ["dev_put", "__dev_put", "dev_put_track", "netdev_put", "netdev_ref_dec"];

/// Where references of network devices are taken, and where they are given back.
pub(super) fn device_references(scene: &dyn Scene, search: &Search<'_>) -> (Vec<Site>, Vec<Site>) {
    let (mut taken, mut given) = (Vec::new(), Vec::new());
    for (code, at) in search.instructions() {
        let instruction = code.instruction(at);
        let is_per_cpu = instruction.segment_prefix() == Register::GS
            && instruction.op0_kind() == OpKind::Memory;
        let called = match call_target(instruction) {
            Some(CallTarget::Direct(target)) => scene.kernel_function(target),
            _ => None,
        };
        if !is_per_cpu && called.is_none() {
            continue;
        }
        let ip = instruction.ip();
        let chain = || scene.image_at(ip).and_then(|image| image.source(ip).found());
        let is_of = |names: &[&str]| match &called {
            Some(name) => names.contains(&name.as_str()),
            None => chain().is_some_and(|chain| {
                let mut functions = chain.iter().filter_map(|it| it.function.as_deref());
                functions.any(|name| names.contains(&name))
            }),
        };
        let sites = match (is_of(&TAKING_DEVICES), is_of(&GIVING_DEVICES)) {
            (true, _) => &mut taken,
            (_, true) => &mut given,
            _ => continue,
        };
        sites.extend(search.site(ip));
    }
    (once(taken), once(given))
}

/// The structure that what an allocating function returns is taken for, and the variable that it is put into.
fn result(
    scene: &dyn Scene,
    (call, target): (u64, u64),
) -> Option<(Structure, Option<Expression>)> {
    let returned = Term::new(TermKind::Returned { target: Some(target) }, call);
    let named = named_in_code(scene, call, &returned);
    let writer = Writer::new(scene, call);
    Some((writer.pointee(&named)?, writer.variable(&named)))
}

/// Where objects of the part's structure are made.
pub(super) fn made(scene: &dyn Scene, search: &Search<'_>, part: &Part) -> Option<Made> {
    let Whole::Structure(structure) = &part.whole else { return None };
    allocated(scene, search, structure).or_else(|| set_beside(scene, search, part, structure))
}

/// Where objects of the structure are allocated.
pub(super) fn allocated(
    scene: &dyn Scene,
    search: &Search<'_>,
    structure: &Structure,
) -> Option<Made> {
    let site =
        search.calls(&ALLOCATING).into_iter().find_map(|Call { code, at, target, .. }| {
            let ip = code.instruction(at).ip();
            let (pointee, _) = result(scene, (ip, target))?;
            (pointee == *structure).then(|| search.site(ip)).flatten()
        })?;
    Some(Made { structure: structure.tag.clone(), site, is_allocated: true })
}

/// The function that sets the most members of the structure besides that one, and where it begins to.
fn set_beside(
    scene: &dyn Scene,
    search: &Search<'_>,
    part: &Part,
    structure: &Structure,
) -> Option<Made> {
    let mut sites: BTreeMap<u64, (usize, u64)> = BTreeMap::new();
    let mut asked = 0;
    for (code, at) in search.instructions() {
        let instruction = code.instruction(at);
        let base = instruction.memory_base();
        let offset = instruction.memory_displacement64();
        let is_store = instruction.op0_kind() == OpKind::Memory
            && base.is_gpr64()
            && !matches!(base, Register::RSP)
            && offset < structure.size
            && instruction.try_immediate(0).is_err();
        if !is_store || super::act::act(code, at).is_none() {
            continue;
        }
        asked += 1;
        if asked > MAX_STORES {
            break;
        }
        let ip = instruction.ip();
        let named = Writer::new(scene, ip).part_by(base, offset.cast_signed(), 1);
        let is_its = named.is_some_and(|it| it.part.whole == part.whole && !it.part.is_like(part));
        if is_its {
            let (count, first) = sites.entry(code.entry()).or_insert((0, ip));
            *count += 1;
            *first = ip.min(*first);
        }
    }
    let (_, first) = sites.into_values().max_by_key(|(count, _)| *count)?;
    let site = search.site(first)?;
    Some(Made { structure: structure.tag.clone(), site, is_allocated: false })
}

/// The places, each once, in their order.
pub(super) fn once(sites: Vec<Site>) -> Vec<Site> {
    let mut found: Vec<Site> = Vec::new();
    for site in sites {
        if !found.contains(&site) {
            found.push(site);
        }
    }
    found
}
