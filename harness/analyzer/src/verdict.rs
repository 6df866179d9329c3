// SPDX-License-Identifier: MIT OR Apache-2.0
//! The sentence an engineer would say, from the diagnosis.

use crate::claim::Addresses;
use crate::fault::Diagnosis;
use crate::report::{Confidence, CrashKind, Culprit, Verdict};
use crate::stacks::Exhaustion;

/// Writes the verdict.
pub fn verdict(
    diagnosis: &Diagnosis,
    culprit: Option<Culprit>,
    message: Option<&str>,
    addresses: &mut dyn Addresses,
) -> Verdict {
    let address = diagnosis.address.map(|address| addresses.data(address));
    let exhausted =
        diagnosis.exhaustion.as_ref().map(|exhaustion| exhaustion.words(addresses.is_stable()));
    let words = Words { diagnosis, culprit: culprit.as_ref(), address, message, exhausted };
    let (title, summary) = (words.title(), words.summary());
    let evidence = diagnosis.evidence.iter().map(|claim| addresses.evidence(claim)).collect();
    Verdict {
        kind: diagnosis.kind,
        title,
        summary,
        confidence: diagnosis.confidence,
        culprit,
        expression: diagnosis.expression.clone(),
        evidence,
    }
}

struct Words<'a> {
    diagnosis: &'a Diagnosis,
    culprit: Option<&'a Culprit>,
    address: Option<String>,
    message: Option<&'a str>,
    exhausted: Option<String>,
}

impl Words<'_> {
    /// What happened, in a few words that do not depend on the boot.
    fn title(&self) -> String {
        let expression = self.diagnosis.expression.as_deref();
        let what = match (self.diagnosis.kind, expression) {
            (CrashKind::NullCall, Some(e)) => format!("call of NULL {e}"),
            (CrashKind::NullCall, None) => "call through a NULL pointer".to_owned(),
            (CrashKind::BadCall, e) => self.bad_call(e),
            (CrashKind::NullRead, Some(e)) => format!("read through NULL {e}"),
            (CrashKind::NullRead, None) => "read through a NULL pointer".to_owned(),
            (CrashKind::NullWrite, Some(e)) => format!("write through NULL {e}"),
            (CrashKind::NullWrite, None) => "write through a NULL pointer".to_owned(),
            (CrashKind::BadRead, Some(e)) => format!("read through bad pointer {e}"),
            (CrashKind::BadRead, None) => "read through a bad pointer".to_owned(),
            (CrashKind::BadWrite, Some(e)) => format!("write through bad pointer {e}"),
            (CrashKind::BadWrite, None) => "write through a bad pointer".to_owned(),
            (CrashKind::GeneralProtection, Some(e)) => {
                format!("general protection fault through {e}")
            }
            (CrashKind::GeneralProtection, None) => "general protection fault".to_owned(),
            (CrashKind::DivideError, _) => "divide error".to_owned(),
            (CrashKind::Bug, _) => "BUG".to_owned(),
            (CrashKind::InvalidOpcode, _) => "invalid opcode".to_owned(),
            (CrashKind::Sysrq, _) => return "crash requested by sysrq".to_owned(),
            (CrashKind::StackOverflow, _) => match &self.diagnosis.exhaustion {
                Some(Exhaustion { frames: Some(_), .. }) => {
                    "stack exhausted by recursion".to_owned()
                }
                Some(_) => "stack exhausted by large frames".to_owned(),
                None => "stack exhausted".to_owned(),
            },
            (CrashKind::DoubleFault, _) => "double fault".to_owned(),
            (_, _) => self.message.unwrap_or("crash of unknown kind").to_owned(),
        };
        match self.culprit.and_then(|culprit| culprit.function.as_deref().map(|f| (f, culprit))) {
            Some((function, culprit)) => format!("{what} in {function}{}", module(culprit)),
            None => what,
        }
    }

    fn bad_call(&self, expression: Option<&str>) -> String {
        let gone = self.diagnosis.object.as_deref();
        match (expression, gone) {
            (Some(e), Some(gone)) => format!("call of {e}, {gone}"),
            (Some(e), None) => format!("call of {e}, which is no code"),
            (None, Some(gone)) => format!("call into {gone}"),
            (None, None) => "call to an address that is no code".to_owned(),
        }
    }

    fn summary(&self) -> String {
        let claim = self.claim();
        let place = self.place();
        let mut summary = format!("{claim}{place}");
        if let Some(why) = &self.diagnosis.unknown {
            summary.push_str(&format!("; {why}"));
        }
        match self.diagnosis.confidence {
            Confidence::Proven => summary,
            Confidence::Likely => summary + " (likely, not proven)",
            Confidence::Unknown => summary + " (cause not known)",
        }
    }

    /// What is bad and what was done with it, up to the place.
    fn claim(&self) -> String {
        let address = self.address.as_deref().unwrap_or("an unknown address");
        let object = self.diagnosis.object.as_deref().map(|object| format!("`{object}`"));
        if let Some(exhausted) = &self.exhausted {
            return exhausted.clone();
        }
        let verb = match self.diagnosis.kind {
            CrashKind::NullCall | CrashKind::BadCall => "called".to_owned(),
            CrashKind::NullRead | CrashKind::BadRead => match &object {
                Some(object) => format!("{object} is read"),
                None => "read through".to_owned(),
            },
            CrashKind::NullWrite | CrashKind::BadWrite => match &object {
                Some(object) => format!("{object} is written"),
                None => "written through".to_owned(),
            },
            CrashKind::GeneralProtection => match &object {
                Some(object) => format!("{object} is accessed"),
                None => "accessed".to_owned(),
            },
            _ => return self.message.unwrap_or("the kernel crashed").to_owned(),
        };
        let is_null = matches!(
            self.diagnosis.kind,
            CrashKind::NullCall | CrashKind::NullRead | CrashKind::NullWrite
        );
        let gone = self.diagnosis.object.as_deref();
        let gone = gone.filter(|_| self.diagnosis.kind == CrashKind::BadCall);
        let cannot = gone.unwrap_or("which cannot be used");
        match (&self.diagnosis.expression, is_null) {
            (Some(expression), true) => format!("`{expression}` is NULL: {verb}"),
            (Some(expression), false) => {
                format!("`{expression}` leads to {address}, {cannot}: {verb}")
            }
            (None, true) => format!("a NULL pointer is {verb}"),
            (None, false) if gone.is_some() => format!("{address}, {cannot}, is {verb}"),
            (None, false) => format!("{address} cannot be used: {verb}"),
        }
    }

    fn place(&self) -> String {
        let Some(culprit) = self.culprit else { return String::new() };
        let mut place = String::new();
        if let (Some(file), Some(line)) = (&culprit.file, culprit.line) {
            let name = file.rsplit('/').next().unwrap_or(file);
            place.push_str(&format!(" at `{name}:{line}`"));
        }
        let Some(function) = &culprit.function else { return place };
        let module = module(culprit);
        match culprit.inlined_into.last() {
            Some(outer) => {
                place.push_str(&format!(" in `{function}`, inlined into `{outer}{module}`"));
            }
            None => place.push_str(&format!(" in `{function}{module}`")),
        }
        place
    }
}

