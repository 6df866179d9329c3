// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which crate may use which, and what the analyzer's crates may not touch at all. The arrows are
//! those of the table in `ARCHITECTURE.md`.

use std::collections::{BTreeMap, BTreeSet};

use toml::Table;

use crate::{none, tree};

/// The crates that take bytes and return values.
const PURE: [&str; 6] = ["vmcore", "debuginfo", "unwind", "kernel", "analyzer", "debugger"];
/// Parts of `std` that reach outside of the process, or tell the time.
const OUTSIDE: [&str; 6] = ["fs", "net", "process", "env", "time", "thread"];
/// Collections without an order.
const UNORDERED: [&str; 2] = ["HashMap", "HashSet"];
/// Libraries that reach outside of the process.
const OUTSIDE_CRATES: [&str; 7] =
    ["anyhow", "clap", "duct", "jiff", "memmap2", "rustix", "tempfile"];

/// A crate of ours.
struct Package {
    folder: String,
    manifest: Table,
}

impl Package {
    /// Names of the crates of ours in a table of dependencies.
    fn ours(&self, table: &str, known: &BTreeSet<String>) -> BTreeSet<String> {
        self.dependencies(table).filter(|name| known.contains(*name)).cloned().collect()
    }

    fn dependencies(&self, table: &str) -> impl Iterator<Item = &String> {
        self.manifest
            .get(table)
            .and_then(|table| table.as_table())
            .into_iter()
            .flat_map(Table::keys)
    }
}

/// The workspace's crates by name.
fn packages() -> BTreeMap<String, Package> {
    let workspace: Table = tree::read("Cargo.toml").parse().unwrap();
    let members = workspace["workspace"]["members"].as_array().unwrap();
    members
        .iter()
        .map(|member| {
            let folder = member.as_str().unwrap().to_owned();
            let manifest: Table = tree::read(&format!("{folder}/Cargo.toml")).parse().unwrap();
            let name = manifest["package"]["name"].as_str().unwrap().to_owned();
            (name, Package { folder, manifest })
        })
        .collect()
}

/// What a crate may use, as the table's last column says: names, or a name "and below".
fn allowed(folder: &str, packages: &BTreeMap<String, Package>) -> Option<BTreeSet<String>> {
    let text = tree::read("ARCHITECTURE.md");
    let row = text
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("/` |"))
        .filter(|(place, _)| folder == *place || folder.starts_with(&format!("{place}/")))
        .max_by_key(|(place, _)| place.len())?;
    let column = row.1.trim_end_matches(['|', ' ']).rsplit('|').next()?.to_owned();
    let named: BTreeSet<_> = column
        .split('`')
        .filter(|word| packages.contains_key(*word))
        .map(ToOwned::to_owned)
        .collect();
    if !column.contains("and below") {
        return Some(named);
    }
    let below = named.iter().filter_map(|name| allowed(&packages[name].folder, packages)).flatten();
    Some(below.chain(named.iter().cloned()).collect())
}

#[test]
fn dependencies_point_one_way() {
    let packages = packages();
    let known: BTreeSet<_> = packages.keys().cloned().collect();
    let mut wrong = Vec::new();
    for (name, package) in &packages {
        let Some(mut allowed) = allowed(&package.folder, &packages) else {
            wrong.push(format!("{name} has no row in ARCHITECTURE.md"));
            continue;
        };
        for (table, more) in [
            ("dependencies", None),
            ("build-dependencies", None),
            ("dev-dependencies", Some("synth")),
        ] {
            allowed.extend(more.filter(|more| name != more).map(ToOwned::to_owned));
            let used = package.ours(table, &known);
            wrong.extend(used.difference(&allowed).map(|used| format!("{name} uses {used}")));
        }
    }
    none("not in the table of ARCHITECTURE.md", &wrong);
}

