// SPDX-License-Identifier: MIT OR Apache-2.0
//! A repository of a kernel of a few bytes, and a guest that is fetched from it.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use guest::{Choice, FetchError, GuestFiles, Manifest, Mirror, Store, fetch};
use tests::project;
use tests::rpm::{Payload, Signer, Spec, describe};

pub(crate) const RELEASE: &str = "3.10.0-1160.99.1.el7";

/// The packages of the small kernel.
const PARTS: [(&str, &str); 3] = [
    ("kernel", "boot/vmlinuz-3.10.0-1160.99.1.el7.x86_64"),
    ("kernel-devel", "usr/src/kernels/3.10.0-1160.99.1.el7.x86_64/Module.symvers"),
    ("kernel-debuginfo", "usr/lib/debug/lib/modules/3.10.0-1160.99.1.el7.x86_64/vmlinux"),
];

/// Packages signed with a key, with metadata.
pub(crate) struct World {
    pub(crate) folder: PathBuf,
    pub(crate) signer: Signer,
}

impl World {
    pub(crate) fn make(name: &str) -> Self {
        let folder = tests::rpm::folder(name).unwrap();
        let packages = folder.join("packages");
        fs::create_dir(&packages).unwrap();
        let signer = Signer::make(&folder, "builder", "rsa2048").unwrap();
        for (name, file) in PARTS {
            small(name, Payload::Xz, &packages, &|root| put(root, file));
        }
        signer.sign(&files(&packages)).unwrap();
        describe(&packages, "sha256").unwrap();
        Self { folder, signer }
    }

    /// A copy of the repository to be spoiled.
    pub(crate) fn copy(&self, name: &str) -> PathBuf {
        let copy = self.folder.join(name);
        duct::cmd!("cp", "-r", self.folder.join("packages"), &copy).run().unwrap();
        copy
    }

    /// Fetches the guest from there, trusting the builder's key.
    pub(crate) fn fetch(&self, place: &str) -> Result<GuestFiles, FetchError> {
        self.fetch_as(place, Choice::default())
    }

    /// The guest that comes from there, trusting the builder's key.
    pub(crate) fn guest(&self, place: &str, choice: &Choice) -> Manifest {
        let path = project::root().join("guests/centos-7.toml");
        let mut guest = Manifest::load(&path).unwrap();
        let own = Choice {
            mirrors: vec![Mirror::parse(place).unwrap()],
            keys: vec![self.signer.public.clone()],
            ..Choice::default()
        };
        own.overridden_by(choice).apply(&mut guest).unwrap();
        guest
    }

    pub(crate) fn fetch_as(&self, place: &str, choice: Choice) -> Result<GuestFiles, FetchError> {
        let guest = self.guest(place, &choice);
        let cache = tempfile::tempdir_in(&self.folder).unwrap();
        let store = Store::open(cache.path(), false).unwrap();
        fetch(&guest, &store, &mut |_| ControlFlow::Continue(()))
    }

    /// Why it is refused, with the hint.
    pub(crate) fn refusal(&self, place: &str) -> String {
        told(&self.fetch(place).unwrap_err())
    }
}

pub(crate) fn told(error: &FetchError) -> String {
    format!("{error} [{}]", error.hint().unwrap_or_default())
}

/// Builds a package of the small kernel's version.
pub(crate) fn small(
    name: &str,
    payload: Payload,
    target: &Path,
    contents: tests::rpm::Contents<'_>,
) -> PathBuf {
    let (version, release) = RELEASE.split_once('-').unwrap();
    let spec = Spec { name, version, release, requires: &[], payload };
    spec.build(target, contents).unwrap()
}

/// A file of some bytes.
pub(crate) fn put(root: &Path, file: &str) -> anyhow::Result<()> {
    let path = root.join(file);
    fs::create_dir_all(path.parent().unwrap())?;
    Ok(fs::write(path, "some bytes\n".repeat(100))?)
}

pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.extension().is_some_and(|it| it == "rpm")).collect()
}

/// The file of one package.
pub(crate) fn file(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}-{RELEASE}.x86_64.rpm"))
}
