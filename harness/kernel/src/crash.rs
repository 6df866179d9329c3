// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which CPU brought the kernel down, and with which task.
//!
//! The kernel notes the CPU in `crashing_cpu` (`arch/x86/kernel/reboot.c`) when it stops the
//! others and in `panic_cpu` (4.5 and later). What the log says is checked against it, and used
//! where memory does not tell.

use super::memory::VirtualMemory;
use super::oops::Oops;
use super::tasks::Task;
use super::{Kernel, Unavailable};

/// Who crashed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Crash {
    /// The CPU that crashed.
    pub cpu: Option<u32>,
    /// The task that ran there.
    pub task: Option<Task>,
    /// What the kernel's log says, if it says anything.
    pub oops: Option<Oops>,
    /// Where the sources disagree or fail, in words.
    pub doubts: Vec<String>,
}

impl Kernel<'_> {
    /// Who crashed: from memory where there is debug information, else from the log.
    #[must_use]
    pub fn crash(&self) -> &Crash {
        self.crash.get_or_init(|| self.find_crash())
    }

    fn find_crash(&self) -> Crash {
        let mut crash = Crash::default();
        match self.log() {
            Ok(log) => crash.oops = Oops::last(&log.items),
            Err(why) => crash.doubts.push(format!("no kernel log: {why}")),
        }
        let said = crash.oops.as_ref().and_then(|oops| oops.cpu);
        let noted = self.noted_cpu();
        crash.cpu = noted.or(said);
        if let (Some(noted), Some(said)) = (noted, said)
            && noted != said
        {
            crash.doubts.push(format!(
                "the kernel noted CPU {noted} as the one that crashed, its log says CPU {said}"
            ));
        }
        let Some(cpu) = crash.cpu else {
            crash.doubts.push("nothing says which CPU crashed".to_owned());
            return crash;
        };
        match self.current_task(cpu) {
            Ok(task) => {
                crash.doubts.extend(crash.oops.as_ref().and_then(|oops| disagreement(oops, &task)));
                crash.task = Some(task);
            }
            Err(why) => crash.doubts.push(format!("no current task of CPU {cpu}: {why}")),
        }
        crash
    }

    /// Whether the kernel had not crashed when the dump was taken: it notes no CPU that did, and its log has
    /// no panic. `false` where its variables cannot be read.
    #[must_use]
    pub fn is_running(&self) -> bool {
        const NOBODY: u32 = u32::MAX;
        let noted: Vec<u32> = ["crashing_cpu", "panic_cpu"]
            .iter()
            .filter_map(|name| self.read_u32(self.symbol(name).ok()?).ok())
            .collect();
        let panicked = || {
            let log = self.log().map(|log| log.items.as_slice()).unwrap_or_default();
            log.iter().any(|line| line.text.starts_with("Kernel panic - not syncing"))
        };
        !noted.is_empty() && noted.iter().all(|cpu| *cpu == NOBODY) && !panicked()
    }

    /// The CPU that the kernel noted in its variables; both are -1 before a crash.
    fn noted_cpu(&self) -> Option<u32> {
        ["crashing_cpu", "panic_cpu"].iter().find_map(|name| {
            let read = || -> Result<u32, Unavailable> {
                let address = self.symbol(name)?;
                self.read_u32(address).map_err(|source| Unavailable::memory(name, source))
            };
            read().ok().filter(|cpu| u64::from(*cpu) < super::cpus::MAX_CPUS)
        })
    }
}

/// In words, how the log and the task differ.
fn disagreement(oops: &Oops, task: &Task) -> Option<String> {
    let pid = oops.pid.filter(|pid| *pid != task.pid);
    let comm = oops.comm.as_deref().filter(|comm| *comm != task.comm);
    (pid.is_some() || comm.is_some()).then(|| {
        format!(
            "the log says pid {} ({}), the CPU's current task is pid {} ({})",
            oops.pid.unwrap_or(-1),
            oops.comm.as_deref().unwrap_or("?"),
            task.pid,
            task.comm
        )
    })
}
