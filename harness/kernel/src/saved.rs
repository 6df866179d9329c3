// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where the scheduler leaves the registers of tasks that do not run.

use unwind::InactiveLayout;

use super::Kernel;

/// Where registers of a task that does not run are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Saved {
    /// In a `struct inactive_task_frame` (4.9 and later).
    Frame(InactiveLayout),
    /// The `switch_to` of kernels before 4.9 (`arch/x86/include/asm/switch_to.h`) pushed flags
    /// and rbp; the `call __switch_to` after that is made on the next task's stack already, so
    /// that no return address tells where the task goes on.
    Pushed {
        /// Return address of that call.
        resume: u64,
        /// `ret_from_fork`, where tasks that never ran begin.
        fork: Option<u64>,
    },
}

impl Kernel<'_> {
    /// Where registers of tasks that do not run are; `resume` finds where a task goes on after a
    /// switch, which only older kernels are asked for.
    pub fn saved(&self, resume: impl FnOnce() -> Option<u64>) -> Option<Saved> {
        *self.saved.get_or_init(|| {
            let in_frame = self.inactive_layout().map(Saved::Frame);
            in_frame.or_else(|| {
                let fork = self.symbol("ret_from_fork").ok();
                Some(Saved::Pushed { resume: resume()?, fork })
            })
        })
    }

    fn inactive_layout(&self) -> Option<InactiveLayout> {
        let kernel = self;
        let offset = |member| Some(kernel.field("inactive_task_frame", member).ok()?.offset);
        // Since 6.6 `ret_from_fork` is a C function that the assembler's one calls.
        let fork = kernel.symbol("ret_from_fork_asm").or_else(|_| kernel.symbol("ret_from_fork"));
        Some(InactiveLayout {
            r15: offset("r15"),
            r14: offset("r14"),
            r13: offset("r13"),
            r12: offset("r12"),
            bx: offset("bx"),
            bp: offset("bp"),
            ret_addr: offset("ret_addr")?,
            size: kernel.size_of("inactive_task_frame").ok()?,
            ret_from_fork: fork.ok(),
        })
    }
}
