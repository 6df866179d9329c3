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
    HEADERS.iter().any(|folder| {
        file.match_indices(folder)
            .any(|(at, _)| at == 0 || file.get(..at).is_some_and(|before| before.ends_with('/')))
    })
}
