// SPDX-License-Identifier: MIT OR Apache-2.0
//! Section headers and symbol table of one ELF file, with run-time addresses.
//!
//! Format: System V ABI, gABI chapters 4 and "Sections"; x86-64 psABI chapter 4. A section whose
//! bytes lie outside of a file that was cut off counts as empty, so that the rest stays of use.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::ops::Range;

use object::LittleEndian as LE;
use object::elf;
use object::read::elf::{CompressionHeader as _, FileHeader as _, SectionHeader as _, Sym as _};
use object::read::{CompressedData, CompressionFormat};

use crate::Error;
use crate::address;
use crate::name_index::NameIndex;

type Header = elf::FileHeader64<LE>;
/// An entry of the symbol table, as in the file.
pub(crate) type RawSymbol = elf::Sym64<LE>;

/// Where the file was loaded.
#[derive(Debug)]
pub(crate) enum Placement {
    /// An executable kernel, moved by KASLR.
    Kernel {
        /// Run-time minus link-time address inside the text map.
        bias: u64,
    },
    /// A relocatable module.
    Module,
}

/// One section.
#[derive(Debug)]
pub(crate) struct Section<'d> {
    pub(crate) name: &'d str,
    pub(crate) kind: elf::SectionType,
    /// Bytes in the file; empty for `.bss`, and if they lie outside of the file.
    pub(crate) data: &'d [u8],
    /// Size in memory.
    pub(crate) size: u64,
    /// Run-time address; `None` if it is not loaded, or nobody said where.
    pub(crate) address: Option<u64>,
    /// Takes up memory once it is loaded.
    pub(crate) loaded: bool,
    /// May be written.
    pub(crate) writable: bool,
    /// What its start is a multiple of, in bytes; 0 as 1.
    pub(crate) alignment: u64,
    /// Holds instructions.
    pub(crate) executable: bool,
    /// Holds the variables of which each CPU has a copy: `.data..percpu` since 2.6.33
    /// (`include/linux/percpu-defs.h`).
    pub(crate) per_cpu: bool,
    /// Bytes are compressed (`SHF_COMPRESSED`).
    pub(crate) compression: Option<CompressionFormat>,
    /// Size once decompressed.
    pub(crate) uncompressed: u64,
    /// Section that a relocation section applies to (`sh_info`).
    pub(crate) applies_to: usize,
}

/// An ELF file with run-time addresses.
#[derive(Debug)]
pub(crate) struct Elf<'d> {
    pub(crate) placement: Placement,
    pub(crate) sections: Vec<Section<'d>>,
    pub(crate) symbols: &'d [RawSymbol],
    pub(crate) strings: &'d [u8],
    names: OnceCell<NameIndex>,
    /// What `dwz` moved out of the debug information of this file and others.
    pub(crate) supplementary: Option<Box<Self>>,
}

/// No kernel decompresses to more debug information than this in one section; guards against a
/// header that claims anything.
const MAX_UNCOMPRESSED: u64 = 4 << 30;

impl<'d> Elf<'d> {
    /// No file: what stands behind types that came from elsewhere.
    pub(crate) fn empty() -> Self {
        Self {
            placement: Placement::Kernel { bias: 0 },
            sections: Vec::new(),
            symbols: &[],
            strings: &[],
            names: OnceCell::new(),
            supplementary: None,
        }
    }

    /// Reads the headers of a kernel.
    pub(crate) fn kernel(file: &'d [u8], bias: u64) -> Result<Self, Error> {
        let header = header(file)?;
        let found = header.e_type(LE);
        if found != elf::ET_EXEC && found != elf::ET_DYN {
            return Err(Error::FileType { found: found.0, wanted: "an executable (2 or 3)" });
        }
        Self::read(file, header, Placement::Kernel { bias }, |_, loaded, link| {
            loaded.then(|| address::run_time(link, bias))
        })
    }

    /// Reads the headers of a module that was loaded as `addresses` says.
    pub(crate) fn module(file: &'d [u8], addresses: &BTreeMap<String, u64>) -> Result<Self, Error> {
        let header = header(file)?;
        let found = header.e_type(LE);
        if found != elf::ET_REL {
            return Err(Error::FileType { found: found.0, wanted: "relocatable (1)" });
        }
        Self::read(file, header, Placement::Module, |name, loaded, _| {
            addresses.get(name).copied().filter(|_| loaded)
        })
    }

