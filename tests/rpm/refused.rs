// SPDX-License-Identifier: MIT OR Apache-2.0
//! What must not come into the cache, each with a message that says why.

use std::fs;
use std::path::Path;

use guest::Choice;
use tests::rpm::{Fault, Payload, Server, Signer, describe};

use crate::world::{RELEASE, World, file, put, small, told};

/// One repository serves them all: making packages takes longer than refusing them.
#[test]
fn what_is_wrong_is_refused_with_a_clear_message() {
    let world = World::make("refused");
    a_byte_changed_on_the_way(&world);
    a_byte_changed_by_the_site(&world);
    metadata_changed_on_the_way(&world);
    metadata_with_a_wrong_signature(&world);
    an_unsigned_package(&world);
    a_package_signed_by_another_key(&world);
    a_kernel_without_debug_information(&world);
    a_kernel_that_is_not_there(&world);
    a_link_out_of_the_package(&world);
    a_path_out_of_the_package(&world);
    a_site_that_does_not_answer(&world);
    a_site_with_errors(&world);
    a_folder_that_is_no_repository(&world);
}

fn a_folder_that_is_no_repository(world: &World) {
    let place = world.copy("empty");
    fs::remove_dir_all(&place).unwrap();
    let path = place.to_str().unwrap();
    contains(&world.refusal(path), &["cannot read", path, "[--mirror takes the URL"]);
    fs::create_dir(&place).unwrap();
    contains(&world.refusal(path), &[path, "has neither packages", "[--mirror takes"]);
}

fn contains(told: &str, words: &[&str]) {
    for word in words {
        assert!(told.contains(word), "{word:?} is not in: {told}");
    }
}

/// Changes a byte of the payload, which is at the end.
fn spoil(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let at = bytes.len() - 20;
    bytes[at] ^= 0x20;
    fs::write(path, bytes).unwrap();
}

fn a_byte_changed_on_the_way(world: &World) {
    let place = world.copy("changed");
    spoil(&file(&place, "kernel"));
    let told = world.refusal(place.to_str().unwrap());
    contains(&told, &["kernel-3.10.0", "does not have the sha256 checksum", "primary.xml"]);
}

fn a_byte_changed_by_the_site(world: &World) {
    let place = world.copy("changed-and-described");
    spoil(&file(&place, "kernel-devel"));
    describe(&place, "sha512").unwrap();
    let told = world.refusal(place.to_str().unwrap());
    contains(
        &told,
        &["kernel-devel-3.10.0-1160.99.1.el7.x86_64", "is refused", "--allow-unsigned"],
    );
}

fn metadata_changed_on_the_way(world: &World) {
    let place = world.copy("metadata");
    let repodata = place.join("repodata");
    let primary = fs::read_dir(&repodata).unwrap().map(|entry| entry.unwrap().path());
    let primary = primary.filter(|path| path.to_str().unwrap().contains("primary.xml"));
    primary.for_each(|path| spoil(&path));
    let told = world.refusal(place.to_str().unwrap());
    contains(&told, &["primary.xml", "does not have the sha256 checksum", "repomd.xml"]);
}

fn metadata_with_a_wrong_signature(world: &World) {
    let place = world.copy("repomd");
    let repomd = place.join("repodata/repomd.xml");
    world.signer.detach(&repomd).unwrap();
    let text = fs::read_to_string(&repomd).unwrap();
    fs::write(&repomd, text.replace("</repomd>", "\n</repomd>")).unwrap();
    let told = world.refusal(place.to_str().unwrap());
    contains(&told, &["repomd.xml of repository os is refused", "something else"]);
}

fn an_unsigned_package(world: &World) {
    let place = world.copy("unsigned");
    duct::cmd!("rpmsign", "--delsign", file(&place, "kernel-debuginfo"))
        .stdout_null()
        .run()
        .unwrap();
    describe(&place, "sha256").unwrap();
    let place = place.to_str().unwrap();
    let told = world.refusal(place);
    contains(&told, &["kernel-debuginfo-3.10.0", "it is not signed", "--allow-unsigned"]);
    let allowed = Choice { allow_unsigned: vec!["all".into()], ..Choice::default() };
    let passed = told_of(world, place, allowed);
    contains(&passed, &["lib/modules/3.10.0-1160.99.1.el7.x86_64/kernel"]);
}

fn told_of(world: &World, place: &str, choice: Choice) -> String {
    told(&world.fetch_as(place, choice).unwrap_err())
}

