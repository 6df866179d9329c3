// SPDX-License-Identifier: MIT OR Apache-2.0
//! The rule of proof: what may be called proven (docs/verdicts.md).

use std::borrow::Cow;

use super::{Diagnosis, Nature, What};
use crate::gone::Gone;
use crate::report::Confidence;

/// How far the steps carry that led to what is said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grounds {
    /// The dump shows each of them: a value was evaluated again, a lock's owner waits for it.
    Shown,
    /// The code or the log says so, and the dump does not hold all that is needed to check it.
    Inferred,
    /// Nothing but that it happened.
    #[default]
    None,
}

/// Whether what a pointer is tells of a module itself, wherever the kernel came upon it.
const fn names_a_module(nature: Option<&Nature>) -> bool {
    matches!(nature, Some(Nature::Gone(Gone::Unloaded { is_shown: true, .. } | Gone::Init(_))))
}

/// How the code at fault is tied to what happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Blame {
    /// Whether it is of a module from outside of the kernel's tree.
    pub outside: bool,
    /// Whether each call from there to what happened is known to have gone to the next function on
    /// the stack.
    pub linked: bool,
    /// Whether what was bad is known to have come by way of that code.
    pub flows: bool,
    /// Whether it is called, as far as is known, with the arguments that its parameters declare.
    pub declared: bool,
    /// Whether what was bad is in a variable of a module from outside of the kernel's tree.
    pub owned: bool,
}

impl Default for Blame {
    fn default() -> Self {
        Self { outside: true, linked: true, flows: true, declared: true, owned: false }
    }
}

/// What keeps a verdict from being proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// The dump does not show the mistake itself, only what may have come of it.
    Mistake,
    /// A step could not be confirmed.
    Step,
    /// No code of a module is known to have a part in it.
    Kernel,
    /// A function between the code at fault and what happened left no frame, or is not known to have
    /// called the next.
    Link,
    /// The bad value is not known to have come from the code at fault.
    Flow,
    /// It is a parameter of a function that is called with other arguments.
    Declaration,
}

impl Diagnosis {
    /// How far the evidence carries.
    #[must_use]
    pub fn confidence(&self) -> Confidence {
        match self.grounds {
            Grounds::Shown if self.doubt().is_none() => Confidence::Proven,
            Grounds::Shown | Grounds::Inferred => Confidence::Likely,
            Grounds::None => Confidence::Unknown,
        }
    }

    /// Takes back what would be proven, of a stack that the log tells and the dump does not have.
    pub(crate) fn rests_on_log(&mut self) {
        if self.grounds == Grounds::Shown {
            self.grounds = Grounds::Inferred;
            self.unknown =
                Some("the stack is not in the dump, and its frames are those of the log".into());
        }
    }

    /// Says by whose call it came, of a caller that only the log tells, and of which the dump has nothing.
    pub(crate) fn is_called_by(&mut self, caller: &str) {
        self.grounds = self.grounds.max(Grounds::Inferred);
        self.unknown = Some(format!(
            "by the log, {caller} called that, and its module is not in the dump any more"
        ));
    }

    /// What keeps a verdict from being proven of which every step is shown; the first that does.
    #[must_use]
    pub fn doubt(&self) -> Option<Doubt> {
        if matches!(self.what, What::Requested | What::Running { .. }) {
            return None;
        }
        let nature = self.pointer().and_then(|pointer| pointer.nature.as_ref());
        let all = [
            (Doubt::Kernel, !self.blame.outside && !self.blame.owned && !names_a_module(nature)),
            (Doubt::Link, !self.blame.linked),
            (Doubt::Flow, !self.blame.flows),
            (Doubt::Declaration, !self.blame.declared),
            (Doubt::Mistake, nature.is_some_and(|nature| !nature.is_shown())),
            (
                Doubt::Step,
                self.evidence.is_empty()
                    || self.evidence.iter().any(|claim| claim.confirmed != Some(true)),
            ),
        ];
        all.into_iter().find(|(_, is_there)| *is_there).map(|(doubt, _)| doubt)
    }

