// SPDX-License-Identifier: MIT OR Apache-2.0
//! From a diagnosis to the fields of a report.

use crate::claim::Addresses;
use crate::diagnosis::{
    BadPointer, Diagnosis, Doubt, Hang, Lockup, Nature, NoLock, Place, Role, TextPlace, Use, What,
};
use crate::express::Expression;
use crate::gone::Gone;
use crate::identify::FreedMemory;
use crate::report_facts::{BadOperand, DoubtName, Facts, How, LeftTaken, NatureName};

/// The facts of a diagnosis.
pub(crate) fn facts(diagnosis: &Diagnosis, addresses: &mut dyn Addresses) -> Facts {
    let facts = Facts {
        helper: diagnosis.helper.clone(),
        doubt: diagnosis.doubt().map(doubt),
        left: diagnosis.left().map(|left| LeftTaken {
            function: left.function.clone(),
            place: addresses.line(left.place()),
            always: left.always,
        }),
        ..Facts::default()
    };
    let named = |lock: &Option<Expression>| lock.as_ref().map(ToString::to_string);
    match &diagnosis.what {
        What::Pointer(it) => facts.pointer(it, addresses),
        What::Lockup(it) => Facts { lock: named(&it.lock), ..facts }.lockup(it),
        What::Waiting(it) => Facts { lock: named(&it.lock), ..facts },
        What::Size(_)
        | What::Division(_)
        | What::Exhausted(_)
        | What::Check(_)
        | What::Requested
        | What::Running { .. }
        | What::Kind(_) => facts,
    }
}

impl Facts {
    fn pointer(self, it: &BadPointer, addresses: &mut dyn Addresses) -> Self {
        let facts = Self {
            how: Some(match it.how {
                Use::Read => How::Read,
                Use::Write => How::Write,
                Use::Change => How::Change,
                Use::Call => How::Call,
            }),
            address: Some(addresses.data(it.address)),
            operand: Some(match it.role {
                Role::Pointer => BadOperand::Pointer,
                Role::Index => BadOperand::Index,
            }),
            object: it.object.as_ref().map(ToString::to_string),
            ..self
        };
        match &it.nature {
            Some(nature) => facts.nature(nature),
            None => facts,
        }
    }

    fn nature(self, nature: &Nature) -> Self {
        use NatureName as N;
        let cache = |cache: &String| Some(cache.clone());
        let slab_of = |place: &Place| match place {
            Place::Slab(owner) => Some(owner.cache.clone()),
            _ => None,
        };
        let slab = |place: &Option<Place>| place.as_ref().and_then(slab_of);
        let named = |name| Self { nature: Some(name), ..self.clone() };
        match nature {
            Nature::PerCpuNull => named(N::Null),
            Nature::NullPlus { distance } => Self { offset: Some(*distance), ..named(N::Null) },
            Nature::Small { .. } => named(N::Small),
            Nature::BelowNull { .. } => named(N::BelowNull),
            Nature::ErrorCode { .. } => named(N::ErrorCode),
            Nature::Poison(_) => named(N::Poison),
            Nature::Freed { what, .. } | Nature::FreedOrPast { what } => self.freed(what),
            Nature::Misplaced { cache: it, .. } => Self { cache: cache(it), ..named(N::Misplaced) },
            Nature::Short { cache: it, size, .. } => {
                Self { cache: cache(it), size: Some(*size), ..named(N::Beyond) }
            }
            Nature::Outside { place, at, size, .. } => {
                let cache = slab_of(place);
                Self { cache, offset: Some(*at), size: *size, ..named(N::Outside) }
            }
            Nature::NeverWritten { cache: it, .. } => {
                Self { cache: cache(it), ..named(N::NeverWritten) }
            }
            Nature::FreeList => named(N::FreeList),
            Nature::Returned => named(N::ReturnedFrame),
            Nature::NeverSet { .. } => named(N::NeverSet),
            Nature::OnStack => named(N::StackWord),
            Nature::Text { place: TextPlace::Overrun, .. } => named(N::TextThatOverran),
            Nature::Text { place: TextPlace::Owner(owner), .. } => {
                Self { cache: cache(&owner.cache), ..named(N::Text) }
            }
            Nature::Text { place: TextPlace::Unknown, .. } => named(N::Text),
            Nature::UserMemory { .. } => named(N::UserMemory),
            Nature::UserSpace => named(N::UserSpace),
            Nature::UserUnmapped { .. } => named(N::UserUnmapped),
            Nature::PerCpuPointer => named(N::PerCpuPointer),
            Nature::PerCpuOffset { .. } => named(N::PerCpuOffset),
            Nature::ReadOnly(place) => Self { cache: slab(place), ..named(N::ReadOnly) },
            Nature::NotCode(place) => Self { cache: slab(place), ..named(N::NotExecutable) },
            Nature::Guard { at, size } => Self {
                offset: i64::try_from(*at).ok(),
                size: Some(*size),
                ..named(N::VmallocGuard)
            },
            Nature::StackGuard => named(N::StackGuard),
            Nature::FreedArea => named(N::FreedVmallocArea),
            Nature::Hole => named(N::VmallocHole),
            Nature::Beyond { place, at, size } => Self {
                cache: slab(place),
                offset: Some(*at),
                size: Some(*size),
                ..named(N::Beyond)
            },
            Nature::Gone(Gone::Unloaded { is_shown: false, .. }) => self.clone(),
            Nature::Gone(_) => named(N::Gone),
            Nature::NeverAllocated(_) => named(N::NeverAllocated),
        }
    }

    fn freed(&self, what: &FreedMemory) -> Self {
        let nature = match what {
            FreedMemory::Object { .. } => NatureName::Freed,
            FreedMemory::Pages => NatureName::FreedPages,
        };
        let cache = what.cache().map(str::to_owned);
        Self { nature: Some(nature), cache, ..self.clone() }
    }

    fn lockup(self, it: &Lockup) -> Self {
        match &it.hang {
            Hang::NoLock(NoLock::Freed(what)) => self.freed(what),
            Hang::NoLock(NoLock::NeverWritten { cache, .. }) => {
                Self { nature: Some(NatureName::NeverWritten), cache: Some(cache.clone()), ..self }
            }
            Hang::NoLock(NoLock::Other) => Self { nature: Some(NatureName::NoLock), ..self },
            Hang::Lock(_)
            | Hang::Own(_)
            | Hang::Asleep(_)
            | Hang::Held(_)
            | Hang::Circle(_)
            | Hang::Ring { .. }
            | Hang::BusyWait
            | Hang::Running
            | Hang::Unknown => self,
        }
    }
}

const fn doubt(doubt: Doubt) -> DoubtName {
    match doubt {
        Doubt::Mistake => DoubtName::Mistake,
        Doubt::Step => DoubtName::Step,
        Doubt::Kernel => DoubtName::Kernel,
        Doubt::Link => DoubtName::Link,
        Doubt::Flow => DoubtName::Flow,
        Doubt::Declaration => DoubtName::Declaration,
    }
}
