// SPDX-License-Identifier: MIT OR Apache-2.0
//! What headers of an old kernel need under a compiler that is younger than they are.
//!
//! Told by the headers themselves, not by their version: distributions carry later changes back.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Folder of the headers made here, inside that of a build.
const FOLDER: &str = "compat";
/// `linux/compiler-gcc<N>.h` were there for these compilers.
const MAX_MAJOR: u32 = 9;

/// Options for headers in `build_dir` under GCC `major`; what they need is written to `work`.
pub(super) fn options(build_dir: &Path, major: u32, work: &Path) -> io::Result<Vec<String>> {
    let makefile = fs::read_to_string(build_dir.join("Makefile")).unwrap_or_default();
    let x86 = fs::read_to_string(build_dir.join("arch/x86/Makefile")).unwrap_or_default();
    let says = |word: &str| makefile.contains(word) || x86.contains(word);
    let mut options = Vec::new();
    if let Some(folder) = compiler_header(build_dir, major, work)? {
        options.push(format!("-I{}", folder.display()));
    }
    // Debian's headers have a Makefile that only includes the real one.
    if !makefile.contains("KBUILD_CFLAGS") {
        return Ok(options);
    }
    // Kernels of that age were written before GCC 5 made C11 the default (since 3.18 they say
    // so), and before distributions made position-independent programs and CET the default.
    if !says("-std=gnu") {
        options.push("-std=gnu89".to_owned());
    }
    if !says("no-pie") && !says("no-PIE") {
        options.push("-fno-pie".to_owned());
    }
    if !says("cf-protection") && major >= 8 {
        options.push("-fcf-protection=none".to_owned());
    }
    Ok(options)
}

/// Kernels before 4.2 include a header named after the compiler's major version
/// (`gcc_header(__GNUC__)` in `linux/compiler-gcc.h`). One for a younger compiler is made that
/// includes the youngest there is.
fn compiler_header(build_dir: &Path, major: u32, work: &Path) -> io::Result<Option<PathBuf>> {
    let headers = build_dir.join("include/linux");
    let text = fs::read_to_string(headers.join("compiler-gcc.h")).unwrap_or_default();
    let name = |major: u32| format!("compiler-gcc{major}.h");
    if !text.contains("gcc_header") || headers.join(name(major)).is_file() {
        return Ok(None);
    }
    let youngest = (1..=MAX_MAJOR).rev().map(name).find(|name| headers.join(name).is_file());
    let Some(youngest) = youngest else { return Ok(None) };
    let folder = work.join(FOLDER);
    fs::create_dir_all(folder.join("linux"))?;
    let text = format!("#include <linux/{youngest}>\n");
    fs::write(folder.join("linux").join(name(major)), text)?;
    Ok(Some(folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(compiler: &str, makefile: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let linux = folder.path().join("include/linux");
        fs::create_dir_all(&linux).unwrap();
        fs::write(linux.join("compiler-gcc.h"), compiler).unwrap();
        fs::write(linux.join("compiler-gcc3.h"), "").unwrap();
        fs::write(linux.join("compiler-gcc4.h"), "").unwrap();
        fs::write(folder.path().join("Makefile"), makefile).unwrap();
        folder
    }

    #[test]
    fn headers_older_than_the_compiler_get_one_of_its_name() {
        let folder = headers("#include gcc_header(__GNUC__)", "KBUILD_CFLAGS := -Wall\n");
        let work = folder.path().join("work");
        let found = options(folder.path(), 12, &work).unwrap();
        let place = format!("-I{}", work.join("compat").display());
        assert_eq!(found, [&place, "-std=gnu89", "-fno-pie", "-fcf-protection=none"]);
        let text = fs::read_to_string(work.join("compat/linux/compiler-gcc12.h")).unwrap();
        assert_eq!(text, "#include <linux/compiler-gcc4.h>\n");
    }

    /// CentOS 7's 3.10 has one header for all compilers and `-std=gnu89`, both from later kernels,
    /// and nothing about position-independent programs.
    #[test]
    fn headers_with_changes_of_later_kernels_get_what_is_still_missing() {
        let folder = headers("#define GCC_VERSION", "KBUILD_CFLAGS := -Wall -std=gnu89\n");
        let found = options(folder.path(), 12, folder.path()).unwrap();
        assert_eq!(found, ["-fno-pie", "-fcf-protection=none"]);
    }

    #[test]
    fn headers_that_know_the_compiler_get_nothing() {
        let all = "KBUILD_CFLAGS := -std=gnu11 -fno-PIE -fcf-protection=none\n";
        let folder = headers("#define GCC_VERSION", all);
        assert!(options(folder.path(), 12, folder.path()).unwrap().is_empty());
        let folder = headers("#define GCC_VERSION", "include ../common/Makefile\n");
        assert!(options(folder.path(), 12, folder.path()).unwrap().is_empty());
    }
}
