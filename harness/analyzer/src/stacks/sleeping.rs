// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tasks that do not run: what the scheduler saved of them.

use iced_x86::FlowControl;
use unwind::{InactiveLayout, Memory, Pc, Register, Registers, Start, start_from_inactive};

use super::{NoWalk, Origin};
use crate::kernel::Unavailable;
use crate::kernel::tasks::Task;
use crate::machine::Machine;
use crate::scene::Scene;

/// Bytes of the registers that `copy_thread` puts at the top of a new task's stack
/// (`struct pt_regs`).
const PT_REGS: u64 = 168;
/// How far below its end a stack that has no guard page is followed.
const MAX_OVERRUN: u64 = 1 << 20;
/// Functions that the switch from one task to the next may be inlined into.
const SWITCHING: [&str; 3] = ["__schedule", "context_switch", "schedule"];

/// Where registers of a task that does not run are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Saved {
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

impl Machine<'_> {
    /// The start for a task that does not run.
    pub(super) fn saved_start(&self, task: &Task) -> Result<(Origin, Start), NoWalk> {
        let kernel = self.kernel();
        let sp = kernel.object("task_struct", task.address).number("thread.sp")?;
        let stack = kernel.task_stack(task).ok_or(NoWalk::Freed)?;
        // A stack without a guard page goes on below its end.
        let reach = if kernel.has_bare_stacks() { MAX_OVERRUN } else { 0 };
        if !(stack.low.saturating_sub(reach)..stack.high).contains(&sp) {
            let words = format!("its stack pointer 0x{sp:016x} is not on its stack");
            return Err(Unavailable::Damaged(words).into());
        }
        let unknown = || Unavailable::Type("inactive_task_frame".to_owned());
        match self.saved().ok_or_else(unknown)? {
            Saved::Frame(layout) => {
                let start = start_from_inactive(kernel, sp, &layout);
                let start = start.ok_or_else(|| unreadable(sp))?;
                let never_ran = matches!(start.pc, Pc::Interrupted(_));
                Ok((if never_ran { Origin::NeverRan } else { Origin::Sleeping }, start))
            }
            Saved::Pushed { fork: Some(fork), .. }
                if sp.checked_add(PT_REGS) == Some(stack.high) =>
            {
                Ok((Origin::NeverRan, Start::interrupted(Registers::at(fork, sp))))
            }
            Saved::Pushed { resume, .. } => {
                let mut registers = Registers::at(resume, sp);
                let bp = Memory::read_u64(kernel, sp).ok_or_else(|| unreadable(sp))?;
                registers.set(Register::Rbp, Some(bp));
                Ok((Origin::Sleeping, Start { pc: Pc::Return(resume), registers }))
            }
        }
    }

    fn saved(&self) -> Option<Saved> {
        *self.stacks().saved.get_or_init(|| {
            let in_frame = self.inactive_layout().map(Saved::Frame);
            in_frame.or_else(|| {
                let resume = self.resume_address()?;
                let fork = self.kernel().symbol("ret_from_fork").ok();
                Some(Saved::Pushed { resume, fork })
            })
        })
    }

    fn inactive_layout(&self) -> Option<InactiveLayout> {
        let kernel = self.kernel();
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

    /// Where a task goes on after a switch: behind the one `call __switch_to` of the scheduler.
    fn resume_address(&self) -> Option<u64> {
        let target = self.kernel().symbol("__switch_to").ok()?;
        SWITCHING.iter().find_map(|function| {
            let code = self.function_code(self.kernel().symbol(function).ok()?)?;
            let call = code.instructions().iter().find(|instruction| {
                instruction.flow_control() == FlowControl::Call
                    && instruction.near_branch_target() == target
            })?;
            Some(call.next_ip())
        })
    }
}

fn unreadable(sp: u64) -> Unavailable {
    Unavailable::Damaged(format!("its saved registers at 0x{sp:016x} cannot be read"))
}
