// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which files are the kernel's headers: what is inlined from them is nobody's own code.

/// Where the kernel keeps its headers, below its source or what a distribution packs for modules.
const HEADERS: [&str; 9] = [
    "include/linux/",
    "include/asm-generic/",
    "include/uapi/",
    "include/generated/",
    "include/net/",
    "include/trace/",
    "include/crypto/",
    "arch/x86/include/",
    "arch/x86/include/generated/",
];

/// Whether the file is one of the kernel's headers.
pub(crate) fn is_kernel_header(file: &str) -> bool {
    begin(file).is_some()
}

/// The file as the kernel's tree has it, if it is one of the kernel's headers with a whole path.
///
/// Example: `/usr/src/linux-headers-6.1.0-57-common/include/linux/list.h`, which another build of the kernel has
/// elsewhere.
pub(crate) fn in_kernel_tree(file: &str) -> &str {
    let inside = begin(file).filter(|_| file.starts_with('/'));
    inside.and_then(|at| file.get(at..)).unwrap_or(file)
}

/// Where the path of one of the kernel's headers begins in the kernel's tree.
fn begin(file: &str) -> Option<usize> {
    let begins = |at: usize| at == 0 || file.get(..at).is_some_and(|before| before.ends_with('/'));
    let all = HEADERS.iter().flat_map(|folder| file.match_indices(folder));
    all.map(|(at, _)| at).filter(|at| begins(*at)).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_told_as_the_kernels_tree_has_it() {
        let common = "/usr/src/linux-headers-6.1.0-57-common";
        for header in ["include/linux/list.h", "arch/x86/include/asm/atomic.h"] {
            assert_eq!(in_kernel_tree(&format!("{common}/{header}")), header);
        }
        for own in ["./include/linux/list.h", "/root/ring/include/ring.h", "ring/main.c"] {
            assert_eq!(in_kernel_tree(own), own);
        }
    }
}
