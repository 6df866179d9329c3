// SPDX-License-Identifier: MIT OR Apache-2.0
//! The end.

use std::thread;
use std::time::Duration;

use rustix::system::{RebootCommand, reboot};

use crate::console::say;

/// Switches the machine off; where the kernel cannot, resets it.
pub(crate) fn off() -> ! {
    rustix::fs::sync();
    say!("power off");
    for command in [RebootCommand::PowerOff, RebootCommand::Restart, RebootCommand::Halt] {
        if let Err(error) = reboot(command) {
            say!("{command:?}: {error}");
        }
    }
    // PID 1 must not end.
    loop {
        thread::sleep(Duration::from_secs(60));
    }
}
