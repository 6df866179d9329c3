// SPDX-License-Identifier: MIT OR Apache-2.0
//! `setup.files`: files, folders and programs of a case that its guest gets.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use crate::initramfs::CaseFile;
use guest::{GuestFile, libraries};

/// All files, those of folders too. A program that is not static gets the libraries that it runs
/// with on this machine, at the same places.
pub(super) fn all(
    folder: &Path,
    named: &[PathBuf],
) -> Result<Vec<CaseFile>, Box<dyn Error + 'static>> {
    let mut files = BTreeMap::new();
    let mut todo = named.to_vec();
    while let Some(file) = todo.pop() {
        let path = folder.join(&file);
        if path.is_dir() {
            for entry in fs::read_dir(&path)? {
                todo.push(file.join(entry?.file_name()));
            }
            continue;
        }
        if is_program(&path)? {
            for GuestFile { host, guest } in libraries::closure(&path, &[PathBuf::from("/")])? {
                files.insert(guest.display().to_string(), host);
            }
        }
        files.insert(file.display().to_string(), path);
    }
    Ok(files.into_iter().map(|(name, path)| CaseFile::at(name, path)).collect())
}

/// Whether it is an executable of this machine: ELF, 64-bit, `ET_EXEC` or `ET_DYN`. A kernel
/// module is `ET_REL`.
fn is_program(path: &Path) -> io::Result<bool> {
    let mut head = Vec::new();
    fs::File::open(path)?.take(18).read_to_end(&mut head)?;
    let wide = head.starts_with(b"\x7fELF\x02\x01");
    Ok(wide && matches!(head.get(16..18), Some([2 | 3, 0])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_brings_its_libraries_and_a_folder_its_files() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("etc/agent")).unwrap();
        fs::write(folder.path().join("etc/agent/conf"), "x").unwrap();
        fs::copy("/bin/sh", folder.path().join("agentd")).unwrap();
        let files = all(folder.path(), &["etc".into(), "agentd".into()]).unwrap();
        let names: Vec<_> = files.iter().map(|file| file.name.as_str()).collect();
        assert!(names.contains(&"etc/agent/conf") && names.contains(&"agentd"), "{names:?}");
        let has = |name: &str| names.iter().any(|at| at.starts_with('/') && at.ends_with(name));
        assert!(has("/libc.so.6") && has("/ld-linux-x86-64.so.2"), "{names:?}");
    }
}
