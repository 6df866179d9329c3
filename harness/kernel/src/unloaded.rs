// SPDX-License-Identifier: MIT OR Apache-2.0
//! Modules that are no longer loaded: an address in one may still be on a stack or in a list.

use super::memory::{MAX_STRING, VirtualMemory};
use super::{Kernel, Listing, Unavailable, list, taint};

/// Entries of the list of unloaded modules that are taken at most.
const MAX_UNLOADED: usize = 65_536;

/// A module that had tainted the kernel and was unloaded (6.1 and later).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unloaded {
    /// Its name.
    pub name: String,
    /// Taint letters it had (`OE`).
    pub taint_letters: String,
    /// How many times it was unloaded.
    pub count: u64,
}

impl Kernel<'_> {
    /// Name of the module that was unloaded last, if any was.
    ///
    /// `last_unloaded_module` is an array of characters, since 6.0 a structure that starts with
    /// one.
    ///
    /// # Errors
    /// If it cannot be found or read (kernels without `CONFIG_MODULE_UNLOAD`).
    pub fn last_unloaded_module(&self) -> Result<Option<String>, Unavailable> {
        let address = self.symbol("last_unloaded_module")?;
        let name = self
            .read_string(address, MAX_STRING)
            .map_err(|source| Unavailable::memory("last_unloaded_module", source))?;
        Ok(Some(name).filter(|name| !name.is_empty()))
    }

    /// Modules that had tainted the kernel and were unloaded.
    ///
    /// # Errors
    /// If the kernel keeps no such list (`CONFIG_MODULE_UNLOAD_TAINT_TRACKING`).
    pub fn unloaded_modules(&self) -> Result<Listing<Unloaded>, Unavailable> {
        let head = self.symbol("unloaded_tainted_modules")?;
        let link = self.field("mod_unload_taint", "list")?.offset;
        let links = list::walk(self, head, MAX_UNLOADED, "the list of unloaded modules");
        let mut found = Listing { items: Vec::new(), damage: links.damage };
        for at in links.items {
            let entry = self.object("mod_unload_taint", at.wrapping_sub(link));
            let read = || -> Result<Unloaded, Unavailable> {
                Ok(Unloaded {
                    name: entry.text("name")?,
                    taint_letters: taint::letters(entry.number("taints")?),
                    count: entry.number("count")?,
                })
            };
            match read() {
                Ok(unloaded) => found.items.push(unloaded),
                Err(why) => found.damage.push(why),
            }
        }
        Ok(found)
    }
}
