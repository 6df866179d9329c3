// SPDX-License-Identifier: MIT OR Apache-2.0
//! The kernel's own symbol table, from the dump's memory: names without a `vmlinux`.
//!
//! `kernel/kallsyms.c` and `scripts/kallsyms.c`. Names are strings of tokens; the first
//! character is the letter of `nm`. VMCOREINFO tells where the tables are since 6.0; before, they
//! are searched for. How addresses are stored is not written down anywhere, so the form is chosen
//! under which `_stext` comes out where VMCOREINFO has it:
//!
//! * `kallsyms_addresses`: plain (to 6.10, without `CONFIG_KALLSYMS_BASE_RELATIVE`);
//! * `kallsyms_offsets` with zero and above absolute, below relative to
//!   `kallsyms_relative_base - 1` (x86-64 with SMP, 4.6 to 6.14), or all relative to it;
//! * `kallsyms_offsets` relative to their own place (7.0 and later).

use vmcore::VmcoreInfo;

use super::kallsyms_search::find;
use super::kallsyms_tables::Form;
use super::memory::VirtualMemory;
use super::unreadable::Unavailable;

/// Bytes of the token table: 256 tokens; none is longer than a name.
const MAX_TOKENS: usize = 64 << 10;
/// Bytes of memory read at once.
const CHUNK: usize = 4096;
/// Longest name that is believed (`KSYM_NAME_LEN` is 512 since 6.1), with its letter.
const MAX_NAME: usize = 1024;

/// The kernel's symbols, in the order of the table, which is that of addresses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kallsyms {
    symbols: Vec<Entry>,
    names: String,
}

/// A symbol; its name is a piece of `names`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    address: u64,
    start: usize,
    end: usize,
    letter: char,
}

/// A symbol of the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KernelSymbol<'k> {
    /// Name, without the letter.
    pub name: &'k str,
    /// Run-time address; a small number for per-CPU symbols.
    pub address: u64,
    /// Letter of `nm`.
    pub letter: char,
    /// Bytes up to the next higher symbol; none for the last one of the kernel's image and of the
    /// per-CPU symbols.
    pub extent: Option<u64>,
}

impl Kallsyms {
    /// Reads the tables that VMCOREINFO names, or those that are found in the kernel's image.
    ///
    /// # Errors
    /// If there are none, or they cannot be read or make no sense.
    pub fn read(memory: &dyn VirtualMemory, info: &VmcoreInfo) -> Result<Self, Unavailable> {
        let tables = find(memory, info)?;
        let count = usize::try_from(tables.count).expect("bounded by those who made it");
        let tokens = Tokens::read(memory, tables.tokens, tables.index)?;
        let mut kallsyms = Self::default();
        kallsyms.read_names(memory, tables.names, count, &tokens)?;
        kallsyms.read_addresses(memory, &tables.addresses, info.symbol("_stext"))?;
        Ok(kallsyms)
    }

