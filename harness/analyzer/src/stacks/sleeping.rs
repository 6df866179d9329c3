// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tasks that do not run: what the scheduler saved of them.

use iced_x86::FlowControl;
use unwind::{Memory, Pc, Register, Registers, Start, start_from_inactive};

use super::{NoWalk, Origin};
use crate::machine::Machine;
use crate::scene::Scene;
use kernel::Unavailable;
use kernel::saved::Saved;
use kernel::tasks::Task;

/// Bytes of the registers that `copy_thread` puts at the top of a new task's stack
/// (`struct pt_regs`).
const PT_REGS: u64 = 168;
/// How far below its end a stack that has no guard page is followed.
const MAX_OVERRUN: u64 = 1 << 20;
/// Functions that the switch from one task to the next may be inlined into.
const SWITCHING: [&str; 3] = ["__schedule", "context_switch", "schedule"];

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
        match kernel.saved(|| self.resume_address()).ok_or_else(unknown)? {
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