    /// Reads the headers of a supplementary file, which has nothing to relocate.
    pub(crate) fn supplementary(file: &'d [u8]) -> Result<Self, Error> {
        Self::read(file, header(file)?, Placement::Kernel { bias: 0 }, |_, _, _| None)
    }

    fn read(
        file: &'d [u8],
        header: &'d Header,
        placement: Placement,
        locate: impl Fn(&str, bool, u64) -> Option<u64>,
    ) -> Result<Self, Error> {
        let damaged = |_| Error::Damaged { what: "section table" };
        let table = header.sections(LE, file).map_err(damaged)?;
        let mut sections = Vec::with_capacity(table.len());
        let mut symbols: &[RawSymbol] = &[];
        let mut strings: &[u8] = &[];
        for raw in table.iter() {
            let name = table.section_name(LE, raw).ok().and_then(|n| std::str::from_utf8(n).ok());
            let flags = raw.sh_flags(LE);
            let loaded = flags.0 & elf::SHF_ALLOC.0 != 0;
            let compression = raw.compression(LE, file).ok().flatten();
            let name = name.unwrap_or("");
            let kind = raw.sh_type(LE);
            if kind == elf::SHT_SYMTAB && symbols.is_empty() {
                symbols = raw.data_as_array(LE, file).unwrap_or(&[]);
                let linked = table.section(raw.link(LE)).ok();
                strings = linked.and_then(|s| s.data(LE, file).ok()).unwrap_or(&[]);
            }
            sections.push(Section {
                name,
                kind,
                data: match &compression {
                    Some((_, offset, size)) => slice(file, *offset, *size),
                    None => raw.data(LE, file).unwrap_or(&[]),
                },
                size: raw.sh_size(LE),
                address: locate(name, loaded, raw.sh_addr(LE)),
                per_cpu: name == ".data..percpu",
                loaded,
                writable: flags.0 & elf::SHF_WRITE.0 != 0,
                alignment: raw.sh_addralign(LE),
                executable: flags.0 & elf::SHF_EXECINSTR.0 != 0,
                compression: compression.map(|(header, ..)| format_of(header)),
                uncompressed: compression.map_or(0, |(header, ..)| header.ch_size(LE)),
                applies_to: usize::try_from(raw.sh_info(LE)).unwrap_or(usize::MAX),
            });
        }
        let (names, supplementary) = (OnceCell::new(), None);
        Ok(Self { placement, sections, symbols, strings, names, supplementary })
    }

    /// The first section of that name, and its number.
    pub(crate) fn section(&self, name: &str) -> Option<(usize, &Section<'d>)> {
        self.sections.iter().enumerate().find(|(_, section)| section.name == name)
    }

