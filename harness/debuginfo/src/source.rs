// SPDX-License-Identifier: MIT OR Apache-2.0
//! Source lines and inlined calls of an address.

use serde::{Deserialize, Serialize};

/// One function of the chain that was inlined at an address, or the physical function itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceFrame {
    /// Name in the source; the symbol's name where there is only a line (assembly).
    pub function: Option<String>,
    /// File as the line table joins directory and name, relative to the unit's directory when it
    /// lies below that.
    pub file: Option<String>,
    /// Line, from 1.
    pub line: Option<u32>,
    /// Column, from 1.
    pub column: Option<u32>,
    /// Whether this function was inlined into the next one of the chain.
    pub inlined: bool,
}
