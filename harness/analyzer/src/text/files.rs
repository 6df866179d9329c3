// SPDX-License-Identifier: MIT OR Apache-2.0
//! The files of the kernel and modules that a text names, laid in memory.

use debuginfo::{Files, Image, Symbol, lay};
use kernel::release_of;
use klog::Place;
use unwind::orc::{OrcEntry, Table, Version};

use crate::module_files::ModuleFiles;

/// Where modules are laid of which no address is known, where the last one ends, and what each begins at a
/// multiple of.
const MODULES: u64 = 0xffff_ffff_c000_0000;
const END: u64 = 0xffff_ffff_ff00_0000;
const EACH: u64 = 1 << 20;

/// The files.
pub(super) struct TextFiles<'a> {
    kernel: Option<Image<'a>>,
    modules: Vec<Laid<'a>>,
    /// Where the next module may be laid.
    next: u64,
    /// The kernel's release, as the text has it.
    release: Option<String>,
}

/// A module's file, laid.
struct Laid<'a> {
    name: String,
    image: Image<'a>,
    code: Vec<(u64, Vec<u8>)>,
    range: std::ops::Range<u64>,
}

/// Functions of one module that are looked at.
const MOST_FUNCTIONS: usize = 4096;

impl Laid<'_> {
    /// Entries of its functions.
    fn functions(&self) -> Vec<u64> {
        let names = self.image.symbol_names("", MOST_FUNCTIONS);
        let symbols = names.iter().flat_map(|name| self.image.symbols_named(name));
        let code = symbols.filter(|symbol| self.image.is_text(symbol.address));
        code.map(|symbol| symbol.address).collect()
    }
}

/// What became of a file that was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    /// It is of the text's kernel, or its functions are as long as the text says.
    Same,
    /// It is of another build.
    Other,
    /// Nothing tells.
    Unknown,
}

impl<'a> TextFiles<'a> {
    /// No files, of a kernel of that release.
    pub(super) fn of(release: Option<String>) -> Self {
        Self { kernel: None, modules: Vec::new(), next: MODULES, release }
    }

    /// Takes the kernel's file, moved by `offset` (as the text's addresses tell, if it is not known), if it is the one that the places are of.
    pub(super) fn take_kernel(
        &mut self,
        files: Files<'a>,
        offset: Option<u64>,
        places: &[&Place],
    ) -> Fit {
        let Ok(linked) = Image::kernel(files, 0) else { return Fit::Unknown };
        let own: Vec<&Place> = places.iter().copied().filter(|it| it.module.is_none()).collect();
        let theirs = release_of(&linked);
        let fit = match self.release.as_ref().zip(theirs.as_ref()) {
            Some((ours, theirs)) if ours != theirs => Fit::Other,
            released => match fits(&linked, &own) {
                // What the kernel changes while it runs may bear a name of its own.
                Counts { same, other } if other > same => Fit::Other,
                Counts { same: 0, .. } if released.is_none() => Fit::Unknown,
                _ => Fit::Same,
            },
        };
        if fit != Fit::Other {
            let told = || own.iter().find_map(|place| moved(&linked, place));
            let offset = offset.or_else(told).unwrap_or(0);
            self.kernel = Image::kernel(files, offset).ok();
        }
        fit
    }

    /// Takes the file of a module, if it is the one that the places are of.
    pub(super) fn take_module(
        &mut self,
        name: &str,
        files: &'a dyn ModuleFiles,
        places: &[&Place],
    ) -> Option<Fit> {
        let files = files.module(name, None)?;
        let own: Vec<&Place> =
            places.iter().copied().filter(|it| it.module.as_deref() == Some(name)).collect();
        let (mut sections, end) = lay(files.image, self.next).ok()?;
        let next = end.checked_next_multiple_of(EACH).filter(|next| *next <= END)?;
        let bare = Image::module(files, &sections).ok()?;
        // Modules of one kernel are loaded into others, too, where the kernel tells by its versions of
        // symbols that they fit.
        let magic = bare.modinfo("vermagic");
        let built_for = magic.as_deref().and_then(|magic| magic.split(' ').next());
        let is_for_it = built_for.is_some() && built_for == self.release.as_deref();
        let fit = match fits(&bare, &own) {
            Counts { other: 1.., .. } => return Some(Fit::Other),
            Counts { same: 1.., .. } if is_for_it => Fit::Same,
            _ => Fit::Unknown,
        };
        let mut range = self.next..end;
        // Texts of kernels up to 4.9 have the addresses.
        if let Some(moved) = own.iter().find_map(|place| moved(&bare, place)) {
            sections.values_mut().for_each(|start| *start = start.wrapping_add(moved));
            range = range.start.wrapping_add(moved)..range.end.wrapping_add(moved);
        }
        self.next = next;
        let image = Image::module(files, &sections).ok()?;
        let bytes = Image::module(files.image, &sections).ok()?;
        let code = bytes.code(&|name| self.kernel.as_ref()?.symbol(name).map(|it| it.address));
        self.modules.push(Laid { name: name.to_owned(), image, code, range });
        Some(fit)
    }

