// SPDX-License-Identifier: MIT OR Apache-2.0
//! The kernel's thunks for indirect calls (retpolines): a call of one stands for a call through
//! the register in its name.

use iced_x86::Register;

use crate::flow::full;

/// Names of the kernel's thunks up to the register's name (`arch/x86/lib/retpoline.S`).
const THUNKS: [&str; 3] =
    ["__x86_indirect_thunk_", "__x86_indirect_call_thunk_", "__x86_indirect_jump_thunk_"];

/// Bytes of one thunk in the array (`RETPOLINE_THUNK_SIZE`, `arch/x86/include/asm/nospec-branch.h`,
/// 5.15 and later).
const THUNK_SIZE: u64 = 32;

/// The register that the thunk calls through: named by its symbol, or by its place in the array
/// of all thunks, which has the same addresses (in the order of the registers' encoding).
pub(crate) fn thunk_register(symbol: &str, offset: u64) -> Option<Register> {
    let name = THUNKS.iter().find_map(|prefix| symbol.strip_prefix(prefix))?;
    if name == "array" {
        let place = u8::try_from(offset / THUNK_SIZE).ok()?;
        return (offset.is_multiple_of(THUNK_SIZE) && place < 16).then(|| full(place));
    }
    (0..16).map(full).find(|&register| lower(register) == name && offset == 0)
}

/// The register's name as people write it.
pub(crate) fn lower(register: Register) -> String {
    format!("{register:?}").to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thunk_names_its_register() {
        assert_eq!(thunk_register("__x86_indirect_thunk_r11", 0), Some(Register::R11));
        assert_eq!(thunk_register("__x86_indirect_thunk_array", 0), Some(Register::RAX));
        assert_eq!(thunk_register("__x86_indirect_thunk_array", 0x20), Some(Register::RCX));
        assert_eq!(thunk_register("__x86_indirect_thunk_array", 0x21), None);
        assert_eq!(thunk_register("__x86_return_thunk", 0), None);
        assert_eq!(thunk_register("__x86_indirect_thunk_r99", 0), None);
    }
}
