// SPDX-License-Identifier: MIT OR Apache-2.0
//! The sentence an engineer would say, from the diagnosis.

use crate::advice::advice;
use crate::claim::Addresses;
use crate::fault::{Diagnosis, Use};
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
        next: advice(diagnosis),
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
        if let Some(says) = &self.diagnosis.says {
            return self.titled(says.title.clone());
        }
        let expression = self.diagnosis.expression.as_deref();
        if let Some(what) = mistake(self.diagnosis.kind, self.diagnosis.how.unwrap_or(Use::Call)) {
            let through = expression.map(|e| format!(" through {e}")).unwrap_or_default();
            return self.titled(format!("{what}{through}"));
        }
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
        self.titled(what)
    }

    fn titled(&self, what: String) -> String {
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
        if let Some(says) = &self.diagnosis.says {
            return says.sentence.clone();
        }
        if let Some(exhausted) = &self.exhausted {
            return exhausted.clone();
        }
        let Some(how) = self.diagnosis.how else {
            return self.message.unwrap_or("the kernel crashed").to_owned();
        };
        let object = self.diagnosis.object.as_deref().filter(|_| how != Use::Call);
        let verb = match (how, object) {
            (Use::Call, _) => "called".to_owned(),
            (Use::Read, Some(object)) => format!("`{object}` is read"),
            (Use::Write, Some(object)) => format!("`{object}` is written"),
            (Use::Read, None) => "read through".to_owned(),
            (Use::Write, None) => "written through".to_owned(),
        };
        let mistake = mistake(self.diagnosis.kind, how).map(|what| format!("{what}: "));
        format!("{}{}", mistake.unwrap_or_default(), self.bad(&verb))
    }

    /// What is bad and what was done with it.
    fn bad(&self, verb: &str) -> String {
        let address = self.address.as_deref().unwrap_or("an unknown address");
        let gone = self.diagnosis.object.as_deref();
        let gone = gone.filter(|_| self.diagnosis.how == Some(Use::Call));
        let nature = self.diagnosis.nature.as_deref().or(gone);
        match (&self.diagnosis.expression, nature) {
            (Some(e), None) if is_null(self.diagnosis.kind) => format!("`{e}` is NULL: {verb}"),
            (None, None) if is_null(self.diagnosis.kind) => format!("a NULL pointer is {verb}"),
            (Some(e), Some(nature)) if self.diagnosis.is_value => {
                format!("`{e}` is {nature}: {verb}")
            }
            (Some(e), Some(nature)) => format!("`{e}` leads to {address}, {nature}: {verb}"),
            (Some(e), None) => format!("`{e}` leads to {address}, which cannot be used: {verb}"),
            (None, Some(nature)) => format!("{address}, {nature}, is {verb}"),
            (None, None) => format!("{address} cannot be used: {verb}"),
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
        if let Some(helper) = &self.diagnosis.helper {
            place.push_str(&format!(", which called `{helper}`"));
        }
        place
    }
}

fn is_null(kind: CrashKind) -> bool {
    matches!(kind, CrashKind::NullCall | CrashKind::NullRead | CrashKind::NullWrite)
}

/// The mistake that a kind names, where it is more than what was done with a pointer.
fn mistake(kind: CrashKind, how: Use) -> Option<&'static str> {
    Some(match kind {
        // A notifier block or a list entry of the module that others still have.
        CrashKind::UnloadedCode if how != Use::Call => "memory of a module that is gone used",
        CrashKind::ErrPtr => "error code used as a pointer",
        CrashKind::Uninitialized => "uninitialized pointer used",
        CrashKind::UseAfterFree => "use after free",
        CrashKind::ListCorruption => "list entry used after it was taken out",
        CrashKind::HeapOverflow => "heap overflow",
        CrashKind::OutOfBounds => "access out of bounds",
        CrashKind::UserAccess => "user memory used directly",
        CrashKind::WriteToReadOnly => "write to read-only memory",
        CrashKind::ExecOfNonExecutable => "jump to memory that is no code",
        CrashKind::UnloadedCode => "call into code that is gone",
        CrashKind::FreedInitCode => "call into freed initialization code",
        _ => return None,
    })
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
        diagnosis.how = Some(Use::Call);
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
        diagnosis.how = Some(Use::Read);
        diagnosis.unknown = Some("the pointer is what an indirect call returned".to_owned());
        let verdict = verdict(&diagnosis, None, None, &mut Raw(&Nothing));
        assert_eq!(
            verdict.summary,
            "a NULL pointer is read through; the pointer is what an indirect call returned \
             (cause not known)"
        );
    }
}
