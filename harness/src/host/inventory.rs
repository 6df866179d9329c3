// SPDX-License-Identifier: MIT OR Apache-2.0
//! What of the host is needed, what is there, what is missing.

use std::path::Path;

use super::packages::{self, Manager};
use process::helper;

use super::qemu;

/// Where shared libraries are, whatever the distribution.
const LIBRARY_FOLDERS: [&str; 6] = [
    "/usr/lib/x86_64-linux-gnu",
    "/lib/x86_64-linux-gnu",
    "/usr/lib64",
    "/lib64",
    "/usr/lib",
    "/lib",
];

/// Something the host needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// The program, library or file.
    pub what: String,
    /// What it is for.
    pub why: String,
    /// Its version, or where it is; none when it is missing.
    pub found: Option<String>,
    /// What the user should know about the one that was found.
    pub note: Option<String>,
}

/// Something the host lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// The program, library or file.
    pub what: String,
    /// What it is for.
    pub why: String,
    /// The package that has it, in the host's distribution, where known.
    pub package: Option<String>,
}

/// Everything the host needs, in the order it is used.
#[must_use]
pub fn inventory() -> Vec<Need> {
    let found_qemu = qemu::qemu();
    let has_qemu = found_qemu.is_some();
    let firmware = found_qemu.as_ref().filter(|found| qemu::has_firmware(&found.path));
    let mut needs = vec![
        program("apt-get", "Debian kernels come through it"),
        verifier(),
        compiler(),
        program("make", "builds the modules"),
        library("libelf.so.1", "the kernel's objtool is linked to it"),
        need(qemu::PROGRAM, "runs the guests", found_qemu.as_ref().map(|found| found.text.clone())),
    ];
    if let (Some(last), Some(found)) = (needs.last_mut(), &found_qemu) {
        last.note = found.note();
    }
    // Without QEMU nobody knows where its firmware would be, and it comes with it.
    if has_qemu {
        let found = firmware.map(|_| "in QEMU's data folders".to_owned());
        needs.push(need(qemu::FIRMWARE, "firmware of the guests", found));
    }
    needs
}

/// What the host lacks, in the order it is needed.
#[must_use]
pub fn missing() -> Vec<Missing> {
    let manager = Manager::of_host();
    let absent = inventory().into_iter().filter(|need| need.found.is_none());
    absent.map(|need| missing_of(need, manager)).collect()
}

fn missing_of(need: Need, manager: Option<Manager>) -> Missing {
    let package = manager.and_then(|manager| packages::package(manager, &need.what));
    Missing { what: need.what, why: need.why, package: package.map(str::to_owned) }
}

fn need(what: &str, why: &str, found: Option<String>) -> Need {
    Need { what: what.to_owned(), why: why.to_owned(), found, note: None }
}

fn program(name: &str, why: &str) -> Need {
    need(name, why, helper::find(name).map(|path| path.display().to_string()))
}

/// apt 3 brings its own `sqv`; earlier ones need `gpgv`.
fn verifier() -> Need {
    let found = helper::find("sqv").or_else(|| helper::find("gpgv"));
    let found = found.map(|path| path.display().to_string());
    need("gpgv", "apt checks signatures with it", found)
}

fn compiler() -> Need {
    let version = helper::find("gcc")
        .and_then(|gcc| helper::answer(&gcc, "--version"))
        .map(|answer| answer.lines().next().unwrap_or_default().to_owned());
    need("gcc", "compiles the modules", version)
}

fn library(name: &str, why: &str) -> Need {
    let mut places = LIBRARY_FOLDERS.iter().map(|folder| Path::new(folder).join(name));
    need(name, why, places.find(|path| path.is_file()).map(|path| path.display().to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_names_its_package() {
        let lacking = need("gcc", "compiles the modules", None);
        let missing = missing_of(lacking.clone(), Some(Manager::Apt));
        assert_eq!(missing.package.as_deref(), Some("gcc"));
        assert_eq!(missing_of(lacking, None).package, None);
    }

    #[test]
    fn this_host_has_a_compiler_since_it_built_this_test() {
        let needs = inventory();
        let gcc = needs.iter().find(|need| need.what == "gcc").unwrap();
        assert!(gcc.found.as_ref().unwrap().contains("gcc"), "{gcc:?}");
        assert_eq!(missing().len(), needs.iter().filter(|need| need.found.is_none()).count());
    }
}
