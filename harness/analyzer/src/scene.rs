// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a diagnosis looks at: code, memory, names and types of the crashed machine.

use std::ops::Range;

use crate::flow::{Code, Words};
use crate::frame_names::FrameNames;
use crate::gone::Gone;
use crate::identify::Identity;
use crate::medium::Medium;
use crate::source_line::SourceLine;
use crate::symbol_name::source_name;
use kernel::Unreadable;

/// Functions of the kernel that do not return (`__noreturn`, `tools/objtool/noreturns.h`), of those that modules
/// call or compilers make them call.
const FINAL: [&str; 14] = [
    "__stack_chk_fail",
    "panic",
    "nmi_panic",
    "do_exit",
    "make_task_dead",
    "do_group_exit",
    "complete_and_exit",
    "kthread_complete_and_exit",
    "kthread_exit",
    "__module_put_and_exit",
    "__module_put_and_kthread_exit",
    "fortify_panic",
    "__fortify_panic",
    "usercopy_abort",
];

/// The kernel's half with five levels of page tables, and so with four, to the end of the modules
/// (`Documentation/arch/x86/x86_64/mm.rst`).
const KERNEL_HALF: Range<u64> = 0xff00_0000_0000_0000..0xffff_ffff_ff00_0000;

/// The CPU that ran the code of a crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RanOn {
    /// There is no other.
    TheOnlyOne,
    /// There are others; which one it was, where that is known.
    OneOfSeveral(Option<u32>),
}

/// The crashed machine, as far as a diagnosis needs it.
pub trait Scene: FrameNames + Words {
    /// What the crash is known from.
    fn medium(&self) -> Medium {
        Medium::Dump
    }
    /// Name in the source of the kernel's function that has the code at the address, by its symbol.
    fn kernel_function(&self, address: u64) -> Option<String> {
        let name = self.code_name(address).filter(|name| name.module.is_none())?;
        Some(source_name(&name.symbol).to_owned())
    }
    /// Whether the code at the address belongs to one of the functions of the kernel.
    fn is_in(&self, address: u64, functions: &[&str]) -> bool {
        self.kernel_function(address).is_some_and(|name| functions.contains(&name.as_str()))
    }
    /// Whether a call of the function never comes back.
    fn is_final(&self, function: u64) -> bool {
        self.is_in(function, &FINAL)
    }
    /// The function that has the code at the address, decoded from the dump's memory (text that
    /// was patched at run time is what ran); all its ranges, the one with its entry first.
    fn function_code(&self, pc: u64) -> Option<Code>;
    /// Entry of the function that has the code at the address.
    fn function_entry(&self, pc: u64) -> Option<u64> {
        self.function_code(pc).map(|code| code.entry())
    }
    /// Whether the debug information knows a function that begins at the address.
    fn has_source(&self, entry: u64) -> bool {
        let function = self.image_at(entry).and_then(|image| image.function(entry).found());
        function.is_some_and(|function| function.low_pc == entry)
    }
    /// One instruction's bytes at the address, up to fifteen; fewer at the end of what is known.
    fn code_bytes(&self, address: u64) -> Vec<u8>;
    /// Whether kernel or module code lies at the address.
    fn is_text(&self, address: u64) -> bool;
    /// What lay at the address that is gone.
    fn gone(&self, address: u64) -> Option<Gone> {
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
    /// Entries of the functions of the module.
    fn functions_of(&self, module: &str) -> Vec<u64> {
        let is_its = |entry: &u64| {
            self.code_name(*entry).is_some_and(|name| name.module.as_deref() == Some(module))
        };
        self.outside_functions().into_iter().filter(is_its).collect()
    }
    /// What is at the address, and what value it is.
    fn identity(&self, address: u64) -> Option<Identity> {
        let _ = address;
        None
    }
    /// Where the code at the address is in a module's source.
    fn source_line(&self, address: u64) -> Option<SourceLine> {
        let _ = address;
        None
    }
    /// The distances of the per-CPU memory of all CPUs (`__per_cpu_offset`).
    fn per_cpu_bases(&self) -> Vec<u64> {
        Vec::new()
    }
    /// Whether the value may be an address of the kernel's half, and is no small negative number.
    fn may_be_address(&self, value: u64) -> bool {
        KERNEL_HALF.contains(&value)
    }
    /// The CPU that ran the code. Others went on until they were stopped.
    fn ran_on(&self) -> RanOn {
        RanOn::TheOnlyOne
    }
    /// What the process had in the registers of a system call's arguments when it entered the kernel, where the code
    /// runs for one and the stack leads back to that.
    fn arguments_of_system_call(&self) -> Vec<u64> {
        Vec::new()
    }
    /// Whether the crashed task has memory of its own; `None` if that is not known.
    fn has_process(&self) -> Option<bool> {
        None
    }
    /// Whether the allocators clear memory that they give out; `None` if that is not known.
    fn clears_new_memory(&self) -> Option<bool> {
        None
    }
    /// Whether they clear what is given back to them; `None` if that is not known.
    fn clears_freed_memory(&self) -> Option<bool> {
        None
    }
    /// The error code that the processor gave with the fault.
    fn error_code(&self) -> Option<u64> {
        None
    }
    /// Why the word at the address cannot be read; `None` if it can.
    fn unreadable(&self, address: u64) -> Option<Unreadable>;
    /// Whether something is mapped at the address; `None` where the dump does not tell.
    fn is_mapped(&self, address: u64) -> Option<bool> {
        self.unreadable(address).map_or(Some(true), |why| why.is_mapped())
    }
    /// Whether a call to the address changes no register: `__fentry__` and ftrace's trampolines.
    fn keeps_registers(&self, target: u64) -> bool;
}
