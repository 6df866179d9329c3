// SPDX-License-Identifier: MIT OR Apache-2.0
//! Symbols: by name, and by address.

/// A symbol of the ELF symbol table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Symbol {
    /// Name as in the symbol table, with suffixes such as `.isra.0` and `.cold`.
    pub name: String,
    /// Run-time virtual address; for [`SymbolKind::PerCpu`] what has to be added to a CPU's
    /// `__per_cpu_offset` (an offset near zero up to kernel 6.14, an address from 6.15 on).
    pub address: u64,
    /// Size in bytes as the symbol table says; for symbols that have none (labels in assembly) the
    /// same as `extent`.
    pub size: u64,
    /// Bytes up to the next symbol, padding included: the number after the slash in the kernel's
    /// own `name+0x1a/0x30`.
    pub extent: u64,
    /// What it names.
    pub kind: SymbolKind,
    /// Visible outside of its source file (global or weak).
    pub global: bool,
}

/// What a symbol names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SymbolKind {
    /// Code.
    Function,
    /// Data.
    Object,
    /// A variable of which each CPU has its own copy.
    PerCpu,
    /// A label without type, mostly from assembly or the linker script.
    Label,
    /// A number that is not an address.
    Absolute,
}
