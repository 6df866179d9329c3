// SPDX-License-Identifier: MIT OR Apache-2.0
//! Readable lines on the console.

use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, Write};

/// Writes a line to the console.
macro_rules! say {
    ($($words:tt)*) => { $crate::console::line(format_args!($($words)*)) };
}
pub(crate) use say;

/// Makes the console of this kernel standard input, output and error: what the initramfs itself
/// holds as `/dev/console` is gone once devtmpfs is mounted.
pub(crate) fn adopt() {
    let Ok(console) = OpenOptions::new().read(true).write(true).open("/dev/console") else {
        return;
    };
    // Without a console there is nobody to tell.
    let _ = rustix::stdio::dup2_stdin(&console);
    let _ = rustix::stdio::dup2_stdout(&console);
    let _ = rustix::stdio::dup2_stderr(&console);
}

/// See [`say!`].
pub(crate) fn line(words: fmt::Arguments<'_>) {
    // One write, so that the kernel's own lines do not land in between. A console that takes
    // nothing stops nothing.
    let _ = io::stdout().write_all(format!("repro: {words}\n").as_bytes());
    let _ = io::stdout().flush();
}
