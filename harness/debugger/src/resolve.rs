// SPDX-License-Identifier: MIT OR Apache-2.0
//! What people type for addresses and tasks.

use super::{CommandError, Session};
use kernel::tasks::Task;

/// An address that was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    /// The address.
    pub(super) value: u64,
    /// Whether it was the bare name of a symbol.
    pub(super) is_symbol: bool,
}

/// A number: hexadecimal with `0x` or without, as addresses are copied from elsewhere.
pub(super) fn hexadecimal(text: &str) -> Option<u64> {
    u64::from_str_radix(text.strip_prefix("0x").unwrap_or(text), 16).ok()
}

/// A count: decimal, or hexadecimal with `0x`.
pub(super) fn count(text: &str) -> Result<u64, CommandError> {
    let found = match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => text.parse(),
    };
    found.map_err(|_| CommandError::usage(format!("`{text}` is no count")))
}

/// An address so many bytes behind `base`, or before it if `sign` begins with a dash.
fn moved(base: u64, sign: &str, offset: &str) -> Result<u64, CommandError> {
    let offset = count(offset)?;
    Ok(if sign.starts_with('-') { base.wrapping_sub(offset) } else { base.wrapping_add(offset) })
}

impl Session<'_, '_> {
    /// `symbol`, `symbol+offset`, `symbol-offset`, the same with a register as `$NAME`, or a hexadecimal address. A
    /// symbol wins over an address that is spelled alike (`add`).
    pub(super) fn address(&self, text: &str) -> Result<Address, CommandError> {
        if let Some(register) = text.strip_prefix('$') {
            return self.near_register(register);
        }
        if let Some(value) = self.symbol(text) {
            return Ok(Address { value, is_symbol: true });
        }
        if let Some(value) = hexadecimal(text) {
            return Ok(Address { value, is_symbol: false });
        }
        let place = text.rfind(['+', '-']);
        let parts = place.map(|place| (text.split_at(place), &text[place + 1..]));
        let unknown = || CommandError::nothing(format!("no symbol `{text}`"));
        let ((base, sign), offset) = parts.ok_or_else(unknown)?;
        let base = self.symbol(base).or_else(|| hexadecimal(base)).ok_or_else(unknown)?;
        Ok(Address { value: moved(base, sign, offset)?, is_symbol: false })
    }

    /// `register`, `register+offset` or `register-offset`.
    fn near_register(&self, text: &str) -> Result<Address, CommandError> {
        let value = match text.find(['+', '-']) {
            Some(place) => {
                let (name, sign) = text.split_at(place);
                moved(self.register(name)?, sign, &text[place + 1..])?
            }
            None => self.register(text)?,
        };
        Ok(Address { value, is_symbol: false })
    }

    /// Address of a symbol of the kernel or of a module.
    pub(super) fn symbol(&self, name: &str) -> Option<u64> {
        let kernel = self.kernel();
        if let Ok(address) = kernel.symbol(name) {
            return Some(address);
        }
        let modules = kernel.modules().ok()?;
        modules.items.iter().find_map(|module| {
            let symbols = kernel.module_symbols(module).ok()?;
            symbols.iter().find(|symbol| symbol.name == name).map(|symbol| symbol.address)
        })
    }

    /// The tasks that the words name, or the current one if there are none.
    pub(super) fn meant(&self, words: &[String]) -> Result<Vec<Task>, CommandError> {
        match words {
            [] => Ok(vec![self.context()?.clone()]),
            words => self.tasks(words),
        }
    }

    /// Tasks by pid (decimal), by address of the `task_struct` (hexadecimal), or by name.
    pub(super) fn tasks(&self, words: &[String]) -> Result<Vec<Task>, CommandError> {
        let all = &self.kernel().tasks()?.items;
        let mut found = Vec::new();
        for word in words {
            let pid = word.parse::<i32>().ok();
            let address = hexadecimal(word);
            let by_number = |task: &&Task| pid.is_some_and(|pid| task.pid == pid);
            let mut same: Vec<&Task> = all.iter().filter(by_number).collect();
            if same.is_empty() {
                same = all.iter().filter(|task| Some(task.address) == address).collect();
            }
            if same.is_empty() {
                let name = word.trim_matches(['[', ']']);
                same = all.iter().filter(|task| task.comm == name).collect();
            }
            if same.is_empty() {
                return Err(CommandError::nothing(format!("no task `{word}`")));
            }
            found.extend(same.into_iter().cloned());
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_hexadecimal_and_counts_decimal() {
        assert_eq!(hexadecimal("ffffffffc04e83d8"), Some(0xffff_ffff_c04e_83d8));
        assert_eq!(hexadecimal("0x10"), Some(16));
        assert_eq!(hexadecimal("xyz"), None);
        assert_eq!((count("10"), count("0x10")), (Ok(10), Ok(16)));
        assert!(count("ten").is_err());
    }
}
