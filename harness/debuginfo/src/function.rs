// SPDX-License-Identifier: MIT OR Apache-2.0
//! Functions: their ranges, parameters, and what was inlined into them.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::TypeId;

/// A function that has code of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Function {
    /// Name in the source.
    pub name: String,
    /// Run-time address of its entry.
    pub low_pc: u64,
    /// Run-time ranges of its code; a second one is usually the `.cold` part.
    pub ranges: Vec<Range<u64>>,
    /// Parameters in their order.
    pub parameters: Vec<Parameter>,
    /// Type of what it returns; `None` for `void`.
    pub result: Option<TypeId>,
    /// Whether it takes further arguments (`...`).
    pub variadic: bool,
    /// Calls that were inlined into it, outer before inner, at any depth.
    pub inlined: Vec<Inlined>,
}

/// A parameter of a function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameter {
    /// Name in the source, if it has one.
    pub name: Option<String>,
    /// Its type.
    pub ty: Option<TypeId>,
}

/// The innermost call that was inlined at an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instance {
    /// Name of the function in the source.
    pub name: String,
    /// Type of what it returns; `None` for `void`.
    pub result: Option<TypeId>,
    /// Run-time address behind the last of its code there.
    pub end: u64,
}

/// One call that was inlined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inlined {
    /// Name of the function that was inlined.
    pub name: String,
    /// Run-time ranges of this instance.
    pub ranges: Vec<Range<u64>>,
    /// Depth below the physical function, from 1.
    pub depth: u32,
    /// File of the call, as in [`SourceFrame`](crate::SourceFrame).
    pub call_file: Option<String>,
    /// Line of the call.
    pub call_line: Option<u32>,
}
