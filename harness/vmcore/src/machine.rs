// SPDX-License-Identifier: MIT OR Apache-2.0
//! The machines of dumps that are not read here.

use std::fmt;

/// A machine other than x86-64, as a dump's header names it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Machine {
    /// By name, as `uname -m` prints it.
    Named(String),
    /// By a number of `e_machine` that has no name here.
    Elf(u16),
    /// Without a name: integers have their most significant byte first.
    BigEndian,
}

/// How an ELF file stores addresses and integers (`EI_CLASS`, `EI_DATA`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) is_wide: bool,
    pub(crate) is_little: bool,
}

/// Values of `e_machine` (`EM_*` of `include/uapi/linux/elf-em.h`) and what `uname -m` prints
/// (`UTS_MACHINE` of the `arch/*/Makefile`): 64-bit and least significant byte first, 64-bit and
/// most significant byte first, 32-bit and in either order.
const MACHINES: [(u16, [&str; 4]); 21] = [
    (2, ["sparc"; 4]),
    (3, ["i686"; 4]),
    (4, ["m68k"; 4]),
    (8, ["mips64", "mips64", "mips", "mips"]),
    (15, ["parisc64", "parisc64", "parisc", "parisc"]),
    (20, ["ppc"; 4]),
    (21, ["ppc64le", "ppc64", "ppc64le", "ppc64"]),
    (22, ["s390x", "s390x", "s390", "s390"]),
    (40, ["armv7l", "armv7b", "armv7l", "armv7b"]),
    (42, ["sh4"; 4]),
    (43, ["sparc64"; 4]),
    (50, ["ia64"; 4]),
    // The same machine with 32-bit addresses, which no kernel uses for itself; the order of bytes
    // is always the other one.
    (62, ["x86_64", "big-endian x86_64", "x32", "x32"]),
    (92, ["openrisc"; 4]),
    (94, ["xtensa"; 4]),
    (183, ["aarch64", "aarch64_be", "aarch64", "aarch64_be"]),
    (189, ["microblaze"; 4]),
    (195, ["arc"; 4]),
    (243, ["riscv64", "riscv64", "riscv32", "riscv32"]),
    (252, ["csky"; 4]),
    (258, ["loongarch64", "loongarch64", "loongarch32", "loongarch32"]),
];

impl Machine {
    /// That of an ELF header.
    pub(crate) fn of_elf(number: u16, order: Order) -> Self {
        let [wide, wide_big, narrow, narrow_big] =
            match MACHINES.iter().find(|(known, _)| *known == number) {
                Some((_, names)) => *names,
                None => return Self::Elf(number),
            };
        let name = match (order.is_wide, order.is_little) {
            (true, true) => wide,
            (true, false) => wide_big,
            (false, true) => narrow,
            (false, false) => narrow_big,
        };
        Self::Named(name.to_owned())
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // The name is the dump's own.
            Self::Named(name) => write!(f, "{}", name.escape_debug()),
            Self::Elf(number) => write!(f, "ELF machine {number}"),
            Self::BigEndian => f.write_str("a big-endian one without a name"),
        }
    }
}
