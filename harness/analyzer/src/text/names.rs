// SPDX-License-Identifier: MIT OR Apache-2.0
//! Addresses for the places that a text names: its own where it has them, those of the files, or made
//! ones, which are printed nowhere.

use std::collections::BTreeMap;

use klog::Place;

/// Where the kernel's half of the address space begins.
const KERNEL_HALF: u64 = 0xff00_0000_0000_0000;
/// Where places of the kernel are made, and those of modules: below where files are laid.
const KERNEL: u64 = 0xffff_ffff_8100_0000;
const MODULES: u64 = 0xffff_ffff_a000_0000;
/// Bytes of a function, at most: a size may be nonsense, of code behind the last symbol. A report has
/// fewer functions than there is room for.
const MOST: u64 = 1 << 16;
/// Bytes of a function whose size the text does not have.
const UNKNOWN: u64 = 16;

/// A function that a text names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Made {
    pub(super) name: String,
    pub(super) module: Option<String>,
    /// Bytes up to the next symbol; `None` if the text does not have it.
    pub(super) size: Option<u64>,
}

/// Functions by their addresses.
#[derive(Debug, Default)]
pub(super) struct Names {
    made: BTreeMap<u64, Made>,
    /// Bytes that are used of the kernel's addresses, and of the modules'.
    used: [u64; 2],
}

impl Names {
    /// The address of a place; `None` if it has neither a name nor an address.
    pub(super) fn place(&mut self, place: &Place) -> Option<u64> {
        let Some(symbol) = &place.symbol else { return place.address };
        let (offset, size) = symbol.extent.unzip();
        let start =
            self.function(&symbol.name, place.module.as_deref(), size, place.address.zip(offset));
        Some(start.wrapping_add(offset.unwrap_or(1)))
    }

    /// Notes that a place of the files bears that name.
    pub(super) fn learn(&mut self, place: &Place, address: u64) {
        let Some(symbol) = &place.symbol else { return };
        let Some((offset, size)) = symbol.extent else { return };
        let (name, module) = (symbol.name.clone(), place.module.clone());
        let made = Made { name, module, size: Some(size) };
        self.made.insert(address.wrapping_sub(offset), made);
    }

    /// The address of a function; `at` is an address in it and the distance from its start.
    pub(super) fn function(
        &mut self,
        name: &str,
        module: Option<&str>,
        size: Option<u64>,
        at: Option<(u64, u64)>,
    ) -> u64 {
        let made = Made { name: name.to_owned(), module: module.map(str::to_owned), size };
        let same = |known: &Made| {
            known.name == made.name && known.module == made.module && known.size == size
        };
        if let Some((start, _)) = self.made.iter().find(|(_, known)| same(known)) {
            return *start;
        }
        // Addresses that are hashed (since 4.15) are none.
        let at = at.filter(|(address, _)| *address >= KERNEL_HALF);
        let start = match at.and_then(|(address, offset)| address.checked_sub(offset)) {
            Some(start) => start,
            None => self.next_for(&made),
        };
        self.made.insert(start, made);
        start
    }

    fn next_for(&mut self, made: &Made) -> u64 {
        let [kernel, modules] = &mut self.used;
        let (first, used) =
            if made.module.is_some() { (MODULES, modules) } else { (KERNEL, kernel) };
        let start = first.saturating_add(*used);
        // A return address behind the last instruction is still of the function.
        let size = made.size.unwrap_or(UNKNOWN).min(MOST) + UNKNOWN;
        *used = used.saturating_add(size.next_multiple_of(16));
        start
    }

    /// The function that has the address, and the distance from its start.
    pub(super) fn at(&self, address: u64) -> Option<(&Made, u64)> {
        let (start, made) = self.made.range(..=address).next_back()?;
        let offset = address - start;
        (offset <= made.size.unwrap_or(UNKNOWN)).then_some((made, offset))
    }
}

#[cfg(test)]
mod tests {
    use klog::Symbol;

    use super::*;

    fn place(name: &str, module: Option<&str>, address: Option<u64>) -> Place {
        Place {
            address,
            symbol: Some(Symbol { name: name.to_owned(), extent: Some((0x12, 0x40)) }),
            module: module.map(str::to_owned),
            source: None,
        }
    }

    #[test]
    fn each_function_has_its_own_place() {
        let mut names = Names::default();
        let one = names.place(&place("f", Some("m"), None)).unwrap();
        assert_eq!(names.place(&place("f", Some("m"), None)), Some(one));
        let other = names.place(&place("f", Some("n"), None)).unwrap();
        let kernel = names.place(&place("f", None, None)).unwrap();
        let of = |address| names.at(address).map(|(made, offset)| (made.module.as_deref(), offset));
        assert_eq!(of(one), Some((Some("m"), 0x12)));
        assert_eq!(of(other), Some((Some("n"), 0x12)));
        assert_eq!(of(kernel), Some((None, 0x12)));
        assert_eq!(of(kernel + 0x100), None);
    }

    #[test]
    fn addresses_of_the_text_stay() {
        let mut names = Names::default();
        let address = 0xffff_ffff_c04d_8ac2;
        assert_eq!(names.place(&place("f", Some("m"), Some(address))), Some(address));
    }
}
