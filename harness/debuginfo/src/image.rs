// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Image`]: one ELF file and where it was loaded.

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::btf::{Btf, Index};
use crate::dwarf::{self, Dwarf, Wanted};
use crate::elf::Elf;
use crate::ledger::{Answer, Bare, number};
use crate::symbol::SymbolIndex;
use crate::types::Store;
use crate::{
    Absent, CfiExpression, CfiRow, DebugLink, Encoding, Error, Files, FrameState, FrameValue,
    Function, Instance, Ledger, Local, Location, Lookup, OrcSections, Passed, Reason, SourceFrame,
    SourceTexts, SupplementaryLink, Symbol, Type, TypeId, files, notes, orc, symbol,
};

/// One ELF file with symbols and debug information, and where it was loaded.
#[derive(Debug)]
pub struct Image<'d> {
    pub(crate) elf: Elf<'d>,
    dwarf: dwarf::Store,
    symbols: OnceCell<SymbolIndex>,
    orc: OnceCell<Vec<u8>>,
    /// BTF that came without a file.
    own_btf: Option<Vec<u8>>,
    refused: Option<Error>,
    btf: OnceCell<Result<Index, Reason>>,
    /// Answers of [`Self::find`].
    found: RefCell<BTreeMap<(Wanted, String), Result<TypeId, Reason>>>,
    ledger: Option<Written<'d>>,
    texts: Option<&'d dyn SourceTexts>,
}

/// What a ledger notes where there were sources: without it, nobody asked for a text.
const TEXTS_ARE_THERE: &str = "source texts";

/// Where the questions to an image are written down.
#[derive(Debug)]
struct Written<'d> {
    ledger: &'d Ledger,
    /// Tells images of the same file apart that were loaded elsewhere.
    loaded: String,
}

impl<'d> Image<'d> {
    /// A kernel: `vmlinux`. `bias` is what KASLR added to the addresses of the text map.
    ///
    /// # Errors
    /// The file is not an x86-64 ELF executable, or its section headers are damaged. A separate
    /// debug file that cannot be used is left out: [`refused_debug_file`](Self::refused_debug_file).
    pub fn kernel(files: impl Into<Files<'d>>, bias: u64) -> Result<Self, Error> {
        Self::open(files.into(), format!("{bias:#x} "), |file| Elf::kernel(file, bias))
    }

    /// A module: a relocatable `.ko`, and the run-time address of each of its sections. Symbols and
    /// code in sections that are not named there are not found.
    ///
    /// # Errors
    /// The file is not a relocatable x86-64 ELF file, or its section headers are damaged. A separate
    /// debug file that cannot be used is left out: [`refused_debug_file`](Self::refused_debug_file).
    pub fn module(
        files: impl Into<Files<'d>>,
        sections: &BTreeMap<String, u64>,
    ) -> Result<Self, Error> {
        let loaded = if sections.is_empty() { "nowhere " } else { "" };
        Self::open(files.into(), loaded.to_owned(), |file| Elf::module(file, sections))
    }

