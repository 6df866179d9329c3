// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which modules of a kernel a guest needs to reach its port and its disks, and in which order.
//!
//! Packages come without `modules.dep`, which depmod(8) makes where they are installed; the same
//! facts are in each module's `.modinfo` section.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::InitramfsError;
use crate::case::modinfo;

/// Deepest folder below `kernel/`, and the largest module once unpacked.
const MAX_DEPTH: usize = 16;
const MAX_BYTES: u64 = 64 << 20;

/// A driver.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Driver {
    /// Name of the module.
    pub(super) name: String,
    /// The module, not compressed.
    pub(super) content: Vec<u8>,
}

/// A module's content and the names of those it depends on; nothing for what is built in.
type Loaded = Result<Option<(Vec<u8>, Vec<String>)>, InitramfsError>;

/// The modules of one kernel.
#[derive(Debug)]
pub(super) struct Drivers {
    files: BTreeMap<String, PathBuf>,
    builtin: BTreeSet<String>,
}

impl Drivers {
    /// Looks through `…/lib/modules/<release>`.
    ///
    /// # Errors
    /// A folder cannot be read.
    pub(super) fn of(modules_dir: &Path) -> Result<Self, InitramfsError> {
        let mut files = BTreeMap::new();
        collect(&modules_dir.join("kernel"), 0, &mut files)?;
        // A kernel without the list has nothing built in that is asked for.
        let list = fs::read_to_string(modules_dir.join("modules.builtin")).unwrap_or_default();
        let builtin = list.lines().filter_map(|line| module_name(Path::new(line))).collect();
        Ok(Self { files, builtin })
    }

    /// The named modules and all they depend on, each after what it needs. What is built into the
    /// kernel is left out; of `optional` also what this kernel does not have.
    ///
    /// # Errors
    /// A module is missing or cannot be read.
    pub(super) fn ordered(
        &self,
        required: &[&str],
        optional: &[&str],
    ) -> Result<Vec<Driver>, InitramfsError> {
        let mut order = Order::default();
        for name in required {
            order.add(name, &mut |name| self.load(name))?;
        }
        for name in optional {
            if self.files.contains_key(*name) {
                order.add(name, &mut |name| self.load(name))?;
            }
        }
        Ok(order.done)
    }

    fn load(&self, name: &str) -> Loaded {
        if self.builtin.contains(name) {
            return Ok(None);
        }
        let path = self
            .files
            .get(name)
            .ok_or_else(|| InitramfsError::NoDriver { name: name.to_owned() })?;
        let content = content(path)?;
        let depends = depends(&content)
            .map_err(|why| InitramfsError::BadDriver { path: path.clone(), why })?;
        Ok(Some((content, depends)))
    }
}

/// Puts modules after what they depend on.
#[derive(Debug, Default)]
struct Order {
    done: Vec<Driver>,
    seen: BTreeSet<String>,
}

/// Loads a module by its name.
type Load<'a> = dyn FnMut(&str) -> Loaded + 'a;

impl Order {
    fn add(&mut self, name: &str, load: &mut Load<'_>) -> Result<(), InitramfsError> {
        // Also ends a circle, which the kernel's build does not let happen.
        if !self.seen.insert(name.to_owned()) {
            return Ok(());
        }
        let Some((content, depends)) = load(name)? else { return Ok(()) };
        for needed in depends {
            self.add(&needed, load)?;
        }
        self.done.push(Driver { name: name.to_owned(), content });
        Ok(())
    }
}

fn collect(
    folder: &Path,
    depth: usize,
    files: &mut BTreeMap<String, PathBuf>,
) -> Result<(), InitramfsError> {
    let read = |source| InitramfsError::Read { path: folder.to_owned(), source };
    for entry in fs::read_dir(folder).map_err(read)? {
        let entry = entry.map_err(read)?;
        let kind = entry.file_type().map_err(read)?;
        if kind.is_dir() && depth < MAX_DEPTH {
            collect(&entry.path(), depth + 1, files)?;
        } else if kind.is_file()
            && let Some(name) = module_name(&entry.path())
        {
            files.insert(name, entry.path());
        }
    }
    Ok(())
}

