// SPDX-License-Identifier: MIT OR Apache-2.0
//! Finds the entry for an address, straight in the sections' bytes.

use std::cell::OnceCell;

use super::decode::{ENTRY_BYTES, decode};
use super::{Error, Kind, OrcEntry, Version};

const IP_BYTES: usize = 4;

/// The ORC table of the kernel or of one module.
///
/// ```
/// use unwind::orc::{Kind, Table, Version};
///
/// // One entry for the code 16 bytes above the table: a call, whose frame has 8 bytes.
/// let (ip, entries) = ([16, 0, 0, 0], [8, 0, 0, 0, 5, 0]);
/// let table = Table::sorted(0xffff_ffff_8200_0000, &ip, &entries, Version::V1)?;
/// let entry = table.lookup(0xffff_ffff_8200_0010).expect("covered");
/// assert_eq!(entry.kind, Kind::Call);
/// assert_eq!(table.lookup(0xffff_ffff_8200_000f), None);
/// # Ok::<(), unwind::orc::Error>(())
/// ```
#[derive(Debug)]
pub struct Table<'a> {
    ip_address: u64,
    ips: &'a [[u8; IP_BYTES]],
    entries: &'a [[u8; ENTRY_BYTES]],
    version: Version,
    /// Positions in the order of their addresses; `None` if the table is sorted as it is.
    order: Option<OnceCell<Vec<usize>>>,
}

impl<'a> Table<'a> {
    /// A table that is sorted: the kernel's image since 5.6 (sorted when built), and every table
    /// read from a dump (the kernel sorts when it boots or loads a module).
    ///
    /// `ip_address` is the run-time virtual address of the first byte of `ip`.
    ///
    /// # Errors
    ///
    /// The sections do not match each other.
    pub fn sorted(
        ip_address: u64,
        ip: &'a [u8],
        entries: &'a [u8],
        version: Version,
    ) -> Result<Self, Error> {
        let mismatch = Error::LengthMismatch { ip_bytes: ip.len(), entry_bytes: entries.len() };
        let (ips, ip_rest) = ip.as_chunks();
        let (entries, entry_rest) = entries.as_chunks();
        if ips.len() != entries.len() || !ip_rest.is_empty() || !entry_rest.is_empty() {
            return Err(mismatch);
        }
        Ok(Self { ip_address, ips, entries, version, order: None })
    }

    /// A table in the order of the file, as in a module's `.ko` (relocated) or a kernel's image
    /// before 5.6; sorted at the first lookup.
    ///
    /// # Errors
    ///
    /// The sections do not match each other.
    pub fn unsorted(
        ip_address: u64,
        ip: &'a [u8],
        entries: &'a [u8],
        version: Version,
    ) -> Result<Self, Error> {
        let table = Self::sorted(ip_address, ip, entries, version)?;
        Ok(Self { order: Some(OnceCell::new()), ..table })
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.ips.len()
    }

    /// Whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.ips.is_empty()
    }

    /// The last entry at or below `pc`; none if `pc` is below them all. Where the code ends the
    /// table does not say: the caller asks for addresses within its code only.
    #[expect(
        clippy::indexing_slicing,
        reason = "a rank is below the number of entries, of which each has its place in the order"
    )]
    pub fn lookup(&self, pc: u64) -> Option<OrcEntry> {
        let order = self.order.as_ref().map(|order| order.get_or_init(|| self.sort()).as_slice());
        let position = |rank: usize| order.map_or(rank, |order| order[rank]);
        let (mut low, mut high) = (0, self.ips.len());
        while low < high {
            let middle = low + (high - low) / 2;
            if self.address(position(middle)) <= pc {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Some(self.entry(position(low.checked_sub(1)?)))
    }

    #[expect(clippy::indexing_slicing, reason = "a position is below the number of entries")]
    fn address(&self, position: usize) -> u64 {
        let place = u64::try_from(position * IP_BYTES).expect("usize has at most 64 bits");
        let distance = i32::from_le_bytes(self.ips[position]);
        self.ip_address.wrapping_add(place).wrapping_add_signed(i64::from(distance))
    }

    #[expect(clippy::indexing_slicing, reason = "there are as many entries as addresses")]
    fn entry(&self, position: usize) -> OrcEntry {
        decode(self.entries[position], self.version)
    }

    /// Where a section ends, its terminator (undefined) has the address of the next section's
    /// first entry; the lookup takes the last of equals, so the terminator goes first.
    fn sort(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.len()).collect();
        order.sort_by_cached_key(|&position| {
            (self.address(position), self.entry(position).kind != Kind::Undefined)
        });
        order
    }
}
