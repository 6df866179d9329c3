// SPDX-License-Identifier: MIT OR Apache-2.0
//! What files are called.

/// Endings of compressed files.
pub(super) const PACKED: [&str; 5] = [".xz", ".zst", ".gz", ".bz2", ".lz4"];

/// A module's name in the kernel, from the name of its file; none if it is no module.
///
/// The kernel names a module with underscores, whatever its file is called. Fedora and RHEL
/// compress modules (`e1000e.ko.xz`) and call the debug file `e1000e.ko.debug`.
pub(super) fn module(file: &str) -> Option<(String, Kind)> {
    let file = PACKED.iter().find_map(|ending| file.strip_suffix(ending)).unwrap_or(file);
    let (stem, kind) = match file.strip_suffix(".debug") {
        Some(stem) => (stem.strip_suffix(".ko").unwrap_or(stem), Kind::Debug),
        None => (file.strip_suffix(".ko")?, Kind::Module),
    };
    Some((stem.replace('-', "_"), kind))
}

/// What a file holds, as its name tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// The module.
    Module,
    /// Its debug information.
    Debug,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_and_hyphens_are_no_part_of_a_name() {
        for file in ["nf-nat.ko", "nf_nat.ko.xz", "nf-nat.ko.zst", "nf_nat.ko.gz"] {
            assert_eq!(module(file), Some(("nf_nat".to_owned(), Kind::Module)), "{file}");
        }
        for file in ["nf-nat.ko.debug", "nf_nat.debug", "nf_nat.ko.debug.xz"] {
            assert_eq!(module(file), Some(("nf_nat".to_owned(), Kind::Debug)), "{file}");
        }
        assert_eq!(module("modules.dep"), None);
    }
}
