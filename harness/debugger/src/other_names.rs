// SPDX-License-Identifier: MIT OR Apache-2.0
//! Other names of commands.

/// Other names of commands, as crash(8) has them: alias, name and what is put before the rest.
pub(super) const ALIASES: [(&str, &str, &str); 8] = [
    ("?", "help", ""),
    ("man", "help", ""),
    ("dmesg", "log", ""),
    ("for", "foreach", ""),
    ("last", "ps", " -l"),
    ("lsmod", "mod", ""),
    ("px", "p", " -x"),
    ("pd", "p", " -d"),
];
