// SPDX-License-Identifier: MIT OR Apache-2.0
//! Call frame information: how to find the caller's registers, as DWARF's `.debug_frame` tells
//! (DWARF 5, section 6.4).
//!
//! Registers carry DWARF's numbers for x86-64 (System V ABI, figure 3.36). Only `.debug_frame` is
//! read: kernels are built without `.eh_frame`.

use serde::{Deserialize, Serialize};

/// A DWARF expression of a row: where it lies in `.debug_frame` of the image the row is from.
/// [`Image::evaluate_cfi`](crate::Image::evaluate_cfi) computes its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CfiExpression {
    /// Byte offset in the (decompressed) section.
    pub offset: u64,
    /// Bytes.
    pub length: u64,
}

/// How to compute the canonical frame address (CFA).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum CfaRule {
    /// `cfa = register + offset`
    RegisterOffset {
        /// DWARF number.
        register: u16,
        /// Bytes to add, wrapping.
        offset: i64,
    },
    /// `cfa = value of the expression`
    Expression(CfiExpression),
}

/// How to find the caller's value of one register.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum CfiRule {
    /// It is lost. For the return address: there is no caller.
    Undefined,
    /// It is as in the frame.
    SameValue,
    /// `value = [cfa + offset]`
    Offset(i64),
    /// `value = cfa + offset`
    ValOffset(i64),
    /// `value = other register of the frame`, by its DWARF number
    Register(u16),
    /// `value = [value of the expression]`
    Expression(CfiExpression),
    /// `value = value of the expression`
    ValExpression(CfiExpression),
}

/// The rules that hold at one address. `None` is a register of which nothing is said: the ABI's
/// convention holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CfiRow {
    /// The canonical frame address.
    pub cfa: CfaRule,
    /// The general registers, by DWARF number.
    pub registers: [Option<CfiRule>; 16],
    /// The return address (DWARF register 16).
    pub return_address: Option<CfiRule>,
    /// Whether the code was entered by an exception (augmentation `S`): the return address is
    /// the interrupted instruction.
    pub signal: bool,
}
