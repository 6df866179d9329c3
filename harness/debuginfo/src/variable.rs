// SPDX-License-Identifier: MIT OR Apache-2.0
//! Variables with static storage.

use crate::TypeId;

/// A variable with static storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// Name in the source.
    pub name: String,
    /// Run-time address; as in [`Symbol`](crate::Symbol) for per-CPU variables.
    pub address: u64,
    /// Its type.
    pub ty: TypeId,
}
