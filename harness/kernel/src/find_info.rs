// SPDX-License-Identifier: MIT OR Apache-2.0
//! Finds VMCOREINFO in the memory of a dump that does not have it among its notes: QEMU's dump of
//! a guest without its `vmcoreinfo` device or whose driver for it was not up, raw RAM.
//!
//! The kernel keeps it as a finished ELF note (`vmcoreinfo_note`): in its own image up to 4.12, in
//! a page of its own since, to which a variable in the image points (`kernel/kexec.c`, later
//! `kernel/crash_core.c` and `kernel/vmcore_info.c`). With a CPU's page table (QEMU's notes have
//! CR3) the image is found, and so the note, however large the machine. Without one all memory is
//! looked through, up to a limit.

use vmcore::{PhysAddr, Vmcore, VmcoreInfo};

use super::located;
use super::paging::Format;
use super::space::KERNEL_MAP;
use super::unreadable::Unreadable;

/// Bytes in a page.
const PAGE: u64 = 4096;
/// A buffer for a page.
type Page = [u8; 4096];
/// The window of the kernel's image at its largest (`KERNEL_IMAGE_SIZE` with KASLR).
const IMAGE_WINDOW: u64 = 1 << 30;
/// Pages passed over without a page table because they cannot be read: 16 GiB of holes. Dumps that
/// lack VMCOREINFO have all memory in them.
const MOST_MISSING: u64 = 1 << 22;
/// Pages read without a page table: 4 GiB, or a quarter of it if they have to be decompressed.
const MOST_PAGES: u64 = 1 << 20;
const MOST_PACKED_PAGES: u64 = MOST_PAGES / 4;
/// Images, or notes in memory, that are tried.
const MOST_TRIALS: usize = 64;
/// Length of the note's name with its zero, which is the note's first word.
const NAME_LENGTH: u32 = 11;
/// The name as it stands in the note, padded.
const NAME: &[u8; 12] = b"VMCOREINFO\0\0";
/// Bytes before the text: three words and the name.
type Header = [u8; 24];
/// How the text begins in every kernel.
const START: &[u8] = b"OSRELEASE=";
/// Most bytes of text: the kernel gives it one page (`VMCOREINFO_BYTES`).
const MOST_TEXT: u64 = 4096;
/// `CR4.LA57`: the page tables have five levels.
const LA57: u64 = 1 << 12;
/// Address bits of CR3 without the one by which page table isolation tells the two tables of a
/// task apart (`PTI_USER_PGTABLE_BIT`): the kernel's is the lower one.
const KERNEL_ROOT: u64 = 0x000f_ffff_ffff_e000;

/// VMCOREINFO as it was found in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundInfo {
    /// Physical address of the note.
    pub address: PhysAddr,
    /// The text.
    pub text: Vec<u8>,
}

/// Looks for VMCOREINFO in the dump's memory. What is found was checked: the page tables that it
/// names map the kernel to where it says.
#[must_use]
pub fn find_info(vmcore: &Vmcore<'_>) -> Option<FoundInfo> {
    by_page_tables(vmcore).or_else(|| in_all_memory(vmcore))
}

/// Looks in, and by the pointers of, the kernel image that the CPUs' page tables map.
fn by_page_tables(vmcore: &Vmcore<'_>) -> Option<FoundInfo> {
    let mut tried = Vec::new();
    for cpu in vmcore.cpus().iter().filter_map(|note| note.qemu).take(MOST_TRIALS) {
        let encryption_mask = encryption_mask(vmcore, cpu.cr[3]);
        let root = PhysAddr(cpu.cr[3] & KERNEL_ROOT & !encryption_mask);
        if tried.contains(&root) {
            continue;
        }
        tried.push(root);
        let format = Format { five_levels: cpu.cr[4] & LA57 != 0, encryption_mask };
        if let Some(found) = in_image(vmcore, format, root) {
            return Some(found);
        }
    }
    None
}

/// The bit by which the page tables say "encrypted" (SME, SEV): the kernel sets it in CR3 too
/// (`__sme_pa()`), and only the processor tells which it is, 47 or 51 so far. It lies above all
/// memory, where no page table can be.
fn encryption_mask(vmcore: &Vmcore<'_>, cr3: u64) -> u64 {
    let end = vmcore.info().max_pfn.0.saturating_mul(PAGE).checked_next_power_of_two();
    let inside = end.map_or(u64::MAX, |end| end - 1);
    cr3 & KERNEL_ROOT & !inside
}

