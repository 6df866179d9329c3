// SPDX-License-Identifier: MIT OR Apache-2.0
//! A line of the kernel's log, whatever form the log has.

use super::unreadable::Unavailable;

/// Longest text of one line that is read. The kernel's own limit is 1 KiB
/// (`LOG_LINE_MAX`, `PRINTKRB_RECORD_MAX`); records store the length in 16 bits.
pub const MAX_TEXT: u64 = 65_535;

pub use klog::Caller;

/// Who printed a line (`caller_id`, 5.1 with `CONFIG_PRINTK_CALLER`, always since 5.10): highest bit set
/// means CPU (`printk_caller_id()`, `kernel/printk/printk.c`).
pub(super) const fn caller(id: u32) -> Caller {
    if id >> 31 == 1 { Caller::Cpu(id & !(1 << 31)) } else { Caller::Task(id) }
}

/// One record of the kernel's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// Time since boot, in nanoseconds.
    pub nanoseconds: u64,
    /// Severity, 0 (emergency) to 7 (debug).
    pub level: u8,
    /// Who printed it, where the kernel keeps that.
    pub caller: Option<Caller>,
    /// The text without the final newline; newlines inside are kept.
    pub text: String,
}

impl LogLine {
    /// Time since boot in seconds.
    #[must_use]
    pub const fn seconds(&self) -> u64 {
        self.nanoseconds / 1_000_000_000
    }
}

/// As `dmesg` prints it: `[    5.123456] text`; further lines of the same record are indented.
impl std::fmt::Display for LogLine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let micros = self.nanoseconds % 1_000_000_000 / 1000;
        let time = format!("[{:5}.{micros:06}] ", self.seconds());
        for (index, line) in self.text.split('\n').enumerate() {
            match index {
                0 => write!(f, "{time}{line}")?,
                _ => write!(f, "\n{:width$}{line}", "", width = time.len())?,
            }
        }
        Ok(())
    }
}

/// A value of VMCOREINFO that must be there.
pub(super) fn required(value: Option<u64>, key: &str) -> Result<u64, Unavailable> {
    value.ok_or_else(|| Unavailable::Symbol(format!("VMCOREINFO {key}")))
}
