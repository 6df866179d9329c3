// SPDX-License-Identifier: MIT OR Apache-2.0
//! The two ways to print addresses: as they are, and so that another boot prints the same.
//!
//! Stable form: code of a module is `symbol [module]`, code of the kernel its symbol (another build moves
//! it), data `<data#1>`, numbered by first use so that the same object is
//! seen to be the same. Small numbers stay: they are NULL, offsets and error codes.

use crate::claim::Addresses;
use crate::gone::Gone;

/// Numbers below this one are printed in the stable form too; no kernel maps anything there.
const SMALL: u64 = 0x1_0000;

/// Where an address of code lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeName {
    /// Symbol, as the kernel shows it.
    pub symbol: String,
    /// Distance from its start.
    pub offset: u64,
    /// Its size, up to the next symbol.
    pub size: u64,
    /// Module, or `None` for the kernel itself.
    pub module: Option<String>,
}

/// Names code by address.
pub trait CodeNames {
    /// The symbol that covers the address.
    fn code_name(&self, address: u64) -> Option<CodeName>;

    /// What lay at the address that is gone.
    fn gone_code(&self, address: u64) -> Option<Gone> {
        let _ = address;
        None
    }
}

/// Prints addresses as they are.
#[derive(Clone, Copy)]
pub struct Raw<'a>(pub &'a dyn CodeNames);

impl std::fmt::Debug for Raw<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Raw")
    }
}

impl Addresses for Raw<'_> {
    fn code(&mut self, address: u64) -> String {
        match self.0.code_name(address) {
            Some(name) => with_offset(&name),
            None => format!("{address:#x}"),
        }
    }

    fn data(&mut self, value: u64) -> String {
        format!("{value:#x}")
    }

    fn field(&mut self, address: u64) -> Option<String> {
        Some(format!("{address:#x}"))
    }

    fn is_stable(&self) -> bool {
        false
    }
}

/// Prints addresses so that another boot of the same code prints the same.
#[derive(Clone)]
pub struct Stable<'a> {
    names: &'a dyn CodeNames,
    seen: Vec<u64>,
}

impl std::fmt::Debug for Stable<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stable").field("seen", &self.seen).finish_non_exhaustive()
    }
}

impl<'a> Stable<'a> {
    /// A printer that has seen no address yet.
    pub fn new(names: &'a dyn CodeNames) -> Self {
        Self { names, seen: Vec::new() }
    }
}

impl Addresses for Stable<'_> {
    fn code(&mut self, address: u64) -> String {
        match self.names.code_name(address) {
            Some(CodeName { symbol, module: Some(module), .. }) => format!("{symbol} [{module}]"),
            Some(name) => name.symbol,
            None => self.data(address),
        }
    }

    fn data(&mut self, value: u64) -> String {
        if value < SMALL {
            return format!("{value:#x}");
        }
        let number = self.seen.iter().position(|&seen| seen == value).unwrap_or_else(|| {
            self.seen.push(value);
            self.seen.len() - 1
        });
        format!("<data#{}>", number + 1)
    }

    fn field(&mut self, address: u64) -> Option<String> {
        (address < SMALL).then(|| format!("{address:#x}"))
    }

    fn is_stable(&self) -> bool {
        true
    }
}

fn with_offset(name: &CodeName) -> String {
    let CodeName { symbol, offset, size, module } = name;
    let module = module.as_ref().map(|module| format!(" [{module}]")).unwrap_or_default();
    format!("{symbol}+{offset:#x}/{size:#x}{module}")
}

/// Names nothing.
#[cfg(test)]
pub(crate) struct NoNames;

#[cfg(test)]
impl CodeNames for NoNames {
    fn code_name(&self, _address: u64) -> Option<CodeName> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Two;

    impl CodeNames for Two {
        fn code_name(&self, address: u64) -> Option<CodeName> {
            let module = match address >> 32 {
                0xffff_ffff => None,
                0xffff_fffe => Some("process".to_owned()),
                _ => return None,
            };
            let offset = address & 0xff;
            Some(CodeName { symbol: "f".to_owned(), offset, size: 0x80, module })
        }
    }

    #[test]
    fn the_same_object_keeps_its_number_and_small_numbers_stay() {
        let mut stable = Stable::new(&Two);
        assert_eq!(stable.data(0xffff_8880_1234_0000), "<data#1>");
        assert_eq!(stable.data(0xffff_8880_5678_0000), "<data#2>");
        assert_eq!(stable.data(0xffff_8880_1234_0000), "<data#1>");
        assert_eq!(stable.data(0x18), "0x18");
    }

    #[test]
    fn no_code_keeps_its_offset_in_the_stable_form() {
        assert_eq!(Stable::new(&Two).code(0xffff_fffe_0000_0012), "f [process]");
        assert_eq!(Stable::new(&Two).code(0xffff_ffff_0000_0012), "f");
        assert_eq!(Raw(&Two).code(0xffff_ffff_0000_0012), "f+0x12/0x80");
    }
}
