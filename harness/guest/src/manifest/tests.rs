// SPDX-License-Identifier: MIT OR Apache-2.0
use super::*;
use crate::strict::parse;

const GOOD: &str = include_str!("../../../../guests/debian-12.toml");

fn error(text: &str) -> String {
    let result: Result<Manifest, _> = parse(Path::new("g.toml"), text);
    result.unwrap_err().to_string()
}

#[test]
fn the_committed_guest_is_valid() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../guests/debian-12.toml");
    let guest = Manifest::load(&path).unwrap();
    assert_eq!(guest.name, "debian-12");
    assert_eq!(guest.arch, Arch::X86_64);
    assert!(guest.timeouts.tcg.boot > guest.timeouts.kvm.boot);
}

#[test]
fn an_unknown_key_says_where_it_is_and_what_was_meant() {
    let message = error(&GOOD.replace("suite =", "suit ="));
    assert!(message.contains("source.apt"), "{message}");
    assert!(message.contains("unknown field `suit`"), "{message}");
    assert!(message.ends_with("did you mean `suite`?"), "{message}");
    let line = GOOD.lines().position(|line| line.starts_with("suite =")).unwrap() + 1;
    assert!(message.starts_with(&format!("g.toml:{line}: ")), "{message}");
}

#[test]
fn an_unknown_capture_method_says_what_was_meant() {
    let message = error(&GOOD.replace("\"kdump\"", "\"kdmp\""));
    assert!(message.contains("capture[0]"), "{message}");
    assert!(message.ends_with("did you mean `kdump`?"), "{message}");
}

#[test]
fn times_and_sizes_have_units() {
    let message = error(&GOOD.replace("boot = \"", "boot = \"x"));
    assert!(message.contains("timeouts.kvm.boot"), "{message}");
    let message = error(&GOOD.replace("memory = \"1GiB\"", "memory = 1024"));
    assert!(message.contains("a size such as"), "{message}");
}

#[test]
fn a_name_cannot_smuggle_options_to_apt() {
    for bad in ["-o", "a b", "a\\nb", "a]"] {
        let text = GOOD.replace("suite = \"bookworm\"", &format!("suite = \"{bad}\""));
        let guest: Manifest = parse(Path::new("g.toml"), &text).unwrap();
        assert!(guest.check().unwrap_err().contains("source.apt.suite"), "{bad}");
    }
}

#[test]
fn a_guests_file_cannot_say_that_it_is_imported() {
    let from = GOOD.find("[source.").unwrap();
    let rest = &GOOD[from + 1..];
    let to = from + 1 + rest.find("\n[kernel]").unwrap();
    let text = format!("{}[source.imported]\nrelease = \"6.1\"\n{}", &GOOD[..from], &GOOD[to..]);
    let guest: Manifest = parse(Path::new("g.toml"), &text).unwrap();
    assert!(guest.check().unwrap_err().contains("guest import"));
}

#[test]
fn a_flavour_is_a_guest_of_its_own() {
    let mut guest: Manifest = parse(Path::new("g.toml"), GOOD).unwrap();
    guest.name = "debian-12".into();
    let other = guest.with_flavour("amd64").unwrap();
    assert_eq!(other.name, "debian-12-amd64");
    let Source::Apt(source) = &other.source else { panic!("{other:?}") };
    assert_eq!(source.kernel.flavour, "amd64");
    assert_eq!(guest.with_flavour("s390x"), None);
    let Source::Apt(source) = &guest.source else { panic!("{guest:?}") };
    assert_eq!(guest.with_flavour(&source.kernel.flavour), Some(guest.clone()));
}
