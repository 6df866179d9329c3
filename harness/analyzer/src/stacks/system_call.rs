// SPDX-License-Identifier: MIT OR Apache-2.0
//! Registers of user mode that the fast path of a system call does not save with the others.
//!
//! Situation: `system_call` of 3.10 (`arch/x86/kernel/entry_64.S`) leaves the words of cs, rflags,
//! rsp and ss in `struct pt_regs` as some older exception wrote them. It keeps the stack pointer in
//! the per-CPU `old_rsp`, and `__switch_to()` moves that to `thread.usersp` of the task that stops.

use unwind::{Register, Registers};

use crate::machine::Machine;
use kernel::VirtualMemory;
use kernel::tasks::Task;

/// `__USER_CS` (`arch/x86/include/asm/segment.h`), which the instruction `sysret` goes back to.
const USER_CS: u64 = 0x33;
/// `__USER_DS` there, which it sets as well.
const USER_DS: u64 = 0x2b;
/// Bytes from the top of a task's stack down to `orig_ax` of its `struct pt_regs`.
const ORIG_AX: u64 = 48;
/// First address above user space.
const USER_END: u64 = 1 << 47;

impl Machine<'_> {
    /// Adds what the kernel keeps elsewhere to registers of a system call of `task`.
    pub(super) fn complete_system_call(&self, registers: &mut Registers, task: &Task) {
        let kernel = self.kernel();
        let rsp = match self.running(task) {
            Some((cpu, _)) => kernel.percpu_u64("old_rsp", cpu),
            None => kernel.object("task_struct", task.address).number("thread.usersp"),
        };
        registers.set(Register::Rsp, rsp.ok().filter(|rsp| *rsp < USER_END));
        registers.cs = Some(USER_CS);
        registers.ss = Some(USER_DS);
        let top = kernel.task_stack(task).map(|stack| stack.high);
        registers.orig_rax = top.and_then(|top| kernel.read_u64(top.wrapping_sub(ORIG_AX)).ok());
    }
}
