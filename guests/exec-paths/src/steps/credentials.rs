// SPDX-License-Identifier: MIT OR Apache-2.0
//! Programs that become somebody else, or bring rights along.

use std::io::{self, Read, Write};
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, StatVfsMountFlags, XattrFlags, chmod, setxattr, statvfs};
use rustix::io::Errno;
use rustix::process::{Gid, Resource, Rlimit, Uid, geteuid, setrlimit};
use rustix::thread::{
    CapabilitySet, remove_capability_from_bounding_set, set_no_new_privs, set_thread_groups,
    set_thread_res_gid, set_thread_res_uid,
};

use crate::child::{Child, Needs, Refused, Teller, attempt, attempt_after};
use crate::elf::{Code, OTHER};
use crate::exec::{Exec, text};
use crate::place::Place;
use crate::trouble::{Step, Trouble};

/// Users who own nothing: of file capabilities, and of too many processes.
const NOBODY: u32 = 65_534;
const CROWD: u32 = 65_533;

/// `struct vfs_cap_data` of revision 2 with the effective bit (include/uapi/linux/capability.h):
/// `CAP_SETUID` is permitted.
const CAPABILITY: [u32; 5] = [0x0200_0001, 1 << 7, 0, 0, 0];

pub(super) fn user(place: &Place<'_>) -> Step {
    attempt(&Exec::of(&text(becoming(place, Code::User, 0o4755)?)))?.told(as_status(OTHER))
}

pub(super) fn group(place: &Place<'_>) -> Step {
    attempt(&Exec::of(&text(becoming(place, Code::Group, 0o2755)?)))?.told(as_status(OTHER))
}

pub(super) fn user_kept(place: &Place<'_>) -> Step {
    let path = text(becoming(place, Code::User, 0o4755)?);
    let before = || set_no_new_privs(true).needs("no_new_privs");
    attempt_after(&Exec::of(&path), before)?.told(as_status(geteuid().as_raw()))
}

pub(super) fn capability(place: &Place<'_>) -> Step {
    let path = text(capable(place)?);
    attempt_after(&Exec::of(&path), || become_user(NOBODY))?.told(as_status(OTHER))
}

pub(super) fn capability_bounded(place: &Place<'_>) -> Step {
    let path = text(capable(place)?);
    let before = || {
        remove_capability_from_bounding_set(CapabilitySet::SETUID).needs("capabilities")?;
        become_user(NOBODY)
    };
    attempt_after(&Exec::of(&path), before)?.refused(Errno::PERM)
}

/// A user with two processes, of which one may have none: `setuid` lets that be, the exec does not.
pub(super) fn too_many_processes(place: &Place<'_>) -> Step {
    let path = text(place.program("program", Code::Arguments)?);
    let exec = Exec::of(&path);
    let (mut wait, mut go_on) = io::pipe()?;
    let (mut up, is_up) = io::pipe()?;
    let work = |_: &Teller| {
        become_user(CROWD)?;
        // The other end is this process's parent, which sees how it ends.
        let _ = (&is_up).write_all(&[1]);
        let _ = wait.read(&mut [0]);
        Ok(Errno::CANCELED)
    };
    let other = Child::start(0, Box::new(work))?;
    drop(is_up);
    let end = match up.read(&mut [0])? {
        0 => None,
        _ => Some(attempt_after(&exec, || {
            let none = Rlimit { current: Some(0), maximum: Some(0) };
            setrlimit(Resource::Nproc, none).needs("setrlimit")?;
            become_user(CROWD)
        })),
    };
    go_on.write_all(&[1])?;
    let ended = other.end();
    match end {
        Some(end) => end?.refused(Errno::AGAIN),
        None => ended.map(drop),
    }
}

/// A program of another user and group with this mode.
fn becoming(place: &Place<'_>, code: Code, mode: u32) -> Result<PathBuf, Trouble> {
    let path = place.program("program", code)?;
    let refused = |error: io::Error| {
        Trouble::refused("chown", Errno::from_io_error(&error).unwrap_or(Errno::IO))
    };
    chown(&path, Some(OTHER), Some(OTHER)).map_err(refused)?;
    // A change of the owner takes these bits away.
    chmod(&path, Mode::from_raw_mode(mode))?;
    gains_rights(&path)?;
    Ok(path)
}

/// A program that brings a capability.
fn capable(place: &Place<'_>) -> Result<PathBuf, Trouble> {
    let path = place.program("program", Code::BecomeOther)?;
    let value: Vec<u8> = CAPABILITY.iter().flat_map(|word| word.to_le_bytes()).collect();
    setxattr(&path, "security.capability", &value, XattrFlags::empty())
        .map_err(|error| Trouble::refused("capabilities of files", error))?;
    gains_rights(&path)?;
    Ok(path)
}

fn gains_rights(path: &Path) -> Result<(), Trouble> {
    if statvfs(path)?.f_flag.contains(StatVfsMountFlags::NOSUID) {
        return Err(Trouble::Skipped("the file system is mounted nosuid".to_owned()));
    }
    Ok(())
}

fn become_user(number: u32) -> Result<(), Refused> {
    let (user, group) = (Some(Uid::from_raw(number)), Some(Gid::from_raw(number)));
    set_thread_groups(&[]).needs("setgroups")?;
    set_thread_res_gid(group, group, group).needs("setgid")?;
    set_thread_res_uid(user, user, user).needs("setuid")
}

/// The number that a program can tell of a user.
fn as_status(user: u32) -> i32 {
    i32::try_from(user & 0xff).unwrap_or_default()
}
