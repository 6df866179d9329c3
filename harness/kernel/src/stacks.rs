// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where the kernel's stacks are.
//!
//! Each task has one, each CPU has one for interrupts, some for exceptions that must not trust
//! the stack they meet (IST), and one for the entry from user mode. Their places and sizes are
//! read from the kernel's variables and types; guard pages between them belong to none.

use unwind::{Stack, StackKind, Stacks};

use super::memory::VirtualMemory;
use super::tasks::Task;
use super::{Kernel, Unavailable};

/// Members of `struct cea_exception_stacks` (`arch/x86/include/asm/cpu_entry_area.h`, 5.2 and
/// later) that are stacks. Those of `DB1` and `DB2` went away in 5.8; `VC` came in 5.10.
const ENTRY_AREA_STACKS: [(&str, StackKind); 8] = [
    ("DF_stack", StackKind::DoubleFault),
    ("NMI_stack", StackKind::Nmi),
    ("DB2_stack", StackKind::Debug),
    ("DB1_stack", StackKind::Debug),
    ("DB_stack", StackKind::Debug),
    ("MCE_stack", StackKind::MachineCheck),
    ("VC_stack", StackKind::VmmCommunication),
    ("VC2_stack", StackKind::VmmCommunication),
];
/// Bytes of an exception stack where nothing says (`EXCEPTION_STKSZ` to 5.1).
const EXCEPTION_STACK: u64 = 4096;
/// Bytes of a task's stack where nothing says (`THREAD_SIZE` since 3.15, and in RHEL 7).
const THREAD_SIZE: u64 = 16 << 10;
/// Bytes that no stack exceeds; a size beyond is damage.
const MAX_STACK: u64 = 1 << 20;

impl Kernel<'_> {
    /// Bytes of a task's kernel stack (`THREAD_SIZE`).
    #[must_use]
    pub fn thread_size(&self) -> u64 {
        self.size_of("thread_union")
            .ok()
            .or_else(|| self.symbol_size("init_stack"))
            .or_else(|| self.symbol_size("init_thread_union"))
            .filter(|size| (4096..=MAX_STACK).contains(size))
            .unwrap_or(THREAD_SIZE)
    }

    /// The kernel stack of a task.
    #[must_use]
    pub fn task_stack(&self, task: &Task) -> Option<Stack> {
        stack(StackKind::Task, task.stack, self.thread_size())
    }

    /// The stacks of `cpu` that belong to no task.
    #[must_use]
    pub fn cpu_stacks(&self, cpu: u32) -> Vec<Stack> {
        let mut stacks: Vec<Stack> = self.irq_stack(cpu).into_iter().collect();
        let in_entry_area = self.entry_area_stacks(cpu);
        match in_entry_area {
            Ok(found) => stacks.extend(found),
            Err(_) => stacks.extend(self.ist_stacks(cpu).unwrap_or_default()),
        }
        stacks
    }

    /// The stack for interrupts.
    ///
    /// The pointer is per-CPU `irq_stack_ptr` to 5.1 and `hardirq_stack_ptr` since (inside
    /// `pcpu_hot` in 6.2 to 6.14). It points to the top, to eight bytes below it since 5.12, and
    /// to 64 below in 2.6 to 4.8 except RHEL 7; the top is a multiple of the page size.
    fn irq_stack(&self, cpu: u32) -> Option<Stack> {
        let pointer = self
            .percpu_hot_u64("hardirq_stack_ptr", cpu)
            .or_else(|_| self.percpu_u64("irq_stack_ptr", cpu))
            .ok()
            .filter(|pointer| *pointer != 0)?;
        let high = pointer.checked_next_multiple_of(4096)?;
        let size = self
            .size_of("irq_stack")
            .or_else(|_| self.size_of("irq_stack_union"))
            .unwrap_or(THREAD_SIZE);
        stack(StackKind::Irq, high.checked_sub(size)?, size)
    }

    /// Exception and entry stacks of 5.2 and later, in the CPU's entry area.
    fn entry_area_stacks(&self, cpu: u32) -> Result<Vec<Stack>, Unavailable> {
        let base = self.percpu_u64("cea_exception_stacks", cpu)?;
        let mut stacks = Vec::new();
        for (member, kind) in ENTRY_AREA_STACKS {
            if let Ok(field) = self.field("cea_exception_stacks", member) {
                stacks.extend(stack(kind, base.wrapping_add(field.offset), field.size));
            }
        }
        let area =
            self.field("cpu_entry_area", "estacks").map(|field| base.wrapping_sub(field.offset));
        let entry = self.field("cpu_entry_area", "entry_stack_page");
        if let (Ok(area), Ok(entry), Ok(size)) = (area, entry, self.size_of("entry_stack")) {
            stacks.extend(stack(StackKind::Entry, area.wrapping_add(entry.offset), size));
        }
        Ok(stacks)
    }

    /// Exception stacks up to 5.1: their tops are in the per-CPU `orig_ist`, their sizes in
    /// `exception_stack_sizes`, if the kernel kept that table.
    ///
    /// A stack for stack faults came first until 3.14 (RHEL 7's 3.10 has none), so that the
    /// number of entries in use tells which is which.
    fn ist_stacks(&self, cpu: u32) -> Result<Vec<Stack>, Unavailable> {
        const KINDS: [StackKind; 4] =
            [StackKind::DoubleFault, StackKind::Nmi, StackKind::Debug, StackKind::MachineCheck];
        let table = self.percpu_address("orig_ist", cpu)?;
        let read = |slot: u64| {
            let what = |source| Unavailable::memory("orig_ist", source);
            self.read_u64(table.wrapping_add(slot * 8)).map_err(what)
        };
        let tops = (0..7).map(read).collect::<Result<Vec<u64>, _>>()?;
        let used = tops.iter().take_while(|top| **top != 0).count();
        let skipped = used.saturating_sub(KINDS.len());
        let mut stacks = Vec::new();
        for (slot, kind) in (skipped..used).zip(KINDS) {
            let Some(&top) = tops.get(slot) else { break };
            let size = self.exception_stack_size(slot).unwrap_or_else(|| distance(&tops, top));
            stacks.extend(top.checked_sub(size).and_then(|low| stack(kind, low, size)));
        }
        Ok(stacks)
    }

    fn exception_stack_size(&self, slot: usize) -> Option<u64> {
        let table = self.symbol("exception_stack_sizes").ok()?;
        let offset = u64::try_from(slot).ok()?.checked_mul(4)?;
        let size = self.read_u32(table.wrapping_add(offset)).ok()?;
        Some(u64::from(size)).filter(|size| (1024..=MAX_STACK).contains(size))
    }

    /// Size of a symbol of `vmlinux`.
    fn symbol_size(&self, name: &str) -> Option<u64> {
        self.image()?.symbol(name).map(|symbol| symbol.size)
    }
}

