// SPDX-License-Identifier: MIT OR Apache-2.0
//! How long each part of a run may take.

use std::time::Duration;

use guest::PhaseTimeouts;

/// Longest times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// QEMU's start to the kernel's first line.
    pub first_output: Duration,
    /// QEMU's start to the agent's hello.
    pub boot: Duration,
    /// A request to load the capture kernel or to set a parameter.
    pub arm: Duration,
    /// Loading one module.
    pub load: Duration,
    /// Start of the trigger to the crash.
    pub trigger: Duration,
    /// End of the trigger to a crash that comes later (a timer, deferred work).
    pub settle: Duration,
    /// Crash to the capture kernel's hello.
    pub capture_boot: Duration,
    /// The capture kernel's hello to the complete dump.
    pub capture: Duration,
}

impl Limits {
    /// Those of a guest's file, and as parts of them what that does not say, for a machine of `memory` bytes where the file has `own`: of one that is
    /// larger, as many times as much may have to be written.
    #[must_use]
    pub fn of(timeouts: &PhaseTimeouts, memory: u64, own: u64) -> Self {
        let PhaseTimeouts { boot, arm, load, trigger, capture } = *timeouts;
        let times = memory.div_ceil(own.max(1)).max(1);
        Self {
            first_output: boot / 4,
            boot,
            arm,
            load,
            trigger,
            settle: trigger / 10,
            capture_boot: capture / 4,
            capture: capture.saturating_mul(u32::try_from(times).unwrap_or(u32::MAX)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_larger_machine_has_longer_to_be_written() {
        let second = Duration::from_secs(1);
        let timeouts = PhaseTimeouts {
            boot: second,
            arm: second,
            load: second,
            trigger: second,
            capture: 60 * second,
        };
        let limits = |memory: u64| Limits::of(&timeouts, memory << 20, 1024 << 20);
        assert_eq!(limits(1024).capture, 60 * second);
        assert_eq!(limits(512).capture, 60 * second);
        assert_eq!(limits(8192).capture, 480 * second);
        assert_eq!((limits(8192).capture_boot, limits(8192).trigger), (15 * second, second));
    }
}
