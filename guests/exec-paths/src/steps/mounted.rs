// SPDX-License-Identifier: MIT OR Apache-2.0
//! Programs on file systems that are mounted for them.

use std::ffi::CString;
use std::fs::{self, OpenOptions, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustix::io::Errno;
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};

use crate::child::{End, attempt};
use crate::elf::{self, Code};
use crate::exec::{Exec, text};
use crate::place::Place;
use crate::trouble::{Step, Trouble};

pub(super) fn tmpfs(place: &Place<'_>) -> Step {
    run(&on_tmpfs(place, MountFlags::empty())?.program("program")?)?.told(1)
}

pub(super) fn tmpfs_noexec(place: &Place<'_>) -> Step {
    run(&on_tmpfs(place, MountFlags::NOEXEC)?.program("program")?)?.refused(Errno::ACCESS)
}

pub(super) fn overlay_lower(place: &Place<'_>) -> Step {
    let overlay = Overlay::new(place)?;
    run(&overlay.merged.0.join("program"))?.told(1)
}

pub(super) fn overlay_upper(place: &Place<'_>) -> Step {
    let overlay = Overlay::new(place)?;
    let program = overlay.merged.0.join("program");
    // Opened for writing, it is copied up.
    drop(OpenOptions::new().append(true).open(&program)?);
    run(&program)?.told(1)
}

fn run(path: &Path) -> Result<End, Trouble> {
    attempt(&Exec::of(&text(path)))
}

/// A folder that something is mounted on.
struct Mounted(PathBuf);

impl Mounted {
    fn program(&self, name: &str) -> Result<PathBuf, Trouble> {
        let path = self.0.join(name);
        fs::write(&path, elf::program(Code::Arguments))?;
        fs::set_permissions(&path, Permissions::from_mode(0o755))?;
        Ok(path)
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // Where it stays, it goes with this process's mounts.
        let _ = unmount(&self.0, UnmountFlags::DETACH);
    }
}

fn on_tmpfs(place: &Place<'_>, flags: MountFlags) -> Result<Mounted, Trouble> {
    let folder = place.inner("tmpfs")?;
    mount("tmpfs", &folder, "tmpfs", flags, None)
        .map_err(|error| Trouble::refused("mount of tmpfs", error))?;
    Ok(Mounted(folder))
}

/// An overlay whose folders are on a tmpfs: on another overlay it could not be.
struct Overlay {
    // In this order they are unmounted.
    merged: Mounted,
    _below: Mounted,
}

impl Overlay {
    fn new(place: &Place<'_>) -> Result<Self, Trouble> {
        let below = on_tmpfs(place, MountFlags::empty())?;
        let [lower, upper, work] = ["lower", "upper", "work"].map(|name| below.0.join(name));
        for folder in [&lower, &upper, &work] {
            fs::create_dir(folder)?;
        }
        let program = below.program("program")?;
        fs::rename(program, lower.join("program"))?;
        let folder = place.inner("overlay")?;
        let paths = [lower, upper, work].map(|path| path.display().to_string());
        let [lower, upper, work] = paths;
        let options = text(format!("lowerdir={lower},upperdir={upper},workdir={work}"));
        let mounted = match overlay(&folder, &options) {
            Err(Errno::NODEV) => {
                place.load("overlay");
                overlay(&folder, &options)
            }
            mounted => mounted,
        };
        mounted.map_err(|error| Trouble::refused("mount of an overlay", error))?;
        Ok(Self { merged: Mounted(folder), _below: below })
    }
}

fn overlay(folder: &Path, options: &CString) -> Result<(), Errno> {
    mount("overlay", folder, "overlay", MountFlags::empty(), Some(options.as_c_str()))
}