    /// Why a verdict is not proven, in words; `None` if it is, or if that is not known.
    #[must_use]
    pub fn why_not_proven(&self) -> Option<Cow<'_, str>> {
        if let Some(why) = &self.unknown {
            return Some(why.into());
        }
        if self.grounds != Grounds::Shown {
            return None;
        }
        let why = match self.doubt()? {
            Doubt::Mistake => self.pointer()?.nature.as_ref().and_then(Nature::doubt)?,
            Doubt::Step => return Some(self.open_steps().into()),
            Doubt::Kernel => {
                "no module from outside of the kernel's tree is known to have a part in it"
            }
            Doubt::Link => "not each call between it and what happened could be checked",
            Doubt::Flow => "where the bad value came from is not known",
            Doubt::Declaration => {
                "the function is called with other arguments than its parameters declare"
            }
        };
        Some(why.into())
    }

    /// Which steps are not borne out by the dump, in words.
    fn open_steps(&self) -> String {
        let count = |wanted: Option<bool>| {
            self.evidence.iter().filter(|claim| claim.confirmed == wanted).count()
        };
        let of = self.evidence.len();
        match (count(Some(false)), count(None)) {
            (0, 0) => "no step could be checked".to_owned(),
            (0, open) => format!("{open} of {of} steps could not be checked"),
            (wrong, _) => format!("the dump does not bear out {wrong} of {of} steps"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{BadPointer, Owner, Role, Symptom, TextPlace, Use};
    use super::*;
    use crate::claim::Claim;
    use crate::gone::{InitPlace, Was};
    use crate::identify::FreedMemory;

    /// A diagnosis of which every step is shown, of a pointer that is that.
    fn shown(nature: Nature) -> Diagnosis {
        let pointer = BadPointer {
            how: Use::Read,
            address: 0x1000,
            symptom: Symptom::Bad,
            role: Role::Pointer,
            nature: Some(nature),
            expression: None,
            past: None,
            unset: None,
            unlinked: None,
            mistaken: None,
            overrun: false,
            below: false,
            tested: None,
            object: None,
        };
        Diagnosis {
            grounds: Grounds::Shown,
            evidence: vec![Claim::new(Some(true)).text("it holds 0x1000")],
            ..Diagnosis::new(What::Pointer(pointer))
        }
    }

    fn cache() -> String {
        "kmalloc-64".to_owned()
    }

    fn unloaded(or: Option<InitPlace>, is_shown: bool) -> Nature {
        Nature::Gone(Gone::Unloaded { or, was: Was::default(), is_shown })
    }

    fn object() -> FreedMemory {
        FreedMemory::Object { cache: cache() }
    }

    /// The table "What a bad pointer is" of docs/verdicts.md: what several mistakes leave behind
    /// proves none of them, however surely it was met.
    #[test]
    fn what_may_have_come_of_several_mistakes_proves_none() {
        let place = InitPlace { module: "guard".to_owned(), section: ".init.text".to_owned() };
        let open = [
            Nature::BelowNull { distance: 16, name: None, member: None },
            Nature::Freed { what: object(), is_certain: false },
            Nature::Freed { what: FreedMemory::Pages, is_certain: false },
            Nature::FreeList,
            Nature::NeverSet { escapes: true },
            Nature::OnStack,
            Nature::Text { text: "name".to_owned(), place: TextPlace::Unknown },
            Nature::Text { text: "name".to_owned(), place: TextPlace::Overrun },
            Nature::Text {
                text: "name".to_owned(),
                place: TextPlace::Owner(Owner { cache: cache() }),
            },
            Nature::UserSpace,
            Nature::PerCpuOffset { variable: "hits".to_owned() },
            Nature::Hole,
            unloaded(Some(place), true),
            unloaded(None, false),
            Nature::UserMemory { is_given: false },
        ];
        for nature in open {
            let diagnosis = shown(nature);
            assert_eq!(diagnosis.doubt(), Some(Doubt::Mistake), "{diagnosis:#?}");
            assert_eq!(diagnosis.confidence(), Confidence::Likely);
            assert!(diagnosis.why_not_proven().is_some(), "{diagnosis:#?}");
        }
        let told = [
            Nature::Freed { what: object(), is_certain: true },
            Nature::NeverSet { escapes: false },
            Nature::UserMemory { is_given: true },
            Nature::PerCpuNull,
            Nature::FreedArea,
            unloaded(None, true),
        ];
        for nature in told {
            assert_eq!(shown(nature).confidence(), Confidence::Proven);
        }
    }

    /// Code of the kernel that runs into an unloaded module's memory has met what that module left
    /// behind; one that reads NULL may have its NULL from anywhere.
    #[test]
    fn without_a_module_only_what_names_one_is_proven() {
        let of_the_kernel = |nature| Diagnosis {
            blame: Blame { outside: false, ..Blame::default() },
            ..shown(nature)
        };
        let gone = of_the_kernel(unloaded(None, true));
        assert_eq!(gone.confidence(), Confidence::Proven);
        let freed = of_the_kernel(Nature::Freed {
            what: FreedMemory::Object { cache: cache() },
            is_certain: true,
        });
        assert_eq!(freed.doubt(), Some(Doubt::Kernel));
    }

    #[test]
    fn each_tie_between_the_code_and_what_happened_is_needed() {
        let all = Blame::default();
        for (blame, doubt) in [
            (Blame { linked: false, ..all }, Doubt::Link),
            (Blame { flows: false, ..all }, Doubt::Flow),
            (Blame { declared: false, ..all }, Doubt::Declaration),
        ] {
            let diagnosis = Diagnosis { blame, ..shown(Nature::FreedArea) };
            assert_eq!(diagnosis.doubt(), Some(doubt));
            assert_eq!(diagnosis.confidence(), Confidence::Likely);
        }
    }

    #[test]
    fn a_step_that_was_not_checked_proves_nothing() {
        for confirmed in [None, Some(false)] {
            let mut diagnosis = shown(Nature::FreedArea);
            diagnosis.evidence.push(Claim::new(confirmed).text("it was read there"));
            assert_eq!(diagnosis.doubt(), Some(Doubt::Step));
        }
        let bare = Diagnosis { evidence: Vec::new(), ..shown(Nature::FreedArea) };
        assert_eq!(bare.doubt(), Some(Doubt::Step));
    }
}
