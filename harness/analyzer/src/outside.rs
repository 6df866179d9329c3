// SPDX-License-Identifier: MIT OR Apache-2.0
//! Modules that are not of the kernel's own tree.

/// Taints of a module that is not of the kernel's own tree: proprietary, out of tree, unsigned
/// (`TAINT_PROPRIETARY_MODULE`, `TAINT_OOT_MODULE`, `TAINT_UNSIGNED_MODULE`).
pub(crate) const OUTSIDE: u64 = 1 << 0 | 1 << 12 | 1 << 13;

/// Whether the letters of a module's taint, as the kernel prints them, are of such a module.
pub(crate) fn is_outside(letters: &str) -> bool {
    letters.contains(['P', 'O', 'E'])
}
