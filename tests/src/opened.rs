// SPDX-License-Identifier: MIT OR Apache-2.0
//! Dumps that `repro` wrote, and what others make of them, in others' hands: each is opened by
//! every tool that knows its form, and tells of the same crash.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};

use crate::formats::{flattened, makedumpfile};
use crate::live::Live;
use crate::peers::{crash, drgn, setup};
use crate::project;

/// The crash that every tool has to tell of.
struct Told<'l> {
    live: &'l Live,
    message: &'l str,
    pid: i32,
}

/// Opens the dump of a run as it is, flattened and split.
///
/// # Errors
/// A tool does not open it or tells of something else; [`Unavailable`](crate::trial::Unavailable)
/// if a tool cannot be had.
pub fn check(live: &Live) -> Result<()> {
    let (told, vmcore) = (Told::of(live)?, live.dump.vmcore.as_path());
    told.by_makedumpfile(vmcore)?;
    told.by_drgn(vmcore)?;
    told.by_crash(&[vmcore])?;
    let folder = tempfile::tempdir_in(project::target())?;
    let flat = folder.path().join("flat");
    flattened(vmcore, &flat)?;
    told.by_drgn(&flat).context("flattened")?;
    told.by_crash(&[&flat]).context("flattened")?;
    let parts: Vec<PathBuf> = (1..4).map(|part| folder.path().join(format!("{part}"))).collect();
    let parts: Vec<&Path> = parts.iter().map(PathBuf::as_path).collect();
    makedumpfile(&["--split", "-c", "-d", "1"], vmcore, &parts)?;
    told.by_crash(&parts).context("split")
}

impl<'l> Told<'l> {
    fn of(live: &'l Live) -> Result<Self> {
        let report = live.report()?;
        let message = report.panic.message.as_deref().context("the kernel said nothing")?;
        let pid = report.task.as_ref().and_then(|task| task.pid).context("no task crashed")?;
        Ok(Self { live, message, pid })
    }

    /// It reads the log out of the memory.
    fn by_makedumpfile(&self, vmcore: &Path) -> Result<()> {
        setup::program("makedumpfile", "makedumpfile")?;
        let folder = tempfile::tempdir()?;
        let log = folder.path().join("log");
        makedumpfile(&["--dump-dmesg"], vmcore, &[&log])?;
        self.is_in("makedumpfile --dump-dmesg", &String::from_utf8_lossy(&fs::read(log)?))
    }

    fn by_drgn(&self, vmcore: &Path) -> Result<()> {
        let told = drgn::ask(vmcore, &[&self.live.dump.vmlinux])?;
        ensure!(told.pid == self.pid, "drgn: pid {}, not {}", told.pid, self.pid);
        Ok(())
    }

    /// It reads pages all over the memory before it takes a command, of zeros as well.
    fn by_crash(&self, vmcores: &[&Path]) -> Result<()> {
        let commands = ["log", "set", "kmem -i"].map(ToOwned::to_owned);
        let said = crash::run(vmcores, &self.live.dump.vmlinux, &commands)?;
        let [log, set, memory] = said.as_slice() else {
            bail!("crash answered {} commands", said.len())
        };
        self.is_in("crash: log", log)?;
        let pid = format!("PID: {}", self.pid);
        ensure!(set.lines().any(|line| line.trim() == pid), "crash: not {pid}:\n{set}");
        ensure!(memory.contains("TOTAL MEM"), "crash: kmem -i:\n{memory}");
        Ok(())
    }

    fn is_in(&self, who: &str, log: &str) -> Result<()> {
        let message = self.message;
        ensure!(log.contains(message), "{who} does not have {message}:\n{log}");
        Ok(())
    }
}
