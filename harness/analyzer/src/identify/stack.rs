// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whose stack an address is on.

use unwind::{Stack, StackKind};

use kernel::mm::PAGE;
use kernel::{Kernel, VirtualMemory as _};

/// A place on a stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackPlace {
    /// The stack.
    pub stack: Stack,
    /// Whose it is.
    pub owner: StackOwner,
    /// Whether the address lies in the unmapped page below: there a stack that grows too far ends.
    pub guard: bool,
}

/// Whose stack it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StackOwner {
    /// A task's.
    Task {
        /// Its id.
        pid: i32,
        /// Its name.
        comm: String,
        /// Address of its `task_struct`.
        address: u64,
    },
    /// A CPU's.
    Cpu(u32),
}

/// The stack that holds `address`, or that ends right above the unmapped page that holds it.
pub(super) fn place(kernel: &Kernel<'_>, address: u64) -> Option<StackPlace> {
    let unmapped = kernel.read_u8(address).is_err();
    let relation = |stack: &Stack| {
        if (stack.low..stack.high).contains(&address) {
            return Some(false);
        }
        let below = stack.low.checked_sub(PAGE)?..stack.low;
        (unmapped && below.contains(&address)).then_some(true)
    };
    for cpu in kernel.possible_cpus().unwrap_or_default() {
        let own = kernel.cpu_stacks(cpu).into_iter();
        if let Some(found) = own.filter_map(|one| Some((one, relation(&one)?))).next() {
            return Some(StackPlace {
                stack: found.0,
                owner: StackOwner::Cpu(cpu),
                guard: found.1,
            });
        }
    }
    let size = kernel.thread_size();
    let tasks = kernel.tasks().map(|listing| listing.items.as_slice()).unwrap_or_default();
    let mut guard = None;
    for task in tasks.iter().filter(|task| task.stack != 0) {
        let Some(high) = task.stack.checked_add(size) else { continue };
        let stack = Stack { kind: StackKind::Task, low: task.stack, high };
        let Some(is_guard) = relation(&stack) else { continue };
        let owner =
            StackOwner::Task { pid: task.pid, comm: task.comm.clone(), address: task.address };
        let place = StackPlace { stack, owner, guard: is_guard };
        if !is_guard {
            return Some(place);
        }
        guard = Some(place);
    }
    guard
}
