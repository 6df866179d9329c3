// SPDX-License-Identifier: MIT OR Apache-2.0
//! The names of the crashed kernel, as a dump's header has them.

use vmcore::{PhysAddr, Vmcore};

/// Bytes of a field of `struct new_utsname` (`include/uapi/linux/utsname.h`).
const FIELD: usize = 65;
/// sysname, nodename, release, version, machine, domainname.
const FIELDS: usize = 6;
/// Start of the kernel's text map (`__START_KERNEL_map`).
const TEXT_MAP: u64 = 0xffff_ffff_8000_0000;
/// In `struct uts_namespace` the names come behind no more than a reference counter.
const BEFORE: usize = 64;

/// `struct new_utsname`.
#[derive(Debug, Clone)]
pub(super) struct Uts(Vec<u8>);

impl Uts {
    /// From the memory (`init_uts_ns`); what VMCOREINFO tells where they are not found. Readers want
    /// a version: libkdumpfile, and drgn with it, take a header without one for that of another
    /// architecture.
    pub(super) fn of(vmcore: &Vmcore<'_>, phys_base: Option<i64>) -> Self {
        Self::in_memory(vmcore, phys_base).unwrap_or_else(|| {
            let release = vmcore.vmcoreinfo().os_release().unwrap_or_default();
            let mut names = vec![0; FIELD * FIELDS];
            for (field, text) in [(0, "Linux"), (2, release), (3, "unknown"), (4, "x86_64")] {
                let text = text.get(..text.len().min(FIELD - 1)).unwrap_or_default();
                names[field * FIELD..][..text.len()].copy_from_slice(text.as_bytes());
            }
            Self(names)
        })
    }

    fn in_memory(vmcore: &Vmcore<'_>, phys_base: Option<i64>) -> Option<Self> {
        let place = vmcore.vmcoreinfo().symbol("init_uts_ns")?.checked_sub(TEXT_MAP)?;
        let place = place.checked_add_signed(phys_base?)?;
        let mut bytes = vec![0; BEFORE + FIELD * FIELDS];
        vmcore.read_physical(PhysAddr(place), &mut bytes).ok()?;
        let names = (0..=BEFORE).step_by(4).find_map(|at| {
            let names = bytes.get(at..at + FIELD * FIELDS)?;
            names.starts_with(b"Linux\0").then_some(names)
        })?;
        let is_text = |field: &[u8]| field.first() != Some(&0) && field.last() == Some(&0);
        // Release, version and machine are never empty.
        names.chunks(FIELD).skip(2).take(3).all(is_text).then(|| Self(names.to_owned()))
    }

    /// The bytes.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}
