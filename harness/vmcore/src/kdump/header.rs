// SPDX-License-Identifier: MIT OR Apache-2.0
//! The two headers of a kdump-compressed dump.

use std::ops::Range;

use crate::notes::Notes;
use crate::read_at::{Span, fetch};
use crate::{Codec, Error, Machine, Pfn, ReadAt, Uts, le};

/// First bytes of the format.
pub(crate) const SIGNATURE: &[u8; 8] = b"KDUMP   ";

/// Bytes of `struct disk_dump_header` up to its list of tasks.
const HEADER_BYTES: u64 = 464;
/// Versions of the header read here.
const VERSIONS: Range<u64> = 1..7;
/// `DUMP_DH_COMPRESSED_INCOMPLETE` in the header's status.
const STATUS_INCOMPLETE: u32 = 0x8;
/// The compressions in the header's status.
const STATUS_COMPRESSION: u32 = 0x1 | 0x2 | 0x4 | 0x20;
/// The machine that is read here.
const MACHINE: &str = "x86_64";
/// What a writer puts in the machine's place that does not know it.
///
/// Situation: a dump by QEMU (`dump-guest-memory -z`, libvirt's `virsh dump --memory-only --format
/// kdump-zlib`). Nothing in QEMU knows the kernel's names: all are empty but the machine, which is
/// `Unknown` since one program serves more than one machine, and `x86_64` before. The notes tell
/// the machine then, which QEMU always writes. Without VMCOREINFO `phys_base` is 0 and means nothing.
const NO_MACHINE: [&str; 2] = ["Unknown", ""];
/// Bytes of one utsname field: `__NEW_UTS_LEN` and a NUL.
const UTS_FIELD: usize = 65;
/// Block sizes read here; x86-64 has only the first.
const BLOCK_SIZES: Range<u64> = 4096..65537;
/// Pages that 46 bits of physical address hold: 64 TiB, the most that a kernel with four levels
/// of page tables can have. The bitmap of so many pages takes 2 GiB, and each of its bytes is
/// looked at.
const MOST_PAGES: u64 = 1 << 34;

/// What both headers say, checked.
#[derive(Debug, Clone)]
pub(crate) struct Header {
    pub(crate) version: u32,
    /// The kernel's names; `None` if the writer did not know them.
    pub(crate) uts: Option<Uts>,
    pub(crate) status: u32,
    /// Bytes in a block, which is also a page.
    pub(crate) block_size: u64,
    pub(crate) nr_cpus: u32,
    /// `None` if the writer did not know it.
    pub(crate) phys_base: Option<i64>,
    pub(crate) dump_level: u32,
    pub(crate) split: Option<Range<Pfn>>,
    /// Number of pages that the bitmaps stand for.
    pub(crate) max_pfn: u64,
    pub(crate) vmcoreinfo: Span,
    pub(crate) notes: Span,
    pub(crate) erase_info: Span,
    /// Both bitmaps together.
    pub(crate) bitmaps: Span,
}

impl Header {
    /// Reads both headers.
    pub(crate) fn read(file: &dyn ReadAt) -> Result<Self, Error> {
        let main = fetch(file, 0, HEADER_BYTES)
            .map_err(|source| Error::Cut { what: "kdump header", source })?;
        let uts = uts(&main);
        let version = match check("header version", 8, le::i32(&main, 8), VERSIONS) {
            Ok(version) => version,
            Err(error) => return Err(big_endian(&main, uts).unwrap_or(error)),
        };
        let knows_names = !uts.release.is_empty();
        let names_machine = !NO_MACHINE.contains(&uts.machine.as_str());
        if names_machine && uts.machine != MACHINE {
            return Err(Error::Machine { machine: Machine::Named(uts.machine) });
        }
        let block_size = check("block size", 428, le::i32(&main, 428), BLOCK_SIZES)?;
        if !block_size.is_power_of_two() {
            return Err(Error::Malformed { what: "block size", offset: 428, value: block_size });
        }
        let sub_blocks = check("sub-header size", 432, le::i32(&main, 432), 1..0x8000_0000)?;
        let bitmap_blocks = field(&main, 436)?;
        let max_mapnr = field(&main, 440)?;
        let nr_cpus = field(&main, 460)?;
        let sub = SubHeader::read(file, block_size, version)?;
        if !names_machine && !Notes::are_of_x86_64(file, sub.notes) {
            return Err(Error::UnknownMachine);
        }
        let max_pfn = if sub.max_mapnr == 0 { u64::from(max_mapnr) } else { sub.max_mapnr };
        if max_pfn > MOST_PAGES {
            let offset = block_size + SubHeader::MAX_MAPNR;
            return Err(Error::Malformed { what: "number of pages", offset, value: max_pfn });
        }
        Ok(Self {
            version: u32::try_from(version).expect("checked to be below 7"),
            uts: knows_names.then_some(uts),
            status: field(&main, 424)?,
            block_size,
            nr_cpus,
            phys_base: Some(sub.phys_base).filter(|base| knows_names || *base != 0),
            dump_level: sub.dump_level,
            split: sub.split,
            max_pfn,
            vmcoreinfo: sub.vmcoreinfo,
            notes: sub.notes,
            erase_info: sub.erase_info,
            bitmaps: Span {
                offset: (1 + sub_blocks) * block_size,
                size: u64::from(bitmap_blocks) * block_size,
            },
        })
    }

