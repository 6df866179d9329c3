// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the CPUs of a guest do, by their registers.

use std::time::Duration;

/// How often to look, and the pause between two looks.
pub(super) const LOOKS: u32 = 10;
pub(super) const INTERVAL: Duration = Duration::from_millis(100);

/// Whether a CPU runs a program of user space (privilege level 3): then the kernel still schedules.
/// The text is that of the monitor's `info registers -a` (QEMU's `target/i386/cpu-dump.c`):
/// `RIP=… RFL=… [-------] CPL=3 II=0 A20=1 SMM=0 HLT=0`.
pub(super) fn runs_a_program(registers: &str) -> bool {
    registers.split_ascii_whitespace().any(|word| word == "CPL=3")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_level_three_is_a_program() {
        let kernel = "CPU#0\nRIP=ffffffff81 RFL=00000246 [---Z-P-] CPL=0 II=0 A20=1 SMM=0 HLT=1\n";
        assert!(!runs_a_program(kernel));
        assert!(!runs_a_program(""));
        let user =
            format!("{kernel}CPU#1\nRIP=0000000000401000 RFL=00000246 [-] CPL=3 II=0 HLT=0\n");
        assert!(runs_a_program(&user));
    }
}
