// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a kernel prints when something is wrong that does not end it.

use analyzer::formats::{Sort, begins};

use crate::run::crash::{crash_message, printk_text};

/// Complaints that are kept of one run: a kernel may complain for as long as it runs.
const MOST: usize = 1000;

/// What a kernel complained of, in the order it did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Complaints {
    /// The first ones.
    pub lines: Vec<String>,
    /// How many came after those.
    pub more: u64,
}

impl Complaints {
    /// Keeps the line, or counts it.
    pub(crate) fn add(&mut self, line: String) {
        if self.lines.len() < MOST {
            self.lines.push(line);
        } else {
            self.more += 1;
        }
    }
}

impl Extend<String> for Complaints {
    fn extend<I: IntoIterator<Item = String>>(&mut self, lines: I) {
        lines.into_iter().for_each(|line| self.add(line));
    }
}

/// First words of such lines that begin no report, as the kernel writes them. From the texts in the
/// kernel's sources (3.10 – 6.12): `kernel/irq/spurious.c`, `kernel/rcu/tree_stall.h`, `mm/{slub,kmemleak}.c`,
/// `fs/sysfs/dir.c`, `net/core/dev.c`.
const SIGNS: [&str; 9] = [
    "INFO: lockdep",
    "INFO: rcu",
    "rcu: INFO:",
    "WARNING: possible ",
    "kmemleak: ",
    "sysfs: cannot create duplicate",
    "unregister_netdevice: waiting for",
    "irq ",
    "BUG ",
];

/// What a line that begins with these words has to hold besides, to be a complaint.
const WITH: [(&str, &str); 3] = [
    ("irq ", "nobody cared"),
    ("kmemleak: ", "new suspected memory leaks"),
    // A slab's report: `BUG name (Not tainted): Objects remaining in …`.
    ("BUG ", "): "),
];

/// The message if this line of the console says that something is wrong.
pub(crate) fn complaint(line: &str) -> Option<&str> {
    let text = printk_text(line)?;
    let has_sign = || {
        let sign = SIGNS.iter().find(|sign| text.starts_with(*sign))?;
        let with = WITH.iter().find(|(begin, _)| begin == sign);
        Some(with.is_none_or(|(_, words)| text.contains(words)))
    };
    let is_one = begins_report(text) || has_sign() == Some(true);
    (is_one && crash_message(line).is_none()).then_some(text)
}

/// Whether a report of the kernel begins with the text that says what it noticed and ends nothing.
fn begins_report(text: &str) -> bool {
    begins(text).is_some_and(|it| matches!(it.sort, Sort::Check | Sort::Rule | Sort::Hang))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_without_ending_the_kernel_is_recognised() {
        for text in [
            "WARNING: CPU: 1 PID: 60 at lib/refcount.c:28 refcount_warn_saturate+0xba/0x110",
            "INFO: task sh:61 blocked for more than 120 seconds.",
            "rcu: INFO: rcu_sched self-detected stall on CPU",
            "INFO: rcu_sched self-detected stall on CPU { 1}  (t=60000 jiffies g=1 c=0 q=0)",
            "BUG widget (Tainted: G           O     ): Objects remaining in widget on shutdown",
            "sysfs: cannot create duplicate filename '/module/x'",
            "irq 11: nobody cared (try booting with the \"irqpoll\" option)",
            "UBSAN: array-index-out-of-bounds in x.c:3:4",
            "WARNING: suspicious RCU usage",
            // Since 6.17.
            "WARNING: lib/refcount.c:28 at refcount_warn_saturate+0xba/0x110, CPU#1: sh/60",
        ] {
            assert_eq!(complaint(&format!("[    3.141592] {text}")), Some(text));
        }
    }

    #[test]
    fn a_kernel_that_complains_without_end_fills_no_memory_and_none_is_forgotten() {
        let mut complaints = Complaints::default();
        complaints.extend((0..1_000_003).map(|number| format!("BUG: {number}")));
        assert_eq!(complaints.lines.first().map(String::as_str), Some("BUG: 0"));
        assert!(complaints.lines.len() < 10_000);
        assert_eq!(complaints.lines.len() as u64 + complaints.more, 1_000_003);
    }

    #[test]
    fn ordinary_lines_are_none() {
        for text in [
            "x: loading out-of-tree module taints kernel.",
            "INFO: task scheduler is ready",
            "irq 11 handler registered",
            "bug (a module): ready",
            "warning: cpu: 1 is slow",
            "kmemleak: Kernel memory leak detector initialized (mem pool available: 15742)",
            "Warning: unable to open an initial console.",
        ] {
            assert_eq!(complaint(&format!("[    3.141592] {text}")), None, "{text}");
        }
        assert_eq!(complaint("WARNING: CPU: printed by a program"), None);
    }
}
