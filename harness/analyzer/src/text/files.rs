// SPDX-License-Identifier: MIT OR Apache-2.0
//! The files of the kernel and modules that a text names, laid in memory.

use debuginfo::{Files, Image, Symbol, lay};
use klog::Place;
use unwind::orc::{OrcEntry, Table, Version};

use crate::machine::ModuleFiles;

/// Where modules are laid of which no address is known, and bytes for each.
const MODULES: u64 = 0xffff_ffff_c000_0000;
const EACH: u64 = 1 << 24;

/// The files.
#[derive(Default)]
pub(super) struct TextFiles<'a> {
    kernel: Option<Image<'a>>,
    modules: Vec<Laid<'a>>,
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
    /// Its functions are as long as the text says.
    Same,
    /// They are not: it is of another build.
    Other,
    /// The text names none of its functions, or no size.
    Unknown,
}

impl<'a> TextFiles<'a> {
    /// No files, of a kernel of that release.
    pub(super) fn of(release: Option<String>) -> Self {
        Self { release, ..Self::default() }
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
        let fit = fits(&linked, &own);
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
        let files = files.module(name)?;
        let own: Vec<&Place> =
            places.iter().copied().filter(|it| it.module.as_deref() == Some(name)).collect();
        let base = MODULES + u64::try_from(self.modules.len()).unwrap_or(0) * EACH;
        let mut sections = lay(files.image, base).ok()?;
        let bare = Image::module(files, &sections).ok()?;
        let fit = fits(&bare, &own);
        if fit == Fit::Other {
            return Some(fit);
        }
        // Texts of kernels up to 4.9 have the addresses.
        if let Some(moved) = own.iter().find_map(|place| moved(&bare, place)) {
            sections.values_mut().for_each(|start| *start = start.wrapping_add(moved));
        }
        let image = Image::module(files, &sections).ok()?;
        let bytes = Image::module(files.image, &sections).ok()?;
        let code = bytes.code(&|name| self.kernel.as_ref()?.symbol(name).map(|it| it.address));
        let start = sections.values().min().copied()?;
        let range = start..start.saturating_add(EACH);
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

/// Whether functions of an image are as long as the text says.
fn fits(image: &Image<'_>, places: &[&Place]) -> Fit {
    let (mut same, mut other) = (0, 0);
    for place in places {
        let Some(symbol) = &place.symbol else { continue };
        let Some((_, size)) = symbol.extent else { continue };
        let named = image.symbols_named(&symbol.name);
        if named.iter().any(|it| is_as_long(image, it, size)) {
            same += 1;
        } else {
            other += 1;
        }
    }
    // What the kernel changes while it runs may bear a name of its own.
    match (same, other) {
        (0, 0) => Fit::Unknown,
        _ if other > same => Fit::Other,
        _ => Fit::Same,
    }
}

/// By how much a place's address is away from where it is laid.
fn moved(image: &Image<'_>, place: &Place) -> Option<u64> {
    let (address, symbol) = place.address.zip(place.symbol.as_ref())?;
    let (offset, size) = symbol.extent?;
    let named = image.symbols_named(&symbol.name);
    let found = named.iter().find(|it| is_as_long(image, it, size))?;
    Some(address.wrapping_sub(offset).wrapping_sub(found.address))
}