    /// Whether the writer says that it did not get to the end.
    pub(crate) fn is_incomplete(&self) -> bool {
        self.status & STATUS_INCOMPLETE != 0
    }

    /// The compression asked of the writer. Writers that do not say leave it at nothing.
    pub(crate) fn compression(&self) -> Option<Codec> {
        Codec::from_flags(self.status & STATUS_COMPRESSION).filter(|codec| *codec != Codec::Raw)
    }

    /// Whether there are two bitmaps: pages that exist, and pages that are in the file. With one
    /// they are the same.
    pub(crate) fn has_two_bitmaps(&self) -> bool {
        let one = self.max_pfn.div_ceil(8).div_ceil(self.block_size) * self.block_size;
        self.bitmaps.size >= 2 * one
    }
}

/// `struct kdump_sub_header`. Fields that a version lacks are zero.
#[derive(Debug, Default)]
struct SubHeader {
    phys_base: i64,
    dump_level: u32,
    split: Option<Range<Pfn>>,
    vmcoreinfo: Span,
    notes: Span,
    erase_info: Span,
    max_mapnr: u64,
}

impl SubHeader {
    /// Offset of `max_mapnr_64`.
    const MAX_MAPNR: u64 = 96;

    fn read(file: &dyn ReadAt, at: u64, version: u64) -> Result<Self, Error> {
        let cut = |source| Error::Cut { what: "kdump sub-header", source };
        let size = match version {
            1 => 12,
            2 => 32,
            3 => 48,
            4 => 64,
            5 => 80,
            _ => 104,
        };
        // What lies past the version's own fields belongs to something else.
        let bytes = fetch(file, at, size).map_err(cut)?;
        let word = |at| le::u64(&bytes, at).unwrap_or_default();
        let span = |at| Span { offset: word(at), size: word(at + 8) };
        let is_split = le::i32(&bytes, 12).unwrap_or_default() != 0;
        let bounds = if version >= 6 { (word(80), word(88)) } else { (word(16), word(24)) };
        Ok(Self {
            phys_base: le::i64(&bytes, 0).unwrap_or_default(),
            dump_level: le::u32(&bytes, 8).unwrap_or_default(),
            split: is_split.then_some(Pfn(bounds.0)..Pfn(bounds.1)),
            vmcoreinfo: span(32),
            notes: span(48),
            erase_info: span(64),
            max_mapnr: word(96),
        })
    }
}

/// The text fields of the header, each ended by a NUL or its length.
fn uts(main: &[u8]) -> Uts {
    let text = |index: usize| {
        let start = 12 + index * UTS_FIELD;
        let field = main.get(start..start + UTS_FIELD).unwrap_or_default();
        let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
        String::from_utf8_lossy(field.get(..end).unwrap_or_default()).into_owned()
    };
    Uts {
        sysname: text(0),
        nodename: text(1),
        release: text(2),
        version: text(3),
        machine: text(4),
        domainname: text(5),
    }
}

/// The refusal of a dump whose integers have their most significant byte first, as those of s390x
/// and ppc64: makedumpfile and QEMU write the machine's own order.
fn big_endian(main: &[u8], uts: Uts) -> Option<Error> {
    let version = le::i32(main, 8)?.swap_bytes();
    let is_version = VERSIONS.contains(&u64::try_from(version).ok()?);
    let named = !NO_MACHINE.contains(&uts.machine.as_str());
    let machine = if named { Machine::Named(uts.machine) } else { Machine::BigEndian };
    is_version.then_some(Error::Machine { machine })
}

/// A field of the main header, which was read in full.
fn field(main: &[u8], at: usize) -> Result<u32, Error> {
    let offset = at.try_into().unwrap_or_default();
    le::u32(main, at).ok_or(Error::Malformed { what: "kdump header", offset, value: 0 })
}

/// A signed field that has to be in a range.
fn check(
    what: &'static str,
    offset: u64,
    value: Option<i32>,
    range: Range<u64>,
) -> Result<u64, Error> {
    let value = i64::from(value.unwrap_or(-1));
    let malformed = Error::Malformed { what, offset, value: value.cast_unsigned() };
    u64::try_from(value).ok().filter(|value| range.contains(value)).ok_or(malformed)
}
