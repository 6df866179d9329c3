// SPDX-License-Identifier: MIT OR Apache-2.0
//! Symbols: by name, and by address.
//!
//! By address the choice is the one the kernel makes for its own oops text, so that both can be
//! compared: the symbol that starts nearest below the address, whatever its type, reaching up to
//! the next one; so a label inside of a function (`entry_SYSCALL_64_after_hwframe`) wins over the
//! function, and padding belongs to what precedes it. Among several at one address, in this order:
//! one whose size reaches the address, one that is not weak, one that is not a mark of the linker
//! script (`__start_…`, `…_end`), the one with the fewest leading underscores, a global one, and
//! at last the alphabet (3.10: `SyS_execve` before `sys_execve`, as in its kallsyms). The order of
//! weakness, linker marks and underscores is that of the kernel's `scripts/kallsyms.c`. Per-CPU
//! and absolute symbols are no addresses of code or data and are not found by address.

use std::cmp::Reverse;

use object::LittleEndian as LE;
use object::elf;
use object::read::elf::Sym as _;
use serde::{Deserialize, Serialize};

use crate::address::TEXT_MAP;
use crate::elf::{Elf, Placement, RawSymbol};
use crate::radix::sort_by_upper_half;

/// A symbol of the ELF symbol table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Symbol {
    /// Name as in the symbol table, with suffixes such as `.isra.0` and `.cold`.
    pub name: String,
    /// Run-time virtual address; for [`SymbolKind::PerCpu`] what has to be added to a CPU's
    /// `__per_cpu_offset` (an offset near zero up to kernel 6.14, an address from 6.15 on).
    pub address: u64,
    /// Size in bytes as the symbol table says; for symbols that have none (labels in assembly) the
    /// same as `extent`.
    pub size: u64,
    /// Bytes up to the next symbol, padding included: the number after the slash in the kernel's
    /// own `name+0x1a/0x30`.
    pub extent: u64,
    /// What it names.
    pub kind: SymbolKind,
    /// Visible outside of its source file (global or weak).
    pub global: bool,
}

/// What a symbol names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SymbolKind {
    /// Code.
    Function,
    /// Data.
    Object,
    /// A variable of which each CPU has its own copy.
    PerCpu,
    /// A label without type, mostly from assembly or the linker script.
    Label,
    /// A number that is not an address.
    Absolute,
}

/// Symbols in order of their address. Each is one number, so that sorting them takes 2 ms and not 6
/// for the 120,000 of a kernel: the distance from `base` in the upper 32 bits, the symbol's place in
/// the symbol table in the lower ones. 4 GiB are enough: a kernel's image and a module each lie
/// within 2 GiB, since their code refers to their data by 32-bit offsets.
#[derive(Debug)]
pub(crate) struct SymbolIndex {
    base: u64,
    entries: Vec<u64>,
}

impl SymbolIndex {
    /// Sorts all symbols that are addresses of code or data.
    pub(crate) fn new(elf: &Elf<'_>) -> Self {
        // A kernel begins with its text. The per-CPU section is no part of this: a kernel's is linked
        // at 0, a module's is placed at its offset in every CPU's memory, far below the module.
        let base = match elf.placement {
            Placement::Kernel { .. } => elf.text().map(|range| range.start).min(),
            Placement::Module => {
                let placed = elf.sections.iter().filter(|section| !section.per_cpu);
                placed.filter_map(|section| section.address).min()
            }
        };
        let base = base.unwrap_or(0);
        let place = |kind| !matches!(kind, SymbolKind::PerCpu | SymbolKind::Absolute);
        let mut entries: Vec<u64> = (0..=u32::MAX)
            .zip(elf.symbols)
            .filter(|(_, symbol)| symbol.st_name(LE) != 0 && kind(elf, symbol).is_some_and(place))
            .filter_map(|(number, symbol)| {
                let distance = u32::try_from(elf.address(symbol)?.checked_sub(base)?).ok()?;
                Some(u64::from(distance) << 32 | u64::from(number))
            })
            .collect();
        // They are in the order of the table, which decides between those at one address.
        sort_by_upper_half(&mut entries);
        Self { base, entries }
    }

