// SPDX-License-Identifier: MIT OR Apache-2.0
//! The crashed machine as what a diagnosis looks at.

use unwind::{Pc, Register, StopReason};

use crate::blame::culprit;
use crate::context::{crashing, walks};
use crate::express::Names;
use crate::flow::{Code, MAX_CODE_BYTES};
use crate::frame_names::FrameNames;
use crate::gone::Gone;
use crate::identify::{Identity, identify};
use crate::machine::Machine;
use crate::outside::OUTSIDE;
use crate::printer::CodeNames as _;
use crate::scene::{RanOn, Scene};
use crate::source_line::SourceLine;
use kernel::{Unreadable, VirtualMemory as _};

/// Where the code at the address is in a module's source.
pub(crate) fn module_line(names: &dyn FrameNames, address: u64) -> Option<SourceLine> {
    let culprit = culprit(names, Pc::Interrupted(address))?;
    culprit.module.as_ref()?;
    culprit.source_line()
}

/// Longest instruction of x86-64, in bytes.
const LONGEST_INSTRUCTION: usize = 15;
/// Functions of modules that are looked at to find one that left no frame.
const MAX_FUNCTIONS: usize = 4096;
/// Names under which the return address of a function is replaced for tracing; what lies there
/// changes no register that a caller could see.
pub(crate) const TRANSPARENT: [&str; 5] =
    ["__fentry__", "mcount", "ftrace_caller", "ftrace_regs_caller", "ftrace_stub"];

impl Scene for Machine<'_> {
    fn kernel_function(&self, address: u64) -> Option<String> {
        self.function_of_kernel(address)
    }

    fn function_code(&self, pc: u64) -> Option<Code> {
        let mut pieces: Vec<(u64, Vec<u8>)> = Vec::new();
        for (start, end) in self.ranges(pc)? {
            let length = end.checked_sub(start).filter(|&length| length <= MAX_CODE_BYTES)?;
            let mut bytes = vec![0; usize::try_from(length).ok()?];
            self.kernel().read(start, &mut bytes).ok()?;
            pieces.push((start, bytes));
        }
        let ranges: Vec<(u64, &[u8])> =
            pieces.iter().map(|(start, bytes)| (*start, bytes.as_slice())).collect();
        Some(Code::decode(&ranges).without_returns(|target| self.is_final(target)))
    }

    fn function_entry(&self, pc: u64) -> Option<u64> {
        self.ranges(pc)?.first().map(|(start, _)| *start)
    }

    fn code_bytes(&self, address: u64) -> Vec<u8> {
        let mut bytes = vec![0; LONGEST_INSTRUCTION];
        while !bytes.is_empty() && self.kernel().read(address, &mut bytes).is_err() {
            bytes.pop();
        }
        bytes
    }

    fn is_text(&self, address: u64) -> bool {
        self.has_code(address)
    }

    fn gone(&self, address: u64) -> Option<Gone> {
        self.gone_code(address)
    }

    fn is_outside(&self, address: u64) -> bool {
        self.module_at(address).is_some_and(|module| module.taints & OUTSIDE != 0)
    }

    fn arguments_of_system_call(&self) -> Vec<u64> {
        /// In the order of the arguments (`arch/x86/entry/entry_64.S`).
        const ARGUMENTS: [Register; 6] = [
            Register::Rdi,
            Register::Rsi,
            Register::Rdx,
            Register::R10,
            Register::R8,
            Register::R9,
        ];
        let crashing = crashing(self.kernel());
        match crashing.map(|crashing| walks(self, &crashing).fault.stop) {
            Some(StopReason::User(registers)) => {
                ARGUMENTS.iter().filter_map(|register| registers.get(*register)).collect()
            }
            _ => Vec::new(),
        }
    }

    fn has_process(&self) -> Option<bool> {
        Some(self.kernel().crash().task.as_ref()?.mm != 0)
    }

    fn ran_on(&self) -> RanOn {
        match self.kernel().up_cpus() {
            Ok(cpus) if cpus.len() <= 1 => RanOn::TheOnlyOne,
            _ => RanOn::OneOfSeveral(self.kernel().crash().cpu),
        }
    }

    fn per_cpu_bases(&self) -> Vec<u64> {
        let kernel = self.kernel();
        let cpus = kernel.possible_cpus().unwrap_or_default();
        cpus.into_iter().filter_map(|cpu| kernel.percpu_offset(cpu).ok()).collect()
    }

    fn clears_new_memory(&self) -> Option<bool> {
        self.kernel().clears_new_memory()
    }

    fn clears_freed_memory(&self) -> Option<bool> {
        self.kernel().clears_freed_memory()
    }

    fn outside_functions(&self) -> Vec<u64> {
        let outside = self.modules().filter(|(module, _)| module.taints & OUTSIDE != 0);
        let symbols = outside.filter_map(|(it, _)| self.kernel().module_symbols(it).ok());
        let addresses = symbols
            .flat_map(|symbols| symbols.iter().map(|symbol| symbol.address).collect::<Vec<_>>());
        let mut entries: Vec<u64> = addresses.filter(|it| self.has_code(*it)).collect();
        entries.sort_unstable();
        entries.dedup();
        entries.truncate(MAX_FUNCTIONS);
        entries
    }

    fn functions_of(&self, module: &str) -> Vec<u64> {
        let loaded = self.modules().find(|(loaded, _)| loaded.name == module);
        let symbols = loaded.and_then(|(it, _)| self.kernel().module_symbols(it).ok());
        let symbols = symbols.iter().flat_map(|symbols| symbols.iter());
        let addresses = symbols.map(|symbol| symbol.address);
        let mut entries: Vec<u64> = addresses.filter(|it| self.has_code(*it)).collect();
        entries.sort_unstable();
        entries.dedup();
        entries
    }

    fn identity(&self, address: u64) -> Option<Identity> {
        Some(identify(self, address))
    }

    fn source_line(&self, address: u64) -> Option<SourceLine> {
        module_line(self, address)
    }

    fn error_code(&self) -> Option<u64> {
        self.kernel().crash().oops.as_ref()?.error_code
    }

    fn unreadable(&self, address: u64) -> Option<Unreadable> {
        let mut byte = [0];
        self.kernel().read(address, &mut byte).err()
    }

    fn keeps_registers(&self, target: u64) -> bool {
        match Names::symbol_at(self, target) {
            Some((name, _)) => TRANSPARENT.contains(&name.as_str()),
            // A trampoline that ftrace made for one user has no symbol and is no text.
            None => !self.kernel().is_text(target),
        }
    }
}
