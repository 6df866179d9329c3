// SPDX-License-Identifier: MIT OR Apache-2.0
//! Text that somebody hostile would have a kernel print.

/// Everything that acts somewhere.
pub const HOSTILE: &str = "a\x1b]52;c;eA==\x07b\r\n::error file=x::y\u{9b}2J\n  \
    ##[add-mask]z ##vso[task.x]\u{202e}<script>|`c`![x](http://e.example/x)@all\u{2028}\x7f\0";
