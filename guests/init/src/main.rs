// SPDX-License-Identifier: MIT OR Apache-2.0
//! PID 1 of a guest's initramfs, in the kernel under test and in its capture kernel. By the name
//! `modprobe` it is that program.
//!
//! It talks JSON lines over the virtio-serial port named `repro.agent` (see [`protocol`]) and
//! writes a readable line for each step to the console as well. Runs on kernels from 3.10 on.

mod applets;
mod arm;
mod capture;
mod console;
mod cpus;
mod disk;
mod first;
mod hello;
mod kmsg;
mod lines;
mod modprobe;
mod module_disk;
mod modules;
mod mounts;
mod port;
mod power;
mod processes;
mod seed;
mod stub;
mod syscall;
mod sysctl;
mod told;
mod trigger;
mod unpack;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::ExitCode;

use console::say;
use protocol::Stage;

/// The crashed kernel's memory, which only a capture kernel has.
const VMCORE: &str = "/proc/vmcore";

fn main() -> ExitCode {
    let mut arguments = std::env::args();
    if modprobe::is_called(arguments.next().as_deref()) {
        return modprobe::main(arguments);
    }
    // It mounts over /proc and powers the machine off: nothing to start by mistake.
    if std::process::id() != 1 {
        say!("this is PID 1 of a guest and nothing else");
        return ExitCode::from(2);
    }
    // A PID 1 that ends makes the kernel panic, and that would look like a crash under test.
    if catch_unwind(AssertUnwindSafe(run)).is_err() {
        say!("init gave up");
    }
    power::off()
}

fn run() {
    let mut troubles = mounts::mount_all();
    console::adopt();
    let stage = if Path::new(VMCORE).exists() { Stage::Capture } else { Stage::First };
    say!("{} kernel {} is up", stage.name(), rustix::system::uname().release().to_string_lossy());
    troubles.extend(modules::load_listed());
    for trouble in &troubles {
        say!("{trouble}");
    }
    match stage {
        Stage::First => first::run(&troubles),
        Stage::Capture => capture::run(&troubles),
    }
}
