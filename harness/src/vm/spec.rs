// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a machine is made of.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd as _;
use std::path::{Path, PathBuf};

use crate::events::Accel;

/// One machine to start.
#[derive(Debug)]
pub struct Spec<'a> {
    /// What runs its CPUs.
    pub accel: Accel,
    /// Number of CPUs.
    pub cpus: u32,
    /// RAM in bytes.
    pub memory_bytes: u64,
    /// The kernel (bzImage).
    pub kernel: PathBuf,
    /// The initramfs.
    pub initrd: &'a File,
    /// The kernel's command line.
    pub command_line: String,
    /// Where dumps go.
    pub disks: &'a Disks,
    /// A disk to read only: the modules of the guest's kernel.
    pub modules: Option<&'a File>,
    /// Its RAM, where the host reads it by itself.
    pub ram: Option<SharedRam<'a>>,
}

/// RAM in a file that the host holds too. Such a guest gets no disks for a capture kernel, and a
/// port by which its crash stub stops it.
#[derive(Debug, Clone, Copy)]
pub struct SharedRam<'a> {
    /// The RAM, in a file that is as long as it.
    pub file: &'a File,
    /// A disk with the case's files, for a guest that is started from a snapshot and for the one
    /// that the snapshot is made of.
    pub case: Option<&'a File>,
    /// Whether it waits for its state instead of booting.
    pub incoming: bool,
}

/// Bytes of the disk with a case's files: the same for all cases, since the guest of a snapshot knows
/// its disk's size.
pub const CASE_BYTES: u64 = 256 << 20;

/// Files without a name that the guest and QEMU write to: whatever ends this process, nothing of
/// them stays behind.
#[derive(Debug)]
pub struct Disks {
    /// Raw disk for the capture kernel's vmcore.
    pub vmcore: File,
    /// Raw disk for the kernel log of the dump.
    pub dmesg: File,
    /// Target of QEMU's own memory dump; no disk of the guest.
    pub dump: File,
    /// The same file, only for writing: the way QEMU opens the target of a dump must be the way
    /// the descriptor it is given was opened.
    pub(crate) dump_writer: File,
}

/// Room for the text of a kernel log; the largest `log_buf_len` in use is 16 MiB.
const DMESG_BYTES: u64 = 32 << 20;

/// Room beside the pages for headers, bitmaps and page descriptors.
const VMCORE_EXTRA_BYTES: u64 = 64 << 20;

impl Disks {
    /// Makes the files in `folder`, where a dump that is kept can be given a name later.
    ///
    /// # Errors
    /// The folder is not writable.
    pub fn create(folder: &Path) -> io::Result<Self> {
        let file = || tempfile::tempfile_in(folder);
        let dump = file()?;
        let path = format!("/proc/self/fd/{}", dump.as_raw_fd());
        let dump_writer = File::options().write(true).open(path)?;
        Ok(Self { vmcore: file()?, dmesg: file()?, dump, dump_writer })
    }

    /// Empties them and sets their sizes for a guest with so much RAM; no room is taken before
    /// something is written.
    ///
    /// # Errors
    /// The file system does not allow such a size.
    pub fn reset(&self, memory_bytes: u64) -> io::Result<()> {
        for (file, bytes) in [
            (&self.vmcore, memory_bytes.saturating_add(VMCORE_EXTRA_BYTES)),
            (&self.dmesg, DMESG_BYTES),
            (&self.dump, 0),
        ] {
            file.set_len(0)?;
            file.set_len(bytes)?;
        }
        Ok(())
    }
}
