// SPDX-License-Identifier: MIT OR Apache-2.0
//! The memory that was read on the way to a value.

use crate::express::Writer;
use crate::flow::{Term, TermKind};

/// What `of` says of a value that was read, as computed and by the address and bytes of the read: of the innermost
/// one of which it says something. What a loop's variable was made of is not looked at, as which round it was
/// is asked of the whole.
pub(super) fn innermost<'t, 'w, T>(
    writer: Writer<'w>,
    term: &'t Term,
    of: &dyn Fn(Writer<'w>, &'t Term, (&'t Term, u8)) -> Option<T>,
) -> Option<T> {
    match &term.kind {
        TermKind::Caller { pc, term } => return innermost(writer.at(*pc), term, of),
        TermKind::Walk { .. } => return None,
        _ => {}
    }
    let mut parts = term.parts().into_iter();
    if let Some(found) = parts.find_map(|part| innermost(writer, part, of)) {
        return Some(found);
    }
    let TermKind::Load { address, size, .. } = &term.kind else { return None };
    of(writer, term, (address.as_ref(), *size))
}
