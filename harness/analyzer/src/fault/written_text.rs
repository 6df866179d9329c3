// SPDX-License-Identifier: MIT OR Apache-2.0
//! Text in a pointer's place: a neighbour that overflowed, or memory that has a new owner.

use super::found::Found;
use crate::claim::Claim;
use crate::diagnosis::{Nature, Owner, TextPlace};
use crate::flow::{Term, TermKind, evaluate};
use crate::identify::Pattern;
use crate::scene::Scene;

/// Bytes before a pointer that are looked at for text which runs into it.
const RUN: u64 = 256;

/// What a pointer is that is made of characters. `term` is where it came from.
pub(super) fn text(scene: &dyn Scene, term: Option<&Term>, pointer: u64) -> Option<Found> {
    let Pattern::Text(text) = scene.identity(pointer)?.pattern? else { return None };
    let nature = |place| Nature::Text { text: text.clone(), place };
    let plain = Some(nature(TextPlace::Unknown).into());
    let Some(Term { kind: TermKind::Load { address, .. }, .. }) = term else { return plain };
    let Some(at) = evaluate(address, scene) else { return plain };
    let Some(slab) = scene.identity(at).and_then(|identity| identity.slab) else { return plain };
    let run = run(scene, at);
    let start = at.wrapping_sub(run);
    let of = slab.slab.cache.name.clone();
    if start < slab.start {
        let claim = Claim::new(Some(true)).text("text runs into the object at ").data(slab.start);
        let claim = claim.text(format!(" (of {of}) from the object before it"));
        return Some(Found { claim: Some(claim), ..nature(TextPlace::Overrun).into() });
    }
    let claim = Claim::new(Some(true)).text("the object of ").text(of.as_str()).text(" at ");
    let claim = claim.data(slab.start).text(" holds text there");
    let place = TextPlace::Owner(Owner { cache: of });
    Some(Found { claim: Some(claim), ..nature(place).into() })
}

/// Bytes of text directly before the address.
fn run(scene: &dyn Scene, at: u64) -> u64 {
    let is_text = |distance: &u64| {
        let byte = scene.word(at.wrapping_sub(*distance), 1);
        byte.is_some_and(|byte| matches!(byte, 0x20..=0x7e | 9 | 10 | 13))
    };
    (1..=RUN).take_while(is_text).count() as u64
}
