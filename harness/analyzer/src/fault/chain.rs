// SPDX-License-Identifier: MIT OR Apache-2.0
//! The chain of loads that led to a bad value, each checked on the dump.

use std::collections::BTreeSet;

use unwind::Frame;

use super::caller::passed_by_memory;
use super::left_out::left_out;
use super::naming::Namer;
use crate::claim::Claim;
use crate::diagnosis::Grounds;
use crate::express::{Expression, Writer};
use crate::flow::{Kept, Term, TermKind, evaluate, evaluate_unobserved, round, walk};
use crate::identify::NULL_PAGE;
use crate::medium::Medium;
use crate::scene::Scene;
use crate::symbol_name::source_name;

/// What is known of where a bad value came from.
pub(super) struct Origin {
    /// As C.
    pub(super) expression: Result<Expression, String>,
    /// The term of the expression, without the alternatives that were ruled out, with names of
    /// variables.
    pub(super) term: Option<Term>,
    /// One claim for each load, from the root outwards.
    pub(super) steps: Vec<Claim>,
    /// Whether the dump gives the bad value again.
    pub(super) grounds: Grounds,
    /// Why not, where that is because of what the dump was made without.
    pub(super) left_out: Option<String>,
}

/// Alternatives of one value that are compared with what it was.
const MAX_ALTERNATIVES: usize = 16;

/// Where the value came from, compared with what it was at the fault.
pub(super) fn origin(
    scene: &dyn Scene,
    writer: Writer<'_>,
    frames: &[Frame],
    term: &Term,
    bad: u64,
) -> Origin {
    let outer = writer;
    let writer = writer.unbounded();
    let (alternatives, are_all) = alternatives(term);
    let (chosen, others) = choose(scene, writer, &alternatives, bad);
    let others = if are_all { others } else { Others::Possible };
    let Some(term) = chosen else {
        let ways = alternatives.iter().filter_map(|term| writer.expression(term).ok());
        // An offset without a name says nothing to people.
        let named = ways.filter(|c| !c.has_distance());
        let ways: BTreeSet<String> = named.map(|text| format!("`{text}`")).collect();
        let why = match ways.len() {
            0 => "one of several values, by the path taken".to_owned(),
            _ => format!("one of several, by the path taken ({})", join(ways)),
        };
        return Origin {
            expression: Err(why),
            term: None,
            steps: Vec::new(),
            grounds: Grounds::None,
            left_out: None,
        };
    };
    let walked = round(term, scene, bad);
    let variable = walked.map(|round| round.variable);
    let named =
        Namer { scene, frames, variable, is_code: false, by_call: false }.named(writer.pc(), term);
    let expression = writer.expression(&named);
    let mut steps = Vec::new();
    loads(scene, writer, &named, &mut steps);
    let again = evaluate(term, scene);
    let grounds = match (&expression, again) {
        (Err(_), _) => Grounds::None,
        _ if others == Others::Possible => Grounds::Inferred,
        // What the register at the end says of it holds only if this was the way taken.
        _ if others == Others::Refuted && !is_memory(term) => Grounds::Inferred,
        (Ok(_), Some(value)) if value == bad && is_grounded(term) => Grounds::Shown,
        // That the variable was that, the variable does not show.
        (Ok(_), _)
            if walked.is_some_and(|round| round.is_followed || is_read_again(term))
                && is_grounded(term) =>
        {
            Grounds::Shown
        }
        (Ok(_), _) => Grounds::Inferred,
    };
    if others == Others::Refuted {
        let words = "the other ways that lead here would have given another value";
        steps.push(Claim::new(Some(true)).text(words));
    }
    if let Some(round) = walked.filter(|round| round.is_followed) {
        let claim = Claim::new(Some(true))
            .text(format!("following the loop's steps in the {} leads to ", scene.medium()));
        steps.push(claim.data(round.variable));
    }
    if let (Ok(text), Some(value)) = (&expression, again)
        && value != bad
    {
        let claim = Claim::new(Some(false)).text(format!("`{text}` was ")).data(bad);
        steps.push(
            claim
                .text(" at the fault and is ")
                .data(value)
                .text(format!(" in the {}", scene.medium())),
        );
    }
    let spoilt = spoilt(scene, writer, frames, term, bad);
    let grounds = if spoilt.is_some() { grounds.max(Grounds::Inferred) } else { grounds };
    let expression = expression.and_then(|_| outer.expression(&named));
    // What a function of the kernel calls by its parameter's name, a module has a variable for.
    let in_variable = || {
        let (address, size) = slot(scene, &named).filter(|_| again == Some(bad))?;
        writer.unbounded().variable_part(address, size)
    };
    let expression = match expression {
        Ok(c) if c.has_distance() => Ok(in_variable().unwrap_or(c)),
        other => other.or_else(|why| in_variable().ok_or(why)),
    };
    let is_open = grounds == Grounds::Inferred && again.is_none();
    let left_out = is_open.then(|| left_out(scene, term)).flatten();
    let is_spoilt = spoilt.is_some();
    steps.extend(spoilt);
    let left_out = left_out.or_else(|| is_spoilt.then(|| SPOILT.to_owned()));
    Origin { expression, term: Some(named), steps, grounds, left_out }
}

