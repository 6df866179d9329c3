// SPDX-License-Identifier: MIT OR Apache-2.0
//! Return addresses that the kernel replaced to learn when a function returns, and where it keeps
//! the real ones.
//!
//! The function graph tracer keeps a stack of them for each task, return probes a list for each
//! task (a hash table for all up to 5.10). Since 4.8 each also remembers where the address stood.

use debuginfo::Type;
use unwind::orc::OrcEntry;
use unwind::{CfiRow, Expression, Memory, Registers, ReturnTrampoline, Tables};

use crate::machine::Machine;
use kernel::{Unavailable, VirtualMemory};

/// A function may be traced and probed: one trampoline hides another.
const MAX_NESTED: usize = 4;
/// Bytes of a task's stack of return addresses that are believed; the kernel has a page or less.
const MAX_SHADOW: u64 = 16 << 10;
/// Return probes that are looked at, of one task.
const MAX_PROBES: usize = 4096;
/// Heads of `kretprobe_inst_table` (`KPROBE_TABLE_SIZE`, `kernel/kprobes.c`).
const PROBE_HEADS: u64 = 64;

impl Machine<'_> {
    /// The return address that belongs where a trampoline's stands on a task's stack.
    fn real_return_of(&self, task: u64, mut met: ReturnTrampoline) -> Option<u64> {
        for _ in 0..MAX_NESTED {
            let real = if self.kernel().is_graph_trampoline(met.address) {
                self.traced_return(task, met).ok()?
            } else {
                self.probed_return(task, met).ok()?
            }?;
            if !self.kernel().replaces_returns(real) {
                return Some(real);
            }
            met.address = real;
        }
        None
    }

    /// From `task_struct.ret_stack`: an array of `struct ftrace_ret_stack` with the number of its
    /// last entry in `curr_ret_stack`, since 6.11 words of which that many are in use, among them
    /// such structures.
    fn traced_return(&self, task: u64, met: ReturnTrampoline) -> Result<Option<u64>, Unavailable> {
        let kernel = self.kernel();
        let object = kernel.object("task_struct", task);
        let base = object.number("ret_stack")?;
        let size = kernel.size_of("ftrace_ret_stack")?.max(8);
        let real = kernel.field("ftrace_ret_stack", "ret")?.offset;
        let Ok(last) = u64::try_from(object.int("curr_ret_stack")?) else { return Ok(None) };
        let words = self.is_array_of_words();
        let used = if words { last.saturating_mul(8) } else { (last + 1).saturating_mul(size) };
        if base == 0 || used > MAX_SHADOW || used < size {
            return Ok(None);
        }
        let word = |at: u64| Memory::read_u64(kernel, base.wrapping_add(at));
        let Ok(place) = kernel.field("ftrace_ret_stack", "retp") else {
            // Only their order is known.
            let above = u64::try_from(met.index).unwrap_or(u64::MAX).saturating_add(1);
            let at = above.checked_mul(size).and_then(|above| used.checked_sub(above));
            return Ok(at.and_then(|at| word(at.wrapping_add(real))));
        };
        let step = if words { 8 } else { size };
        let mut at = used - size;
        loop {
            let found = word(at.wrapping_add(real));
            // What a traced function jumped to at its end was traced with the same slot, which
            // held the trampoline by then; the real address is further down.
            if word(at.wrapping_add(place.offset)) == Some(met.slot) && found != Some(met.address) {
                return Ok(found);
            }
            match at.checked_sub(step) {
                Some(lower) => at = lower,
                None => return Ok(None),
            }
        }
    }

    fn is_array_of_words(&self) -> bool {
        let element = || {
            let image = self.kernel().image()?;
            let field = self.kernel().field("task_struct", "ret_stack").ok()?;
            let Type::Pointer { target: Some(target) } = image.type_of(field.ty).found()? else {
                return None;
            };
            image.type_of(target).found()
        };
        !matches!(element(), Some(Type::Struct { .. }) | None)
    }

    /// From the list of the task's return probes.
    fn probed_return(&self, task: u64, met: ReturnTrampoline) -> Result<Option<u64>, Unavailable> {
        let kernel = self.kernel();
        let object = kernel.object("task_struct", task);
        if kernel.has_field("task_struct", "rethooks") {
            let first = object.number("rethooks.first")?;
            return self.listed_return(first, ("rethook_node", "llist", "frame"), task, met);
        }
        if kernel.has_field("task_struct", "kretprobe_instances") {
            let first = object.number("kretprobe_instances.first")?;
            return self.listed_return(first, ("kretprobe_instance", "llist", "fp"), task, met);
        }
        let table = kernel.symbol("kretprobe_inst_table")?;
        for head in 0..PROBE_HEADS {
            let first = VirtualMemory::read_u64(kernel, table.wrapping_add(head * 8));
            let first =
                first.map_err(|source| Unavailable::memory("kretprobe_inst_table", source))?;
            let layout = ("kretprobe_instance", "hlist", "fp");
            if let Some(real) = self.listed_return(first, layout, task, met)? {
                return Ok(Some(real));
            }
        }
        Ok(None)
    }

    /// Searches a singly linked list of nodes, the youngest first.
    fn listed_return(
        &self,
        first: u64,
        (structure, link, place): (&'static str, &str, &str),
        task: u64,
        met: ReturnTrampoline,
    ) -> Result<Option<u64>, Unavailable> {
        let kernel = self.kernel();
        let link = kernel.field(structure, link)?.offset;
        let shared = kernel.has_field(structure, "task");
        let (mut at, mut passed) = (first, 0);
        for _ in 0..MAX_PROBES {
            if at == 0 {
                break;
            }
            let node = kernel.object(structure, at.wrapping_sub(link));
            if !shared || node.number("task")? == task {
                let here = match node.number(place) {
                    Ok(slot) => slot == met.slot,
                    Err(Unavailable::Type(_)) => passed == met.index,
                    Err(why) => return Err(why),
                };
                let found = node.number("ret_addr")?;
                // See `traced_return` for functions that end in a jump.
                if here && found != met.address {
                    return Ok(Some(found));
                }
                passed += 1;
            }
            at = VirtualMemory::read_u64(kernel, at)
                .map_err(|source| Unavailable::memory(structure, source))?;
        }
        Ok(None)
    }
}

/// The machine's tables, with the return addresses of one task.
pub(super) struct TaskTables<'m, 'a> {
    pub(super) machine: &'m Machine<'a>,
    /// Address of its `task_struct`.
    pub(super) task: u64,
}

impl Tables for TaskTables<'_, '_> {
    fn orc(&self, pc: u64) -> Option<OrcEntry> {
        self.machine.orc(pc)
    }

    fn cfi(&self, pc: u64) -> Option<CfiRow> {
        self.machine.cfi(pc)
    }

    fn evaluate(
        &self,
        expression: Expression,
        registers: &Registers,
        memory: &dyn Memory,
        initial: Option<u64>,
    ) -> Option<u64> {
        self.machine.evaluate(expression, registers, memory, initial)
    }

    fn is_text(&self, address: u64) -> bool {
        Tables::is_text(self.machine, address)
    }

    fn is_gone_text(&self, address: u64) -> bool {
        self.machine.is_gone_text(address)
    }

    fn is_return_trampoline(&self, address: u64) -> bool {
        self.machine.kernel().replaces_returns(address)
    }

    fn real_return(&self, met: ReturnTrampoline) -> Option<u64> {
        self.machine.real_return_of(self.task, met)
    }
}
