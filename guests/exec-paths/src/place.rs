// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where a step works: a folder of its own, and what it may ask for.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::io::Errno;
use rustix::system::finit_module;

use crate::elf::{self, Code};

/// A step's folder, removed when it ends.
#[derive(Debug)]
pub(crate) struct Place<'a> {
    folder: PathBuf,
    /// Folder with a folder for each module of the kernel that a step may need: the module's file
    /// and those of what it depends on, named in the order of loading.
    modules: Option<&'a Path>,
    /// The module that may be unloaded.
    pub(crate) module: Option<&'a str>,
}

impl<'a> Place<'a> {
    /// A new folder.
    pub(crate) fn new(
        folder: PathBuf,
        modules: Option<&'a Path>,
        module: Option<&'a str>,
    ) -> io::Result<Self> {
        new_folder(&folder)?;
        Ok(Self { folder, modules, module })
    }

    /// The folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// A path in it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// A new file with these bytes and this mode.
    pub(crate) fn file(&self, name: &str, bytes: &[u8], mode: u32) -> io::Result<PathBuf> {
        let path = self.path(name);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        file.write_all(bytes)?;
        file.set_permissions(Permissions::from_mode(mode))?;
        Ok(path)
    }

    /// A program.
    pub(crate) fn program(&self, name: &str, code: Code) -> io::Result<PathBuf> {
        self.file(name, &elf::program(code), 0o755)
    }

    /// A script with this interpreter, and what comes after it in the line.
    pub(crate) fn script(&self, name: &str, interpreter: &Path, rest: &str) -> io::Result<PathBuf> {
        let text = format!("#!{}{rest}\n", interpreter.display());
        self.file(name, text.as_bytes(), 0o755)
    }

    /// A new folder in it.
    pub(crate) fn inner(&self, name: &str) -> io::Result<PathBuf> {
        let path = self.path(name);
        new_folder(&path).map(|()| path)
    }

    /// Loads a module of the kernel, if it came with one. What is wrong with that shows when the
    /// module is used.
    pub(crate) fn load(&self, name: &str) {
        let Some(folder) = self.modules.map(|folder| folder.join(name)) else { return };
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
        files.sort();
        for file in files {
            let loaded = File::open(file).map(|file| finit_module(&file, c"", 0));
            if !matches!(loaded, Ok(Ok(()) | Err(Errno::EXIST))) {
                break;
            }
        }
    }
}

/// Makes a folder in which other users may execute things, whatever the umask is.
pub(crate) fn new_folder(path: &Path) -> io::Result<()> {
    fs::create_dir(path)?;
    fs::set_permissions(path, Permissions::from_mode(0o755))
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        // It is below a folder of temporary files, which somebody else clears otherwise.
        let _ = fs::remove_dir_all(&self.folder);
    }
}
