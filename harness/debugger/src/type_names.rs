// SPDX-License-Identifier: MIT OR Apache-2.0
//! Structures and unions by the names that are typed.

use super::CommandError;
use analyzer::values::{Evaluator, Layout, Ty, World};

/// Whether a word, up to its first dot, is what a structure or union is called.
pub(super) fn is_type(world: &dyn World, word: &str) -> bool {
    let name = word.split('.').next().unwrap_or_default();
    let is_name = |letter: char| letter.is_alphanumeric() || letter == '_';
    if name.is_empty() || !name.chars().all(is_name) {
        return false;
    }
    let found = ["struct", "union"]
        .into_iter()
        .find_map(|keyword| type_named(Evaluator::new(world), keyword, name).ok());
    found.is_some_and(|ty| Layout::of(world, &ty).is_ok_and(|layout| layout.is_some()))
}

/// A structure's tag, or the typedef that is known by that name.
pub(super) fn type_named<'w>(
    evaluator: Evaluator<'w>,
    keyword: &str,
    name: &str,
) -> Result<Ty<'w>, CommandError> {
    let tagged = evaluator.type_named(&format!("{keyword} {name}"));
    Ok(tagged.or_else(|_| evaluator.type_named(name))?)
}