    /// Number of symbols below `address`, or below and at it.
    fn below(&self, address: u64, inclusive: bool) -> usize {
        let Some(distance) = address.checked_sub(self.base) else { return 0 };
        let Ok(distance) = u32::try_from(distance) else { return self.entries.len() };
        let first = u64::from(distance) << 32;
        if inclusive {
            self.entries.partition_point(|&entry| entry <= first | u64::from(u32::MAX))
        } else {
            self.entries.partition_point(|&entry| entry < first)
        }
    }

    fn address(&self, entry: u64) -> u64 {
        self.base.wrapping_add(entry >> 32)
    }

    /// The symbol that covers an address.
    pub(crate) fn at(&self, elf: &Elf<'_>, address: u64) -> Option<Symbol> {
        let after = self.below(address, true);
        let start = self.address(*self.entries.get(after.checked_sub(1)?)?);
        let aliases = self.entries.get(self.below(start, false)..after)?;
        let best = aliases
            .iter()
            .filter_map(|&entry| elf.symbols.get(number(entry)))
            .min_by_key(|symbol| rank(elf, symbol, address.wrapping_sub(start)))?;
        let symbol = describe(elf, best, self)?;
        (address.wrapping_sub(start) < symbol.extent).then_some(symbol)
    }

    /// Bytes from `address` to the next symbol or the end of the section that holds it.
    fn extent(&self, elf: &Elf<'_>, symbol: &RawSymbol, address: u64) -> u64 {
        let next = self.entries.get(self.below(address, true)).map(|&entry| self.address(entry));
        let end = elf.section_of(symbol).and_then(|section| {
            section.address?.checked_add(section.size).filter(|&end| end >= address)
        });
        let limit = match (next, end) {
            (Some(next), Some(end)) => next.min(end),
            (Some(limit), None) | (None, Some(limit)) => limit,
            (None, None) => address.saturating_add(symbol.st_size(LE)),
        };
        limit.saturating_sub(address)
    }
}

/// Place of a symbol in the symbol table.
fn number(entry: u64) -> usize {
    usize::try_from(entry & u64::from(u32::MAX)).unwrap_or(usize::MAX)
}

/// The symbol of that name: global before weak before the first local one.
pub(crate) fn by_name(elf: &Elf<'_>, index: &SymbolIndex, name: &str) -> Option<Symbol> {
    describe(elf, elf.symbol(name)?, index)
}

/// All symbols of that name.
pub(crate) fn all_by_name(elf: &Elf<'_>, index: &SymbolIndex, name: &str) -> Vec<Symbol> {
    elf.symbols_named(name).filter_map(|symbol| describe(elf, symbol, index)).collect()
}

/// The per-CPU variable that covers an address of the per-CPU section, as it is linked. There are
/// few questions of the kind, so that an index would cost more than it saves.
pub(crate) fn per_cpu_at(elf: &Elf<'_>, index: &SymbolIndex, address: u64) -> Option<Symbol> {
    let distance = |symbol: &RawSymbol| {
        let distance = address.checked_sub(elf.address(symbol)?)?;
        (distance < symbol.st_size(LE)).then_some(distance)
    };
    let symbols = elf.symbols.iter().filter(|symbol| kind(elf, symbol) == Some(SymbolKind::PerCpu));
    let covering = symbols.filter_map(|symbol| Some((distance(symbol)?, symbol)));
    let best = covering.min_by_key(|(distance, symbol)| rank(elf, symbol, *distance))?.1;
    describe(elf, best, index)
}

fn describe(elf: &Elf<'_>, symbol: &RawSymbol, index: &SymbolIndex) -> Option<Symbol> {
    let address = elf.address(symbol)?;
    let kind = kind(elf, symbol)?;
    let size = symbol.st_size(LE);
    let extent = match kind {
        SymbolKind::PerCpu | SymbolKind::Absolute => size,
        _ => index.extent(elf, symbol, address),
    };
    Some(Symbol {
        name: String::from_utf8_lossy(elf.name(symbol)).into_owned(),
        address,
        size: if size == 0 { extent } else { size },
        extent,
        kind,
        global: symbol.st_bind() != elf::STB_LOCAL,
    })
}

