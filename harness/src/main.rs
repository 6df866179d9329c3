// SPDX-License-Identifier: MIT OR Apache-2.0
//! The program `repro`.

use std::process::ExitCode;

fn main() -> ExitCode {
    harness::cli::main()
}
