// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a diagnosis looks at: code, memory, names and types of the crashed machine.

use crate::express::Names;
use crate::flow::{Code, Words};
use crate::identify::Identity;

/// The crashed machine, as far as a diagnosis needs it.
pub trait Scene: Names + Words {
    /// The function that has the code at the address, decoded from the dump's memory (text that
    /// was patched at run time is what ran); all its ranges, the one with its entry first.
    fn function_code(&self, pc: u64) -> Option<Code>;
    /// One instruction's bytes at the address, up to fifteen; fewer at the end of what is known.
    fn code_bytes(&self, address: u64) -> Vec<u8>;
    /// Whether kernel or module code lies at the address.
    fn is_text(&self, address: u64) -> bool;
    /// In words, what code lay at the address that is gone.
    fn gone_text(&self, address: u64) -> Option<String> {
        let _ = address;
        None
    }
    /// Whether the code at the address is of a module from outside of the kernel's tree.
    fn is_outside(&self, address: u64) -> bool {
        let _ = address;
        false
    }
    /// Entries of the functions of modules from outside of the kernel's tree.
    fn outside_functions(&self) -> Vec<u64> {
        Vec::new()
    }
    /// What is at the address, and what value it is.
    fn identity(&self, address: u64) -> Option<Identity> {
        let _ = address;
        None
    }
    /// Where the code at the address is in a module's source, as `file:line`.
    fn source_line(&self, address: u64) -> Option<String> {
        let _ = address;
        None
    }
    /// The error code that the processor gave with the fault.
    fn error_code(&self) -> Option<u64> {
        None
    }
    /// Why the word at the address cannot be read, in words; `None` if it can.
    fn why_unreadable(&self, address: u64) -> Option<String>;
    /// Whether a call to the address changes no register: `__fentry__` and ftrace's trampolines.
    fn keeps_registers(&self, target: u64) -> bool;
}
