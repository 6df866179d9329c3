// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the container says about itself.

use std::fmt;
use std::ops::Range;

use crate::{Codec, Pfn, PhysAddr, VirtAddr};

/// Page size assumed of dumps that do not say it: x86-64 has no other.
const PAGE_SIZE: u32 = 4096;

/// Facts about the dump file. What the crashed kernel says is in
/// [`VmcoreInfo`](crate::VmcoreInfo).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DumpInfo {
    /// Kind of container.
    pub format: Format,
    /// Whether the container, or one of a split set, came wrapped in makedumpfile's flattened form.
    pub flattened: bool,
    /// Version of the kdump-compressed header, 1 to 6.
    pub header_version: Option<u32>,
    /// Compression that the file was written with. Pages that did not shrink are stored raw
    /// in any file.
    pub compression: Option<Codec>,
    /// makedumpfile's dump level (bits of page kinds left out), where the file says it.
    pub dump_level: Option<u32>,
    /// Whether all that should be in the file is in it, as far as its headers, its last pages
    /// and its length tell.
    pub complete: bool,
    /// CPUs that the header counts.
    pub nr_cpus: Option<u32>,
    /// First page frame number past all memory.
    pub max_pfn: Pfn,
    /// Bytes in a page.
    pub page_size: u32,
    /// Where the kernel image starts in physical memory, as the container says. Signed.
    pub phys_base: Option<i64>,
    /// The kernel's names for itself, which only kdump-compressed headers carry, and of those not
    /// QEMU's.
    pub uts: Option<Uts>,
    /// The pages that this file of a set written by `makedumpfile --split` holds.
    pub split: Option<Range<Pfn>>,
}

/// Kind of container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// makedumpfile's compressed dump, also written by QEMU.
    KdumpCompressed,
    /// An ELF core file: `/proc/vmcore`, `makedumpfile -E`, QEMU's `dump-guest-memory`.
    Elf,
    /// Raw RAM in a file without any header.
    Ram,
}

impl DumpInfo {
    /// What is known of a container that says nothing but where memory ends.
    pub(crate) fn bare(format: Format, memory_end: u64) -> Self {
        Self {
            format,
            flattened: false,
            header_version: None,
            compression: None,
            dump_level: None,
            complete: true,
            nr_cpus: None,
            max_pfn: Pfn(memory_end.div_ceil(PAGE_SIZE.into())),
            page_size: PAGE_SIZE,
            phys_base: None,
            uts: None,
            split: None,
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::KdumpCompressed => "kdump-compressed",
            Self::Elf => "elf",
            Self::Ram => "raw RAM",
        })
    }
}

/// `struct new_utsname` of the crashed kernel (`include/uapi/linux/utsname.h`). Bytes that are
/// not UTF-8 are replaced.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Uts {
    /// `Linux`.
    pub sysname: String,
    /// Host name.
    pub nodename: String,
    /// Kernel release, as `uname -r` prints it.
    pub release: String,
    /// Build number and date, as `uname -v` prints them.
    pub version: String,
    /// `x86_64`.
    pub machine: String,
    /// NIS domain name.
    pub domainname: String,
}

/// A `PT_LOAD` program header of an ELF vmcore.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoadSegment {
    /// Where the kernel has this memory mapped (direct map or kernel text); 0 if the writer
    /// did not say.
    pub virt: VirtAddr,
    /// Physical address of the first byte.
    pub phys: PhysAddr,
    /// Bytes of memory, of which the file may hold only the first ones.
    pub size: u64,
}