    /// Name of a symbol; empty if it lies outside of the string table.
    pub(crate) fn name(&self, symbol: &RawSymbol) -> &'d [u8] {
        let start = usize::try_from(symbol.st_name(LE)).unwrap_or(usize::MAX);
        let tail = self.strings.get(start..).unwrap_or(&[]);
        let end = memchr::memchr(0, tail).unwrap_or(0);
        tail.get(..end).unwrap_or(&[])
    }

    /// Whether a symbol has that name, without looking for the end of its own.
    fn is_named(&self, symbol: &RawSymbol, name: &[u8]) -> bool {
        let start = usize::try_from(symbol.st_name(LE)).unwrap_or(usize::MAX);
        let tail = self.strings.get(start..).unwrap_or(&[]);
        tail.strip_prefix(name).is_some_and(|rest| rest.first() == Some(&0))
    }

    /// The defined symbol of that name: global before weak before the first local one.
    pub(crate) fn symbol(&self, name: &str) -> Option<&'d RawSymbol> {
        let rank = |symbol: &RawSymbol| match symbol.st_bind() {
            elf::STB_LOCAL => 2,
            elf::STB_WEAK => 1,
            _ => 0,
        };
        self.symbols_named(name).min_by_key(|symbol| rank(symbol))
    }

    /// The defined symbols of that name, in the order of the table.
    pub(crate) fn symbols_named<'n>(
        &'n self,
        name: &'n str,
    ) -> impl Iterator<Item = &'d RawSymbol> + 'n {
        let read = || NameIndex::new(self.symbols.iter().map(|symbol| self.name(symbol)));
        let candidates = self.names.get_or_init(read).candidates(name.as_bytes());
        let symbols = candidates.filter_map(|position| self.symbols.get(position));
        symbols.filter(|symbol| {
            self.is_named(symbol, name.as_bytes())
                && !matches!(symbol.st_type(), elf::STT_FILE | elf::STT_SECTION)
                && self.address(symbol).is_some()
        })
    }

    /// Whether this is a module rather than a kernel.
    pub(crate) fn is_module(&self) -> bool {
        matches!(self.placement, Placement::Module)
    }

    /// The section a symbol is defined in.
    pub(crate) fn section_of(&self, symbol: &RawSymbol) -> Option<&Section<'d>> {
        let index = symbol.st_shndx(LE).index()?;
        self.sections.get(usize::from(index))
    }

    /// Run-time address of a symbol; `None` if it is not defined here or not loaded.
    pub(crate) fn address(&self, symbol: &RawSymbol) -> Option<u64> {
        let value = symbol.st_value(LE);
        let section = symbol.st_shndx(LE);
        match self.placement {
            _ if section == elf::SHN_UNDEF || section == elf::SHN_COMMON => None,
            Placement::Kernel { bias } => Some(address::run_time(value, bias)),
            Placement::Module if section == elf::SHN_ABS => Some(value),
            Placement::Module => {
                self.section_of(symbol)?.address.map(|base| base.wrapping_add(value))
            }
        }
    }

    /// Run-time to the addresses that the debug information holds: link-time ones in a kernel,
    /// run-time ones in a module, whose debug information is relocated.
    pub(crate) fn to_file(&self, address: u64) -> u64 {
        match self.placement {
            Placement::Kernel { bias } => address::link_time(address, bias),
            Placement::Module => address,
        }
    }

    /// Inverse of [`to_file`](Self::to_file).
    pub(crate) fn to_run_time(&self, address: u64) -> u64 {
        match self.placement {
            Placement::Kernel { bias } => address::run_time(address, bias),
            Placement::Module => address,
        }
    }

    /// Run-time ranges of the sections that hold instructions.
    pub(crate) fn text(&self) -> impl Iterator<Item = Range<u64>> + '_ {
        self.sections.iter().filter(|section| section.executable).filter_map(|section| {
            let start = section.address?;
            Some(start..start.checked_add(section.size)?)
        })
    }
}

impl Section<'_> {
    /// The bytes, decompressed; `None` if they are not compressed, or damaged.
    pub(crate) fn decompress(&self) -> Option<Vec<u8>> {
        let format = self.compression?;
        if self.uncompressed > MAX_UNCOMPRESSED {
            return None;
        }
        let data = CompressedData { format, data: self.data, uncompressed_size: self.uncompressed };
        data.decompress().ok().map(std::borrow::Cow::into_owned)
    }
}

pub(crate) fn header(file: &[u8]) -> Result<&Header, Error> {
    let header = Header::parse(file).map_err(|_| Error::NotElf)?;
    if header.is_big_endian() {
        return Err(Error::NotElf);
    }
    let machine = header.e_machine(LE);
    if machine != elf::EM_X86_64 {
        return Err(Error::Machine(machine.0));
    }
    Ok(header)
}

fn format_of(header: &elf::CompressionHeader64<LE>) -> CompressionFormat {
    match header.ch_type(LE) {
        elf::ELFCOMPRESS_ZLIB => CompressionFormat::Zlib,
        elf::ELFCOMPRESS_ZSTD => CompressionFormat::Zstandard,
        _ => CompressionFormat::Unknown,
    }
}

fn slice(file: &[u8], offset: u64, size: u64) -> &[u8] {
    let start = usize::try_from(offset).ok();
    let end = offset.checked_add(size).and_then(|end| usize::try_from(end).ok());
    start.zip(end).and_then(|(start, end)| file.get(start..end)).unwrap_or(&[])
}
