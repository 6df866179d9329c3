// SPDX-License-Identifier: MIT OR Apache-2.0
//! Why bytes at a virtual address, or an answer about the kernel, cannot be had.

use vmcore::{Absent, PhysAddr};

/// Level of the x86-64 page tables, named as the kernel names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Page table: entries map 4 KiB.
    Pte,
    /// Page middle directory: entries cover 2 MiB.
    Pmd,
    /// Page upper directory: entries cover 1 GiB.
    Pud,
    /// Fourth level: entries cover 512 GiB; the top with four levels, where the kernel calls it
    /// PGD.
    P4d,
    /// Fifth level: entries cover 256 TiB (LA57).
    Pgd,
}

impl Level {
    /// Lowest bit of a virtual address that chooses the entry of this level.
    #[must_use]
    pub const fn shift(self) -> u32 {
        match self {
            Self::Pte => 12,
            Self::Pmd => 21,
            Self::Pud => 30,
            Self::P4d => 39,
            Self::Pgd => 48,
        }
    }

    /// The level below, none below the page table.
    #[must_use]
    pub const fn below(self) -> Option<Self> {
        match self {
            Self::Pte => None,
            Self::Pmd => Some(Self::Pte),
            Self::Pud => Some(Self::Pmd),
            Self::P4d => Some(Self::Pud),
            Self::Pgd => Some(Self::P4d),
        }
    }
}

impl std::fmt::Display for Level {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Pte => "PTE",
            Self::Pmd => "PMD",
            Self::Pud => "PUD",
            Self::P4d => "P4D",
            Self::Pgd => "PGD",
        })
    }
}

/// Why bytes at a virtual address cannot be read; each case has its own words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// The address is mapped, but its page is not in the dump.
    #[error("0x{address:016x}: {absent}")]
    Absent {
        /// Virtual address.
        address: u64,
        /// Where it is mapped.
        physical: PhysAddr,
        /// What became of the page.
        absent: Absent,
    },
    /// The page tables have no mapping.
    #[error("0x{address:016x}: not mapped ({level} entry is 0x{entry:x})")]
    NotMapped {
        /// Virtual address.
        address: u64,
        /// Level whose entry is not present.
        level: Level,
        /// The entry.
        entry: u64,
    },
    /// An entry is present but has bits set that hardware forbids.
    #[error("0x{address:016x}: damaged page table ({level} entry is 0x{entry:x})")]
    Damaged {
        /// Virtual address.
        address: u64,
        /// Level of the entry.
        level: Level,
        /// The entry.
        entry: u64,
    },
    /// The page table itself cannot be read.
    #[error("0x{address:016x}: {level} table cannot be read: {absent}")]
    TableAbsent {
        /// Virtual address.
        address: u64,
        /// Level of the table.
        level: Level,
        /// What became of its page.
        absent: Absent,
    },
    /// The bits above the virtual address width differ from the highest bit of it.
    #[error("0x{address:016x}: non-canonical address")]
    NonCanonical {
        /// Virtual address.
        address: u64,
    },
    /// An address of user space; the kernel's tables do not map it.
    #[error("0x{address:016x}: user-space address")]
    User {
        /// Virtual address.
        address: u64,
    },
    /// There is a text of the crash and no dump.
    #[error("0x{address:016x}: a text has no memory")]
    Text {
        /// Virtual address.
        address: u64,
    },
    /// The dump does not say where the kernel's page tables are.
    #[error("0x{address:016x}: the dump names no page table of the kernel")]
    NoTables {
        /// Virtual address.
        address: u64,
    },
}

impl Unreadable {
    /// Why, without the address: another run of the same crash has another one.
    #[must_use]
    pub fn reason(&self) -> String {
        match self {
            Self::Absent { absent, .. } => absent.reason(),
            Self::NotMapped { level, .. } => format!("nothing is mapped there (no {level} entry)"),
            Self::Damaged { level, .. } => format!("a page table is damaged (its {level} entry)"),
            Self::TableAbsent { level, absent, .. } => {
                format!("the {level} table that maps it: {}", absent.reason())
            }
            Self::NonCanonical { .. } => "it is no canonical address".to_owned(),
            Self::User { .. } => "it is an address of user space".to_owned(),
            Self::Text { .. } => "a text has no memory".to_owned(),
            Self::NoTables { .. } => "the dump names no page table of the kernel".to_owned(),
        }
    }

    /// Whether something was mapped at the address when the kernel crashed; `None` where the dump
    /// does not tell.
    #[must_use]
    pub const fn is_mapped(&self) -> Option<bool> {
        match self {
            Self::Absent { .. } => Some(true),
            Self::NotMapped { .. } | Self::NonCanonical { .. } | Self::User { .. } => Some(false),
            Self::Damaged { .. }
            | Self::TableAbsent { .. }
            | Self::NoTables { .. }
            | Self::Text { .. } => None,
        }
    }
}

/// Why a question about the kernel has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unavailable {
    /// Neither VMCOREINFO nor the files given know the symbol.
    #[error("no symbol `{0}`")]
    Symbol(String),
    /// The debug information does not know the type or member, or none was given.
    #[error("no type information for `{0}`")]
    Type(String),
    /// Memory that holds the answer cannot be read.
    #[error("{what}: {source}")]
    Memory {
        /// What was to be read.
        what: String,
        /// Why it cannot be.
        source: Unreadable,
    },
    /// What was read contradicts itself.
    #[error("{0}")]
    Damaged(String),
}

impl Unavailable {
    /// Makes an error of `source` that says what was to be read.
    #[must_use]
    pub fn memory(what: &str, source: Unreadable) -> Self {
        Self::Memory { what: what.to_owned(), source }
    }
}

/// A list that may have ended early.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing<T> {
    /// What was found, in the kernel's order.
    pub items: Vec<T>,
    /// Why entries may be missing or incomplete; empty if the list is whole.
    pub damage: Vec<Unavailable>,
}

impl<T> Default for Listing<T> {
    fn default() -> Self {
        Self { items: Vec::new(), damage: Vec::new() }
    }
}
