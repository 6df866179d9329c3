// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether a prebuilt module fits a kernel, as the kernel will decide when it is loaded
//! (`check_version`, `same_magic` in `kernel/module.c`): by the release in its vermagic, or, with
//! `CONFIG_MODVERSIONS`, by a checksum of every symbol it uses.

use std::collections::BTreeMap;

use object::{Object, ObjectSection};

/// An entry of `__versions` on 64-bit machines: a checksum in a long, a name with a NUL
/// (`struct modversion_info`).
const ENTRY: usize = 64;
const CHECKSUM: usize = 8;
/// What is a part of the kernel itself.
const KERNEL: &str = "vmlinux";

/// `Module.symvers`: the checksum of each symbol that a kernel exports, and who has it.
#[derive(Debug, Default)]
pub(super) struct Symvers<'t>(BTreeMap<&'t str, (u32, &'t str)>);

impl<'t> Symvers<'t> {
    /// Reads lines of checksum, symbol, module, kind of export.
    pub(super) fn parse(text: &'t str) -> Self {
        let line = |line: &'t str| {
            let (checksum, rest) = line.split_once('\t')?;
            let checksum = u32::from_str_radix(checksum.strip_prefix("0x")?, 16).ok()?;
            let mut words = rest.split('\t');
            Some((words.next()?, (checksum, words.next().unwrap_or(KERNEL))))
        };
        Self(text.lines().filter_map(line).collect())
    }

    /// Whether the kernel has checksums at all.
    pub(super) fn has_checksums(&self) -> bool {
        self.0.values().any(|(checksum, _)| *checksum != 0)
    }

    /// Whether nothing is known of the kernel.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the kernel or one of its modules exports a symbol.
    pub(super) fn has(&self, symbol: &str) -> bool {
        self.0.contains_key(symbol)
    }

    /// The module of the kernel that has a symbol, by the name of its file.
    pub(super) fn owner(&self, symbol: &str) -> Option<&'t str> {
        let (_, owner) = self.0.get(symbol)?;
        let name = owner.rsplit('/').next()?;
        let name = name.strip_suffix(".ko").unwrap_or(name);
        (name != KERNEL).then_some(name)
    }

    /// The symbols a module wants with another checksum, sorted.
    pub(super) fn differing<'m>(&self, versions: &BTreeMap<&'m str, u32>) -> Vec<&'m str> {
        let differs = |(name, checksum): (&&'m str, &u32)| {
            let (own, _) = self.0.get(*name)?;
            (own != checksum).then_some(*name)
        };
        versions.iter().filter_map(differs).collect()
    }
}

/// What a module's section `__versions` says; empty for one without.
pub(super) fn versions<'m>(
    file: &object::File<'m>,
) -> object::read::Result<BTreeMap<&'m str, u32>> {
    let Some(section) = file.section_by_name("__versions") else { return Ok(BTreeMap::new()) };
    let entry = |entry: &'m [u8]| {
        let checksum = u32::from_le_bytes(entry.first_chunk().copied()?);
        let name = entry.get(CHECKSUM..)?.split(|byte| *byte == 0).next()?;
        Some((std::str::from_utf8(name).ok()?, checksum))
    };
    Ok(section.data()?.chunks_exact(ENTRY).filter_map(entry).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "0x28950ef1\tprintk\tvmlinux\tEXPORT_SYMBOL\n\
                        0x4f8b5ddb\t_copy_to_user\tvmlinux\tEXPORT_SYMBOL\t\nnonsense\n";

    #[test]
    fn only_symbols_of_another_checksum_differ() {
        let symvers = Symvers::parse(TEXT);
        assert!(symvers.has_checksums());
        let wants = [("printk", 0x2895_0ef1), ("_copy_to_user", 1), ("of_another_module", 2)];
        assert_eq!(symvers.differing(&wants.into()), ["_copy_to_user"]);
        assert!(!Symvers::parse("0x00000000\tprintk\tvmlinux\tEXPORT_SYMBOL\n").has_checksums());
    }

    #[test]
    fn a_symbol_of_a_module_tells_whose_it_is() {
        let text = format!("{TEXT}0x1\tdm_get\tdrivers/md/dm-mod\tEXPORT_SYMBOL_GPL\n");
        let symvers = Symvers::parse(&text);
        assert_eq!(symvers.owner("dm_get"), Some("dm-mod"));
        assert_eq!(symvers.owner("printk"), None, "of the kernel itself");
        assert!(symvers.has("printk") && !symvers.has("absent"));
    }

    /// An object file that the host's compiler makes, with the section as modpost writes it.
    #[test]
    fn the_checksums_of_a_module_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let source = "struct v { unsigned long crc; char name[56]; };\n\
            struct v v[] __attribute__((section(\"__versions\"))) =\n\
            { { 0x28950ef1, \"printk\" }, { 7, \"module_layout\" } };\n";
        std::fs::write(folder.path().join("m.c"), source).unwrap();
        duct::cmd!("gcc", "-c", "m.c", "-o", "m.ko").dir(folder.path()).run().unwrap();
        let bytes = std::fs::read(folder.path().join("m.ko")).unwrap();
        let file = object::File::parse(&bytes[..]).unwrap();
        let found = versions(&file).unwrap();
        assert_eq!(found, [("printk", 0x2895_0ef1), ("module_layout", 7)].into());
    }
}
