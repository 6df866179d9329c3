// SPDX-License-Identifier: MIT OR Apache-2.0
//! Nothing in the project tells on which machine it was made or from where that machine downloads.

use crate::{none, tree};

/// Hosts that files may name: of documents, of licences, of schemas, of a distribution whose
/// packages no host's package manager is configured for; of the debug files of all.
const HOSTS: [&str; 8] = [
    "debuginfo.centos.org",
    "debuginfod.elfutils.org",
    "github.com",
    "json-schema.org",
    "keepachangelog.com",
    "vault.centos.org",
    "www.apache.org",
    "www.kernel.org",
];

#[test]
fn no_path_of_a_build_machine() {
    let mut paths = vec![tree::root().to_str().unwrap().to_owned()];
    paths.extend(std::env::var("CARGO_HOME").ok().filter(|path| path.len() > 1));
    // Put together, so that this file does not break its own rule.
    paths.extend(["home", "Users"].map(|folder| format!("/{folder}/")));
    let mut found = Vec::new();
    for path in tree::files() {
        for (number, line) in tree::read(&path).lines().enumerate() {
            let named = paths.iter().filter(|path| names_path(line, path));
            found.extend(named.map(|named| format!("{path}:{}: {named}", number + 1)));
        }
    }
    none("paths of the machine that made them", &found);
}

/// Whether the line has that absolute path, not as the end of a longer one.
fn names_path(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|letter| letter.is_alphanumeric() || "_-.}>".contains(letter))
    })
}

#[test]
fn hosts_are_known_ones() {
    let mut found = Vec::new();
    for path in tree::files() {
        for (number, line) in tree::read(&path).lines().enumerate() {
            let unknown = hosts(line).filter(|host| !is_known(host));
            found.extend(unknown.map(|host| format!("{path}:{}: {host}", number + 1)));
        }
    }
    none("hosts that are not in the list of this test", &found);
}

/// Names after `://`. A format string's `{host}` is none.
fn hosts(line: &str) -> impl Iterator<Item = &str> {
    line.split("://").skip(1).filter_map(|rest| {
        let end =
            rest.find(|letter: char| !(letter.is_ascii_alphanumeric() || "-.".contains(letter)));
        let host = &rest[..end.unwrap_or(rest.len())];
        (!host.is_empty()).then_some(host)
    })
}

/// In the list, or a name that no other host on the net has: `.example` is reserved for examples,
/// `127.` is this machine.
fn is_known(host: &str) -> bool {
    let own = host.starts_with("127.") || !host.contains('.');
    HOSTS.contains(&host) || host.ends_with(".example") || own
}

#[test]
fn hosts_and_paths_are_seen() {
    let line = "deb http://mirror.example:80/debian and https://github.com/x, {scheme}://{host}";
    assert_eq!(hosts(line).collect::<Vec<_>>(), ["mirror.example", "github.com"]);
    assert!(names_path("file = \"/build/tree/src\"", "/build/tree"));
    assert!(!names_path("target/build/tree", "/build/tree"));
}
