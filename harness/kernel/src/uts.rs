// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the kernel calls itself (`init_uts_ns`, `struct new_utsname` of
//! `include/uapi/linux/utsname.h`).

use super::memory::{VirtualMemory, text};
use super::{Kernel, Unavailable, taint};

/// Bytes of each of the six strings (`__NEW_UTS_LEN` and a zero byte).
pub(super) const LENGTH: usize = 65;
/// Bytes in front of the strings in which they are looked for: a reference count, and since 5.11
/// nothing else.
pub(super) const BEFORE: usize = 64;
/// The first string, which is always the same.
const NAME: &[u8] = b"Linux\0";

/// The release among the names in a namespace's first bytes.
pub(super) fn release(namespace: &[u8]) -> Option<String> {
    let start =
        namespace.get(..BEFORE + NAME.len())?.windows(NAME.len()).position(|at| at == NAME)?;
    Some(text(namespace.get(start + 2 * LENGTH..start + 3 * LENGTH)?))
}

/// `uname`'s answers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Uts {
    /// `uname -n`.
    pub nodename: String,
    /// `uname -r`.
    pub release: String,
    /// `uname -v`.
    pub version: String,
    /// `uname -m`.
    pub machine: String,
}

impl Kernel<'_> {
    /// The kernel's release: as it calls itself, else as VMCOREINFO has it.
    #[must_use]
    pub fn release(&self) -> Option<String> {
        let own = self.uts().ok().map(|uts| uts.release).filter(|release| !release.is_empty());
        own.or_else(|| self.info().os_release().map(str::to_owned))
    }

    /// What the kernel calls itself. Needs no `vmlinux`.
    ///
    /// # Errors
    /// If the names cannot be found or read.
    pub fn uts(&self) -> Result<Uts, Unavailable> {
        let what = |source| Unavailable::memory("init_uts_ns", source);
        let namespace = self.symbol("init_uts_ns")?;
        let offset = self
            .info()
            .offset("uts_namespace.name")
            .or_else(|| self.field("uts_namespace", "name").ok().map(|field| field.offset));
        let start = match offset {
            Some(offset) => namespace.wrapping_add(offset),
            None => self.find_names(namespace)?,
        };
        let bytes = self.read_bytes(start, 6 * LENGTH).map_err(what)?;
        let names: Vec<String> = bytes.chunks_exact(LENGTH).map(text).collect();
        let [system, nodename, release, version, machine, ..] = names.as_slice() else {
            return Err(Unavailable::Damaged("init_uts_ns is cut".to_owned()));
        };
        if system != "Linux" {
            return Err(Unavailable::Damaged(format!("init_uts_ns says `{system}`")));
        }
        Ok(Uts {
            nodename: nodename.clone(),
            release: release.clone(),
            version: version.clone(),
            machine: machine.clone(),
        })
    }

    /// Finds the strings in the namespace.
    fn find_names(&self, namespace: u64) -> Result<u64, Unavailable> {
        let mut head = [0; BEFORE + NAME.len()];
        self.read(namespace, &mut head)
            .map_err(|source| Unavailable::memory("init_uts_ns", source))?;
        let found = (0_u64..).zip(head.windows(NAME.len())).find(|(_, at)| *at == NAME);
        found
            .map(|(offset, _)| namespace.wrapping_add(offset))
            .ok_or_else(|| Unavailable::Damaged("init_uts_ns holds no names".to_owned()))
    }

    /// The kernel's taint flags (`tainted_mask`).
    ///
    /// # Errors
    /// If they cannot be found or read.
    pub fn taint(&self) -> Result<u64, Unavailable> {
        let address = self.symbol("tainted_mask")?;
        self.read_u64(address).map_err(|source| Unavailable::memory("tainted_mask", source))
    }

    /// The kernel's taint flags as letters, only those set, in the kernel's order.
    ///
    /// # Errors
    /// As [`taint`](Self::taint).
    pub fn taint_letters(&self) -> Result<String, Unavailable> {
        self.taint().map(taint::letters)
    }
}
