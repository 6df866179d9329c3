// SPDX-License-Identifier: MIT OR Apache-2.0
//! The words of a part of a stack, lowest first.

use unwind::Memory;

use kernel::Kernel;

const PAGE: u64 = 4096;

/// Words with their addresses, read page by page: a page that the dump left out (one of zeros, or
/// one that could not be read) costs what is on it and nothing else.
pub(crate) struct StackWords<'k, 'a> {
    kernel: &'k Kernel<'a>,
    at: u64,
    end: u64,
    page: Vec<u8>,
    /// Address of the first byte of `page`.
    page_at: u64,
}

impl<'k, 'a> StackWords<'k, 'a> {
    /// Of `low..end`.
    pub(crate) fn new(kernel: &'k Kernel<'a>, low: u64, end: u64) -> Self {
        Self { kernel, at: low.wrapping_add(7) & !7, end, page: Vec::new(), page_at: low }
    }

    /// Reads what is left of the page that `at` is on.
    fn turn(&mut self) {
        let end = (self.at | (PAGE - 1)).saturating_add(1).min(self.end);
        let length = usize::try_from(end.saturating_sub(self.at)).unwrap_or(0);
        self.page_at = self.at;
        self.page.clear();
        self.page.resize(length, 0);
        if Memory::read_bytes(self.kernel, self.at, &mut self.page).is_none() {
            self.page.clear();
            self.at = end;
        }
    }
}

impl Iterator for StackWords<'_, '_> {
    type Item = (u64, u64);

    /// Address and value.
    fn next(&mut self) -> Option<(u64, u64)> {
        while self.at.checked_add(8)? <= self.end {
            let offset = usize::try_from(self.at.checked_sub(self.page_at)?).ok()?;
            let Some(word) = self.page.get(offset..).and_then(|rest| rest.first_chunk::<8>())
            else {
                self.turn();
                continue;
            };
            let found = (self.at, u64::from_le_bytes(*word));
            self.at = self.at.wrapping_add(8);
            return Some(found);
        }
        None
    }
}
