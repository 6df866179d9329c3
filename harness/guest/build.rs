// SPDX-License-Identifier: MIT OR Apache-2.0
//! Lists the files of `guests/`, so that an installed program has them.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

fn main() {
    let own = PathBuf::from(variable("CARGO_MANIFEST_DIR"));
    let workspace = own.ancestors().nth(2).expect("harness/guest is in the workspace");
    println!("cargo::rerun-if-changed=build.rs");
    list_guests(&workspace.join("guests"), &PathBuf::from(variable("OUT_DIR")).join("guests.rs"));
}

/// Writes `[(name, content), …]` of the guests' manifests and their keys.
fn list_guests(guests: &Path, list: &Path) {
    let mut names = Vec::new();
    for (folder, ending) in [("", ".toml"), ("keys/", "")] {
        println!("cargo::rerun-if-changed={}", guests.join(folder).display());
        let entries = fs::read_dir(guests.join(folder)).unwrap_or_else(|error| {
            fail(&format!("cannot read {}: {error}", guests.join(folder).display()))
        });
        let files = entries.flatten().filter(|entry| entry.path().is_file());
        let files = files.map(|entry| entry.file_name().to_string_lossy().into_owned());
        names.extend(
            files.filter(|name| name.ends_with(ending)).map(|name| format!("{folder}{name}")),
        );
    }
    names.sort();
    let line = |name: &String| {
        format!("    ({name:?}, include_str!({:?})),\n", guests.join(name).display().to_string())
    };
    let own = fs::read_to_string(guests.with_file_name("repro.toml")).unwrap_or_default();
    println!("cargo::rerun-if-changed={}", guests.with_file_name("repro.toml").display());
    let default = own.lines().find_map(|line| line.strip_prefix("default-guest = "));
    let default = default.unwrap_or_else(|| fail("repro.toml has no default-guest"));
    if let Err(error) = fs::write(list.with_file_name("default-guest.rs"), default) {
        fail(&format!("cannot write the default guest: {error}"));
    }
    let text = format!("[\n{}]\n", names.iter().map(line).collect::<String>());
    if let Err(error) = fs::write(list, text) {
        fail(&format!("cannot write {}: {error}", list.display()));
    }
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|error| fail(&format!("{name}: {error}")))
}

fn fail(message: &str) -> ! {
    println!("cargo::error={message}");
    std::process::exit(1)
}
