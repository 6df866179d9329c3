// SPDX-License-Identifier: MIT OR Apache-2.0
//! Finds the last oops or panic in the kernel's log and reads what it says.
//!
//! Written from the kernel's `show_fault_oops()` (`arch/x86/mm/fault.c`), `__die()`
//! (`arch/x86/kernel/dumpstack.c`), `dump_stack_print_info()` (`lib/dump_stack.c`) and `panic()`
//! (`kernel/panic.c`), 3.10 to 6.12.

use klog::die_line;

use super::log::LogLine;

/// Lines above the `Oops: 0010 [#1]` line in which its headline is looked for. Between the two
/// are at most the `#PF:` lines, the page table entries and notes on user-space access.
const ABOVE: usize = 12;
/// Lines below the headline in which details are looked for.
const BELOW: usize = 30;

/// What the log says about the last crash.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Oops {
    /// Index of its first line in the log.
    pub index: usize,
    /// Its first line.
    pub headline: String,
    /// The error code that the processor gave (`Oops: 0010` is 0x10); none for a panic.
    pub error_code: Option<u64>,
    /// Number of the oops since boot (`[#1]`); none for a panic.
    pub count: Option<u32>,
    /// Text after `RIP: ` (before 4.10 after `RIP  ` or `IP: `), without the segment.
    pub rip: Option<String>,
    /// CPU it happened on.
    pub cpu: Option<u32>,
    /// Id of the thread that ran there.
    pub pid: Option<i32>,
    /// Its command name.
    pub comm: Option<String>,
}

impl Oops {
    /// The last oops in the log; the last panic if no oops led to it.
    #[must_use]
    pub fn last(log: &[LogLine]) -> Option<Self> {
        let die = log.iter().rposition(|line| die_line(&line.text).is_some());
        let panic = log.iter().rposition(|line| is_own_panic(&line.text));
        match (die, panic) {
            (die, Some(panic)) if die.is_none_or(|die| die < panic) => Some(Self::read(log, panic)),
            (Some(die), _) => {
                let mut oops = Self::read(log, headline_above(log, die));
                (oops.error_code, oops.count) = die_line(&log.get(die)?.text).unzip();
                Some(oops)
            }
            (None, _) => None,
        }
    }

    /// Reads the details below the headline, to the next one.
    fn read(log: &[LogLine], index: usize) -> Self {
        let headline = log.get(index).map(|line| line.text.clone()).unwrap_or_default();
        let mut oops = Self { index, headline, ..Self::default() };
        for line in log.iter().skip(index).take(BELOW) {
            let text = line.text.trim_start();
            if oops.rip.is_none() {
                oops.rip = rip(text);
            }
            if oops.cpu.is_none()
                && let Some((cpu, pid, comm)) = cpu_line(text)
            {
                (oops.cpu, oops.pid, oops.comm) = (Some(cpu), Some(pid), Some(comm));
            }
        }
        oops
    }
}

/// Whether a line is of a panic that no oops led to.
///
/// An oops that ends in a panic says `Fatal exception`; the oops is then the better headline.
fn is_own_panic(text: &str) -> bool {
    text.split_once("Kernel panic - not syncing: ")
        .is_some_and(|(before, why)| before.is_empty() && !why.starts_with("Fatal exception"))
}

/// Index of the headline of the oops whose `__die()` line is at `die`; `die` itself if nothing
/// above belongs to it.
fn headline_above(log: &[LogLine], die: usize) -> usize {
    const HEADLINES: [&str; 5] = [
        "BUG: ",
        "kernel BUG at ",
        "kernel tried to execute ",
        "Unable to handle kernel ",
        // To 5.5 the crash that was asked for is a write through NULL.
        "SysRq : Trigger a crash",
    ];
    let first = die.saturating_sub(ABOVE);
    let lines = log.get(first..die).unwrap_or_default();
    let above = (first..die).zip(lines).rev();
    let above = above.take_while(|(_, line)| die_line(&line.text).is_none());
    // The uppermost one: "kernel tried to execute NX-protected page" comes before "BUG: ".
    let mut found = die;
    for (index, line) in above {
        if HEADLINES.iter().any(|start| line.text.starts_with(start)) {
            found = index;
        } else if found != die {
            break;
        }
    }
    found
}

/// What a line says about the instruction: `RIP: 0010:name+0x1/0x2`, `IP: [<ffff…>] name+…`.
fn rip(text: &str) -> Option<String> {
    let rest = text.strip_prefix("RIP: ").or_else(|| text.strip_prefix("IP: "))?;
    let without_segment = match rest.split_once(':') {
        Some((segment, rest)) if segment.len() == 4 => rest,
        _ => rest,
    };
    Some(without_segment.trim().to_owned())
}