fn a_package_signed_by_another_key(world: &World) {
    let place = world.copy("other-key");
    let other = Signer::make(&place, "stranger", "ed25519").unwrap();
    duct::cmd!("rpmsign", "--delsign", file(&place, "kernel")).stdout_null().run().unwrap();
    other.sign(&[file(&place, "kernel")]).unwrap();
    describe(&place, "sha256").unwrap();
    let place = place.to_str().unwrap();
    contains(&world.refusal(place), &["kernel-3.10.0", "signed by key", "--key"]);
    // Its own key makes it good.
    let trusted = Choice { keys: vec![other.public.clone()], ..Choice::default() };
    contains(&told_of(world, place, trusted), &["lib/modules"]);
}

fn a_kernel_without_debug_information(world: &World) {
    let place = world.copy("no-debuginfo");
    fs::remove_file(file(&place, "kernel-debuginfo")).unwrap();
    describe(&place, "sha256").unwrap();
    let told = world.refusal(place.to_str().unwrap());
    contains(&told, &["no kernel-debuginfo-3.10.0-1160.99.1.el7 in os", "no-debuginfo"]);
}

fn a_kernel_that_is_not_there(world: &World) {
    let place = world.copy("other-release");
    let place = place.to_str().unwrap();
    let other = Choice { kernel: Some("3.10.0-957.el7".into()), ..Choice::default() };
    contains(&told_of(world, place, other), &["no kernel 3.10.0-957.el7", RELEASE]);
}

fn a_link_out_of_the_package(world: &World) {
    let place = world.copy("link");
    let folder = format!("usr/src/kernels/{RELEASE}.x86_64");
    small("kernel-devel", Payload::Xz, &place, &|root| {
        put(root, &format!("{folder}/Module.symvers"))?;
        Ok(std::os::unix::fs::symlink("/etc", root.join(&folder).join("out"))?)
    });
    world.signer.sign(&[file(&place, "kernel-devel")]).unwrap();
    describe(&place, "sha256").unwrap();
    let error = world.fetch(place.to_str().unwrap()).unwrap_err();
    let source = std::error::Error::source(&error).unwrap().to_string();
    contains(&source, &["link", "out to /etc", "outside of it"]);
}

fn a_path_out_of_the_package(world: &World) {
    let place = world.copy("path");
    let devel = small("kernel-devel", Payload::Plain, &place, &|root| {
        put(root, "usr/src/kernels/aaaaaaaaaaaaaaaaaa/evil")
    });
    let text = fs::read(&devel).unwrap();
    let (from, to) = (b"aaaaaaaaaaaaaaaaaa/evil", b"../../../../../../evil1");
    let at = text.windows(from.len()).rposition(|window| window == from).unwrap();
    let changed = [&text[..at], to, &text[at + from.len()..]].concat();
    fs::write(&devel, changed).unwrap();
    describe(&place, "sha256").unwrap();
    let allowed = Choice { allow_unsigned: vec!["all".into()], ..Choice::default() };
    let error = world.fetch_as(place.to_str().unwrap(), allowed).unwrap_err();
    let source = std::error::Error::source(&error).unwrap().to_string();
    contains(&source, &["evil1", "outside of its folder"]);
}

fn a_site_that_does_not_answer(world: &World) {
    let told = world.refusal("http://127.0.0.1:1/centos");
    contains(&told, &["cannot fetch http://127.0.0.1:1/centos/repodata/repomd.xml"]);
    contains(&told, &["--mirror", "guest import"]);
}

fn a_site_with_errors(world: &World) {
    let server = Server::start(world.folder.join("packages")).unwrap();
    server.fault("repomd.xml.asc", Fault::Status(404));
    server.fault("kernel-debuginfo-3.10.0-1160.99.1.el7.x86_64.rpm", Fault::Status(503));
    contains(&world.refusal(&server.url), &["kernel-debuginfo", "503", "--mirror"]);
    assert!(server.asked("kernel-debuginfo-3.10.0-1160.99.1.el7.x86_64.rpm").len() > 2);
    let server = Server::start(world.folder.join("packages")).unwrap();
    server.fault("primary.xml.gz", Fault::Status(404));
    contains(&world.refusal(&server.url), &["primary.xml.gz", "404", "--mirror"]);
    assert_eq!(server.asked("primary.xml.gz").len(), 1, "it is not there the next time either");
}
