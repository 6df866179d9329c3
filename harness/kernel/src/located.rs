// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where the kernel lies, if it is not where the dump says.
//!
//! Two numbers place a kernel: `phys_base` for its image in physical memory, and the KASLR offset for its
//! symbols. They are in VMCOREINFO, the first one in the headers of some dumps too, and both may be
//! wrong: VMCOREINFO is of another boot or of the capture kernel, or a header was written by a program
//! that guessed. Nothing is at home then, and everything that is read is something else.
//!
//! What a kernel calls itself (`init_uts_ns`) shows that it is there. If it does not, the kernel is
//! searched for: by its own page tables, which map its text to where they are found, and by the
//! banner of the `vmlinux`. The image begins at a multiple of 2 MiB (`MIN_KERNEL_ALIGN`,
//! `arch/x86/include/asm/boot.h`), physically as well as virtually, so that there are few places.

use debuginfo::{Files, Image};
use vmcore::{PhysAddr, Vmcore, VmcoreInfo};

use super::identity::{MAX_BANNER, file_banner};
use super::memory::{VirtualMemory as _, text};
use super::space::{AddressSpace, KERNEL_MAP, Layout, ROOTS};
use super::usual_offset::usual_offset;
use super::{Kernel, Unavailable, Unreadable, uts};

/// What a kernel's image is aligned to.
const ALIGNMENT: u64 = 2 << 20;
/// Physical places that are tried: 512 GiB of memory. Each costs the read of one page at most.
const MOST_PLACES: u64 = 1 << 18;
/// Bytes of a page.
const PAGE: u64 = 4096;

/// What places a kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Physical minus virtual address of the image, less the start of the image's window.
    pub phys_base: i64,
    /// Run-time minus link-time address of the kernel's text, where it is known.
    pub kaslr_offset: Option<u64>,
}

/// A kernel that is not where its dump says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Misplaced {
    /// What the dump says.
    pub said: Place,
    /// Where the kernel was found.
    pub found: Place,
}

impl std::fmt::Display for Misplaced {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { said, found } = self;
        f.write_str("the dump says wrongly where its kernel is: ")?;
        if said.phys_base != found.phys_base {
            write!(f, "phys_base is {:#x} and not {:#x}", found.phys_base, said.phys_base)?;
        }
        if said.kaslr_offset != found.kaslr_offset {
            let and = if said.phys_base == found.phys_base { "" } else { ", " };
            write!(f, "{and}the KASLR offset is {}", offset(found.kaslr_offset))?;
            write!(f, " and not {}", offset(said.kaslr_offset))?;
        }
        f.write_str("; it was found in memory, and what was found is used")
    }
}

fn offset(value: Option<u64>) -> String {
    value.map_or_else(|| "unknown".to_owned(), |value| format!("{value:#x}"))
}

/// A kernel that was found elsewhere, and VMCOREINFO as it would be of a kernel there.
pub(super) struct Found {
    pub(super) info: VmcoreInfo,
    pub(super) misplaced: Misplaced,
}

/// Whether the page tables that VMCOREINFO names map the kernel's text to where it says.
pub(super) fn is_mapped_there(vmcore: &Vmcore<'_>, info: &VmcoreInfo) -> bool {
    let layout = Layout::of(vmcore, info);
    info.symbol("_stext").is_some_and(|text| maps(vmcore, &layout, text))
}

/// Whether the page tables of a layout map an address of the image to where the layout has it.
fn maps(vmcore: &Vmcore<'_>, layout: &Layout, text: u64) -> bool {
    let root = layout.root.and_then(|root| layout.image_physical(root));
    let there = root.and_then(|root| layout.format.walk(vmcore, root, text).ok());
    there.is_some_and(|there| Some(there.physical) == layout.image_physical(text))
}

/// Whether the kernel may lie elsewhere than where it is looked for.
pub(super) fn is_in_doubt(kernel: &Kernel<'_>, files: Option<Files<'_>>) -> bool {
    has_other_offset(kernel.info(), files) || is_not_there(kernel)
}