/// Why an argument may have been another one than what is left of it.
const SPOILT: &str =
    "either what was passed has changed since, or what the function kept of it was overwritten";

/// That the argument which is bad is not what its caller passed, by the dump.
///
/// Example: a function that `use(current)` calls runs over its array on the stack, into where `use()` has a register
/// saved that it keeps its argument in.
fn spoilt(
    scene: &dyn Scene,
    writer: Writer<'_>,
    frames: &[Frame],
    term: &Term,
    bad: u64,
) -> Option<Claim> {
    let is_argument = matches!(term.kind, TermKind::Entry(_)) && term.observed == Some(bad);
    let found = is_argument.then(|| passed_by_memory(scene, frames, writer.pc(), term)).flatten();
    let (pc, passed, value) = found.filter(|(_, _, value)| *value != bad)?;
    let outer = Writer::new(scene, pc);
    let text = outer
        .expression(&passed)
        .map_or_else(|_| "what it passed".to_owned(), |c| format!("`{c}`"));
    let claim = Claim::new(Some(false)).code(pc).text(format!(" passed {text}, which is "));
    Some(claim.data(value).text(format!(" in the {}", scene.medium())))
}

/// The address in a module from outside of the kernel's tree that the value was read from, and the bytes, whatever
/// led there: it is in one of its variables.
///
/// Example: `helper_unregister(&helpers[i])` of an `i` that nothing keeps: `helpers[2].node.pprev`.
pub(super) fn slot(scene: &dyn Scene, term: &Term) -> Option<(u64, u8)> {
    let TermKind::Load { address, size, .. } = &term.bare().kind else { return None };
    let at = evaluate(address, scene).or(address.observed).filter(|at| scene.is_outside(*at))?;
    Some((at, *size))
}

fn join(texts: BTreeSet<String>) -> String {
    texts.into_iter().collect::<Vec<_>>().join(", ")
}

/// What is known of the alternatives that were not chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Others {
    None,
    /// The dump gives another value for each.
    Refuted,
    /// At least one may have been the value, too.
    Possible,
}

