// SPDX-License-Identifier: MIT OR Apache-2.0
//! The shared libraries a program of the guest needs, found in unpacked packages.

use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::path::{Path, PathBuf};

use object::Endianness;
use object::elf::{self, FileHeader64};
use object::read::elf::{FileHeader, ProgramHeader};

use super::{FetchError, GuestFile};

/// Folders of a package that the guest's program loader searches without any configuration.
const FOLDERS: [&str; 4] =
    ["lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu", "lib64", "usr/lib64"];

/// What a program asks for by name.
#[derive(Debug, Default, PartialEq, Eq)]
struct Needs {
    /// The program loader (`PT_INTERP`), an absolute path; static programs have none.
    loader: Option<String>,
    /// Names of libraries (`DT_NEEDED`).
    libraries: Vec<String>,
}

/// The loader and all libraries that `program` needs, themselves and through each other, by name.
pub fn closure(program: &Path, trees: &[PathBuf]) -> Result<Vec<GuestFile>, FetchError> {
    let mut found: BTreeMap<String, GuestFile> = BTreeMap::new();
    let mut queue = VecDeque::from([(program.to_owned(), needs(program)?)]);
    while let Some((user, needs)) = queue.pop_front() {
        if let Some(path) = needs.loader {
            let name = path.rsplit('/').next().unwrap_or(&path).to_owned();
            let (host, _) = find(&name, trees).ok_or_else(|| missing(&user, &name))?;
            found.insert(name, GuestFile { host, guest: path.into() });
        }
        for name in needs.libraries {
            if found.contains_key(&name) {
                continue;
            }
            let (host, guest) = find(&name, trees).ok_or_else(|| missing(&user, &name))?;
            queue.push_back((host.clone(), self::needs(&host)?));
            found.insert(name, GuestFile { host, guest });
        }
    }
    Ok(found.into_values().collect())
}

fn missing(user: &Path, library: &str) -> FetchError {
    FetchError::NoLibrary { program: user.to_owned(), library: library.to_owned() }
}

/// Where a library is on the host, and its path in the guest.
fn find(name: &str, trees: &[PathBuf]) -> Option<(PathBuf, PathBuf)> {
    if name.contains('/') {
        return None;
    }
    trees.iter().find_map(|tree| {
        FOLDERS.iter().find_map(|folder| {
            let inside = Path::new(folder).join(name);
            // A link may lead to `/lib/…` of the host, which is not meant.
            let host = fs::canonicalize(tree.join(&inside)).ok()?;
            let own = host.starts_with(fs::canonicalize(tree).ok()?) && host.is_file();
            own.then(|| (host, Path::new("/").join(inside)))
        })
    })
}

fn needs(path: &Path) -> Result<Needs, FetchError> {
    let wrong = |why: String| FetchError::Elf { path: path.to_owned(), why };
    let data = fs::read(path).map_err(|error| wrong(error.to_string()))?;
    parse(&data).map_err(|error| wrong(error.to_string()))
}

fn parse(data: &[u8]) -> object::read::Result<Needs> {
    let header = FileHeader64::<Endianness>::parse(data)?;
    let endian = header.endian()?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut needs = Needs::default();
    for segment in header.program_headers(endian, data)? {
        if let Some(loader) = segment.interpreter(endian, data)? {
            needs.loader = Some(text(loader));
        }
    }
    let sections = header.sections(endian, data)?;
    let table = sections.dynamic_table(endian, data)?;
    for entry in table.iter().filter(|entry| entry.tag == elf::DT_NEEDED) {
        needs.libraries.push(text(table.string(entry)?));
    }
    Ok(needs)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two libraries of which one needs the other, and a program that needs the first.
    fn tree(folder: &Path) -> PathBuf {
        let libraries = folder.join("usr/lib/x86_64-linux-gnu");
        fs::create_dir_all(&libraries).unwrap();
        let script = "
            echo 'int b(void) { return 1; }' > b.c
            echo 'int b(void); int a(void) { return b(); }' > a.c
            echo 'int a(void); int _start(void) { return a(); }' > p.c
            gcc -nostdlib -shared -fPIC -Wl,-soname,libb.so.2 b.c -o $L/libb.so.2.1
            ln -s libb.so.2.1 $L/libb.so.2
            gcc -nostdlib -shared -fPIC -Wl,-soname,liba.so.1 a.c -o $L/liba.so.1 $L/libb.so.2
            gcc -nostdlib -Wl,-rpath-link,$L p.c -o p $L/liba.so.1 -Wl,--dynamic-linker=/lib64/ld.so.9
            cp p $L/ld.so.9";
        duct::cmd!("sh", "-ec", script).dir(folder).env("L", &libraries).run().unwrap();
        folder.join("p")
    }

    #[test]
    fn libraries_of_libraries_and_the_loader_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let program = tree(folder.path());
        let found = closure(&program, &[folder.path().to_owned()]).unwrap();
        let guest: Vec<&str> = found.iter().map(|file| file.guest.to_str().unwrap()).collect();
        let libraries = "/usr/lib/x86_64-linux-gnu";
        assert_eq!(
            guest,
            [
                "/lib64/ld.so.9",
                &format!("{libraries}/liba.so.1"),
                &format!("{libraries}/libb.so.2")
            ]
        );
        assert!(found[2].host.ends_with("libb.so.2.1"));
    }

    #[test]
    fn a_missing_library_is_named_with_the_one_that_needs_it() {
        let folder = tempfile::tempdir().unwrap();
        let program = tree(folder.path());
        fs::remove_file(folder.path().join("usr/lib/x86_64-linux-gnu/libb.so.2")).unwrap();
        let message = closure(&program, &[folder.path().to_owned()]).unwrap_err().to_string();
        assert!(message.contains("liba.so.1 needs libb.so.2"), "{message}");
    }

    #[test]
    fn a_link_out_of_the_package_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let program = tree(folder.path());
        let link = folder.path().join("usr/lib/x86_64-linux-gnu/libb.so.2");
        fs::remove_file(&link).unwrap();
        std::os::unix::fs::symlink("/bin/sh", &link).unwrap();
        assert!(closure(&program, &[folder.path().to_owned()]).is_err());
    }

    #[test]
    fn what_is_no_program_is_an_error() {
        assert!(parse(b"#!/bin/sh\n").is_err());
        assert!(parse(&[]).is_err());
    }
}