    fn open(
        files: Files<'d>,
        loaded: String,
        read: impl Fn(&'d [u8]) -> Result<Elf<'d>, Error>,
    ) -> Result<Self, Error> {
        let written = files.ledger.map(|ledger| Written { ledger, loaded });
        let replayed = files.ledger.is_some_and(Ledger::is_replayed);
        let image = if replayed { Self::new(Elf::empty()) } else { Self::joined(files, read)? };
        Ok(Self { ledger: written, texts: files.texts, ..image })
    }

    fn joined(
        files: Files<'d>,
        read: impl Fn(&'d [u8]) -> Result<Elf<'d>, Error>,
    ) -> Result<Self, Error> {
        let mut image = read(files.image)?;
        let mut refused = None;
        if let Some(debug) = files.debug {
            match read(debug).and_then(|debug| files::check(&image, &debug).map(|()| debug)) {
                Ok(debug) => image = files::join(image, debug),
                Err(error) => refused = Some(error),
            }
        }
        if let Err(error) = files::add_supplementary(&mut image, files.supplementary) {
            refused.get_or_insert(error);
        }
        Ok(Self { refused, ..Self::new(image) })
    }

    /// Why the separate debug file or the supplementary one that was given is not used.
    pub fn refused_debug_file(&self) -> Option<&Error> {
        self.refused.as_ref()
    }

    /// Types alone, from the BTF that a kernel keeps in its memory (`__start_BTF` to
    /// `__stop_BTF`): no symbols, no lines, no code.
    ///
    /// # Errors
    /// The bytes are no BTF.
    pub fn types(btf: Vec<u8>) -> Result<Self, Reason> {
        let image = Self { own_btf: Some(btf), ..Self::new(Elf::empty()) };
        image.btf()?;
        Ok(image)
    }

    fn new(elf: Elf<'d>) -> Self {
        let dwarf = dwarf::Store::new(&elf);
        Self {
            elf,
            dwarf,
            symbols: OnceCell::new(),
            orc: OnceCell::new(),
            own_btf: None,
            refused: None,
            btf: OnceCell::new(),
            found: RefCell::default(),
            ledger: None,
            texts: None,
        }
    }

    /// Answers a question, by the ledger if there is one.
    pub(crate) fn ask<T: Answer>(
        &self,
        question: impl FnOnce() -> String,
        look: impl FnOnce() -> T,
    ) -> T {
        match &self.ledger {
            None => look(),
            Some(written) => written.ledger.ask(format!("{}{}", written.loaded, question()), look),
        }
    }

    /// Answers a question that depends on a frame, by the ledger if there is one.
    fn ask_of<T: Answer>(
        &self,
        question: impl FnOnce() -> String,
        state: &dyn FrameState,
        look: impl FnOnce(&dyn FrameState) -> T,
    ) -> T {
        match &self.ledger {
            None => look(state),
            Some(written) => {
                written.ledger.ask_of(format!("{}{}", written.loaded, question()), state, look)
            }
        }
    }

    /// Answers yes or no, by the ledger if there is one; one that was made before the question was asked says no.
    fn notes_once(&self, question: &str, look: impl FnOnce() -> bool) -> bool {
        match &self.ledger {
            None => look(),
            Some(written) if written.ledger.is_replayed() => written.ledger.has(question),
            Some(written) => look() && written.ledger.ask(question.to_owned(), || true),
        }
    }

    /// The text of a source line, if the sources are at hand.
    pub fn source_text(&self, file: &str, line: u32) -> Option<String> {
        if !self.notes_once(TEXTS_ARE_THERE, || self.texts.is_some()) {
            return None;
        }
        let look = || self.texts.and_then(|texts| texts.text(file, line));
        self.ask(|| format!("text {file}:{line}"), look)
    }

    /// Something that a caller works out from this image, kept in the ledger if there is one.
    pub fn derived<T: Serialize + DeserializeOwned>(
        &self,
        question: impl FnOnce() -> String,
        look: impl FnOnce() -> Option<T>,
    ) -> Option<T> {
        self.ask(question, look)
    }

    pub(crate) fn dwarf(&self) -> Dwarf<'_> {
        Dwarf::new(&self.elf, &self.dwarf)
    }

    /// The kernel's BTF; a module's builds on the kernel's and is not read.
    pub(crate) fn btf(&self) -> Result<Btf<'_>, Reason> {
        let section = self.elf.section(".BTF").filter(|_| !self.elf.is_module());
        let in_file = section.map(|(_, section)| section.data);
        let bytes = self.own_btf.as_deref().or(in_file).ok_or(Reason::NoSection(".BTF"))?;
        let index = self.btf.get_or_init(|| Index::new(bytes));
        Btf::new(bytes, index.as_ref().map_err(Clone::clone)?)
    }

    /// A type by name, from BTF if the kernel has it, else from DWARF.
    fn find(&self, name: &str, wanted: Wanted) -> Lookup<TypeId> {
        self.ask(|| format!("type {name} {wanted:?}"), || self.look_for(name, wanted))
    }