/// Bytes from the next lower top to `top`; the lowest one is taken to have the usual size.
fn distance(tops: &[u64], top: u64) -> u64 {
    let below = tops.iter().filter(|other| **other < top && **other != 0).max();
    below
        .map(|below| top - below)
        .filter(|size| *size <= 4 * EXCEPTION_STACK)
        .unwrap_or(EXCEPTION_STACK)
}

/// A stack, if its bounds make sense.
fn stack(kind: StackKind, low: u64, size: u64) -> Option<Stack> {
    let high = low.checked_add(size)?;
    (low != 0 && size != 0 && size <= MAX_STACK).then_some(Stack { kind, low, high })
}

/// Looks at the crashing CPU and its task first, then at all CPUs, then at all tasks.
impl Stacks for Kernel<'_> {
    fn stack_of(&self, address: u64) -> Option<Stack> {
        let holds = |stack: &Stack| (stack.low..stack.high).contains(&address);
        let near = self.near_stacks.get_or_init(|| self.crash_stacks());
        if let Some(found) = near.iter().copied().find(holds) {
            return Some(found);
        }
        let all = self.all_stacks.get_or_init(|| self.list_stacks());
        all.iter().copied().find(holds)
    }
}

impl Kernel<'_> {
    fn crash_stacks(&self) -> Vec<Stack> {
        let crash = self.crash();
        let mut stacks = crash.cpu.map(|cpu| self.cpu_stacks(cpu)).unwrap_or_default();
        stacks.extend(crash.task.as_ref().and_then(|task| self.task_stack(task)));
        stacks
    }

    fn list_stacks(&self) -> Vec<Stack> {
        let cpus = self.possible_cpus().unwrap_or_default();
        let mut stacks: Vec<Stack> = cpus.iter().flat_map(|cpu| self.cpu_stacks(*cpu)).collect();
        if let Ok(tasks) = self.tasks() {
            stacks.extend(tasks.items.iter().filter_map(|task| self.task_stack(task)));
        }
        stacks
    }
}
