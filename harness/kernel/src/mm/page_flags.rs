// SPDX-License-Identifier: MIT OR Apache-2.0
//! Names of the bits of `struct page.flags` (`enum pageflags`, `include/linux/page-flags.h`).
//!
//! Which bit means what depends on version and configuration; the enumeration is in every kernel's
//! types. Several names may stand for one bit (`PG_checked` is `PG_owner_priv_1`): the first is the
//! general one.

use debuginfo::Type;

use crate::{Kernel, Unavailable};

/// Bits that have names at most: above them are node, zone and section.
const MAX_BITS: usize = 64;

/// Names of the bits of a page's flags.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PageFlags {
    names: Vec<Option<String>>,
}

impl PageFlags {
    /// Name of a bit, without `PG_`.
    #[must_use]
    pub fn name(&self, bit: usize) -> Option<&str> {
        self.names.get(bit)?.as_deref()
    }

    /// Mask of the bit of that name (without `PG_`); zero where the kernel has no such bit.
    #[must_use]
    pub fn mask(&self, name: &str) -> u64 {
        let found = self.names.iter().position(|known| known.as_deref() == Some(name));
        found.and_then(|bit| 1_u64.checked_shl(u32::try_from(bit).ok()?)).unwrap_or(0)
    }

    /// Names of the bits that are set, lowest first.
    #[must_use]
    pub fn names(&self, flags: u64) -> Vec<String> {
        let set =
            |(bit, name): (usize, &Option<String>)| name.clone().filter(|_| flags >> bit & 1 == 1);
        self.names.iter().enumerate().filter_map(set).collect()
    }

    /// How many bits have names.
    #[must_use]
    pub fn count(&self) -> usize {
        self.names.len()
    }
}

impl Kernel<'_> {
    /// Names of the bits of `page.flags`.
    ///
    /// # Errors
    /// If the types do not have the enumeration.
    pub fn page_flags(&self) -> Result<&PageFlags, Unavailable> {
        self.page_flags.get_or_init(|| read(self)).as_ref().map_err(Clone::clone)
    }
}

fn read(kernel: &Kernel<'_>) -> Result<PageFlags, Unavailable> {
    let missing = || Unavailable::Type("enum pageflags".to_owned());
    let types = kernel.types()?;
    let id = types.find_type("pageflags").found().ok_or_else(missing)?;
    let Some(Type::Enum { enumerators, .. }) = types.type_of(id).found() else {
        return Err(missing());
    };
    let mut flags = PageFlags::default();
    for one in enumerators {
        let Some(name) = one.name.strip_prefix("PG_") else { break };
        let Some(bit) = usize::try_from(one.value).ok().filter(|bit| *bit < MAX_BITS) else {
            continue;
        };
        if flags.names.len() <= bit {
            flags.names.resize(bit + 1, None);
        }
        if let Some(known) = flags.names.get_mut(bit) {
            known.get_or_insert_with(|| name.to_owned());
        }
    }
    Ok(flags)
}
