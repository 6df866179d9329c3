// SPDX-License-Identifier: MIT OR Apache-2.0
//! Names of symbols and the names in the source that they come from.

/// The source's name of a function whose symbol the compiler gave a suffix (`.isra.0`, `.cold`).
pub(crate) fn source_name(symbol: &str) -> &str {
    match symbol.split_once('.') {
        Some((name, _)) if !name.is_empty() => name,
        _ => symbol,
    }
}