    /// The kernel's image.
    pub(super) fn kernel(&self) -> Option<&Image<'a>> {
        self.kernel.as_ref()
    }

    /// The entry of the kernel's ORC table for the address.
    pub(super) fn orc(&self, pc: u64) -> Option<OrcEntry> {
        let sections = self.kernel.as_ref().filter(|_| self.is_kernel(pc))?.orc()?;
        let version = Version::detect(sections.header, self.release.as_deref()?).ok()?;
        Table::sorted(sections.ip.0, sections.ip.1, sections.entries, version).ok()?.lookup(pc)
    }

    fn is_kernel(&self, pc: u64) -> bool {
        !self.modules.iter().any(|laid| laid.range.contains(&pc))
    }

    /// Whether no file is used.
    pub(super) fn is_empty(&self) -> bool {
        self.kernel.is_none() && self.modules.is_empty()
    }

    /// Whether the module's file is used.
    pub(super) fn has(&self, module: &str) -> bool {
        self.modules.iter().any(|laid| laid.name == module)
    }

    /// The image that has the address, and the module's name.
    pub(super) fn at(&self, address: u64) -> Option<(&Image<'a>, Option<String>)> {
        if let Some(laid) = self.modules.iter().find(|laid| laid.range.contains(&address)) {
            return Some((&laid.image, Some(laid.name.clone())));
        }
        let kernel = self.kernel.as_ref().filter(|_| address >> 63 == 1)?;
        Some((kernel, None))
    }

    /// The address of a place that one of the files has.
    pub(super) fn place(&self, place: &Place) -> Option<u64> {
        let image = match &place.module {
            Some(module) => &self.modules.iter().find(|laid| laid.name == *module)?.image,
            None => self.kernel.as_ref()?,
        };
        let symbol = place.symbol.as_ref()?;
        let (offset, size) = symbol.extent?;
        let named = image.symbols_named(&symbol.name);
        // Data behind the last symbol of a module has no size that means anything.
        let is_only = |it: &&Symbol| named.len() == 1 && offset < it.extent;
        let found = named.iter().find(|it| is_as_long(image, it, size));
        let found = found.or_else(|| named.first().filter(is_only).filter(|_| size >> 63 == 1))?;
        Some(found.address.wrapping_add(offset))
    }

    /// Entries of the functions of modules that `is_wanted` names.
    pub(super) fn functions(&self, is_wanted: impl Fn(&str) -> bool) -> Vec<u64> {
        let wanted = self.modules.iter().filter(|laid| is_wanted(&laid.name));
        let mut entries: Vec<u64> = wanted.flat_map(Laid::functions).collect();
        entries.sort_unstable();
        entries.dedup();
        entries
    }

    /// Bytes of code.
    pub(super) fn bytes(&self, address: u64, length: u64) -> Option<Vec<u8>> {
        let Some(laid) = self.modules.iter().find(|laid| laid.range.contains(&address)) else {
            return self.kernel.as_ref()?.bytes(address, length).map(<[u8]>::to_vec);
        };
        let inside = |(start, bytes): &(u64, Vec<u8>)| {
            let at = usize::try_from(address.checked_sub(*start)?).ok()?;
            let end = at.checked_add(usize::try_from(length).ok()?)?;
            bytes.get(at..end).map(<[u8]>::to_vec)
        };
        laid.code.iter().find_map(inside)
    }

    /// Whether code of a file lies at the address.
    pub(super) fn is_text(&self, address: u64) -> bool {
        self.at(address).is_some_and(|(image, _)| image.is_text(address))
    }
}

/// Whether a function is as long as the text says: up to the next symbol, and of the last one of a
/// module, up to the end of the module's text.
fn is_as_long(image: &Image<'_>, symbol: &Symbol, size: u64) -> bool {
    let is_last = || {
        let end = symbol.address.saturating_add(symbol.extent);
        symbol.extent < size && image.symbol_at(end).is_none()
    };
    symbol.extent == size || symbol.size == size || is_last()
}

/// How many functions of an image are as long as a text says, and how many are not.
struct Counts {
    same: usize,
    other: usize,
}

/// Whether functions of an image are as long as the text says.
fn fits(image: &Image<'_>, places: &[&Place]) -> Counts {
    /// No function is longer; data behind the last symbol of a module may seem to be.
    const LONGEST: u64 = 1 << 32;
    let mut found = Counts { same: 0, other: 0 };
    for place in places {
        let Some(symbol) = &place.symbol else { continue };
        let Some((_, size)) = symbol.extent.filter(|(_, size)| *size < LONGEST) else { continue };
        let named = image.symbols_named(&symbol.name);
        let is_same = named.iter().any(|it| is_as_long(image, it, size));
        *if is_same { &mut found.same } else { &mut found.other } += 1;
    }
    found
}

/// By how much a place's address is away from where it is laid.
fn moved(image: &Image<'_>, place: &Place) -> Option<u64> {
    let (address, symbol) = place.address.zip(place.symbol.as_ref())?;
    let (offset, size) = symbol.extent?;
    let named = image.symbols_named(&symbol.name);
    let found = named.iter().find(|it| is_as_long(image, it, size))?;
    Some(address.wrapping_sub(offset).wrapping_sub(found.address))
}
