// SPDX-License-Identifier: MIT OR Apache-2.0
//! This machine's compiler and what it needs, in packages with the names that CentOS has.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::package::{Payload, Spec};

/// Packages and their programs.
const PROGRAMS: [(&str, &[&str]); 10] = [
    ("bash", &["bash"]),
    (
        "coreutils",
        &[
            "cat", "chmod", "cp", "cut", "date", "dirname", "echo", "env", "expr", "head", "ln",
            "ls", "mkdir", "mktemp", "mv", "pwd", "readlink", "rm", "sort", "stat", "tail", "test",
            "touch", "tr", "true", "uname", "wc", "basename", "printf", "false", "nproc", "uniq",
        ],
    ),
    ("findutils", &["find", "xargs"]),
    ("grep", &["grep", "egrep", "fgrep"]),
    ("sed", &["sed"]),
    ("gawk", &["awk"]),
    ("diffutils", &["cmp", "diff"]),
    ("make", &["make"]),
    ("binutils", &["as", "ld.bfd", "ar", "nm", "objcopy", "objdump", "readelf", "strip"]),
    ("perl", &["perl"]),
];

/// Builds the packages into `target`: one for each group of programs, `glibc` with all shared
/// libraries, `filesystem` with the links of the root folder, and some that are only required.
///
/// # Errors
/// A program is missing, `rpmbuild` fails.
pub fn compiler(target: &Path) -> Result<Vec<PathBuf>> {
    let mut libraries = BTreeSet::new();
    let mut packages = vec![
        plain("filesystem", &["setup"]).build(target, &filesystem)?,
        plain("setup", &[]).build(target, &|root| note(root, "setup"))?,
        plain("kernel-headers", &[]).build(target, &|root| note(root, "kernel-headers"))?,
        plain("glibc-devel", &["glibc = 1.0-1.el7", "kernel-headers >= 0.5"])
            .build(target, &|root| note(root, "glibc-devel"))?,
        plain("elfutils-libelf-devel", &["elfutils-libelf"])
            .build(target, &|root| note(root, "elfutils"))?,
    ];
    for (name, programs) in PROGRAMS {
        let mut paths = Vec::new();
        for program in programs {
            paths.push((find(program)?, format!("usr/bin/{program}")));
        }
        add_libraries(paths.iter().map(|(path, _)| path.as_path()), &mut libraries)?;
        let spec = plain(name, &["glibc", "/usr/bin/sh"]);
        packages.push(spec.build(target, &|root| {
            paths.iter().try_for_each(|(from, to)| copy(from, &root.join(to)))?;
            if name == "bash" {
                std::os::unix::fs::symlink("bash", root.join("usr/bin/sh"))?;
            }
            Ok(())
        })?);
    }
    packages.push(gcc(target, &mut libraries)?);
    for library in ["libelf.so.1", "libz.so.1", "libcrypto.so.3"] {
        libraries.insert(Path::new("/usr/lib/x86_64-linux-gnu").join(library));
    }
    packages.push(plain("glibc", &["filesystem"]).build(target, &|root| {
        for library in &libraries {
            let inside = library.strip_prefix("/")?;
            // The root's `lib64` is a link, which another package has.
            copy(&fs::canonicalize(library)?, &root.join(inside))?;
        }
        Ok(())
    })?);
    packages.push(plain("elfutils-libelf", &[]).build(target, &|root| note(root, "libelf"))?);
    Ok(packages)
}

fn plain<'a>(name: &'a str, requires: &'a [&'a str]) -> Spec<'a> {
    Spec { name, version: "1.0", release: "1.el7", requires, payload: Payload::Zstd }
}

fn filesystem(root: &Path) -> Result<()> {
    for name in ["bin", "lib", "lib64", "sbin"] {
        std::os::unix::fs::symlink(format!("usr/{name}"), root.join(name))?;
    }
    Ok(())
}

fn note(root: &Path, name: &str) -> Result<()> {
    let folder = root.join("etc/made-for-a-test");
    fs::create_dir_all(&folder)?;
    Ok(fs::write(folder.join(name), name)?)
}

/// The driver, the compiler proper and its headers. The linker's own name is left to the guest's
/// file, as CentOS leaves it to a script.
fn gcc(target: &Path, libraries: &mut BTreeSet<PathBuf>) -> Result<PathBuf> {
    let driver = find("gcc")?;
    let inside = |name: &str| -> Result<PathBuf> {
        let path = duct::cmd!(&driver, format!("-print-prog-name={name}")).read()?;
        Ok(fs::canonicalize(path)?)
    };
    let tools = [inside("cc1")?, inside("collect2")?, inside("lto-wrapper")?];
    let plugin = tools[0].with_file_name("liblto_plugin.so");
    add_libraries(tools.iter().map(PathBuf::as_path).chain([driver.as_path()]), libraries)?;
    let headers = duct::cmd!(&driver, "-print-file-name=include").read()?;
    plain("gcc", &["binutils", "glibc-devel >= 0.1", "(filesystem or nothing)"]).build(
        target,
        &|root| {
            copy(&driver, &root.join("usr/bin/gcc"))?;
            for tool in tools.iter().chain([&plugin]).filter(|tool| tool.exists()) {
                copy(tool, &root.join(tool.strip_prefix("/")?))?;
            }
            let folder = root.join(Path::new(&headers).strip_prefix("/")?);
            fs::create_dir_all(&folder)?;
            duct::cmd!("cp", "-rL", Path::new(&headers).join("."), folder).run()?;
            Ok(())
        },
    )
}

fn find(program: &str) -> Result<PathBuf> {
    let path = duct::cmd!("sh", "-c", "command -v \"$0\"", program).unchecked().read()?;
    let path = if path.starts_with('/') { path } else { format!("/usr/bin/{program}") };
    fs::canonicalize(&path).with_context(|| format!("there is no {program}"))
}

/// What the program loader would load, and the loader.
fn add_libraries<'p>(
    programs: impl Iterator<Item = &'p Path>,
    libraries: &mut BTreeSet<PathBuf>,
) -> Result<()> {
    for program in programs {
        let listed = duct::cmd!("ldd", program).stderr_null().unchecked().read()?;
        let paths = listed
            .split_whitespace()
            .filter(|word| word.starts_with("/lib") || word.starts_with("/usr/lib"));
        libraries.extend(paths.map(PathBuf::from));
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to.parent().context("no folder")?)?;
    fs::copy(from, to).with_context(|| format!("copy {}", from.display()))?;
    Ok(())
}