fn module(culprit: &Culprit) -> String {
    culprit.module.as_ref().map(|module| format!(" [{module}]")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::printer::{CodeName, CodeNames, Raw};

    struct Nothing;

    impl CodeNames for Nothing {
        fn code_name(&self, _address: u64) -> Option<CodeName> {
            None
        }
    }

    fn culprit() -> Culprit {
        Culprit {
            function: Some("__pad_exec".to_owned()),
            inlined_into: vec!["process_bprm_put".to_owned()],
            module: Some("process".to_owned()),
            file: Some("process/src/capacity.c".to_owned()),
            line: Some(71),
        }
    }

    /// The sentence that the product's design promises for its flagship case.
    #[test]
    fn the_flagship_sentence() {
        let mut diagnosis = Diagnosis::new(CrashKind::NullCall);
        diagnosis.expression = Some("__akfs_ops->get_fhash".to_owned());
        diagnosis.confidence = Confidence::Proven;
        let verdict = verdict(&diagnosis, Some(culprit()), None, &mut Raw(&Nothing));
        assert_eq!(
            verdict.summary,
            "`__akfs_ops->get_fhash` is NULL: called at `capacity.c:71` in `__pad_exec`, \
             inlined into `process_bprm_put [process]`"
        );
        assert_eq!(verdict.title, "call of NULL __akfs_ops->get_fhash in __pad_exec [process]");
    }

    #[test]
    fn what_is_not_proven_says_so() {
        let mut diagnosis = Diagnosis::new(CrashKind::NullRead);
        diagnosis.unknown = Some("the pointer is what an indirect call returned".to_owned());
        let verdict = verdict(&diagnosis, None, None, &mut Raw(&Nothing));
        assert_eq!(
            verdict.summary,
            "a NULL pointer is read through; the pointer is what an indirect call returned \
             (cause not known)"
        );
    }
}
