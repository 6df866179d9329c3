// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a module had at an address before it was unloaded, by its file.
//!
//! The kernel keeps the names of such modules, not where they were. But each of its groups of sections begins a
//! page, so that the place in the page leaves a few symbols; and a module is loaded where the area before it
//! ends, which is often the one that ends before the gap by now.

use std::collections::{BTreeMap, BTreeSet};

use debuginfo::{Image, LaidSymbol};
use kernel::Kernel;

use crate::gone::{Was, WasThere};
use crate::module_files::ModuleFiles;

/// Bytes of a page.
const PAGE: u64 = 4096;
/// Unloaded modules whose files are looked at.
const MOST: usize = 16;

/// The symbols of unloaded modules that were at the address, as code and as data, if only one can have been.
pub(crate) fn was_there(
    kernel: &Kernel<'_>,
    files: &dyn ModuleFiles,
    last: String,
    address: u64,
) -> Was {
    let loaded = kernel.modules().map(|listing| listing.items.as_slice()).unwrap_or_default();
    let is_loaded = |name: &String| loaded.iter().any(|module| module.name == *name);
    let mut names: BTreeSet<String> = files.names().into_iter().collect();
    names.retain(|name| !is_loaded(name));
    // Of a whole tree of modules, most were never loaded.
    if names.len() > MOST {
        let listed = kernel.unloaded_modules().map(|listing| listing.items).unwrap_or_default();
        names = listed.into_iter().map(|unloaded| unloaded.name).collect();
        names.insert(last);
    }
    let mut found: Vec<(String, LaidSymbol)> = Vec::new();
    for name in names.into_iter().take(MOST) {
        let Some(files) = files.module(&name, None) else { continue };
        let Ok(image) = Image::module(files, &BTreeMap::new()) else { continue };
        let symbols = image.symbols_in_pages(address % PAGE);
        found.extend(symbols.into_iter().map(|symbol| (name.clone(), symbol)));
    }
    let start = gap(kernel, address);
    let is_from_start = |symbol: &LaidSymbol| {
        let inside = start.and_then(|start| address.checked_sub(start)?.checked_sub(symbol.offset));
        inside.is_some_and(|inside| inside < symbol.size)
    };
    let one = |is_it: &dyn Fn(&LaidSymbol) -> bool| {
        let all: Vec<&(String, LaidSymbol)> = found.iter().filter(|it| is_it(&it.1)).collect();
        let placed: Vec<_> = all.iter().filter(|it| is_from_start(&it.1)).collect();
        let (module, symbol) = match (placed.as_slice(), all.as_slice()) {
            ([one], _) => **one,
            (_, [one]) => one,
            _ => return None,
        };
        Some(WasThere { module: module.clone(), symbol: symbol.name.clone() })
    };
    let begins = |symbol: &LaidSymbol| symbol.offset % PAGE == address % PAGE;
    let code = one(&|symbol| symbol.is_code && begins(symbol));
    Was { code, data: one(&|symbol| !symbol.is_code) }
}

/// Whether the address is so near to what is mapped that a module can have been there: each is loaded into the first
/// gap that is large enough.
///
/// Example: a magic number and -1, taken for a pointer together, are an address of the area far behind all modules.
pub(crate) fn is_near(kernel: &Kernel<'_>, address: u64) -> bool {
    /// More than most modules have.
    const LARGEST: u64 = 1 << 20;
    // Of areas that cannot be read nothing speaks against it.
    let Ok(areas) = kernel.vm_areas() else { return true };
    let is_before = |end: u64| address.checked_sub(end).is_some_and(|gap| gap < LARGEST);
    let is_behind = |start: u64| start.checked_sub(address).is_some_and(|gap| gap < LARGEST);
    areas.items.iter().any(|area| is_before(area.end) || is_behind(area.start))
}

/// Where the last mapped area before the address ends.
fn gap(kernel: &Kernel<'_>, address: u64) -> Option<u64> {
    let areas = kernel.vm_areas().ok()?;
    let ends = areas.items.iter().map(|area| area.end).filter(|end| *end <= address);
    ends.max()
}