/// The alternative that the dump gives the bad value for; without one, the only one that it does
/// not give another value for. `None` if several are left that are not the same in C.
fn choose<'t>(
    scene: &dyn Scene,
    writer: Writer<'_>,
    alternatives: &'t [Term],
    bad: u64,
) -> (Option<&'t Term>, Others) {
    let several = alternatives.len() > 1;
    let gives = |term: &Term| match (evaluate(term, scene), walk(term)) {
        // Come that way, it would have been another one, or the kernel had faulted before.
        _ if several && (term.observed.is_some_and(|it| it != bad) || faults(scene, term)) => {
            Some(false)
        }
        // That a register holds it now says nothing of which way was taken.
        _ if several && !is_memory(term) && evaluate(term, scene) == Some(bad) => None,
        (Some(value), _) => Some(value == bad),
        (None, Some(_)) => round(term, scene, bad).map(|_| true),
        (None, None) => None,
    };
    let judged: Vec<(Option<bool>, &Term)> =
        alternatives.iter().map(|term| (gives(term), term)).collect();
    // Where memory alone gives it for some, what a register has, that all ways lead to, decides nothing.
    let by_memory = |term: &Term| evaluate_unobserved(term, scene) == Some(bad);
    let judged = match judged.iter().any(|(_, term)| several && by_memory(term)) {
        true => {
            let given = |(given, term): (Option<bool>, &'t Term)| match given {
                Some(true) => (by_memory(term).then_some(true), term),
                other => (other, term),
            };
            judged.into_iter().map(given).collect()
        }
        false => judged,
    };
    let of = |wanted: Option<bool>| judged.iter().filter(move |(given, _)| *given == wanted);
    let same = |mut terms: Vec<&'t Term>| {
        let mut all = terms.iter().map(|term| writer.expression(term).ok());
        let first = all.next()?;
        all.all(|other| other == first).then(|| terms.pop()).flatten()
    };
    let (right, unknown) = (of(Some(true)).count(), of(None).count());
    let wanted = match (right, unknown) {
        (0, 0) => Some(false),
        (0, _) => None,
        _ => Some(true),
    };
    let chosen = same(of(wanted).map(|(_, term)| *term).collect());
    let others = match (alternatives.len(), wanted, unknown) {
        (0 | 1, _, _) => Others::None,
        (all, Some(true), 0) if right == all => Others::None,
        (_, Some(true), 0) => Others::Refuted,
        (_, None, 1) => Others::Refuted,
        _ => Others::Possible,
    };
    (chosen, others)
}

/// Whether something on the way is read through NULL.
fn faults(scene: &dyn Scene, term: &Term) -> bool {
    let is_null = match &term.kind {
        TermKind::Load { address, .. } => {
            evaluate(address, scene).is_some_and(|address| address < NULL_PAGE)
        }
        _ => false,
    };
    is_null || term.parts().into_iter().any(|part| faults(scene, part))
}

/// The term without choices inside, once for each way, and whether those are all ways.
fn alternatives(term: &Term) -> (Vec<Term>, bool) {
    let mut are_all = true;
    let mut bounded = |mut found: Vec<Term>, are_found: bool| {
        are_all &= are_found && found.len() <= MAX_ALTERNATIVES;
        found.truncate(MAX_ALTERNATIVES);
        found
    };
    if let TermKind::Choice(terms) = &term.kind {
        let mut all = Vec::new();
        for way in terms {
            let (found, are_found) = alternatives(way);
            all.extend(found);
            all = bounded(all, are_found);
        }
        for alternative in &mut all {
            alternative.observed = alternative.observed.or(term.observed);
        }
        return (all, are_all);
    }
    let mut all = vec![term.clone()];
    // What others computed is one value, however they came by it.
    if matches!(term.kind, TermKind::Argument { .. }) && term.observed.is_some() {
        return (all, true);
    }
    for index in 0..term.parts().len() {
        let mut next = Vec::new();
        let mut are_found = true;
        for whole in &all {
            let parts = whole.parts().get(index).map(|part| alternatives(part));
            let (parts, are_parts) = parts.unwrap_or((Vec::new(), true));
            are_found &= are_parts;
            // Each round of a loop may take another way; its second part is what a round makes.
            let is_round = index == 1 && matches!(whole.kind, TermKind::Walk { .. });
            let has_twin = is_round && parts.len() > 1;
            for part in parts {
                let mut whole = whole.clone();
                whole.has_twin |= has_twin;
                if let Some(place) = whole.parts_mut().into_iter().nth(index) {
                    *place = part;
                }
                next.push(whole);
            }
        }
        all = bounded(next, are_found);
    }
    (all, are_all)
}

