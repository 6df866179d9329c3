// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tasks that ran when the dump was taken, and which CPU note is theirs.

use unwind::Start;
use vmcore::CpuNote;

use super::NoWalk;
use crate::context::registers;
use crate::machine::Machine;
use kernel::tasks::Task;

impl Machine<'_> {
    /// The CPU that runs `task` and the task as that CPU has it.
    pub(super) fn running(&self, task: &Task) -> Option<(u32, &Task)> {
        let running = self.kernel().running();
        let found = running.iter().find(|(_, current)| current.address == task.address)?;
        let (cpu, current) = found;
        // The task that a CPU was made ready with has not begun to run there.
        let online = self.kernel().up_cpus().unwrap_or_default();
        let begun = online.contains(cpu) || self.is_on_cpu(current).unwrap_or(true);
        begun.then_some((*cpu, current))
    }

    fn is_on_cpu(&self, task: &Task) -> Option<bool> {
        let on_cpu = self.kernel().object("task_struct", task.address).number("on_cpu").ok()?;
        Some(on_cpu != 0)
    }

    /// The start for what ran on `cpu`.
    pub(super) fn noted_start(&self, cpu: u32, current: &Task) -> Result<Start, NoWalk> {
        let online = self.kernel().up_cpus()?;
        let Some(position) = online.iter().position(|one| *one == cpu) else {
            return Err(NoWalk::Offline { cpu });
        };
        let notes = self.kernel().vmcore().cpus();
        if (notes.is_empty() || notes.iter().any(|note| note.qemu.is_some()))
            && let Ok(Some(saved)) = self.kernel().saved_registers(cpu)
        {
            return Ok(Start::interrupted(registers(&saved)));
        }
        let by_place = notes.get(position).filter(|note| self.fits(note, cpu, current, false));
        // A CPU that did not answer has no note, and those after it moved up.
        let note =
            by_place.or_else(|| notes.iter().find(|note| self.fits(note, cpu, current, true)));
        let note = note.ok_or(NoWalk::NoRegisters { cpu })?;
        Ok(Start::interrupted(registers(&note.registers)))
    }

    /// Whether a note is that of a CPU: its stack pointer is on one of the CPU's stacks or on
    /// that of its task. In user mode, and on a stack that nobody knows, the pid has to do.
    fn fits(&self, note: &CpuNote, cpu: u32, current: &Task, strictly: bool) -> bool {
        let sp = note.registers.sp;
        let own = self.kernel().task_stack(current);
        let mut stacks = self.kernel().cpu_stacks(cpu).into_iter().chain(own);
        if stacks.any(|stack| (stack.low..stack.high).contains(&sp)) {
            return true;
        }
        let same = note.qemu.is_some() || note.pid == current.pid;
        let user = note.registers.cs & 3 == 3;
        sp != 0 && same && (!strictly || (user && note.qemu.is_none()))
    }
}
