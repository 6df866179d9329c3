// SPDX-License-Identifier: MIT OR Apache-2.0
//! The supplementary debug file that `dwz -m` made of what several files have in common: where the
//! link says, and where distributions keep such files (`/usr/lib/debug/.dwz`).

use std::path::{Path, PathBuf};

use super::DEBUG_ROOT;
use super::identity::{build_id_name, image_of};
use super::open::open;
use crate::map::Map;

/// The file that the one at `path` links to. Whether it is the right one is for `debuginfo` to say.
pub(super) fn find(path: &Path, file: &[u8]) -> Option<Map> {
    let image = image_of(file)?;
    let link = image.supplementary_link()?;
    places(path, link.name, link.build_id).into_iter().find_map(|place| open(&place).ok())
}

fn places(path: &Path, name: &str, build_id: &[u8]) -> Vec<PathBuf> {
    // A debug file is often reached by a symbolic link below `.build-id`; the name counts from where
    // it really is.
    let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let folder = real.parent().unwrap_or(Path::new(""));
    let root = Path::new(DEBUG_ROOT);
    let mut places = vec![folder.join(name)];
    if let Some(file) = Path::new(name).file_name() {
        places.extend([folder.join(file), root.join(".dwz").join(file)]);
    }
    places.extend(build_id_name(build_id).map(|name| root.join(name)));
    places
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::process::Command;

    use super::*;

    /// Two programs that have a type in common, which `dwz` moved to `.dwz/common.debug`.
    fn linked(folder: &Path, dwz: &[&str]) -> [PathBuf; 2] {
        let programs = ["one", "two"].map(|name| folder.join("bin").join(name));
        for part in ["bin", ".dwz"] {
            fs::create_dir(folder.join(part)).expect("a new folder");
        }
        for program in &programs {
            let source = program.with_extension("c");
            let members: String = (0..40).map(|n| format!("unsigned long member{n};")).collect();
            let text = format!("struct common {{ {members} }} common; void _start(void) {{ }}");
            fs::write(&source, text).expect("a new file");
            let mut gcc = Command::new("gcc");
            gcc.args(["-gdwarf-5", "-static", "-nostdlib", "-Wl,--build-id=sha1", "-o"]);
            run(gcc.arg(program).arg(source));
        }
        let common = folder.join(".dwz").join("common.debug");
        let mut command = Command::new("dwz");
        command.args(dwz).args(["-M", "../.dwz/common.debug", "-m"]);
        run(command.arg(common).args(&programs));
        programs
    }

    fn run(command: &mut Command) {
        assert!(command.status().expect("it is installed").success(), "{command:?}");
    }

    /// What `find` gives for a file, and what `dwz` wrote.
    fn found_and_written(folder: &Path, file: &Path) -> [Option<Vec<u8>>; 2] {
        let found = find(file, &fs::read(file).expect("it was written"));
        let written = fs::read(folder.join(".dwz").join("common.debug")).ok();
        [found.map(|map| map.to_vec()), written]
    }

    #[test]
    fn link_of_either_form_leads_to_the_file_that_dwz_wrote() {
        for options in [&[][..], &["--dwarf-5"]] {
            let folder = tempfile::tempdir().expect("a folder");
            let [one, _] = linked(folder.path(), options);
            let [found, written] = found_and_written(folder.path(), &one);
            assert!(written.is_some() && found == written, "{options:?}");
        }
    }

    #[test]
    fn link_counts_from_where_the_file_really_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let [one, _] = linked(folder.path(), &[]);
        let link = folder.path().join("a-link");
        std::os::unix::fs::symlink(one, &link).expect("a new link");
        let [found, written] = found_and_written(folder.path(), &link);
        assert!(written.is_some() && found == written);
    }

    #[test]
    fn file_that_is_gone_is_not_found() {
        let folder = tempfile::tempdir().expect("a folder");
        let [one, _] = linked(folder.path(), &[]);
        fs::remove_file(folder.path().join(".dwz").join("common.debug")).expect("it was there");
        assert_eq!(found_and_written(folder.path(), &one), [None, None]);
    }
}
