// SPDX-License-Identifier: MIT OR Apache-2.0
//! Paths of files: names of directory entries up to the root of their file system, then on from
//! the place that this is mounted at (`prepend_path` of `fs/d_path.c`).

use super::mounts::MountPoint;
use crate::{Kernel, Unavailable, VirtualMemory as _};

/// Names of one path at most: `PATH_MAX` is 4096.
const MAX_NAMES: usize = 2048;
/// Longest name (`NAME_MAX`) that is read.
const MAX_NAME: usize = 256;

impl Kernel<'_> {
    /// Path of the open file whose `struct file` is at `file`.
    ///
    /// # Errors
    /// If its layout is unknown, or a name on the way cannot be read.
    pub fn file_path(&self, file: u64) -> Result<String, Unavailable> {
        let file = self.object("file", file);
        self.path(file.number("f_path.mnt")?, file.number("f_path.dentry")?)
    }

    /// Path of the directory entry `dentry` in the file system that is mounted as `mount` (a
    /// `struct vfsmount`), as a process without a root of its own sees it.
    ///
    /// # Errors
    /// If a name on the way cannot be read, or the way has no end.
    pub fn path(&self, mount: u64, dentry: u64) -> Result<String, Unavailable> {
        let mut names = Vec::new();
        let mut dentry = dentry;
        let mut mount = self.mount_point(mount)?;
        while names.len() < MAX_NAMES {
            if dentry == mount.root {
                let MountPoint { parent: Some(parent), at, .. } = mount else { break };
                dentry = at;
                mount = self.mount_by_address(parent)?;
                continue;
            }
            let entry = self.object("dentry", dentry);
            let parent = entry.number("d_parent")?;
            // The root of a file system that is not mounted: of pipes, sockets and the like.
            if parent == dentry {
                break;
            }
            names.push(self.dentry_name(dentry)?);
            dentry = parent;
        }
        if names.len() >= MAX_NAMES {
            return Err(Unavailable::Damaged("a path that does not end".to_owned()));
        }
        names.reverse();
        Ok(format!("/{}", names.join("/")))
    }

    /// Name of a directory entry.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn dentry_name(&self, dentry: u64) -> Result<String, Unavailable> {
        let name = self.object("dentry", dentry).number("d_name.name")?;
        let what = |source| Unavailable::memory("the name of a directory entry", source);
        self.read_string(name, MAX_NAME).map_err(what)
    }
}