    fn look_for(&self, name: &str, wanted: Wanted) -> Lookup<TypeId> {
        let key = (wanted, name.to_owned());
        if let Some(known) = self.found.borrow().get(&key) {
            return known.clone().into();
        }
        let found = match self.btf() {
            Ok(btf) => btf.find(name, wanted),
            Err(_absent) => self.dwarf().find_type(name, wanted),
        };
        self.found.borrow_mut().insert(key, found.clone());
        found.into()
    }

    pub(crate) fn symbols(&self) -> &SymbolIndex {
        self.symbols.get_or_init(|| SymbolIndex::new(&self.elf))
    }

    /// GNU build-id.
    pub fn build_id(&self) -> Option<Vec<u8>> {
        self.ask(|| "build-id".to_owned(), || notes::build_id(&self.elf))
    }

    /// The separate debug file, as `.gnu_debuglink` names it.
    pub fn debug_link(&self) -> Option<DebugLink<'d>> {
        notes::debug_link(&self.elf)
    }

    /// The supplementary file that the debug information refers to.
    pub fn supplementary_link(&self) -> Option<SupplementaryLink<'d>> {
        notes::supplementary(&self.elf)
    }

    /// Whether there is DWARF for functions and lines.
    pub fn has_debug_info(&self) -> bool {
        let look = || self.elf.section(".debug_info");
        let has = || look().is_some_and(|(_, section)| !section.data.is_empty());
        self.ask(|| "debug information".to_owned(), has)
    }

    /// Whether the file has neither symbols nor debug information. Of a ledger nobody is told: what was written
    /// down came of a file that had some.
    pub fn is_stripped(&self) -> bool {
        let is_replayed = self.ledger.as_ref().is_some_and(|it| it.ledger.is_replayed());
        !is_replayed && self.elf.symbols.is_empty() && self.elf.section(".debug_info").is_none()
    }

    /// Value of a key in `.modinfo` (`srcversion`, `vermagic`, …), the first if there are several.
    pub fn modinfo(&self, key: &str) -> Option<String> {
        let look = || notes::modinfo(&self.elf, key).map(str::to_owned);
        self.ask(|| format!("modinfo {key}"), look)
    }

    /// Run-time address and bytes of a section, as they are in the file (not relocated). Empty
    /// bytes for `.bss`. A section that is not loaded has address 0. Not kept in a ledger.
    pub fn section(&self, name: &str) -> Option<(u64, &'d [u8])> {
        self.unrecorded(name)?;
        let (_, section) = self.elf.section(name)?;
        Some((section.address.unwrap_or(0), section.data))
    }

    /// Whether an address lies in a section of instructions.
    pub fn is_text(&self, address: u64) -> bool {
        let look = || self.elf.text().any(|range| range.contains(&address));
        self.ask(|| format!("text {address:#x}"), look)
    }

    /// The symbol of that name: a global one before a weak one before the first local one.
    pub fn symbol(&self, name: &str) -> Option<Symbol> {
        let look = || symbol::by_name(&self.elf, self.symbols(), name);
        self.ask(|| format!("symbol {name}"), look)
    }

    /// Names of symbols that begin so, in alphabetical order; `limit` at most.
    pub fn symbol_names(&self, prefix: &str, limit: usize) -> Vec<String> {
        let mut found = BTreeSet::new();
        for symbol in self.elf.symbols {
            let name = self.elf.name(symbol);
            if !name.is_empty()
                && name.starts_with(prefix.as_bytes())
                && self.elf.address(symbol).is_some()
                && let Ok(name) = std::str::from_utf8(name)
            {
                found.insert(name);
            }
        }
        found.into_iter().take(limit).map(ToOwned::to_owned).collect()
    }

    /// Names of types that begin so, without keywords and in alphabetical order, as far as BTF has
    /// them; `limit` at most.
    pub fn type_names(&self, prefix: &str, limit: usize) -> Vec<String> {
        self.btf().map(|btf| btf.names_from(prefix, limit)).unwrap_or_default()
    }

    /// The symbol that covers the address, chosen as the kernel's kallsyms does.
    pub fn symbol_at(&self, address: u64) -> Option<Symbol> {
        let look = || self.symbols().at(&self.elf, address);
        self.ask(|| format!("symbol at {address:#x}"), look)
    }

    /// The per-CPU variable that covers an address of the per-CPU section; see
    /// [`Symbol::address`].
    pub fn per_cpu_symbol_at(&self, address: u64) -> Option<Symbol> {
        let look = || symbol::per_cpu_at(&self.elf, self.symbols(), address);
        self.ask(|| format!("per-CPU symbol at {address:#x}"), look)
    }

    /// Source line and inlined calls of an address, innermost first, the physical function last.
    /// The caller passes return addresses minus one.
    pub fn source(&self, pc: u64) -> Lookup<Vec<SourceFrame>> {
        self.ask(|| format!("source {pc:#x}"), || self.source_frames(pc).into())
    }

    fn source_frames(&self, pc: u64) -> Result<Vec<SourceFrame>, Reason> {
        let mut frames = self.dwarf().source(self.elf.to_file(pc))?;
        if let [frame] = frames.as_mut_slice()
            && frame.function.is_none()
        {
            frame.function = self.symbol_at(pc).map(|symbol| symbol.name);
        }
        Ok(frames)
    }

    /// The physical function that covers the address.
    pub fn function(&self, pc: u64) -> Lookup<Function> {
        let look = || self.dwarf().function(self.elf.to_file(pc)).into();
        self.ask(|| format!("function {pc:#x}"), look)
    }

    /// The innermost function that was inlined at an address.
    pub fn instance(&self, pc: u64) -> Lookup<Instance> {
        let look = || self.dwarf().instance(self.elf.to_file(pc)).into();
        self.ask(|| format!("instance {pc:#x}"), look)
    }

    /// Run-time address of the entry of the physical function that covers the address.
    pub fn function_entry(&self, pc: u64) -> Lookup<u64> {
        let look = || self.dwarf().function_entry(self.elf.to_file(pc)).into();
        self.ask(|| format!("entry {pc:#x}"), look)
    }

    /// Whether a type is `char`, behind typedefs and qualifiers.
    pub fn is_character(&self, id: TypeId) -> bool {
        let look = || match id.0 {
            Store::Dwarf { unit, entry, .. } => {
                self.dwarf().is_character(unit, entry).unwrap_or(false)
            }
            Store::Btf(_) => matches!(
                self.resolve(id).found(),
                Some((_, Type::Base { size: 1, encoding: Encoding::SignedChar, .. }))
            ),
        };
        self.ask(|| format!("character {}", id.0), look)
    }

    /// Where parameter `index` (from 0) of the physical function is at that address.
    pub fn parameter_location(&self, pc: u64, index: usize) -> Lookup<Location> {
        let look = || self.dwarf().parameter_location(self.elf.to_file(pc), index).into();
        self.ask(|| format!("parameter {index} {pc:#x}"), look)
    }

    /// Parameters and variables in scope at that address, those of the physical function first,
    /// then those of the functions inlined there, outer before inner.
    pub fn locals(&self, pc: u64) -> Lookup<Vec<Local>> {
        let look = || self.dwarf().locals(self.elf.to_file(pc)).into();
        self.ask(|| format!("locals {pc:#x}"), look)
    }

    /// Parameters in scope at that address with their values in a frame, variables too if they are
    /// wanted: of the physical function first, then of those inlined there, outer before inner. The
    /// caller passes return addresses minus one.
    pub fn frame_values(
        &self,
        pc: u64,
        variables: bool,
        state: &dyn FrameState,
    ) -> Lookup<Vec<FrameValue>> {
        let words = if variables { "parameters and variables" } else { "parameters" };
        self.ask_of(
            || format!("{words} {pc:#x}"),
            state,
            |state| self.dwarf().frame_values(self.elf.to_file(pc), variables, state).into(),
        )
    }

    /// What the call that returns to an address passed; `state` is the frame of the caller.
    ///
    /// # Errors
    /// Why that is not known.
    pub fn passed(
        &self,
        returns: u64,
        what: Passed,
        state: &dyn FrameState,
    ) -> Result<u64, Absent> {
        self.ask_of(
            || format!("passed {what:?} {returns:#x}"),
            state,
            |state| self.dwarf().passed(self.return_in_file(returns), what, state),
        )
    }

    /// Where the call that returns to an address went, if that can still be computed in the
    /// caller's frame.
    pub fn call_target(&self, returns: u64, state: &dyn FrameState) -> Option<u64> {
        self.ask_of(
            || format!("call target {returns:#x}"),
            state,
            |state| self.dwarf().call_target(self.return_in_file(returns), state),
        )
    }

    /// A return address in terms of the file: it may lie behind the last byte of its section.
    fn return_in_file(&self, returns: u64) -> u64 {
        self.elf.to_file(returns.wrapping_sub(1)).wrapping_add(1)
    }

    /// The type with that id. A structure that is only declared is looked for by name.
    pub fn type_of(&self, id: TypeId) -> Lookup<Type> {
        self.ask(|| format!("type {}", id.0), || self.described(id))
    }

    fn described(&self, id: TypeId) -> Lookup<Type> {
        let read = |id: TypeId| match id.0 {
            Store::Dwarf { unit, entry, dimension } => self.dwarf().type_of(unit, entry, dimension),
            Store::Btf(number) => self.btf().and_then(|btf| btf.type_of(number)),
        };
        let found = read(id);
        if let Ok(Type::Struct { name: Some(name), declaration: true, .. }) = &found
            && let Lookup::Found(definition) = self.find_struct(name)
        {
            return read(definition).into();
        }
        found.into()
    }

    /// Structure or union of that tag.
    pub fn find_struct(&self, name: &str) -> Lookup<TypeId> {
        self.find(name, Wanted::Struct)
    }

    /// Structure, union, enumeration, typedef or base type of that name, without keyword.
    pub fn find_type(&self, name: &str) -> Lookup<TypeId> {
        self.find(name, Wanted::Type)
    }

    /// Value of an enumerator.
    pub fn enumerator(&self, name: &str) -> Lookup<i64> {
        let look = || match self.btf() {
            Ok(btf) => btf.enumerator(name).into(),
            Err(_absent) => self.dwarf().enumerator(name).into(),
        };
        self.ask(|| format!("enumerator {name}"), look)
    }

    /// The rules of call frame information that hold at that address. The caller passes return
    /// addresses minus one.
    pub fn cfi(&self, pc: u64) -> Lookup<CfiRow> {
        self.ask(|| format!("cfi {pc:#x}"), || self.dwarf().cfi(self.elf.to_file(pc)).into())
    }

    /// Value of an expression of a row from [`Self::cfi`]. `initial` is what DWARF wants on its
    /// stack at the start: nothing for the CFA's rule, the CFA for rules of registers. `register`
    /// knows the frame's registers by DWARF number, `memory` reads a number of 1 to 8 bytes at a
    /// run-time address.
    pub fn evaluate_cfi(
        &self,
        expression: CfiExpression,
        initial: Option<u64>,
        register: &dyn Fn(u16) -> Option<u64>,
        memory: &dyn Fn(u64, u8) -> Option<u64>,
    ) -> Lookup<u64> {
        let CfiExpression { offset, length } = expression;
        let look = |state: &dyn FrameState| {
            let register = |number| state.register(number);
            let memory = |address, size| number(state, address, size);
            let state = dwarf::State { register: &register, memory: &memory };
            self.dwarf().evaluate_cfi(expression, initial, &state).into()
        };
        let question = || format!("cfi expression {offset:#x}+{length} of {initial:x?}");
        self.ask_of(question, &Bare { register, memory }, look)
    }

    /// Nothing, and a note of that, if a ledger stands in the place of the file.
    fn unrecorded(&self, section: &str) -> Option<()> {
        let replayed = self.ledger.as_ref().is_some_and(|written| written.ledger.is_replayed());
        if !replayed {
            return Some(());
        }
        self.ask(|| format!("section {section}"), || None)
    }

    /// The ORC tables, if the kernel was built with them. Not kept in a ledger.
    pub fn orc(&self) -> Option<OrcSections<'_>> {
        self.unrecorded(".orc_unwind")?;
        orc::sections(&self.elf, &self.orc)
    }
}