#[test]
fn the_analyzer_reaches_nothing_outside() {
    let packages = packages();
    let mut wrong = Vec::new();
    for name in PURE {
        let package = &packages[name];
        let used = package.dependencies("dependencies");
        let used = used.filter(|used| OUTSIDE_CRATES.contains(&used.as_str()));
        wrong.extend(used.map(|used| format!("{name} depends on {used}")));
        let sources = format!("{}/src/", package.folder);
        for path in tree::ending(".rs").iter().filter(|path| path.starts_with(&sources)) {
            for (number, line) in tree::read(path).lines().enumerate() {
                if let Some(word) = reaches_outside(line) {
                    wrong.push(format!("{path}:{}: {word}", number + 1));
                }
            }
        }
    }
    none("files, processes, clocks and unordered collections are not for these crates", &wrong);
}

/// The word of a line of code that the analyzer's crates may not use.
fn reaches_outside(line: &str) -> Option<&str> {
    let code = line.split("//").next()?;
    let grouped = code.trim_start().starts_with("use std::{");
    let mut words = code.split(|letter: char| !(letter.is_alphanumeric() || "_:".contains(letter)));
    words.find(|word| {
        let names: Vec<_> = word.split("::").collect();
        let after_std = names.first() == Some(&"std") && names.get(1).is_some_and(is_outside);
        let in_group = grouped && names.first().is_some_and(is_outside);
        after_std || in_group || names.iter().any(|name| UNORDERED.contains(name))
    })
}

fn is_outside(name: &&str) -> bool {
    OUTSIDE.contains(name)
}

#[test]
fn words_that_reach_outside_are_seen() {
    assert_eq!(reaches_outside("    let text = std::fs::read(path)?;"), Some("std::fs::read"));
    assert_eq!(reaches_outside("use std::{fmt, fs};"), Some("fs"));
    assert_eq!(reaches_outside("    seen: HashMap<u64, u64>,"), Some("HashMap"));
    assert_eq!(reaches_outside("use std::collections::BTreeMap; // no HashMap"), None);
    assert_eq!(reaches_outside("    /// What std::process would do."), None);
}

#[test]
fn no_code_is_for_one_guest_or_case() {
    let guests = tree::ending(".toml")
        .into_iter()
        .filter_map(|path| Some(path.strip_prefix("guests/")?.strip_suffix(".toml")?.to_owned()));
    let names: Vec<_> =
        guests.filter(|name| !name.contains('/')).chain(tree::folders("modules")).collect();
    assert!(names.len() >= 2, "no guests and cases are found: {names:?}");
    let mut wrong = Vec::new();
    for path in tree::ending(".rs").iter().filter(|path| is_product(path)) {
        for (number, line) in tree::read(path).lines().enumerate() {
            let code = line.split("//").next().unwrap();
            let named = names.iter().filter(|name| names_it(code, name));
            wrong.extend(named.map(|name| format!("{path}:{}: {name}", number + 1)));
        }
    }
    none("a guest is one file and a case one folder; code does not name them", &wrong);
}

/// Whether code has this name, as a word or a part of a path: a case may be called by words that the
/// kernel uses itself (`KASAN: double-free`).
fn names_it(code: &str, name: &str) -> bool {
    code.match_indices(name).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        let after = code[at + name.len()..].chars().next();
        let ends = |letter: Option<char>, ends: &str| letter.is_some_and(|one| ends.contains(one));
        ends(before, "\"/") && ends(after, "\"/@.")
    })
}

#[test]
fn names_of_guests_and_cases_are_seen() {
    assert!(names_it("load(\"debian-12\")", "debian-12"));
    assert!(names_it("\"modules/double-free/case.toml\"", "double-free"));
    assert!(names_it("\"double-free@x\"", "double-free"));
    assert!(!names_it("(\"KASAN: double-free\", CrashKind::DoubleFree)", "double-free"));
}

/// Code that is no test.
fn is_product(path: &str) -> bool {
    let product = ["harness/", "guests/", "xtask/"].iter().any(|place| path.starts_with(place));
    product && !path.contains("/tests/") && !path.ends_with("/tests.rs")
}
