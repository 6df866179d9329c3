// SPDX-License-Identifier: MIT OR Apache-2.0
//! The crashed machine as a report of its log saw it some time before: the code is the same, memory may
//! not be, and what was on stacks is gone.

use debuginfo::Image;

use crate::express::Names;
use crate::flow::{Code, Words};
use crate::gone::Gone;
use crate::identify::Identity;
use crate::machine::Machine;
use crate::printer::{CodeName, CodeNames};
use crate::scene::Scene;
use crate::source_line::SourceLine;
use kernel::Unreadable;
use unwind::Stacks as _;

/// The machine before.
pub(super) struct Before<'m, 'k> {
    pub(super) machine: &'m Machine<'k>,
    /// The error code of the processor's fault.
    pub(super) error_code: Option<u64>,
}

impl CodeNames for Before<'_, '_> {
    fn code_name(&self, address: u64) -> Option<CodeName> {
        self.machine.code_name(address)
    }

    fn gone_code(&self, address: u64) -> Option<Gone> {
        self.machine.gone_code(address)
    }
}

impl Names for Before<'_, '_> {
    fn image_at(&self, address: u64) -> Option<&Image<'_>> {
        self.machine.image_at(address)
    }

    fn kernel_image(&self) -> Option<&Image<'_>> {
        self.machine.kernel_image()
    }

    fn symbol_at(&self, address: u64) -> Option<(String, u64)> {
        Names::symbol_at(self.machine, address)
    }

    fn per_cpu_symbol(&self, offset: u64) -> Option<(String, u64)> {
        self.machine.per_cpu_symbol(offset)
    }

    fn per_cpu_image(&self, offset: u64) -> Option<&Image<'_>> {
        self.machine.per_cpu_image(offset)
    }
}

impl Words for Before<'_, '_> {
    fn word(&self, address: u64, size: u8) -> Option<u64> {
        // Another function, or another task, has the stack by now.
        let is_stack = self.machine.kernel().stack_of(address).is_some();
        if is_stack { None } else { self.machine.word(address, size) }
    }

    fn per_cpu_base(&self) -> Option<u64> {
        None
    }
}

impl Scene for Before<'_, '_> {
    fn kernel_function(&self, address: u64) -> Option<String> {
        self.machine.kernel_function(address)
    }

    fn function_code(&self, pc: u64) -> Option<Code> {
        self.machine.function_code(pc)
    }

    fn function_entry(&self, pc: u64) -> Option<u64> {
        self.machine.function_entry(pc)
    }

    fn code_bytes(&self, address: u64) -> Vec<u8> {
        self.machine.code_bytes(address)
    }

    fn is_text(&self, address: u64) -> bool {
        self.machine.is_text(address)
    }

    fn gone(&self, address: u64) -> Option<Gone> {
        Scene::gone(self.machine, address)
    }

    fn is_outside(&self, address: u64) -> bool {
        self.machine.is_outside(address)
    }

    fn outside_functions(&self) -> Vec<u64> {
        self.machine.outside_functions()
    }

    fn functions_of(&self, module: &str) -> Vec<u64> {
        self.machine.functions_of(module)
    }

    fn identity(&self, address: u64) -> Option<Identity> {
        // Whether memory was free then is not known.
        Some(Identity::of_value(address))
    }

    fn source_line(&self, address: u64) -> Option<SourceLine> {
        self.machine.source_line(address)
    }

    fn error_code(&self) -> Option<u64> {
        self.error_code
    }

    fn unreadable(&self, address: u64) -> Option<Unreadable> {
        self.machine.unreadable(address)
    }

    fn keeps_registers(&self, target: u64) -> bool {
        self.machine.keeps_registers(target)
    }
}
