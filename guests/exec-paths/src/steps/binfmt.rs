// SPDX-License-Identifier: MIT OR Apache-2.0
//! Files with an interpreter that is registered (Documentation/admin-guide/binfmt-misc.rst).

use std::fs;
use std::path::Path;

use rustix::io::Errno;
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};

use crate::child::attempt;
use crate::elf::Code;
use crate::exec::{Exec, text};
use crate::place::Place;
use crate::trouble::{Step, Trouble};

/// The module, and its file system.
const NAME: &str = "binfmt_misc";

pub(super) fn plain(place: &Place<'_>) -> Step {
    with_flags(place, "")
}

pub(super) fn open(place: &Place<'_>) -> Step {
    with_flags(place, "O")
}

fn with_flags(place: &Place<'_>, flags: &str) -> Step {
    // Registered while this step runs, for files that begin so; others may do the same meanwhile.
    let entry = format!("exec-paths-{}", std::process::id());
    let interpreter = place.program("interpreter", Code::Arguments)?;
    let file = place.file("file", entry.as_bytes(), 0o755)?;
    let mounted = Mounted::new(place)?;
    // The fields are divided by the first character, which none of them has.
    let line = format!("|{entry}|M||{entry}||{}|{flags}", interpreter.display());
    mounted.write("register", &line)?;
    let end = attempt(&Exec::of(&text(file)));
    mounted.write(&entry, "-1")?;
    end?.told(2)
}

/// The file system by which interpreters are registered.
struct Mounted(std::path::PathBuf);

impl Mounted {
    fn new(place: &Place<'_>) -> Result<Self, Trouble> {
        let folder = place.inner("handlers")?;
        let on = |folder: &Path| mount(NAME, folder, NAME, MountFlags::empty(), None);
        let mounted = match on(&folder) {
            Err(Errno::NODEV) => {
                place.load(NAME);
                on(&folder)
            }
            mounted => mounted,
        };
        mounted.map_err(|error| Trouble::refused("mount of binfmt_misc", error))?;
        Ok(Self(folder))
    }

    fn write(&self, file: &str, text: &str) -> Result<(), Trouble> {
        fs::write(self.0.join(file), text).map_err(|error| {
            Trouble::refused(
                "registration with binfmt_misc",
                Errno::from_io_error(&error).unwrap_or(Errno::IO),
            )
        })
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // Where it stays, it goes with this process's mounts.
        let _ = unmount(&self.0, UnmountFlags::DETACH);
    }
}
