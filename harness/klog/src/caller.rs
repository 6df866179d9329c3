// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who printed a line.

/// Who printed a line (`CONFIG_PRINTK_CALLER`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// The thread of this pid (`[ T12]`).
    Task(u32),
    /// A CPU that was in an interrupt (`[ C1]`).
    Cpu(u32),
}
