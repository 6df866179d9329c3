// SPDX-License-Identifier: MIT OR Apache-2.0
//! The build tools of a kernel's headers (modpost, objtool), made to run on a host that is older
//! than the suite they come from.
//!
//! Such a program asks for a newer C library than the host has (trixie's `objtool` on bookworm:
//! `GLIBC_2.38' not found). It is then started through its own suite's program loader, which lies
//! beside it together with the libraries.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::store::StoreError;
use super::{FetchError, libraries};
use process::helper;

/// Folder of a tree with the loader and the libraries.
const LIBRARIES: &str = "usr/lib/suite";
/// Deepest folder with a program below `usr/lib`.
const MAX_DEPTH: usize = 6;
/// Ending of a program's name that its script has taken.
const PROGRAM: &str = ".program";

/// Makes all programs below `tree/usr/lib` run; what they need is looked for in `packages`, the
/// suite's unpacked packages.
///
/// A program whose libraries are not among them stays as it is: not all are used in a build.
///
/// # Errors
/// A file cannot be read or written.
pub(super) fn adapt(tree: &Path, packages: &[PathBuf]) -> Result<(), FetchError> {
    let mut programs = Vec::new();
    collect(&tree.join("usr/lib"), 0, &mut programs)?;
    for program in programs.iter().filter(|program| !runs_here(program)) {
        match libraries::closure(program, packages) {
            Ok(files) => {
                let files: Vec<PathBuf> = files.into_iter().map(|file| file.host).collect();
                through_loader(tree, program, &files)?;
            }
            Err(FetchError::NoLibrary { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn collect(folder: &Path, depth: usize, programs: &mut Vec<PathBuf>) -> Result<(), StoreError> {
    let read = |source| StoreError::Read { path: folder.to_owned(), source };
    if depth > MAX_DEPTH {
        return Ok(());
    }
    for entry in fs::read_dir(folder).map_err(read)? {
        let entry = entry.map_err(read)?;
        let (path, kind) = (entry.path(), entry.file_type().map_err(read)?);
        if kind.is_dir() {
            collect(&path, depth + 1, programs)?;
        } else if kind.is_file() && is_program(&path) {
            programs.push(path);
        }
    }
    Ok(())
}

/// Executable, and ELF.
fn is_program(path: &Path) -> bool {
    let executable = fs::metadata(path).is_ok_and(|meta| meta.permissions().mode() & 0o111 != 0);
    let magic = || {
        let mut magic = [0; 4];
        io::Read::read_exact(&mut fs::File::open(path).ok()?, &mut magic).ok()?;
        Some(magic == *b"\x7fELF")
    };
    executable && magic().unwrap_or_default()
}

/// Whether the host's loader finds all that a program asks for. Asked in the way of ldd(1): the
/// program itself does not run.
fn runs_here(program: &Path) -> bool {
    let nothing: [&str; 0] = [];
    let loaded = helper::tied(program, nothing)
        .env("LD_TRACE_LOADED_OBJECTS", "1")
        .stderr_to_stdout()
        .stdout_capture()
        .unchecked()
        .run();
    loaded.is_ok_and(|output| {
        output.status.success() && !String::from_utf8_lossy(&output.stdout).contains("not found")
    })
}

/// Puts a script in a program's place that starts it by the loader among `files`.
fn through_loader(tree: &Path, program: &Path, files: &[PathBuf]) -> Result<(), FetchError> {
    let folder = tree.join(LIBRARIES);
    let copied = |path: &Path| folder.join(path.file_name().unwrap_or_default());
    write(&folder, fs::create_dir_all(&folder))?;
    for file in files {
        write(&folder, fs::copy(file, copied(file)).map(|_| ()))?;
    }
    let is_loader = |path: &&PathBuf| {
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("ld-"))
    };
    // A program without a loader is static and runs everywhere.
    let Some(loader) = files.iter().find(is_loader) else { return Ok(()) };
    let name = program.file_name().unwrap_or_default().to_string_lossy();
    let moved = program.with_file_name(format!("{name}{PROGRAM}"));
    write(program, fs::rename(program, &moved))?;
    write(program, fs::write(program, script(tree, program, &copied(loader), &name)))?;
    write(program, fs::set_permissions(program, Permissions::from_mode(0o755)))
}

fn write(path: &Path, result: io::Result<()>) -> Result<(), FetchError> {
    result.map_err(|source| StoreError::Write { path: path.to_owned(), source }.into())
}

/// All paths are relative to the script's own, so that the cache may be moved. The program is told
/// the script's name: Debian's modpost finds its variants by it.
fn script(tree: &Path, program: &Path, loader: &Path, name: &str) -> String {
    let depth = program.strip_prefix(tree).map_or(0, |inside| inside.components().count());
    let up = "../".repeat(depth.saturating_sub(1));
    let loader = loader.file_name().unwrap_or_default().to_string_lossy();
    format!(
        "#!/bin/sh\n\
         here=$(dirname \"$0\")\n\
         libraries=\"$here/{up}{LIBRARIES}\"\n\
         exec \"$libraries/{loader}\" --library-path \"$libraries\" --argv0 \"$0\" \
         \"$here/{name}{PROGRAM}\" \"$@\"\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A program of this host, its libraries and its loader, laid out as packages.
    fn host_package(folder: &Path, program: &Path) {
        let listed = duct::cmd!("ldd", program).read().unwrap();
        let libraries = folder.join("usr/lib/x86_64-linux-gnu");
        fs::create_dir_all(&libraries).unwrap();
        let paths = listed.split_whitespace().filter(|word| word.starts_with('/'));
        for path in paths.map(Path::new) {
            fs::copy(path, libraries.join(path.file_name().unwrap())).unwrap();
        }
    }

    #[test]
    fn a_program_started_through_its_own_loader_keeps_its_name_and_arguments() {
        let folder = tempfile::tempdir().unwrap();
        let tree = folder.path().join("tree");
        let program = tree.join("usr/lib/kbuild/tools/tool");
        fs::create_dir_all(program.parent().unwrap()).unwrap();
        let source = "#include <stdio.h>\nint main(int n, char **a) \
                      { printf(\"%s|%s\\n\", a[0], n > 1 ? a[1] : \"\"); return 3; }";
        duct::cmd!("gcc", "-xc", "-", "-o", &program).stdin_bytes(source).run().unwrap();
        host_package(folder.path(), &program);
        assert!(is_program(&program) && runs_here(&program));
        let files = libraries::closure(&program, &[folder.path().to_owned()]).unwrap();
        let files: Vec<PathBuf> = files.into_iter().map(|file| file.host).collect();
        through_loader(&tree, &program, &files).unwrap();
        // The cache may be moved, and make calls its tools by a link or a relative path.
        let moved = folder.path().join("moved");
        fs::rename(&tree, &moved).unwrap();
        std::os::unix::fs::symlink("usr/lib/kbuild/tools", moved.join("tools")).unwrap();
        let output = std::process::Command::new("./tools/tool")
            .arg("a b")
            .current_dir(&moved)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(3));
        assert_eq!(String::from_utf8_lossy(&output.stdout), "./tools/tool|a b\n");
    }

    #[test]
    fn a_program_that_runs_here_or_lacks_libraries_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("usr/lib/kbuild/tool");
        fs::create_dir_all(program.parent().unwrap()).unwrap();
        let source = "int main(void) { return 0; }";
        duct::cmd!("gcc", "-xc", "-", "-o", &program).stdin_bytes(source).run().unwrap();
        let before = fs::read(&program).unwrap();
        adapt(folder.path(), &[]).unwrap();
        assert_eq!(fs::read(&program).unwrap(), before);
        let missing = "-Wl,--dynamic-linker=/nowhere/ld-none.so.1";
        duct::cmd!("gcc", "-xc", "-", missing, "-o", &program).stdin_bytes(source).run().unwrap();
        assert!(!runs_here(&program));
        let before = fs::read(&program).unwrap();
        adapt(folder.path(), &[]).unwrap();
        assert_eq!(fs::read(&program).unwrap(), before);
    }
}