/// CPU, pid and command of `CPU: 1 PID: 2227 Comm: bash Kdump: loaded Tainted: G …`.
fn cpu_line(text: &str) -> Option<(u32, i32, String)> {
    let line = klog::cpu_line(text)?;
    Some((line.cpu?, line.pid?, line.comm?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(text: &str) -> Vec<LogLine> {
        let line =
            |text: &str| LogLine { nanoseconds: 0, level: 1, caller: None, text: text.to_owned() };
        text.lines().map(line).collect()
    }

    /// CentOS 7's 3.10, a call through NULL.
    const EL7: &str = "\
akfs: loading out-of-tree module taints kernel.
BUG: unable to handle kernel NULL pointer dereference at           (null)
IP: [<          (null)>]           (null)
PGD 8000000003850067 PUD 1ef04067 PMD 0 
Oops: 0010 [#1] SMP 
Modules linked in: process(OE) akfs(OE)
CPU: 1 PID: 2227 Comm: bash Kdump: loaded Tainted: G           OE  ------------   3.10.0 #1
RIP: 0010:[<0000000000000000>]  [<          (null)>]           (null)
RSP: 0018:ffff97c7df29ae28  EFLAGS: 00010292";

    #[test]
    fn oops_of_centos_7() {
        let oops = Oops::last(&log(EL7)).unwrap();
        assert_eq!(oops.index, 1);
        assert!(oops.headline.starts_with("BUG: unable to handle kernel NULL pointer"));
        assert_eq!((oops.error_code, oops.count), (Some(0x10), Some(1)));
        assert_eq!((oops.cpu, oops.pid, oops.comm.as_deref()), (Some(1), Some(2227), Some("bash")));
        assert_eq!(oops.rip.as_deref(), Some("[<          (null)>]           (null)"));
    }

    #[test]
    fn a_crash_asked_for_by_sysrq_is_no_mere_write_through_null() {
        let oops = Oops::last(&log("\
SysRq : Trigger a crash
BUG: unable to handle kernel NULL pointer dereference at           (null)
IP: [<ffffffff9e8a5a56>] sysrq_handle_crash+0x16/0x20
PGD 800000003b1c7067 PUD 3b1d4067 PMD 0 
Oops: 0002 [#1] SMP 
CPU: 0 PID: 1 Comm: init Kdump: loaded Not tainted 3.10.0-1160.el7.x86_64 #1"))
        .unwrap();
        assert_eq!(oops.headline, "SysRq : Trigger a crash");
        assert_eq!((oops.cpu, oops.error_code), (Some(0), Some(2)));
    }

    #[test]
    fn oops_of_6_1_with_two_rip_lines_takes_the_kernels() {
        let oops = Oops::last(&log("\
BUG: kernel NULL pointer dereference, address: 0000000000000020
#PF: supervisor read access in kernel mode
#PF: error_code(0x0000) - not-present page
PGD 0 
Oops: 0000 [#1] PREEMPT SMP NOPTI
CPU: 1 PID: 0 Comm: swapper/1 Kdump: loaded Tainted: G           OE      6.1.0-56-cloud-amd64 #1
RIP: 0010:watch_count.isra.0+0x5/0x10 [timercase]
RIP: 0010:native_safe_halt+0xb/0x10"))
        .unwrap();
        assert_eq!(oops.rip.as_deref(), Some("watch_count.isra.0+0x5/0x10 [timercase]"));
        assert_eq!((oops.cpu, oops.pid), (Some(1), Some(0)));
        assert_eq!(oops.comm.as_deref(), Some("swapper/1"));
    }

    #[test]
    fn an_oops_that_ends_in_a_panic_is_the_oops() {
        let text = format!("{EL7}\nKernel panic - not syncing: Fatal exception in interrupt");
        assert!(Oops::last(&log(&text)).unwrap().headline.starts_with("BUG: "));
    }

    #[test]
    fn a_panic_long_after_an_oops_is_the_panic() {
        let text = format!(
            "{EL7}\nKernel panic - not syncing: hung_task: blocked tasks\n\
             CPU: 0 UID: 0 PID: 31 Comm: khungtaskd Tainted: G      D"
        );
        let oops = Oops::last(&log(&text)).unwrap();
        assert_eq!(oops.headline, "Kernel panic - not syncing: hung_task: blocked tasks");
        assert_eq!((oops.cpu, oops.pid, oops.count), (Some(0), Some(31), None));
    }

    #[test]
    fn the_last_of_two_oopses_counts_and_keeps_to_its_own_lines() {
        let text = format!(
            "{EL7}\nkernel BUG at mm/slub.c:379!\ninvalid opcode: 0000 [#2] SMP\n\
             CPU: 0 PID: 7 Comm: kworker 0 x Not tainted 3.10.0"
        );
        let oops = Oops::last(&log(&text)).unwrap();
        assert_eq!(oops.headline, "kernel BUG at mm/slub.c:379!");
        assert_eq!((oops.count, oops.comm.as_deref()), (Some(2), Some("kworker 0 x")));
    }

    #[test]
    fn a_general_protection_fault_is_its_own_headline() {
        let line = "general protection fault, probably for non-canonical address \
                    0xdead000000000100: 0000 [#1] PREEMPT SMP PTI";
        let oops = Oops::last(&log(line)).unwrap();
        assert_eq!((oops.index, oops.headline.as_str()), (0, line));
    }

    #[test]
    fn a_log_without_a_crash_has_none() {
        assert_eq!(Oops::last(&log("Linux version 6.1\nmodule foo [#] bar: x [#y]")), None);
        assert_eq!(Oops::last(&[]), None);
    }
}
