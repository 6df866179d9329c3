// SPDX-License-Identifier: MIT OR Apache-2.0
//! `setup.packages`: the files of packages that a guest gets.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use crate::initramfs::{CaseContent, CaseFile};
use guest::{Brought, GuestFile, libraries};

/// Folders of programs.
const PROGRAMS: [&str; 4] = ["usr/bin", "usr/sbin", "bin", "sbin"];
/// Most bytes of all files together: they are copied into the guest's memory.
const MAX_BYTES: u64 = 192 << 20;

/// What the guest gets of packages.
#[derive(Debug, Default)]
pub(super) struct PackageFiles {
    /// The files.
    pub(super) files: Vec<CaseFile>,
    /// The programs among them, by their paths in the guest.
    pub(super) programs: Vec<String>,
}

/// All files of the packages that were asked for, and the libraries that these need. A plugin whose
/// libraries are in none of the packages comes without them; a program has to be whole.
pub(super) fn all(packages: &[Brought]) -> Result<PackageFiles, Box<dyn Error + 'static>> {
    let trees: Vec<PathBuf> = packages.iter().map(|package| package.tree.clone()).collect();
    let mut files = BTreeMap::new();
    let mut programs = BTreeSet::new();
    let mut needed = BTreeMap::new();
    for package in packages.iter().filter(|package| package.asked) {
        let mut todo = vec![PathBuf::new()];
        while let Some(inside) = todo.pop() {
            for entry in fs::read_dir(package.tree.join(&inside))? {
                let entry = entry?;
                let (kind, inside) = (entry.file_type()?, inside.join(entry.file_name()));
                let place = format!("/{}", inside.display());
                let is_program = PROGRAMS.iter().any(|folder| inside.starts_with(folder));
                if kind.is_dir() {
                    todo.push(inside);
                    continue;
                }
                if is_program {
                    programs.insert(place.clone());
                }
                if kind.is_symlink() {
                    let target = fs::read_link(entry.path())?.display().to_string();
                    files.insert(place, CaseContent::Link(target));
                } else if kind.is_file() {
                    if is_elf(&entry.path())? {
                        let found = libraries::closure(&entry.path(), &trees);
                        match found {
                            Ok(found) => needed.extend(found.into_iter().map(by_place)),
                            Err(error) if is_program => return Err(error.into()),
                            Err(_) => {}
                        }
                    }
                    files.insert(place, CaseContent::Copy(entry.path()));
                }
            }
        }
    }
    for (place, host) in needed {
        files.entry(place).or_insert(CaseContent::Copy(host));
    }
    let size = |content: &CaseContent| match content {
        CaseContent::Copy(path) => fs::metadata(path).map_or(0, |meta| meta.len()),
        CaseContent::Bytes(_) | CaseContent::Link(_) => 0,
    };
    let bytes: u64 = files.values().map(size).sum();
    if bytes > MAX_BYTES {
        let most = MAX_BYTES >> 20;
        return Err(format!("the packages have {} MiB; {most} are the most", bytes >> 20).into());
    }
    let files = files.into_iter().map(|(name, content)| CaseFile { name, content }).collect();
    Ok(PackageFiles { files, programs: programs.into_iter().collect() })
}

fn by_place(file: GuestFile) -> (String, PathBuf) {
    (file.guest.display().to_string(), file.host)
}

fn is_elf(path: &Path) -> io::Result<bool> {
    let mut head = Vec::new();
    fs::File::open(path)?.take(6).read_to_end(&mut head)?;
    Ok(head.starts_with(b"\x7fELF\x02\x01"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use guest::Package;

    fn package(tree: &Path, asked: bool) -> Brought {
        let text = || String::from("x");
        let package = Package { name: text(), version: text(), sha256: text() };
        Brought { package, tree: tree.to_owned(), asked }
    }

    /// A program of this machine in one package, its libraries in another.
    #[test]
    fn a_program_comes_with_its_libraries_and_links_stay_links() {
        let folder = tempfile::tempdir().unwrap();
        let (own, other) = (folder.path().join("own"), folder.path().join("other"));
        fs::create_dir_all(own.join("usr/sbin")).unwrap();
        fs::create_dir_all(own.join("usr/lib/xtables")).unwrap();
        fs::create_dir_all(other.join("usr/lib/x86_64-linux-gnu")).unwrap();
        fs::copy("/bin/sh", own.join("usr/sbin/multi")).unwrap();
        std::os::unix::fs::symlink("multi", own.join("usr/sbin/iptables")).unwrap();
        fs::write(own.join("usr/lib/xtables/libxt.so"), "plugin").unwrap();
        let listed = duct::cmd!("ldd", "/bin/sh").read().unwrap();
        for path in listed.split_whitespace().filter(|word| word.starts_with('/')) {
            let name = Path::new(path).file_name().unwrap();
            fs::copy(path, other.join("usr/lib/x86_64-linux-gnu").join(name)).unwrap();
        }
        fs::write(other.join("usr/lib/x86_64-linux-gnu/libnever.so"), "").unwrap();
        let all = all(&[package(&own, true), package(&other, false)]).unwrap();
        assert_eq!(all.programs, ["/usr/sbin/iptables", "/usr/sbin/multi"]);
        let content = |name: &str| {
            all.files.iter().find(|file| file.name.ends_with(name)).map(|file| &file.content)
        };
        assert_eq!(content("/iptables"), Some(&CaseContent::Link("multi".into())));
        assert!(content("/libc.so.6").is_some() && content("xtables/libxt.so").is_some());
        assert_eq!(content("libnever.so"), None);
        fs::remove_dir_all(&other).unwrap();
        assert!(super::all(&[package(&own, true)]).unwrap_err().to_string().contains(" needs "));
    }
}
