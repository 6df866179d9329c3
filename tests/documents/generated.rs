// SPDX-License-Identifier: MIT OR Apache-2.0
//! Files that are made from the code. `cargo xtask gen` writes them, which is this test with
//! `REPRO_GEN` set.

use std::fs;

use tidy::{none, tree};

/// The files and what they have to be.
fn files() -> [(&'static str, String); 3] {
    [
        ("docs/report.schema.json", analyzer::render::schema()),
        ("docs/groups.schema.json", harness::group::Groups::schema()),
        ("docs/runs.schema.json", harness::run::outcome::Runs::schema()),
    ]
}

#[test]
fn generated_files_are_current() {
    let write = std::env::var_os("REPRO_GEN").is_some();
    let mut stale = Vec::new();
    for (path, text) in files() {
        let file = tree::root().join(path);
        if write {
            fs::write(&file, &text).unwrap();
        }
        if fs::read_to_string(&file).unwrap_or_default() != text {
            stale.push(path.to_owned());
        }
    }
    none("run `cargo xtask gen`", &stale);
}
