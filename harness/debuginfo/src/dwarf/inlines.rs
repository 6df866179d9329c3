// SPDX-License-Identifier: MIT OR Apache-2.0
//! The chain of calls that were inlined at an address.

use gimli::EntriesCursor;

use super::{Entry, Reader, UnitView};
use crate::Reason;

/// Nested blocks and inlined calls that are followed; kernels stay below 50.
const MAX_DEPTH: usize = 512;

impl<'a> UnitView<'a> {
    /// The calls inlined into a function that cover an address, outermost first.
    pub(super) fn inlined_at(
        &self,
        function: &Entry<'a>,
        address: u64,
    ) -> Result<Vec<Entry<'a>>, Reason> {
        let mut chain = Vec::new();
        self.scopes_at(function, address, &mut |scope| {
            if scope.tag() == gimli::DW_TAG_inlined_subroutine {
                chain.push(scope.clone());
            }
        })?;
        Ok(chain)
    }

    /// Shows the lexical blocks and inlined calls of a function that cover an address, outermost
    /// first. The function itself is not shown.
    pub(super) fn scopes_at(
        &self,
        function: &Entry<'a>,
        address: u64,
        show: &mut dyn FnMut(&Entry<'a>),
    ) -> Result<(), Reason> {
        let bad = self.bad(function.offset());
        let mut cursor = self.unit.entries_at_offset(function.offset()).map_err(&bad)?;
        cursor.next_entry().map_err(&bad)?;
        for _ in 0..MAX_DEPTH {
            if !cursor.current().is_some_and(Entry::has_children) {
                return Ok(());
            }
            cursor.next_entry().map_err(&bad)?;
            if !self.next_scope(&mut cursor, address)? {
                return Ok(());
            }
            if let Some(scope) = cursor.current() {
                show(scope);
            }
        }
        Err(Reason::Limit("depth of inlined calls"))
    }

    /// Moves along siblings to the one that covers an address; `false` if there is none.
    fn next_scope(
        &self,
        cursor: &mut EntriesCursor<'_, Reader<'a>>,
        address: u64,
    ) -> Result<bool, Reason> {
        while let Some(entry) = cursor.current() {
            let scope = matches!(
                entry.tag(),
                gimli::DW_TAG_inlined_subroutine | gimli::DW_TAG_lexical_block
            );
            if scope && self.covers(entry, address)? == Some(true) {
                return Ok(true);
            }
            let bad = self.bad(entry.offset());
            cursor.next_sibling().map_err(bad)?;
        }
        Ok(false)
    }
}
