// SPDX-License-Identifier: MIT OR Apache-2.0
//! Builds the programs of guests for `initramfs` to embed: `guests/init`, the static PID 1 of each of
//! them, and `guests/exec-paths`, a trigger.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The packages, each of which makes a program of its name.
const PROGRAMS: [&str; 2] = ["guest-init", "exec-paths"];
/// Guests are x86-64, whatever the host is.
const TARGET: &str = "x86_64-unknown-linux-gnu";
/// Static and at a fixed address: there is no loader in the guest, and kernels back to 3.10 start it.
const FLAGS: &str = "-C target-feature=+crt-static -C relocation-model=static";

fn main() {
    let harness = PathBuf::from(variable("CARGO_MANIFEST_DIR"));
    let workspace = harness.parent().expect("the harness is a folder of the workspace");
    let output = PathBuf::from(variable("OUT_DIR"));
    for input in ["guests/init", "guests/exec-paths", "guests/protocol", "Cargo.toml", "Cargo.lock"]
    {
        println!("cargo::rerun-if-changed={}", workspace.join(input).display());
    }
    println!("cargo::rerun-if-changed=build.rs");
    let programs = build(&workspace.join("Cargo.toml"), &target_dir(&output));
    for name in PROGRAMS {
        let (program, target) = (programs.join(name), output.join(format!("{name}.bin")));
        // A copy of the whole target folder may share its files with this one.
        let _ = fs::remove_file(&target);
        if let Err(error) = fs::copy(&program, target) {
            fail(&format!("cannot copy {}: {error}", program.display()));
        }
    }
}

/// Its own folder in the target folder: builds of the harness in all profiles, and checks of it,
/// then share one build, where `OUT_DIR` would cost each of them its own.
fn target_dir(output: &Path) -> PathBuf {
    // …/target/debug/build/harness-0123456789abcdef/out
    let mut outer = output.ancestors().skip_while(|folder| !folder.ends_with("build"));
    outer.nth(2).unwrap_or(output).join("guest-init")
}

/// The folder with the programs.
fn build(manifest: &Path, target_dir: &Path) -> PathBuf {
    let mut cargo = Command::new(variable("CARGO"));
    cargo.args(["build", "--quiet", "--release", "--locked", "--target", TARGET]);
    cargo.args(PROGRAMS.iter().flat_map(|name| ["--package", name]));
    cargo.arg("--manifest-path").arg(manifest).arg("--target-dir").arg(target_dir);
    // What this build was called with (a wrapper of clippy's, flags for coverage) is not meant for
    // a program that runs in a guest.
    for inherited in [
        "RUSTFLAGS",
        "CARGO_ENCODED_RUSTFLAGS",
        "CARGO_BUILD_RUSTFLAGS",
        "RUSTC_WORKSPACE_WRAPPER",
        "CARGO_BUILD_TARGET",
    ] {
        cargo.env_remove(inherited);
    }
    cargo.env("CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS", FLAGS);
    // It is copied into memory at every boot.
    cargo.env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "s");
    cargo.env("CARGO_PROFILE_RELEASE_DEBUG", "false");
    cargo.env("CARGO_PROFILE_RELEASE_STRIP", "symbols");
    match cargo.status() {
        Ok(status) if status.success() => target_dir.join(TARGET).join("release"),
        Ok(status) => fail(&format!("the programs of guests do not build for {TARGET} ({status})")),
        Err(error) => fail(&format!("cannot start cargo for the programs of guests: {error}")),
    }
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|error| fail(&format!("{name}: {error}")))
}

fn fail(message: &str) -> ! {
    println!("cargo::error={message}");
    std::process::exit(1)
}