/// Whether what VMCOREINFO says of the KASLR offset and of `_stext` does not go with the `vmlinux`.
fn has_other_offset(info: &VmcoreInfo, files: Option<Files<'_>>) -> bool {
    let (Some(text), Some(said)) = (info.symbol("_stext"), info.kaslr_offset()) else {
        return false;
    };
    let linked = || Image::kernel(files?, 0).ok()?.symbol("_stext");
    usual_offset(info).is_none()
        && linked().is_some_and(|linked| linked.address.wrapping_add(said) != text)
}

/// Whether the kernel's name is not at its place. A page that was left out of the dump tells nothing.
fn is_not_there(kernel: &Kernel<'_>) -> bool {
    match kernel.uts() {
        Ok(_) | Err(Unavailable::Symbol(_) | Unavailable::Type(_)) => false,
        Err(Unavailable::Memory { source: Unreadable::Absent { .. }, .. }) => {
            !is_mapped_there(kernel.vmcore(), kernel.info())
        }
        Err(Unavailable::Memory { .. } | Unavailable::Damaged(_)) => true,
    }
}

/// Searches for the kernel; none if it is nowhere, or where the dump says.
pub(super) fn search(
    vmcore: &Vmcore<'_>,
    info: &VmcoreInfo,
    files: Option<Files<'_>>,
) -> Option<Found> {
    let linked = files.and_then(|files| Image::kernel(files, 0).ok());
    let phys_base = Layout::of(vmcore, info).phys_base;
    let said = Place { phys_base, kaslr_offset: info.kaslr_offset() };
    let at = by_own_tables(vmcore, info, phys_base);
    let confirmed = || {
        let kaslr_offset = offset_by_text(vmcore, info, linked.as_ref()?, at?)?;
        Some(Place { phys_base: at?, kaslr_offset: Some(kaslr_offset) })
    };
    let (found, info) = match confirmed() {
        Some(found) => (found, info.moved(found.phys_base, found.kaslr_offset, 0)),
        None => match linked.as_ref().and_then(|image| by_banner(vmcore, info, image)) {
            Some(found) => found,
            None => {
                let found = Place { phys_base: at?, ..said };
                (found, info.moved(found.phys_base, None, 0))
            }
        },
    };
    (found != said).then_some(Found { info, misplaced: Misplaced { said, found } })
}

/// The `phys_base` with which the page tables that VMCOREINFO names map the kernel to where they are, and the
/// kernel's name is the one of VMCOREINFO.
fn by_own_tables(vmcore: &Vmcore<'_>, info: &VmcoreInfo, said: i64) -> Option<i64> {
    let text = info.symbol("_stext")?;
    let names = info.symbol("init_uts_ns");
    let layout = Layout::of(vmcore, info);
    let window = text.checked_sub(KERNEL_MAP)?;
    let first = (window - window % ALIGNMENT).cast_signed().checked_neg()?;
    let others = places(vmcore).map(|place| first.wrapping_add_unsigned(place));
    std::iter::once(said).chain(others).find(|phys_base| {
        let layout = Layout { phys_base: *phys_base, ..layout };
        maps(vmcore, &layout, text) && is_named(vmcore, layout, names, info.os_release())
    })
}

/// Physical addresses at which an image may begin.
fn places(vmcore: &Vmcore<'_>) -> impl Iterator<Item = u64> {
    let end = vmcore.info().max_pfn.0.saturating_mul(PAGE);
    (0..end.div_ceil(ALIGNMENT).min(MOST_PLACES)).map(|number| number * ALIGNMENT)
}

/// Whether the kernel there has the name that VMCOREINFO says; also if its page was left out.
fn is_named(vmcore: &Vmcore<'_>, layout: Layout, names: Option<u64>, said: Option<&str>) -> bool {
    let Some(names) = names else { return true };
    let space = AddressSpace::new(vmcore, layout);
    match space.read_bytes(names, uts::BEFORE + 6 * uts::LENGTH) {
        Ok(bytes) => {
            uts::release(&bytes).is_some_and(|release| said.is_none_or(|said| said == release))
        }
        Err(Unreadable::Absent { .. }) => true,
        Err(_) => false,
    }
}

