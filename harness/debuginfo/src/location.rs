// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where parameters and local variables live at an address.

use serde::{Deserialize, Serialize};

use crate::TypeId;

/// Where a value is, at one address of the code. Registers carry DWARF's numbers for x86-64
/// (System V ABI, figure 3.36: 0 rax, 1 rdx, 2 rcx, 3 rbx, 4 rsi, 5 rdi, 6 rbp, 7 rsp, 8–15
/// r8–r15, 16 the return address).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Location {
    /// The value is in a register.
    Register(u16),
    /// The value **is** register plus offset, and stored nowhere.
    RegisterPlus {
        /// DWARF number.
        register: u16,
        /// Bytes to add, wrapping.
        offset: i64,
    },
    /// In memory at register plus offset.
    AtRegister {
        /// DWARF number.
        register: u16,
        /// Bytes to add, wrapping.
        offset: i64,
    },
    /// In memory at the canonical frame address (rsp before the call pushed the return address,
    /// plus 8) plus this offset.
    Cfa(i64),
    /// The value **is** the canonical frame address plus this offset: the address of something in
    /// the frame.
    CfaPlus(i64),
    /// In memory at this run-time address.
    Address(u64),
    /// What the register held when the function was entered.
    EntryValue(u16),
    /// The value itself, as the low bytes of this number.
    Constant(u64),
    /// In several pieces, or computed by an expression that is none of these.
    Composite,
    /// Nowhere at this address.
    OptimisedOut,
}

/// A parameter or variable that is in scope at an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Local {
    /// Name in the source.
    pub name: String,
    /// Its type.
    pub ty: Option<TypeId>,
    /// Where it is.
    pub location: Location,
    /// Whether it is a parameter (else a variable).
    pub parameter: bool,
    /// Function whose parameter or variable it is; an inlined one for `depth` above 0.
    pub function: String,
    /// Inline depth of that function: 0 is the physical function.
    pub depth: u32,
    /// The line of its declaration.
    #[serde(default)]
    pub declared: Option<u32>,
}
