// SPDX-License-Identifier: MIT OR Apache-2.0
//! Files that a process has open (`struct files_struct`, `include/linux/fdtable.h`).

use crate::tasks::Task;
use crate::{Kernel, Listing, Unavailable, VirtualMemory as _};

/// Descriptors that are looked at, at most (`fs.nr_open` is a million unless raised).
const MAX_DESCRIPTORS: u64 = 16 << 20;

/// An open file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenFile {
    /// Number of the descriptor.
    pub descriptor: u64,
    /// Address of its `struct file`.
    pub file: u64,
    /// Address of its `struct dentry`.
    pub dentry: u64,
    /// Address of its `struct inode`.
    pub inode: u64,
    /// Kind and rights (`i_mode`).
    pub mode: u16,
    /// Path; for pipes, sockets and the like a name of their own making.
    pub path: String,
}

/// Root and working directory of a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directories {
    /// What `/` is to it.
    pub root: String,
    /// Where it is.
    pub current: String,
}

impl OpenFile {
    /// Four letters for its kind, as crash(8) prints them.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        // S_IFMT of include/uapi/linux/stat.h.
        match self.mode >> 12 {
            0o14 => "SOCK",
            0o12 => "LNK",
            0o10 => "REG",
            0o6 => "BLK",
            0o4 => "DIR",
            0o2 => "CHR",
            0o1 => "FIFO",
            _ => "UNKN",
        }
    }
}

impl Kernel<'_> {
    /// Files that a task has open, by descriptor.
    ///
    /// # Errors
    /// If it has no table of files any more, or the layout is unknown. Damage further on is in the
    /// listing.
    pub fn open_files(&self, task: &Task) -> Result<Listing<OpenFile>, Unavailable> {
        let files = self.object("task_struct", task.address).number("files")?;
        if files == 0 {
            let words = format!("{} (pid {}) has no files", task.comm, task.pid);
            return Err(Unavailable::Damaged(words));
        }
        let table = self.object("fdtable", self.object("files_struct", files).number("fdt")?);
        let count = table.number("max_fds")?.min(MAX_DESCRIPTORS);
        let array = table.number("fd")?;
        let mut found = Listing::default();
        for descriptor in 0..count {
            let what = |source| Unavailable::memory("a table of files", source);
            match self.read_u64(array.wrapping_add(descriptor * 8)).map_err(what) {
                Ok(0) => {}
                Ok(file) => match self.open_file(descriptor, file) {
                    Ok(file) => found.items.push(file),
                    Err(why) => found.damage.push(why),
                },
                Err(why) => {
                    found.damage.push(why);
                    break;
                }
            }
        }
        Ok(found)
    }

    fn open_file(&self, descriptor: u64, at: u64) -> Result<OpenFile, Unavailable> {
        let file = self.object("file", at);
        let dentry = file.number("f_path.dentry")?;
        let inode = self.object("dentry", dentry).number("d_inode")?;
        let mode = self.object("inode", inode).number("i_mode")?;
        Ok(OpenFile {
            descriptor,
            file: at,
            dentry,
            inode,
            mode: u16::try_from(mode & 0xffff).unwrap_or(0),
            path: self.file_path(at)?,
        })
    }

    /// Root and working directory of a task.
    ///
    /// # Errors
    /// If it has none any more, or they cannot be read.
    pub fn directories(&self, task: &Task) -> Result<Directories, Unavailable> {
        let fs = self.object("task_struct", task.address).number("fs")?;
        if fs == 0 {
            let words = format!("{} (pid {}) has no directory", task.comm, task.pid);
            return Err(Unavailable::Damaged(words));
        }
        let fs = self.object("fs_struct", fs);
        let path = |mount: &str, dentry: &str| self.path(fs.number(mount)?, fs.number(dentry)?);
        Ok(Directories {
            root: path("root.mnt", "root.dentry")?,
            current: path("pwd.mnt", "pwd.dentry")?,
        })
    }
}