/// The name the kernel gives to the module in a file: `pvpanic-pci.ko.xz` is `pvpanic_pci`.
fn module_name(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    let (stem, compression) = name.split_once(".ko")?;
    matches!(compression, "" | ".xz" | ".gz" | ".zst").then(|| stem.replace('-', "_"))
}

/// A module as the kernel takes it.
fn content(path: &Path) -> Result<Vec<u8>, InitramfsError> {
    let read = |source| InitramfsError::Read { path: path.to_owned(), source };
    let file = fs::File::open(path).map_err(read)?;
    let mut bytes = Vec::new();
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("ko") => file.take(MAX_BYTES).read_to_end(&mut bytes),
        Some("xz") => lzma_rust2::XzReader::new(file, true).take(MAX_BYTES).read_to_end(&mut bytes),
        other => {
            let why = format!("compressed in a way not known here: {}", other.unwrap_or_default());
            return Err(InitramfsError::BadDriver { path: path.to_owned(), why });
        }
    }
    .map_err(read)?;
    Ok(bytes)
}

fn depends(module: &[u8]) -> Result<Vec<String>, String> {
    let value = modinfo::value(module, "depends").map_err(|error| error.to_string())?;
    Ok(names(&value.ok_or("it does not say what it depends on")?))
}

/// The names in a value of `depends`, which is empty for a module that needs no other.
fn names(value: &str) -> Vec<String> {
    value.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_kernel() {
        let name = |path: &str| module_name(Path::new(path));
        assert_eq!(name("kernel/drivers/misc/pvpanic/pvpanic-pci.ko").unwrap(), "pvpanic_pci");
        assert_eq!(name("virtio_blk.ko.xz").unwrap(), "virtio_blk");
        assert_eq!(name("modules.order"), None);
        assert_eq!(name("virtio.ko.debug"), None);
    }

    #[test]
    fn a_module_may_need_several_or_none() {
        assert_eq!(names("virtio_ring,virtio"), ["virtio_ring", "virtio"]);
        assert!(names("").is_empty());
    }

    #[test]
    fn a_module_comes_after_all_it_needs_and_once() {
        let needs = BTreeMap::from([
            ("blk", vec!["virtio", "ring"]),
            ("pci", vec!["virtio", "modern"]),
            ("virtio", vec!["ring"]),
            ("modern", vec!["core"]),
            ("ring", vec![]),
        ]);
        let mut load = |name: &str| {
            let names = needs.get(name);
            Ok(names.map(|names| (vec![], names.iter().map(|name| (*name).to_owned()).collect())))
        };
        let mut order = Order::default();
        order.add("blk", &mut load).unwrap();
        order.add("pci", &mut load).unwrap();
        let names: Vec<&str> = order.done.iter().map(|driver| driver.name.as_str()).collect();
        assert_eq!(names, ["ring", "virtio", "blk", "modern", "pci"], "core is built in");
    }

    #[test]
    fn a_driver_that_is_missing_is_named_unless_it_is_built_in() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("kernel")).unwrap();
        fs::write(folder.path().join("modules.builtin"), "kernel/drivers/virtio/virtio.ko\n")
            .unwrap();
        let drivers = Drivers::of(folder.path()).unwrap();
        assert_eq!(drivers.ordered(&["virtio"], &["pvpanic"]).unwrap(), []);
        let message = drivers.ordered(&["virtio_blk"], &[]).unwrap_err().to_string();
        assert!(message.contains("virtio_blk"), "{message}");
    }

    #[test]
    fn what_is_no_module_is_said_to_be_none() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("kernel")).unwrap();
        fs::write(folder.path().join("kernel/virtio.ko"), "text").unwrap();
        let drivers = Drivers::of(folder.path()).unwrap();
        let message = drivers.ordered(&["virtio"], &[]).unwrap_err().to_string();
        assert!(message.contains("virtio.ko"), "{message}");
    }
}