    /// The first symbol of that name.
    #[must_use]
    pub fn by_name(&self, name: &str) -> Option<KernelSymbol<'_>> {
        Some(self.symbol(self.position(name)?))
    }

    /// The symbol that covers `address`: the last one at or below it, the first among equals.
    ///
    /// What lies between the per-CPU symbols, which are small numbers, and the kernel's image
    /// belongs to none of them: a pointer into a slab at 0xff49e48d3ffae880 is not
    /// `__per_cpu_end` plus an enormous offset. Nor does the last symbol, `_end`, cover anything.
    #[must_use]
    pub fn at(&self, address: u64) -> Option<KernelSymbol<'_>> {
        let above = self.symbols.partition_point(|entry| entry.address <= address);
        let start = self.symbols.get(..above)?.last()?.address;
        let first = self.symbols.partition_point(|entry| entry.address < start);
        let symbol = self.symbol(first);
        (start == address || symbol.extent.is_some()).then_some(symbol)
    }

    /// Names of all symbols, in the order of their addresses.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.symbols.iter().map(|entry| self.name(entry))
    }

    /// All symbols, in the order of their addresses.
    pub fn iter(&self) -> impl Iterator<Item = KernelSymbol<'_>> {
        (0..self.symbols.len()).map(|index| self.symbol(index))
    }

    /// Number of symbols.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.symbols.len()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.symbols.is_empty()
    }

    /// Most names differ in length already, which costs less to see than what they are.
    fn position(&self, name: &str) -> Option<usize> {
        let same =
            |entry: &Entry| entry.end - entry.start == name.len() && self.name(entry) == name;
        self.symbols.iter().position(same)
    }

    fn name(&self, entry: &Entry) -> &str {
        &self.names[entry.start..entry.end]
    }

    #[expect(clippy::indexing_slicing, reason = "an index is below the number of symbols")]
    fn symbol(&self, index: usize) -> KernelSymbol<'_> {
        let entry = &self.symbols[index];
        let next = self.symbols.partition_point(|other| other.address <= entry.address);
        KernelSymbol {
            name: self.name(entry),
            address: entry.address,
            letter: entry.letter,
            extent: self
                .symbols
                .get(next)
                .filter(|next| next.address >> 63 == entry.address >> 63)
                .map(|next| next.address - entry.address),
        }
    }

    /// Expands the names: a length (two bytes from 128 on, low seven bits first), then tokens.
    fn read_names(
        &mut self,
        memory: &dyn VirtualMemory,
        at: u64,
        count: usize,
        tokens: &Tokens,
    ) -> Result<(), Unavailable> {
        let mut bytes = Stream { memory, at, chunk: Vec::new(), next: 0 };
        let mut name = Vec::new();
        for _ in 0..count {
            let mut length = usize::from(bytes.take()?);
            if length >= 128 {
                length = length - 128 + usize::from(bytes.take()?) * 128;
            }
            name.clear();
            while length > 0 {
                let numbers = bytes.some(length)?;
                length -= numbers.len();
                for number in numbers {
                    name.extend_from_slice(tokens.token(*number));
                    if name.len() > MAX_NAME {
                        return Err(Unavailable::Damaged(
                            "kallsyms has an endless name".to_owned(),
                        ));
                    }
                }
            }
            let (letter, rest) = name.split_first().map_or((b'?', &[][..]), |(a, b)| (*a, b));
            let start = self.names.len();
            match std::str::from_utf8(rest) {
                Ok(text) => self.names.push_str(text),
                Err(_) => self.names.push_str(&String::from_utf8_lossy(rest)),
            }
            let (end, letter) = (self.names.len(), char::from(letter));
            self.symbols.push(Entry { address: 0, start, end, letter });
        }
        Ok(())
    }

    /// Fills the addresses in, in the form under which `_stext` is where it must be.
    fn read_addresses(
        &mut self,
        memory: &dyn VirtualMemory,
        tables: &[(u64, Vec<Form>)],
        stext: Option<u64>,
    ) -> Result<(), Unavailable> {
        let anchor = self.position("_stext");
        let (Some(anchor), Some(stext)) = (anchor, stext) else {
            return Err(Unavailable::Damaged("kallsyms has no _stext".to_owned()));
        };
        let what = |source| Unavailable::memory("kallsyms", source);
        let place = |table: u64, index: usize, form: Form| {
            table.wrapping_add((index * form.width()) as u64)
        };
        let fits = |table: u64, form: Form| {
            let at = place(table, anchor, form);
            let raw = memory.read_bytes(at, form.width());
            raw.is_ok_and(|raw| form.address(at, &raw) == stext)
        };
        let (table, form) = tables
            .iter()
            .flat_map(|(table, forms)| forms.iter().map(move |form| (*table, *form)))
            .find(|(table, form)| fits(*table, *form))
            .ok_or_else(|| {
                Unavailable::Damaged("kallsyms stores addresses in an unknown form".to_owned())
            })?;
        let bytes = memory.read_bytes(table, self.symbols.len() * form.width()).map_err(what)?;
        let raw = bytes.chunks_exact(form.width());
        for ((index, entry), raw) in self.symbols.iter_mut().enumerate().zip(raw) {
            entry.address = form.address(place(table, index, form), raw);
        }
        // The kernel's own order; a damaged table is put in order so that lookups stay sound.
        self.symbols.sort_by_key(|entry| entry.address);
        Ok(())
    }
}

/// The 256 tokens that names are made of.
struct Tokens {
    table: Vec<u8>,
    /// Where each begins and ends in the table.
    places: Vec<(usize, usize)>,
}

impl Tokens {
    fn read(memory: &dyn VirtualMemory, table: u64, index: u64) -> Result<Self, Unavailable> {
        let what = |source| Unavailable::memory("kallsyms", source);
        let index = memory.read_bytes(index, 512).map_err(what)?;
        let index: Vec<usize> = index
            .as_chunks::<2>()
            .0
            .iter()
            .map(|pair| usize::from(u16::from_le_bytes(*pair)))
            .collect();
        // The last token ends the table; tokens are short, so that some bytes more are enough.
        let last = index.iter().max().copied().unwrap_or(0);
        let wanted = (last + 64).min(MAX_TOKENS + 64);
        let table = memory.read_bytes(table, wanted).map_err(what)?;
        let place = |start: usize| {
            let rest = table.get(start..).unwrap_or_default();
            let length = rest.iter().position(|byte| *byte == 0).unwrap_or(rest.len());
            (start, start + length)
        };
        let places = index.into_iter().map(place).collect();
        Ok(Self { table, places })
    }

    fn token(&self, number: u8) -> &[u8] {
        let place = self.places.get(usize::from(number));
        place.and_then(|(start, end)| self.table.get(*start..*end)).unwrap_or_default()
    }
}

/// Memory read byte by byte, or as many of them as there are at once.
struct Stream<'m> {
    memory: &'m dyn VirtualMemory,
    at: u64,
    chunk: Vec<u8>,
    next: usize,
}

impl Stream<'_> {
    fn take(&mut self) -> Result<u8, Unavailable> {
        self.some(1)?.first().copied().ok_or_else(ends_early)
    }

    /// One byte at least, and no more than `most`.
    fn some(&mut self, most: usize) -> Result<&[u8], Unavailable> {
        if self.next == self.chunk.len() {
            // Up to the end of the page, so that no page is asked for that has none of the names.
            let page = usize::try_from(self.at % CHUNK as u64).expect("less than a page");
            self.chunk = self
                .memory
                .read_bytes(self.at, CHUNK - page)
                .map_err(|source| Unavailable::memory("kallsyms", source))?;
            self.at = self.at.wrapping_add(self.chunk.len() as u64);
            self.next = 0;
        }
        let rest = self.chunk.get(self.next..).filter(|rest| !rest.is_empty());
        let rest = rest.ok_or_else(ends_early)?;
        let some = rest.get(..most).unwrap_or(rest);
        self.next += some.len();
        Ok(some)
    }
}

fn ends_early() -> Unavailable {
    Unavailable::Damaged("kallsyms ends early".to_owned())
}
