// SPDX-License-Identifier: MIT OR Apache-2.0
use std::fs;

use super::write::module_name;
use super::*;

/// A module that the host's compiler makes: only what it says of itself.
fn module(folder: &Path, place: &str, said: &[&str]) {
    let path = folder.join("kernel").join(place);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let text: String = said.iter().map(|entry| format!("{entry}\\0")).collect();
    let source =
        format!("const char info[] __attribute__((section(\".modinfo\"))) = \"{text}\";\n");
    duct::cmd!("gcc", "-xc", "-", "-c", "-o", &path).stdin_bytes(source).run().unwrap();
}

fn disk(folder: &Path) -> Result<ModuleDisk, ModuleDiskError> {
    ModuleDisk::of_folder(&folder.join("modules"), &folder.join("modules.img"))
}

#[test]
fn names_are_those_of_the_kernel() {
    let name = |path: &str| module_name(Path::new(path));
    assert_eq!(name("kernel/drivers/misc/pvpanic/pvpanic-pci.ko").unwrap(), "pvpanic_pci");
    assert_eq!(name("virtio_blk.ko.xz").unwrap(), "virtio_blk");
    assert_eq!(name("modules.order"), None);
    assert_eq!(name("virtio.ko.debug"), None);
}

#[test]
fn modules_come_back_as_they_are_with_what_they_say() {
    let folder = tempfile::tempdir().unwrap();
    let modules = folder.path().join("modules");
    module(&modules, "drivers/dm-mod.ko", &["depends=", "alias=devname:mapper/control"]);
    let (one, other) = ("pci:v00001AF4d*", "alias=dm-cache");
    let alias = format!("alias={one}");
    module(&modules, "md/dm-cache.ko", &["depends=dm-mod", "softdep=pre: loop", &alias, other]);
    // As distributions pack them.
    duct::cmd!("xz", modules.join("kernel/md/dm-cache.ko")).run().unwrap();
    fs::write(modules.join("modules.builtin"), "kernel/lib/crc32c.ko\n").unwrap();
    let disk = disk(folder.path()).unwrap();
    let index = disk.index();
    assert_eq!(index.order("dm-cache").unwrap(), ["dm_mod", "dm_cache"]);
    assert_eq!(index.modules["dm_cache"].wishes, ["loop"]);
    assert!(index.is_built_in("crc32c"));
    let aliases: Vec<_> = index.aliases.iter().map(|(alias, _)| alias.as_str()).collect();
    assert_eq!(aliases, ["dm-cache", "devname:mapper/control"], "no device of a bus");
    let plain = fs::read(modules.join("kernel/drivers/dm-mod.ko")).unwrap();
    assert_eq!(disk.module("dm-mod").unwrap().unwrap(), plain);
    let packed = disk.module("dm_cache").unwrap().unwrap();
    assert_eq!(packed.get(..4), Some(&b"\x7fELF"[..]));
    assert_eq!(disk.module("absent").unwrap(), None);
    assert_eq!(disk.into_file().metadata().unwrap().len() % BLOCK, 0);
}

#[test]
fn what_is_no_module_is_said_to_be_none() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("modules/kernel")).unwrap();
    fs::write(folder.path().join("modules/kernel/virtio.ko"), "text").unwrap();
    let message = disk(folder.path()).unwrap_err().to_string();
    assert!(message.contains("virtio.ko"), "{message}");
}

#[test]
fn a_disk_that_was_cut_off_or_is_another_file_is_said_to_be_damaged() {
    let folder = tempfile::tempdir().unwrap();
    module(&folder.path().join("modules"), "a.ko", &["depends="]);
    let disk = disk(folder.path()).unwrap();
    let path = folder.path().join("modules.img");
    fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(2 * BLOCK).unwrap();
    assert!(matches!(disk.module("a"), Err(ModuleDiskError::Damaged { .. })));
    fs::write(&path, vec![b'x'; 8192]).unwrap();
    assert!(matches!(ModuleDisk::open(&path), Err(ModuleDiskError::Damaged { .. })));
}
