// SPDX-License-Identifier: MIT OR Apache-2.0
//! Writes the disk: all modules of a kernel, unpacked, and what each says of itself.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, BufWriter, Seek as _, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::thread;

use protocol::{BLOCK, ModuleEntry, ModuleIndex, ModulePlace, disk_head, in_blocks, kernel_name};

use super::ModuleDiskError;
use crate::case::modinfo::{self, Modinfo};
use crate::map::Map;
use crate::symbols::open;

/// Deepest folder below `kernel/`.
const MAX_DEPTH: usize = 16;
/// The largest module once unpacked.
const MAX_BYTES: usize = 64 << 20;
/// Modules that are unpacked before they are written: their content is held in memory.
const BATCH: usize = 64;

/// Names of devices on buses, by which udev(7) finds drivers. Guests have none, and the kernel
/// does not ask for such names itself; they are nine tenths of all.
const OF_DEVICES: [&str; 12] = [
    "pci:",
    "usb:",
    "of:",
    "acpi",
    "hid:",
    "cpu:",
    "hdaudio:",
    "pcmcia:",
    "dmi",
    "ieee1394:",
    "pnp:",
    "virtio:",
];

/// Writes the modules below `modules`, a folder `…/lib/modules/<release>`.
pub(super) fn write(
    modules: &Path,
    path: &Path,
    go_on: &mut dyn FnMut() -> bool,
) -> Result<(), ModuleDiskError> {
    let failed = |source| ModuleDiskError::Write { path: path.to_owned(), source };
    let mut files = BTreeMap::new();
    collect(&modules.join("kernel"), 0, &mut files)?;
    // A kernel without the list has nothing built in that is asked for.
    let list = fs::read_to_string(modules.join("modules.builtin")).unwrap_or_default();
    let built_in = list.lines().filter_map(|line| module_name(Path::new(line))).collect();
    let mut index = ModuleIndex { built_in, ..ModuleIndex::default() };
    let mut content = tempfile::tempfile_in(path.parent().unwrap_or(path)).map_err(failed)?;
    let mut end = 0;
    let files: Vec<(String, PathBuf)> = files.into_iter().collect();
    for batch in files.chunks(BATCH) {
        if !go_on() {
            return Err(ModuleDiskError::Cancelled);
        }
        for (name, (module, said)) in batch.iter().map(|(name, _)| name).zip(read_all(batch)?) {
            let place = ModulePlace::Disk(end, module.len() as u64);
            end += in_blocks(module.len() as u64);
            content.write_all(&module).map_err(failed)?;
            content.seek(SeekFrom::Start(end)).map_err(failed)?;
            add(&mut index, name, place, &said);
        }
    }
    whole(&mut index, &mut content, end, path).map_err(failed)
}

/// Puts head and index before the modules.
fn whole(index: &mut ModuleIndex, content: &mut File, end: u64, path: &Path) -> io::Result<()> {
    // The index tells where the modules are, which is behind it: numbers of another length may
    // make it longer.
    let mut start = 0;
    loop {
        let text = serde_json::to_vec(index)?;
        let behind = BLOCK + in_blocks(text.len() as u64);
        if behind == start {
            let mut file = BufWriter::new(File::create_new(path)?);
            file.write_all(&disk_head(text.len() as u64))?;
            file.write_all(&text)?;
            file.seek(SeekFrom::Start(start))?;
            content.seek(SeekFrom::Start(0))?;
            io::copy(content, &mut file)?;
            file.flush()?;
            return file.get_ref().set_len(start + end);
        }
        for entry in index.modules.values_mut() {
            if let ModulePlace::Disk(from, _) = &mut entry.place {
                *from = *from - start + behind;
            }
        }
        start = behind;
    }
}

fn add(index: &mut ModuleIndex, name: &str, place: ModulePlace, said: &Modinfo) {
    let aliases = said
        .all("alias")
        .filter(|alias| !OF_DEVICES.iter().any(|device| alias.starts_with(device)));
    index.aliases.extend(aliases.map(|alias| (alias.to_owned(), name.to_owned())));
    let (depends, wishes) = (said.depends(), said.wishes());
    let parameters = String::new();
    index.modules.insert(name.to_owned(), ModuleEntry { place, depends, wishes, parameters });
}

/// The modules in some files and what they say, in the order of the files.
fn read_all(files: &[(String, PathBuf)]) -> Result<Vec<(Map, Modinfo)>, ModuleDiskError> {
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let part = files.len().div_ceil(workers).max(1);
    thread::scope(|scope| {
        let start = |files: &'_ [(String, PathBuf)]| -> Result<Vec<_>, ModuleDiskError> {
            files.iter().map(|(_, path)| read(path)).collect()
        };
        let threads: Vec<_> =
            files.chunks(part).map(|files| scope.spawn(move || start(files))).collect();
        let mut all = Vec::new();
        for thread in threads {
            let done = thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            all.extend(done?);
        }
        Ok(all)
    })
}

fn read(path: &Path) -> Result<(Map, Modinfo), ModuleDiskError> {
    let no_module = |why: String| ModuleDiskError::NoModule { path: path.to_owned(), why };
    let module =
        open(path).map_err(|source| ModuleDiskError::Read { path: path.to_owned(), source })?;
    if module.len() > MAX_BYTES {
        return Err(no_module(format!("it has {} bytes", module.len())));
    }
    let said = modinfo::read(&module).map_err(|error| no_module(error.to_string()))?;
    if said.first("depends").is_none() {
        return Err(no_module("it does not say what it depends on".into()));
    }
    Ok((module, said))
}

fn collect(
    folder: &Path,
    depth: usize,
    files: &mut BTreeMap<String, PathBuf>,
) -> Result<(), ModuleDiskError> {
    let read = |source| ModuleDiskError::Read { path: folder.to_owned(), source };
    let mut entries = BTreeSet::new();
    for entry in fs::read_dir(folder).map_err(read)? {
        let entry = entry.map_err(read)?;
        let kind = entry.file_type().map_err(read)?;
        entries.insert((entry.path(), kind.is_dir(), kind.is_file()));
    }
    for (path, is_folder, is_file) in entries {
        if is_folder && depth < MAX_DEPTH {
            collect(&path, depth + 1, files)?;
        } else if is_file && let Some(name) = module_name(&path) {
            files.insert(name, path);
        }
    }
    Ok(())
}

/// The name the kernel gives to the module in a file: `pvpanic-pci.ko.xz` is `pvpanic_pci`.
pub(super) fn module_name(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    let (stem, compression) = name.split_once(".ko")?;
    matches!(compression, "" | ".xz" | ".gz" | ".zst").then(|| kernel_name(stem))
}