/// The KASLR offset by where `_stext` is and where it is linked, if the banner of the file is there.
fn offset_by_text(
    vmcore: &Vmcore<'_>,
    info: &VmcoreInfo,
    linked: &Image<'_>,
    phys_base: i64,
) -> Option<u64> {
    let offset = info.symbol("_stext")?.checked_sub(linked.symbol("_stext")?.address)?;
    let (address, banner) = file_banner(linked)?;
    let window = address.checked_add(offset)?.checked_sub(KERNEL_MAP)?;
    has_banner(vmcore, window.checked_add_signed(phys_base)?, &banner).then_some(offset)
}

/// Whether the whole banner is at a physical address.
fn has_banner(vmcore: &Vmcore<'_>, physical: u64, banner: &str) -> bool {
    let mut bytes = vec![0; banner.len().min(MAX_BANNER)];
    let read = vmcore.read_physical(PhysAddr(physical), &mut bytes);
    read.is_ok() && !banner.is_empty() && text(&bytes) == banner
}

/// Where the kernel of the file is, by its banner and its page tables, and VMCOREINFO of a kernel there: if it is of
/// another boot, its symbols moved as its `_stext` did.
fn by_banner(
    vmcore: &Vmcore<'_>,
    info: &VmcoreInfo,
    linked: &Image<'_>,
) -> Option<(Place, VmcoreInfo)> {
    let (address, banner) = file_banner(linked)?;
    let text = linked.symbol("_stext")?.address;
    let window = address.checked_sub(KERNEL_MAP)?;
    let start = text.checked_sub(KERNEL_MAP)?;
    let begin = start - start % ALIGNMENT;
    let found = places(vmcore).find(|place| {
        let physical = window.checked_add(*place).and_then(|at| at.checked_sub(begin));
        physical.is_some_and(|physical| has_banner(vmcore, physical, &banner))
    })?;
    // What the image lies above where it would without KASLR.
    let above = found.wrapping_sub(begin);
    let offset = offset_by_tables(vmcore, info, linked, above)?;
    let place =
        Place { phys_base: above.wrapping_sub(offset).cast_signed(), kaslr_offset: Some(offset) };
    let by_text = info.symbol("_stext").map(|said| text.wrapping_add(offset).wrapping_sub(said));
    let moved = |shift| info.moved(place.phys_base, place.kaslr_offset, shift);
    let mut shifts = by_text.into_iter().chain([0]).map(moved);
    let is_it = |moved: &VmcoreInfo| {
        let layout = Layout::of(vmcore, moved);
        is_named(vmcore, layout, moved.symbol("init_uts_ns"), moved.os_release())
    };
    Some((place, shifts.find(is_it)?))
}

/// The KASLR offset with which the kernel's tables map its text to where it is; without the tables the one that
/// VMCOREINFO says.
fn offset_by_tables(
    vmcore: &Vmcore<'_>,
    info: &VmcoreInfo,
    linked: &Image<'_>,
    above: u64,
) -> Option<u64> {
    let physical =
        |linked: u64| Some(PhysAddr(linked.checked_sub(KERNEL_MAP)?.wrapping_add(above)));
    let layout = Layout::of(vmcore, info);
    let root = ROOTS.iter().find_map(|name| linked.symbol(name))?.address;
    let (root, text) = (physical(root)?, linked.symbol("_stext")?.address);
    let mut is_lost = false;
    for offset in (0..layout.image_size).step_by(2 << 20) {
        match layout.format.walk(vmcore, root, text.wrapping_add(offset)) {
            Ok(there) if Some(there.physical) == physical(text) => return Some(offset),
            Err(Unreadable::TableAbsent { .. }) => is_lost = true,
            _ => {}
        }
    }
    info.kaslr_offset().filter(|_| is_lost)
}
