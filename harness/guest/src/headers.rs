// SPDX-License-Identifier: MIT OR Apache-2.0
//! Kernel headers that were only unpacked, made fit for `make -C`.

use std::fs;
use std::path::Path;

use super::FetchError;
use super::store::StoreError;

/// Redirects the one absolute path in the flavour's Makefile,
/// `include /usr/src/linux-headers-<abi>-common/Makefile`, to the folder beside it.
pub(super) fn relocate(build_dir: &Path) -> Result<(), FetchError> {
    let path = build_dir.join("Makefile");
    let text = fs::read_to_string(&path)
        .map_err(|source| StoreError::Read { path: path.clone(), source })?;
    let write = |source| StoreError::Write { path: path.clone(), source };
    fs::remove_file(&path).map_err(write)?;
    fs::write(&path, redirected(&text)).map_err(write)?;
    Ok(())
}

/// Relative to the Makefile itself, so that the cache may be moved.
fn redirected(makefile: &str) -> String {
    let redirect = |line: &str| match line.strip_prefix("include /usr/src/") {
        Some(rest) => format!("include $(dir $(lastword $(MAKEFILE_LIST)))../{rest}\n"),
        None => format!("{line}\n"),
    };
    makefile.lines().map(redirect).collect()
}

/// Major version of the GCC that a configured kernel was compiled with.
pub(super) fn gcc_major(build_dir: &Path) -> Option<u32> {
    let read = |inside: &str| fs::read_to_string(build_dir.join(inside)).unwrap_or_default();
    major_in(&read("include/config/auto.conf"))
        .or_else(|| major_of(&read("include/generated/compile.h")))
}

/// From `CONFIG_GCC_VERSION=120200` (since 4.18).
fn major_in(configuration: &str) -> Option<u32> {
    let value = |line: &str| line.strip_prefix("CONFIG_GCC_VERSION=")?.parse::<u32>().ok();
    let version = configuration.lines().find_map(value)?;
    // A kernel compiled by clang has 0.
    (version >= 10_000).then_some(version / 10_000)
}

/// From `#define LINUX_COMPILER "gcc version 4.8.5 20150623 (Red Hat 4.8.5-44) (GCC) "`.
fn major_of(compile: &str) -> Option<u32> {
    let line = compile.lines().find(|line| line.contains("LINUX_COMPILER"))?;
    line.split_once("gcc version ")?.1.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_absolute_include_changes() {
        let text = "# x\ninclude /usr/src/linux-headers-1-common/Makefile\ninclude other\n";
        assert_eq!(
            redirected(text),
            "# x\ninclude $(dir $(lastword $(MAKEFILE_LIST)))../linux-headers-1-common/Makefile\n\
             include other\n"
        );
    }

    #[test]
    fn the_compilers_major_version_is_read() {
        assert_eq!(major_in("CONFIG_A=y\nCONFIG_GCC_VERSION=120200\n"), Some(12));
        assert_eq!(major_in("CONFIG_GCC_VERSION=90300\n"), Some(9));
        assert_eq!(major_in("CONFIG_GCC_VERSION=0\nCONFIG_CLANG_VERSION=140000\n"), None);
        assert_eq!(major_in(""), None);
    }

    #[test]
    fn kernels_that_do_not_configure_it_say_it_in_their_banner() {
        let text = "#define UTS_VERSION \"#1\"\n#define LINUX_COMPILER \"gcc version 4.8.5 20150623 \
                    (Red Hat 4.8.5-44) (GCC) \"\n";
        assert_eq!(major_of(text), Some(4));
        assert_eq!(major_of(""), None);
    }
}
