// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether every CPU still runs what it is given: one that turned its interrupts off for good does
//! not, while the others go on.

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// How long a CPU may take to run a thread.
const LIMIT: Duration = Duration::from_secs(2);

/// The CPUs that do not run a thread of their own in time.
pub(crate) fn silent() -> Vec<u32> {
    let Ok(own) = sched_getaffinity(None) else { return Vec::new() };
    let mut silent: Vec<usize> = (0..CpuSet::MAX_CPU).filter(|cpu| own.is_set(*cpu)).collect();
    let (tell, told) = mpsc::channel();
    for cpu in silent.clone() {
        let tell = tell.clone();
        // It is not waited for: on a CPU that is silent it never ends.
        let started = thread::Builder::new().spawn(move || {
            let mut only = CpuSet::new();
            only.set(cpu);
            // A CPU that is not there cannot be silent.
            let _ = sched_setaffinity(None, &only);
            let _ = tell.send(cpu);
        });
        if started.is_err() {
            silent.retain(|other| *other != cpu);
        }
    }
    let start = Instant::now();
    while !silent.is_empty() {
        let Ok(cpu) = told.recv_timeout(LIMIT.saturating_sub(start.elapsed())) else { break };
        silent.retain(|other| *other != cpu);
    }
    silent.into_iter().filter_map(|cpu| u32::try_from(cpu).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cpus_of_a_machine_that_is_well_answer() {
        assert_eq!(silent(), [0_u32; 0]);
    }
}