/// Adds a claim for each load inside of the term, innermost first.
fn loads(scene: &dyn Scene, writer: Writer<'_>, term: &Term, steps: &mut Vec<Claim>) {
    match &term.kind {
        TermKind::Load { address, .. } => {
            loads(scene, writer, address, steps);
            if let Ok(text) = writer.expression(term) {
                let at = address.observed.or_else(|| evaluate(address, scene));
                let values = match (evaluate(term, scene), term.observed) {
                    // Memory has another value by now, which tells what it was.
                    (Some(was), None) if term.kept != Kept::AsRead => (None, Some(was)),
                    values => values,
                };
                let claim = match (term.kept, values.1) {
                    (Kept::Replaced, None) => replaced(&text, at),
                    _ => holds(scene, &text, at, values),
                };
                // On which of two ways it was read is not known.
                let line = scene.source_line(term.site).filter(|_| !term.has_twin);
                let claim = match line {
                    Some(line) => claim.text(", read by the code of `").line(&line).text("`"),
                    None => claim,
                };
                steps.push(moved(scene, term.kept, claim));
            }
        }
        TermKind::Sum { .. }
        | TermKind::Binary { .. }
        | TermKind::Extend { .. }
        | TermKind::Argument { .. }
        | TermKind::Variable { .. } => {
            for part in term.parts() {
                loads(scene, writer, part, steps);
            }
        }
        TermKind::Walk { first, next, .. } => {
            loads(scene, writer, first, steps);
            if let (Ok(name), Ok(start)) = (writer.expression(term), writer.expression(first)) {
                let step = writer.expression(next).ok().filter(|step| *step != name);
                let step = match step {
                    _ if term.has_twin => ", or what a later round made of it".to_owned(),
                    Some(step) => format!(", or a round later `{step}`"),
                    None => String::new(),
                };
                // A variable that both are named by says nothing.
                if name != start || !step.is_empty() {
                    let words = format!("`{name}` is `{start}`{step}");
                    steps.push(Claim::new(Some(true)).text(words));
                }
            }
        }
        TermKind::Caller { pc, term } => {
            let outer = Writer::new(scene, *pc);
            loads(scene, outer, term, steps);
            if let (Ok(text), Some(name)) = (outer.expression(term), scene.symbol_at(*pc)) {
                let what = if text.is_number() { "the constant " } else { "" };
                let words = format!("`{}` passes {what}`{text}`", source_name(&name.0));
                let claim = Claim::new(Some(true)).text(words);
                steps.push(claim.at(scene.source_line(*pc).as_ref()));
            }
        }
        TermKind::Local(_) => {
            if let (Ok(text), Some(value)) = (writer.expression(term), term.observed) {
                let claim = Claim::new(Some(true)).text(format!("local variable `{text}` is "));
                steps.push(claim.data(value));
            }
        }
        TermKind::Entry(_) | TermKind::EntryStack(_) => {
            if let (Ok(text), Some(value)) = (writer.expression(term), term.observed) {
                let claim = Claim::new(Some(true)).text(format!("argument `{text}` is "));
                steps.push(claim.data(value));
            }
        }
        _ => {}
    }
}

/// The claim of what a place held, with what the code has stored there since.
fn moved(scene: &dyn Scene, kept: Kept, claim: Claim) -> Claim {
    let Kept::Moved { added, by } = kept else { return claim };
    let (way, number) =
        if added < 0 { ("less", added.unsigned_abs()) } else { ("more", added.unsigned_abs()) };
    let claim = claim.text(format!("; {number:#x} {way} was stored there since"));
    claim.at(scene.source_line(by).as_ref())
}

