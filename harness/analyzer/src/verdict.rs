// SPDX-License-Identifier: MIT OR Apache-2.0
//! The sentence an engineer would say, from the diagnosis.

use crate::claim::Addresses;
use crate::diagnosis::{Aftermath, Diagnosis, Given, Lead};
use crate::report::{Confidence, Culprit, Verdict};
use crate::verdict_facts::facts;

/// Writes the verdict.
pub fn verdict(
    diagnosis: &Diagnosis,
    culprit: Option<Culprit>,
    message: Option<&str>,
    addresses: &mut dyn Addresses,
) -> Verdict {
    let words = diagnosis.words(message, addresses);
    let title = titled(words.title, culprit.as_ref());
    let place = place(culprit.as_ref(), diagnosis.helper.as_deref(), addresses);
    let left = diagnosis.left().map(|left| left.words(addresses));
    let shown = diagnosis.leads.iter().filter_map(|lead| lead.clause(addresses));
    let given =
        diagnosis.given.as_ref().filter(|_| diagnosis.pointer().is_some()).map(Given::words);
    let complained = diagnosis.complained.as_ref().and_then(|it| it.clause(addresses));
    let aftermath = diagnosis.aftermath.as_ref().map(Aftermath::words);
    let then = given.into_iter().chain(left).chain(shown).chain(complained).chain(aftermath);
    let then: String = then.map(|words| format!("; {words}")).collect();
    let summary = summary(diagnosis, format!("{}{place}{then}", words.claim));
    let evidence = diagnosis.evidence.iter().map(|claim| addresses.evidence(claim)).collect();
    let facts = facts(diagnosis, addresses);
    // Of what the kernel's own code met in a module's table, that is what people have to look at.
    let culprit = table(diagnosis).or(culprit).map(|culprit| addresses.culprit(culprit));
    Verdict {
        facts,
        kind: diagnosis.kind(),
        title,
        summary,
        confidence: diagnosis.confidence(),
        open: open(diagnosis),
        culprit,
        expression: diagnosis.expression().map(ToString::to_string),
        evidence,
        next: diagnosis.next(addresses),
    }
}

/// What keeps the verdict from being proven.
fn open(diagnosis: &Diagnosis) -> Option<String> {
    match diagnosis.confidence() {
        Confidence::Proven => None,
        Confidence::Likely | Confidence::Unknown => diagnosis.why_not_proven().map(String::from),
    }
}

/// The table of a module to blame, where no code of a module is.
fn table(diagnosis: &Diagnosis) -> Option<Culprit> {
    let is_its = diagnosis.blame.owned && !diagnosis.blame.outside;
    let lead = diagnosis.leads.first().filter(|_| is_its)?;
    let Lead::Table { table, defined: Some(defined) } = lead else { return None };
    let name = table.name.split(' ').next().unwrap_or(&table.name);
    Some(Culprit {
        function: Some(name.to_owned()),
        inlined_into: Vec::new(),
        module: Some(table.module.clone()),
        file: Some(defined.file.clone()),
        line: Some(defined.line),
        source: defined.text.clone(),
    })
}

/// The title with the function it happened in.
fn titled(what: String, culprit: Option<&Culprit>) -> String {
    match culprit.and_then(|culprit| culprit.function.as_deref().map(|f| (f, culprit))) {
        Some((function, culprit)) => format!("{what} in {function}{}", module(culprit)),
        None => what,
    }
}

/// The sentence with how far it carries.
fn summary(diagnosis: &Diagnosis, mut sentence: String) -> String {
    if let Some(why) = diagnosis.why_not_proven() {
        sentence.push_str(&format!("; {why}"));
    }
    match diagnosis.confidence() {
        Confidence::Proven => sentence,
        Confidence::Likely => sentence + " (likely, not proven)",
        Confidence::Unknown => sentence + " (cause not known)",
    }
}

fn place(culprit: Option<&Culprit>, helper: Option<&str>, addresses: &dyn Addresses) -> String {
    let Some(culprit) = culprit else { return String::new() };
    let mut place = String::new();
    if let Some(line) = culprit.source_line() {
        place.push_str(&format!(" at `{}`", addresses.line(&line)));
    }
    let Some(function) = &culprit.function else { return place };
    let module = module(culprit);
    match culprit.inlined_into.last() {
        Some(outer) => {
            place.push_str(&format!(" in `{function}`, inlined into `{outer}{module}`"));
        }
        None => place.push_str(&format!(" in `{function}{module}`")),
    }
    if let Some(helper) = helper {
        place.push_str(&format!(", which called `{helper}`"));
    }
    place
}

fn module(culprit: &Culprit) -> String {
    culprit.module.as_ref().map(|module| format!(" [{module}]")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claim::Claim;
    use crate::diagnosis::{BadPointer, Grounds, Role, Symptom, Use, What};
    use crate::express::Expression;
    use crate::printer::{NoNames, Raw};

    fn culprit() -> Culprit {
        Culprit {
            function: Some("__pad_exec".to_owned()),
            inlined_into: vec!["process_bprm_put".to_owned()],
            module: Some("process".to_owned()),
            file: Some("process/src/capacity.c".to_owned()),
            line: Some(71),
            source: None,
        }
    }

    fn null(how: Use, expression: Option<&str>) -> Diagnosis {
        Diagnosis::new(What::Pointer(BadPointer {
            how,
            address: 0,
            symptom: Symptom::Null,
            role: Role::Pointer,
            nature: None,
            expression: expression.map(Expression::name),
            past: None,
            unset: None,
            unlinked: None,
            mistaken: None,
            overrun: false,
            below: false,
            tested: None,
            object: None,
        }))
    }

    /// The sentence that the product's design promises for its flagship case.
    #[test]
    fn the_flagship_sentence() {
        let mut diagnosis = null(Use::Call, Some("__akfs_ops->get_fhash"));
        diagnosis.grounds = Grounds::Shown;
        diagnosis.evidence.push(Claim::new(Some(true)).text("shown"));
        let verdict = verdict(&diagnosis, Some(culprit()), None, &mut Raw(&NoNames));
        assert_eq!(
            verdict.summary,
            "`__akfs_ops->get_fhash` is NULL: called at `capacity.c:71` in `__pad_exec`, \
             inlined into `process_bprm_put [process]`"
        );
        assert_eq!(verdict.title, "call of NULL __akfs_ops->get_fhash in __pad_exec [process]");
    }

    #[test]
    fn what_is_not_proven_says_so() {
        let mut diagnosis = null(Use::Read, None);
        diagnosis.unknown = Some("the pointer is what an indirect call returned".to_owned());
        let verdict = verdict(&diagnosis, None, None, &mut Raw(&NoNames));
        assert_eq!(
            verdict.summary,
            "a NULL pointer is read through; the pointer is what an indirect call returned \
             (cause not known)"
        );
    }
}