fn in_image(vmcore: &Vmcore<'_>, format: Format, root: PhysAddr) -> Option<FoundInfo> {
    let mut page: Page = [0; 4096];
    let mut offset = 0;
    while offset < IMAGE_WINDOW {
        let address = KERNEL_MAP + offset;
        match format.walk(vmcore, root, address) {
            Ok(mapping) if vmcore.read_physical(mapping.physical, &mut page).is_ok() => {
                let found = in_page(vmcore, mapping.physical, &page)
                    .or_else(|| behind_pointers(vmcore, format, root, &page));
                if found.is_some() {
                    return found;
                }
                offset += PAGE;
            }
            Err(Unreadable::NotMapped { level, .. }) => {
                let step = 1_u64 << level.shift();
                offset = (offset / step + 1).saturating_mul(step);
            }
            _ => offset += PAGE,
        }
    }
    None
}

/// Follows the words of a page that can point to a page of the kernel's mapping of all memory.
fn behind_pointers(
    vmcore: &Vmcore<'_>,
    format: Format,
    root: PhysAddr,
    page: &[u8],
) -> Option<FoundInfo> {
    let (words, _) = page.as_chunks::<8>();
    let pointers = words.iter().map(|word| u64::from_le_bytes(*word));
    let pointers =
        pointers.filter(|word| word % PAGE == 0 && *word < KERNEL_MAP && word >> 63 == 1);
    for pointer in pointers {
        let Ok(mapping) = format.walk(vmcore, root, pointer) else { continue };
        if let Some(found) = note_at(vmcore, mapping.physical) {
            return Some(found);
        }
    }
    None
}

/// Looks through the pages in their order. The note of a kernel that had begun to crash counts
/// more than others: a capture kernel has one too.
fn in_all_memory(vmcore: &Vmcore<'_>) -> Option<FoundInfo> {
    let most = match vmcore.info().compression {
        Some(_) => MOST_PACKED_PAGES,
        None => MOST_PAGES,
    };
    let mut page: Page = [0; 4096];
    let (mut read, mut missing, mut trials, mut first) = (0, 0, 0, None);
    for number in 0..vmcore.info().max_pfn.0 {
        let address = PhysAddr(number.checked_mul(PAGE)?);
        if vmcore.read_physical(address, &mut page).is_err() {
            missing += 1;
            if missing == MOST_MISSING {
                break;
            }
            continue;
        }
        if let Some(found) = in_page(vmcore, address, &page) {
            if VmcoreInfo::parse(&found.text).crash_time().is_some() {
                return Some(found);
            }
            first.get_or_insert(found);
            trials += 1;
        }
        read += 1;
        if read == most || trials == MOST_TRIALS {
            break;
        }
    }
    first
}

/// The first good note that begins in a page.
fn in_page(vmcore: &Vmcore<'_>, start: PhysAddr, page: &[u8]) -> Option<FoundInfo> {
    let (words, _) = page.as_chunks::<4>();
    let begins = |word: &[u8; 4]| u32::from_le_bytes(*word) == NAME_LENGTH;
    let mut places = (0..).step_by(4).zip(words).filter(|(_, word)| begins(word));
    places.find_map(|(offset, _)| note_at(vmcore, PhysAddr(start.0.checked_add(offset)?)))
}

/// The note at an address, if there is one that is good.
fn note_at(vmcore: &Vmcore<'_>, address: PhysAddr) -> Option<FoundInfo> {
    let mut header: Header = [0; 24];
    vmcore.read_physical(address, &mut header).ok()?;
    let word = |index: usize| {
        header
            .get(4 * index..)
            .and_then(|rest| rest.first_chunk())
            .map(|word| u32::from_le_bytes(*word))
    };
    let length = word(1)?;
    let is_note = word(0)? == NAME_LENGTH && header.ends_with(NAME);
    if !is_note || u64::from(length) > MOST_TEXT {
        return None;
    }
    let mut text = vec![0; usize::try_from(length).ok()?];
    vmcore.read_physical(address.checked_add(24)?, &mut text).ok()?;
    let found = FoundInfo { address, text };
    (found.text.starts_with(START) && is_good(vmcore, &found)).then_some(found)
}

/// Whether a kernel lies where the text says.
fn is_good(vmcore: &Vmcore<'_>, found: &FoundInfo) -> bool {
    located::is_mapped_there(vmcore, &VmcoreInfo::parse(&found.text))
}
