// SPDX-License-Identifier: MIT OR Apache-2.0
//! Mappings of a process (`struct vm_area_struct`).
//!
//! To 6.0 they are a list by address from `mm_struct.mmap` on; since 6.1 they are in a maple tree,
//! `mm_struct.mm_mt`.

use crate::{Kernel, Listing, Unavailable};

/// Mappings that are listed at most (`vm.max_map_count` is 65530 unless raised).
const MAX_MAPPINGS: usize = 4 << 20;

/// A mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vma {
    /// Address of its `struct vm_area_struct`.
    pub address: u64,
    /// First address.
    pub start: u64,
    /// Behind its last address.
    pub end: u64,
    /// `vm_flags`.
    pub flags: u64,
    /// Address of the `struct file` that is mapped, or 0.
    pub file: u64,
    /// First page of the file that is mapped.
    pub page_offset: u64,
}

impl Vma {
    /// `rwxp`, as `/proc/PID/maps` has it (`VM_READ`, `VM_WRITE`, `VM_EXEC`, `VM_MAYSHARE`).
    #[must_use]
    pub fn rights(&self) -> String {
        let letter = |bit: u64, letter| if self.flags & bit != 0 { letter } else { '-' };
        let shared = if self.flags & 0x80 != 0 { 's' } else { 'p' };
        [letter(1, 'r'), letter(2, 'w'), letter(4, 'x'), shared].iter().collect()
    }
}

impl Kernel<'_> {
    /// Mappings of the process whose `struct mm_struct` is at `mm`, by address.
    ///
    /// # Errors
    /// If the layout is unknown. Damage further on is in the listing.
    pub fn vmas(&self, mm: u64) -> Result<Listing<Vma>, Unavailable> {
        let mut found = Listing::default();
        if self.has_field("mm_struct", "mm_mt") {
            let tree = self.object("mm_struct", mm).address_of("mm_mt")?;
            let entries = self.maple(tree, MAX_MAPPINGS)?;
            found.damage = entries.damage;
            for entry in entries.items {
                match self.vma(entry.value) {
                    Ok(vma) => found.items.push(vma),
                    Err(why) => found.damage.push(why),
                }
            }
            return Ok(found);
        }
        let mut next = self.object("mm_struct", mm).number("mmap")?;
        let mut behind = 0;
        while next != 0 && found.items.len() < MAX_MAPPINGS {
            match self.vma(next) {
                // They are sorted; one that is not leads in a circle.
                Ok(vma) if vma.start < behind => {
                    let words = format!("the list of mappings turns back at 0x{next:016x}");
                    found.damage.push(Unavailable::Damaged(words));
                    break;
                }
                Ok(vma) => {
                    behind = vma.end.max(vma.start.saturating_add(1));
                    next = self.object("vm_area_struct", next).number("vm_next")?;
                    found.items.push(vma);
                }
                Err(why) => {
                    found.damage.push(why);
                    break;
                }
            }
        }
        Ok(found)
    }

    /// The mapping of the process with the `struct mm_struct` at `mm` that holds `address`.
    ///
    /// # Errors
    /// If the layout is unknown, or the mappings are damaged and none that can be read holds it.
    pub fn vma_at(&self, mm: u64, address: u64) -> Result<Option<Vma>, Unavailable> {
        let all = self.vmas(mm)?;
        let found = all.items.into_iter().find(|vma| (vma.start..vma.end).contains(&address));
        match (found, all.damage.into_iter().next()) {
            (None, Some(why)) => Err(why),
            (found, _) => Ok(found),
        }
    }

    fn vma(&self, address: u64) -> Result<Vma, Unavailable> {
        let vma = self.object("vm_area_struct", address);
        Ok(Vma {
            address,
            start: vma.number("vm_start")?,
            end: vma.number("vm_end")?,
            flags: vma.number("vm_flags")?,
            file: vma.number("vm_file")?,
            page_offset: vma.number("vm_pgoff")?,
        })
    }
}
