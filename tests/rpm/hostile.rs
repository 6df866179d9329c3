// SPDX-License-Identifier: MIT OR Apache-2.0
//! A repository whose metadata and packages name places outside of the cache. Nobody signed it: it
//! is refused before anything is written.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use guest::Choice;
use tests::rpm::Server;

use crate::world::{World, told};

/// Writes metadata in which one text of primary.xml is another, with checksums that fit.
fn spoil(place: &Path, from: &str, to: &str) {
    let repodata = place.join("repodata");
    let entries = fs::read_dir(&repodata).unwrap().map(|entry| entry.unwrap().path());
    let primary = entries.into_iter().find(|path| path.to_str().unwrap().contains("primary"));
    let text = duct::cmd!("gzip", "-dc", primary.unwrap()).read().unwrap();
    assert!(text.contains(from), "{from} is not in {text}");
    let primary = repodata.join("primary.xml");
    fs::write(&primary, text.replace(from, to)).unwrap();
    describe(place, "repodata/primary.xml", &primary);
}

/// Writes repomd.xml for one listing.
fn describe(place: &Path, href: &str, primary: &Path) {
    let sum = duct::cmd!("sha256sum", primary).read().unwrap();
    let sum = sum.split(' ').next().unwrap();
    let repomd = format!(
        "<repomd><data type=\"primary\"><checksum type=\"sha256\">{sum}</checksum>\
         <location href=\"{href}\"/></data></repomd>"
    );
    fs::write(place.join("repodata/repomd.xml"), repomd).unwrap();
}

/// Every file below a folder, with its content.
fn all(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(all(&path));
        } else if path.is_file() {
            found.insert(path.clone(), fs::read(path).unwrap());
        }
    }
    found
}

/// Fetches from there, trusting everybody; says why it is refused. Nothing outside of the cache,
/// which is gone then, may have changed.
fn refused(world: &World, place: &str) -> String {
    let before = all(&world.folder);
    let anybody = Choice { allow_unsigned: vec!["all".into()], ..Choice::default() };
    let error = world.fetch_as(place, anybody).unwrap_err();
    let source = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
    assert!(all(&world.folder) == before, "files changed: {error}");
    let told = format!("{} {source}", told(&error));
    assert!(!told.contains(char::is_control), "{told:?}");
    told
}

#[test]
fn names_that_lead_elsewhere_are_refused_and_nothing_is_written() {
    let world = World::make("hostile");
    let victim = world.folder.join("victim");
    fs::write(&victim, "precious").unwrap();
    let victim = victim.to_str().unwrap();
    let (version, release) = ("ver=\"3.10.0\"", "rel=\"1160.99.1.el7\"");
    let href = "href=\"kernel-devel-";
    let changes = [
        ("name", "<name>kernel-devel</name>", format!("<name>{victim}</name>")),
        ("name", "<name>kernel-devel</name>", "<name>../../../victim</name>".to_owned()),
        ("name", "<name>kernel-devel</name>", "<name>kernel&#10;::error::x</name>".to_owned()),
        ("version", version, "ver=\"/../../../victim\"".to_owned()),
        ("version", version, "ver=\"1&#27;]52;c;eA==&#7;\"".to_owned()),
        ("release", release, "rel=\"1/../../../../victim\"".to_owned()),
        ("release", release, "rel=\"\"".to_owned()),
        ("epoch", "epoch=\"0\"", "epoch=\"../0\"".to_owned()),
        ("arch", "<arch>x86_64</arch>", "<arch>../x86_64</arch>".to_owned()),
        ("arch", "<arch>x86_64</arch>", "<arch>x86_64\u{202e}</arch>".to_owned()),
        ("location", href, format!("href=\"{victim}/")),
        ("location", href, "href=\"../../victim".to_owned()),
        ("location", href, "href=\"http://127.0.0.1:1/".to_owned()),
        ("location", href, "href=\"a&#27;[2J".to_owned()),
    ];
    for (number, (field, from, to)) in changes.iter().enumerate() {
        let place = world.copy(&format!("changed-{number}"));
        spoil(&place, from, to);
        let server = Server::start(place).unwrap();
        let told = refused(&world, &server.url);
        assert!(told.contains("repodata/primary.xml"), "{told}");
        assert!(told.contains(&format!("the {field} `")), "{to}: {told}");
    }
}

#[test]
fn listings_and_packages_that_lead_elsewhere_are_refused_too() {
    let world = World::make("hostile-more");
    let secret = world.folder.join("secret.xml");
    fs::write(&secret, "<metadata/>").unwrap();
    let place = world.copy("listing");
    for href in [secret.to_str().unwrap(), "../secret.xml"] {
        describe(&place, href, &secret);
        for place in [place.to_str().unwrap(), &Server::start(place.clone()).unwrap().url] {
            let told = refused(&world, place);
            assert!(told.contains("repomd.xml") && told.contains("the location `"), "{told}");
        }
    }
    // Without metadata, packages say themselves what they are called.
    let place = world.copy("headers");
    fs::remove_dir_all(place.join("repodata")).unwrap();
    let package = crate::world::file(&place, "kernel");
    let mut bytes = fs::read(&package).unwrap();
    let (from, to) = (b"\x003.10.0\x00", b"\x00../../\x00");
    let at = bytes.windows(from.len()).position(|window| window == from).unwrap();
    bytes[at..at + to.len()].copy_from_slice(to);
    fs::write(&package, bytes).unwrap();
    let told = refused(&world, place.to_str().unwrap());
    assert!(told.contains("kernel-3.10.0") && told.contains("the version `../../`"), "{told}");
}
