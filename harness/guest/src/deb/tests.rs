// SPDX-License-Identifier: MIT OR Apache-2.0
//! The packages are made by other programs: `tar`, `xz` and `ar`.

use std::fs;

use super::*;

/// A package with these files, in this order.
fn package(folder: &Path, files: &[(&str, &[u8])]) -> PathBuf {
    let root = folder.join("root");
    fs::create_dir(&root).unwrap();
    for (name, content) in files {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    let names: Vec<String> = files.iter().map(|(name, _)| format!("./{name}")).collect();
    let tar =
        duct::cmd("tar", ["-cf", "../data.tar"].into_iter().chain(names.iter().map(|n| &**n)));
    tar.dir(&root).run().unwrap();
    duct::cmd!("xz", "--block-size=65536", "data.tar").dir(folder).run().unwrap();
    fs::write(folder.join("debian-binary"), "2.0\n").unwrap();
    fs::write(folder.join("control.tar.xz"), "not read").unwrap();
    let members = ["debian-binary", "control.tar.xz", "data.tar.xz"];
    let ar = duct::cmd("ar", ["qc", "p.deb"].into_iter().chain(members));
    ar.dir(folder).stderr_null().run().unwrap();
    folder.join("p.deb")
}

/// Bytes that do not compress to nothing.
fn noise(length: u32) -> Vec<u8> {
    let mut state = 1u32;
    let mut next = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_le_bytes()[3]
    };
    (0..length).map(&mut next).collect()
}

#[test]
fn only_wanted_files_are_unpacked_and_they_are_read_only() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let big = noise(200_000);
    let deb = package(folder.path(), &[("usr/a", &big), ("usr/b/c", b"text"), ("boot/x", b"")]);
    let target = folder.path().join("target");
    fs::create_dir(&target).unwrap();
    let meter = Meter::default();
    unpack(&deb, &meter, &target, |path| path.starts_with("usr")).unwrap();
    assert_eq!(fs::read(target.join("usr/a")).unwrap(), big);
    assert_eq!(fs::read(target.join("usr/b/c")).unwrap(), b"text");
    assert!(!target.join("boot").exists());
    let mode = fs::metadata(target.join("usr/a")).unwrap().permissions().mode();
    assert_eq!(mode & 0o222, 0);
}

#[test]
fn reading_ends_where_the_visitor_says() {
    let folder = tempfile::tempdir().unwrap();
    let deb = package(folder.path(), &[("first", b"1"), ("second", b"2"), ("third", b"3")]);
    let mut seen = Vec::new();
    visit(&deb, &Meter::default(), |path, _| {
        seen.push(path.to_owned());
        let last = path.ends_with("second");
        Ok(if last { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    })
    .unwrap();
    assert_eq!(seen, [Path::new("first"), Path::new("second")]);
}

#[test]
fn a_package_cut_anywhere_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let deb = package(folder.path(), &[("usr/a", &noise(300_000)), ("usr/b", b"text")]);
    let whole = fs::read(&deb).unwrap();
    for part in 0..12 {
        let cut = whole.len() * part / 12;
        fs::write(&deb, &whole[..cut]).unwrap();
        let target = tempfile::tempdir().unwrap();
        let result = unpack(&deb, &Meter::default(), target.path(), |_| true);
        assert!(matches!(result, Err(FetchError::Unpack { .. })), "cut at {cut}: {result:?}");
    }
}

#[test]
fn unpacking_stops_when_cancelled() {
    let folder = tempfile::tempdir().unwrap();
    let deb = package(folder.path(), &[("usr/a", &noise(300_000))]);
    let meter = Meter::default();
    meter.cancel();
    let result = unpack(&deb, &meter, folder.path(), |_| true);
    assert!(matches!(result, Err(FetchError::Cancelled)), "{result:?}");
}

#[test]
fn a_link_that_leads_out_is_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let outside = tempfile::tempdir().unwrap();
    let links =
        [("usr/far", outside.path().to_str().unwrap()), ("usr/up", "../../x"), ("usr/ok", "b")];
    let root = folder.path().join("links");
    for (name, target) in links {
        fs::create_dir_all(root.join("usr")).unwrap();
        std::os::unix::fs::symlink(target, root.join(name)).unwrap();
    }
    let deb = package(folder.path(), &[("usr/b", b"1")]);
    duct::cmd!(
        "sh",
        "-c",
        "tar -cf data.tar -C links usr -C ../root usr/b && xz -f data.tar && rm p.deb \
        && ar qc p.deb debian-binary control.tar.xz data.tar.xz 2>/dev/null"
    )
    .dir(folder.path())
    .run()
    .unwrap();
    let target = folder.path().join("target");
    fs::create_dir_all(&target).unwrap();
    unpack(&deb, &Meter::default(), &target, |_| true).unwrap();
    assert!(target.join("usr/far").symlink_metadata().is_err());
    assert!(target.join("usr/up").symlink_metadata().is_err());
    assert_eq!(fs::read(target.join("usr/ok")).unwrap(), b"1");
}

#[test]
fn a_path_that_leads_out_is_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    let deb = package(folder.path(), &[("x", b"1")]);
    // The same package with a name of equal length that climbs.
    duct::cmd!("sh", "-c", "ar p p.deb data.tar.xz | xz -dc > d.tar && mkdir -p e && touch e/x && \
        tar -cPf d.tar --transform 's,.*x,../../evil,' e/x && xz -f d.tar && mv d.tar.xz data.tar.xz \
        && rm p.deb && ar qc p.deb debian-binary control.tar.xz data.tar.xz 2>/dev/null")
        .dir(folder.path())
        .run()
        .unwrap();
    let target = folder.path().join("a/b");
    fs::create_dir_all(&target).unwrap();
    unpack(&deb, &Meter::default(), &target, |_| true).unwrap();
    assert!(!folder.path().join("evil").exists());
    assert!(!folder.path().join("a/evil").exists());
}