/// What a place held that the code has stored to since, and of which nothing holds any more what was read.
fn replaced(text: &Expression, at: Option<u64>) -> Claim {
    let claim = Claim::new(None).text(format!("`{text}`"));
    let claim = at.into_iter().fold(claim, |claim, at| claim.text(" at ").data(at));
    claim.text(" has another value since: what was there is not known")
}

/// What a place holds: what is in memory `now`, and what it `was` by a register that still holds it.
fn holds(
    scene: &dyn Scene,
    text: &Expression,
    at: Option<u64>,
    (now, was): (Option<u64>, Option<u64>),
) -> Claim {
    if let (Some(now), Some(was)) = (now, was)
        && now != was
    {
        let claim = Claim::new(Some(false)).text(format!("`{text}` was ")).data(was);
        return claim.text(" when it was read and is ").data(now).text(" in the dump");
    }
    let confirmed = now.or(was).map(|_| true);
    let mut claim = Claim::new(confirmed).text(format!("`{text}`"));
    // Where modules were, a text does not tell.
    if let Some(at) = at.filter(|_| scene.medium() == Medium::Dump) {
        claim = claim.text(" at ").data(at);
    }
    match (now, was, at.and_then(|at| scene.unreadable(at))) {
        (Some(value), ..) => bits(claim, text, ("is", "holds"), value),
        (None, Some(value), _) => bits(claim, text, ("was", "held"), value),
        (None, None, Some(why)) => claim.text(format!(" cannot be read: {}", why.reason())),
        (None, None, None) => claim.text(" is at an address that is not known"),
    }
}

/// That a place holds a value; a member of some bits is a part of that.
fn bits(claim: Claim, text: &Expression, (is, holds): (&str, &str), value: u64) -> Claim {
    let Expression::Bits(_, low, bits) = text else {
        return claim.text(format!(" {holds} ")).data(value);
    };
    let unused = 64_u32.saturating_sub(u32::from(*bits));
    let own = value.checked_shr(u32::from(*low)).unwrap_or(0) << unused >> unused;
    let claim = claim.text(format!(" {is} ")).data(own);
    let words = format!(", the {bits} bits from bit {low} on of ");
    claim.text(words).data(value).text(format!(", which that place {holds}"))
}

/// Whether the value was read from memory after a loop's variable had led there.
fn is_read_again(term: &Term) -> bool {
    match &term.kind {
        TermKind::Walk { .. } | TermKind::Again(_) => false,
        TermKind::Load { .. } => true,
        _ => term.parts().into_iter().any(|part| walk(part).is_some() && is_read_again(part)),
    }
}

/// Whether the value itself was read from memory.
fn is_memory(term: &Term) -> bool {
    match &term.kind {
        TermKind::Caller { term, .. } | TermKind::Extend { term, .. } => is_memory(term),
        TermKind::Binary { .. } | TermKind::Sum { .. } => term.parts().into_iter().any(is_memory),
        kind => {
            matches!(kind, TermKind::Load { .. } | TermKind::PerCpu { .. } | TermKind::Constant(_))
        }
    }
}

/// Whether the value is known without what was observed of itself: all that it was made of is in
/// memory, or a register still holds it.
fn is_grounded(term: &Term) -> bool {
    match &term.kind {
        TermKind::Constant(_) | TermKind::PerCpu { .. } | TermKind::Again(_) => true,
        TermKind::Entry(_)
        | TermKind::EntryStack(_)
        | TermKind::StackAddress(_)
        | TermKind::Local(_)
        | TermKind::Returned { .. } => term.observed.is_some(),
        TermKind::Choice(_) | TermKind::Unknown(_) => false,
        _ => term.parts().into_iter().all(|part| part.observed.is_some() || is_grounded(part)),
    }
}