/// What a symbol names; `None` for entries that name no place (files, sections, undefined).
fn kind(elf: &Elf<'_>, symbol: &RawSymbol) -> Option<SymbolKind> {
    let section = symbol.st_shndx(LE);
    if section == elf::SHN_UNDEF {
        return None;
    }
    let of_type = match symbol.st_type() {
        elf::STT_FUNC | elf::STT_GNU_IFUNC => SymbolKind::Function,
        elf::STT_OBJECT => SymbolKind::Object,
        elf::STT_NOTYPE => SymbolKind::Label,
        _ => return None,
    };
    if section == elf::SHN_ABS {
        let moves = matches!(elf.placement, Placement::Kernel { .. })
            && TEXT_MAP.contains(&symbol.st_value(LE));
        return Some(if moves { of_type } else { SymbolKind::Absolute });
    }
    let per_cpu = elf.section_of(symbol).is_some_and(|section| section.per_cpu);
    Some(if per_cpu { SymbolKind::PerCpu } else { of_type })
}

/// Order of preference among symbols at one address; see the module's text.
fn rank<'d>(
    elf: &Elf<'d>,
    symbol: &RawSymbol,
    offset: u64,
) -> (Reverse<bool>, bool, bool, usize, Reverse<bool>, &'d [u8]) {
    let name = elf.name(symbol);
    let underscores = name.iter().take_while(|&&byte| byte == b'_').count();
    (
        Reverse(offset < symbol.st_size(LE)),
        symbol.st_bind() == elf::STB_WEAK,
        is_linker_mark(name),
        underscores,
        Reverse(symbol.st_bind() == elf::STB_GLOBAL),
        name,
    )
}

/// Names that linker scripts give to the edges of sections.
fn is_linker_mark(name: &[u8]) -> bool {
    [&b"__start_"[..], b"__stop_", b"__end_"].iter().any(|prefix| name.starts_with(prefix))
        || (name.starts_with(b"__") && (name.ends_with(b"_start") || name.ends_with(b"_end")))
}

/// Neighbours in memory that are looked at on each side of a variable.
const NEIGHBOURS: usize = 24;
/// Source files that may define a variable: beyond this the guess is worth nothing.
const MAX_FILES: usize = 4;

impl SymbolIndex {
    /// Addresses of functions, one for each source file that has local data near an address: those
    /// nearest first.
    pub(crate) fn code_beside(&self, elf: &Elf<'_>, address: u64) -> Vec<u64> {
        let middle = self.below(address, false);
        let below = (1..=NEIGHBOURS).map(|distance| middle.checked_sub(distance));
        let above = (0..NEIGHBOURS).map(|distance| middle.checked_add(distance));
        let both = above.zip(below).flat_map(|(above, below)| [above, below]);
        let mut files = Vec::new();
        let mut code = Vec::new();
        for place in both.flatten() {
            let entry = self.entries.get(place).copied();
            let Some(file) = entry.and_then(|entry| file_of(elf, number(entry))) else { continue };
            if !files.contains(&file) && files.len() < MAX_FILES {
                files.push(file);
                code.extend(code_of(elf, file));
            }
        }
        code
    }
}

/// Number of the symbol that names the source file of a local symbol.
fn file_of(elf: &Elf<'_>, number: usize) -> Option<usize> {
    if elf.symbols.get(number)?.st_bind() != elf::STB_LOCAL {
        return None;
    }
    elf.symbols.get(..number)?.iter().rposition(|symbol| symbol.st_type() == elf::STT_FILE)
}

/// Address of the first function among the local symbols of a source file.
fn code_of(elf: &Elf<'_>, file: usize) -> Option<u64> {
    let symbols = elf.symbols.get(file.checked_add(1)?..)?;
    let group = symbols.iter().take_while(|symbol| {
        symbol.st_type() != elf::STT_FILE && symbol.st_bind() == elf::STB_LOCAL
    });
    let function = group.into_iter().find(|symbol| symbol.st_type() == elf::STT_FUNC)?;
    elf.address(function)
}
