// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether a value would be found again in a dump of which less was left out.

use kernel::Unreadable;
use vmcore::Absent;

use crate::flow::{Term, TermKind, evaluate};
use crate::scene::Scene;

/// Why the innermost memory on the way that was left out of the dump is not there, and which dump has it.
pub(super) fn left_out(scene: &dyn Scene, term: &Term) -> Option<String> {
    if let Some(found) = term.parts().into_iter().find_map(|part| left_out(scene, part)) {
        return Some(found);
    }
    let TermKind::Load { address, .. } = &term.kind else { return None };
    let at = evaluate(address, scene).or(address.observed)?;
    let Unreadable::Absent { absent, .. } = scene.unreadable(at)? else { return None };
    let Absent::Excluded { dump_level, .. } = absent else { return None };
    let words = "the page that it was read from was left out of the dump";
    match dump_level {
        Some(..=1) => None,
        Some(level) => Some(format!("{words}, of level {level}: one of level 1 has it")),
        None => Some(words.to_owned()),
    }
}
