// SPDX-License-Identifier: MIT OR Apache-2.0
//! Starts a machine and waits for its end: what the tests of QEMU's lifetime end in every way.
//!
//! Usage: `hold-machine QEMU FOLDER`. Says `up` on stdout when the machine runs.

use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use harness::events::Accel;
use harness::interrupt::Interrupt;
use harness::vm::{Disks, Launcher as _, Qemu, Signal, Spec};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(program), Some(folder)) = (arguments.next(), arguments.next()) else {
        return Err("usage: hold-machine QEMU FOLDER".into());
    };
    let disks = Disks::create(&folder)?;
    let initrd = tempfile::tempfile_in(&folder)?;
    let spec = Spec {
        accel: Accel::Tcg,
        cpus: 1,
        memory_bytes: 64 << 20,
        kernel: "/dev/null".into(),
        initrd: &initrd,
        command_line: String::new(),
        disks: &disks,
        modules: None,
        ram: None,
    };
    let mut machine = Qemu::new(&program, Interrupt::install()?).launch(&spec)?;
    std::io::stdout().write_all(b"up\n")?;
    let forever = Duration::from_secs(3600);
    while let Some(signal) = machine.next(forever) {
        match signal {
            Signal::Interrupted => break,
            Signal::Exited(exited) => return Err(exited.how.into()),
            _ => {}
        }
    }
    Ok(())
}
