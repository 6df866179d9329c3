// SPDX-License-Identifier: MIT OR Apache-2.0
//! Choices against the guests there are.

use std::path::Path;

use super::*;

fn guest(name: &str) -> Manifest {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../guests");
    Manifest::load(&folder.join(format!("{name}.toml"))).unwrap()
}

fn urls(choice: &Choice) -> Vec<String> {
    let mut guest = guest("centos-7");
    choice.apply(&mut guest).unwrap();
    let Source::Rpm(rpm) = guest.source else { panic!("not from RPMs") };
    rpm.urls("centos-7", "x86_64").unwrap()
}

fn mirrors(texts: &[&str]) -> Choice {
    let mirrors = texts.iter().map(|text| Mirror::parse(text).unwrap()).collect();
    Choice { mirrors, ..Choice::default() }
}

#[test]
fn a_mirror_replaces_a_site_a_repository_or_all_of_them() {
    let found = urls(&mirrors(&["vault=http://m/c/", "debuginfo=/srv/d"]));
    let os = "http://m/c/7.9.2009/os/x86_64";
    let updates = "http://m/c/7.9.2009/updates/x86_64";
    assert_eq!(found, [os, updates, "/srv/d"]);
    assert_eq!(urls(&mirrors(&["http://m/all?x=1"])), ["http://m/all?x=1"; 3]);
    assert_eq!(urls(&mirrors(&["all=/srv/all"])), ["/srv/all"; 3]);
}

#[test]
fn what_is_said_last_counts() {
    let configured = mirrors(&["all=/a"]);
    let said = Choice { kernel: Some("3.10.0-862.el7".into()), ..mirrors(&["os=/b"]) };
    let choice = configured.overridden_by(&said);
    assert_eq!(urls(&choice), ["/b", "/a", "/a"]);
    let mut guest = guest("centos-7");
    choice.apply(&mut guest).unwrap();
    assert_eq!(guest.source.release(), Some("3.10.0-862.el7"));
}

#[test]
fn a_name_of_no_repository_is_an_error_that_lists_them() {
    let message = mirrors(&["vualt=/a"]).apply(&mut guest("centos-7")).unwrap_err();
    assert!(
        message.to_string().contains("--mirror (it takes debuginfo-site, vault, os, updates"),
        "{message}"
    );
    // A site is no repository: what is unsigned is said of each.
    let unsigned = Choice { allow_unsigned: vec!["vault".into()], ..Choice::default() };
    let message = unsigned.apply(&mut guest("centos-7")).unwrap_err().to_string();
    assert!(
        message.contains("--allow-unsigned (it takes os, updates, debuginfo, all)"),
        "{message}"
    );
    mirrors(&["vualt=/a"]).apply(&mut guest("debian-12")).unwrap();
}
