// SPDX-License-Identifier: MIT OR Apache-2.0
//! What an address of user space is to a process.

use vmcore::PhysAddr;

use kernel::mm::vma::Vma;
use kernel::tasks::Task;
use kernel::{Kernel, Unavailable};

/// An address in a process's memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserPlace {
    /// The process's thread that was asked for.
    pub pid: i32,
    /// Its name.
    pub comm: String,
    /// The mapping; none if the process has none there.
    pub vma: Option<Vma>,
    /// Path of the file that is mapped.
    pub path: Option<String>,
    /// Where it lies in memory; none if it is not in memory now.
    pub physical: Option<PhysAddr>,
}

/// What `address` is to `task`; nothing to a kernel thread.
pub(super) fn place(
    kernel: &Kernel<'_>,
    address: u64,
    task: Option<&Task>,
) -> Result<Option<UserPlace>, Unavailable> {
    let Some(task) = task.filter(|task| task.mm != 0) else { return Ok(None) };
    let root = kernel.user_tables(task)?;
    let vma = kernel.vma_at(task.mm, address)?;
    let file = vma.as_ref().map(|vma| vma.file).filter(|file| *file != 0);
    Ok(Some(UserPlace {
        pid: task.pid,
        comm: task.comm.clone(),
        vma,
        path: file.and_then(|file| kernel.file_path(file).ok()),
        physical: kernel.space().mapping_at(root, address).ok().map(|mapping| mapping.physical),
    }))
}
