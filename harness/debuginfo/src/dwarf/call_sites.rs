// SPDX-License-Identifier: MIT OR Apache-2.0
//! What calls passed (DWARF 5 §3.4; before that GNU's forms, which gcc also writes in DWARF 4).

use gimli::{AttributeValue, DwAt, DwTag, Operation};

use super::functions::Physical;
use super::values::Frame;
use super::{Dwarf, Entry, UnitView};
use crate::{Absent, Datum, FrameState, Passed};

/// Tags and attributes of one generation.
struct Forms {
    site: DwTag,
    parameter: DwTag,
    /// Of a site: its return address.
    returns: DwAt,
    /// Of a site: what computes where it goes.
    target: DwAt,
    /// Of a parameter: what computes its value.
    value: DwAt,
    /// Of a parameter: the callee's parameter, where it has no place.
    dropped: DwAt,
}

const STANDARD: Forms = Forms {
    site: gimli::DW_TAG_call_site,
    parameter: gimli::DW_TAG_call_site_parameter,
    returns: gimli::DW_AT_call_return_pc,
    target: gimli::DW_AT_call_target,
    value: gimli::DW_AT_call_value,
    dropped: gimli::DW_AT_call_parameter,
};
const GNU: Forms = Forms {
    site: gimli::DW_TAG_GNU_call_site,
    parameter: gimli::DW_TAG_GNU_call_site_parameter,
    returns: gimli::DW_AT_low_pc,
    target: gimli::DW_AT_GNU_call_site_target,
    value: gimli::DW_AT_GNU_call_site_value,
    dropped: gimli::DW_AT_abstract_origin,
};

/// A call and the frame that made it.
struct Site<'a, 'f> {
    view: UnitView<'a>,
    entry: Entry<'a>,
    forms: &'static Forms,
    frame: Frame<'f>,
}

impl<'a> Dwarf<'a> {
    /// What the call that returns to an address passed. `state` is the frame of the caller.
    pub(crate) fn passed(
        self,
        returns: u64,
        what: Passed,
        state: &dyn FrameState,
    ) -> Result<u64, Absent> {
        let site = self.site(returns, state).ok_or(Absent::NotPassed)?;
        let mut found = None;
        let walked = site.view.each_child(&site.entry, |child| {
            if found.is_none() && child.tag() == site.forms.parameter && site.is(child, what) {
                found = Some(child.clone());
            }
        });
        walked.map_err(|_| Absent::Malformed)?;
        let parameter = found.ok_or(Absent::NotPassed)?;
        self.number(&site, &parameter, site.forms.value).ok_or(Absent::NotPassed)?
    }

    /// Where the call that returns to an address went, if that can be computed in the caller's
    /// frame.
    pub(crate) fn call_target(self, returns: u64, state: &dyn FrameState) -> Option<u64> {
        let site = self.site(returns, state)?;
        self.number(&site, &site.entry, site.forms.target)?.ok()
    }

    fn site<'f>(self, returns: u64, state: &'f dyn FrameState) -> Option<Site<'a, 'f>> {
        let inside = returns.checked_sub(1)?;
        let Physical { view, entry } = self.physical(inside, true).ok()?;
        let base = self.base_of(&view, &entry, inside, state);
        let mut scopes = vec![entry.clone()];
        view.scopes_at(&entry, inside, &mut |scope| scopes.push(scope.clone())).ok()?;
        let mut found = None;
        for scope in scopes.iter().rev() {
            let walked = view.each_child(scope, |child| {
                let forms = [&STANDARD, &GNU].into_iter().find(|forms| forms.site == child.tag());
                if let Some(forms) = forms
                    && found.is_none()
                    && view.address_of(child, forms.returns) == Some(returns)
                {
                    found = Some((child.clone(), forms));
                }
            });
            walked.ok()?;
            if found.is_some() {
                break;
            }
        }
        let (entry, forms) = found?;
        Some(Site { view, entry, forms, frame: Frame { state, base } })
    }

    /// The number that an attribute's expression gives in the caller's frame.
    fn number(
        self,
        site: &Site<'a, '_>,
        entry: &Entry<'a>,
        name: DwAt,
    ) -> Option<Result<u64, Absent>> {
        let value = entry.attr_value(name)?;
        let AttributeValue::Exprloc(expression) = value else {
            return Some(value.udata_value().ok_or(Absent::NotPassed));
        };
        // An expression of a call is the value itself: what looks like an address is one.
        Some(match self.evaluate(&site.view, expression, site.frame).0 {
            Ok(Datum::Memory(value)) => Ok(value),
            Ok(Datum::Bytes(bytes)) => {
                let mut word = [0; 8];
                for (to, from) in word.iter_mut().zip(bytes.iter()) {
                    *to = *from;
                }
                Ok(u64::from_le_bytes(word))
            }
            Err(why) => Err(why),
        })
    }
}

impl<'a> Site<'a, '_> {
    /// Whether a parameter of the call is the one that is wanted.
    fn is(&self, parameter: &Entry<'a>, what: Passed) -> bool {
        match what {
            Passed::Register(number) => {
                let Some(AttributeValue::Exprloc(place)) =
                    parameter.attr_value(gimli::DW_AT_location)
                else {
                    return false;
                };
                let mut operations = place.operations(self.view.unit.encoding());
                let first = operations.next();
                let only = matches!(operations.next(), Ok(None));
                only && matches!(
                    first, Ok(Some(Operation::Register { register })) if register.0 == number
                )
            }
            Passed::Parameter(place) => {
                self.view.reference(parameter, self.forms.dropped) == Some(place)
            }
        }
    }
}

impl<'a> UnitView<'a> {
    /// An attribute that is an address.
    fn address_of(&self, entry: &Entry<'a>, name: DwAt) -> Option<u64> {
        self.dwarf.attr_address(&self.unit, entry.attr_value(name)?).ok()?
    }
}
