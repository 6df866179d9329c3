// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a unit has at file scope, with the units that it imports (`DW_TAG_imported_unit`).
//!
//! Compilers write for C only what a unit itself declares. `dwz` moves what units have in common
//! into partial units of the same file or of a supplementary one, and imports those, which may
//! import others.

use std::collections::BTreeSet;

use super::{Dwarf, Entry, UnitView};

/// Units that one unit imports, directly or not; of a distribution's largest programs some
/// thousands.
const MAX_IMPORTS: usize = 1 << 16;

impl<'a> Dwarf<'a> {
    /// Shows the entries at file scope of a unit and of those that it imports. A damaged unit gives
    /// what comes before the damage.
    pub(super) fn each_at_file_scope(
        self,
        view: &UnitView<'a>,
        show: &mut dyn FnMut(&UnitView<'a>, &Entry<'a>),
    ) {
        let mut seen = BTreeSet::new();
        let mut waiting = shown(view, show);
        while let Some(offset) = waiting.pop_first()
            && seen.len() < MAX_IMPORTS
        {
            if seen.insert(offset)
                && let Ok((imported, _)) = self.other(offset)
            {
                waiting.extend(shown(&imported, show));
            }
        }
    }
}

/// Shows the entries of one unit; gives the offsets of the units that it imports.
fn shown<'a>(
    view: &UnitView<'a>,
    show: &mut dyn FnMut(&UnitView<'a>, &Entry<'a>),
) -> BTreeSet<usize> {
    let mut imports = BTreeSet::new();
    let ask = |entry: &Entry<'a>| {
        if entry.tag() == gimli::DW_TAG_imported_unit {
            imports.extend(view.reference(entry, gimli::DW_AT_import));
        } else {
            show(view, entry);
        }
    };
    drop(view.root().and_then(|root| view.each_child(&root, ask)));
    imports
}
