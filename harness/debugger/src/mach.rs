// SPDX-License-Identifier: MIT OR Apache-2.0
//! `mach`: the machine, and where its kernel has its memory.

use serde::Serialize;

use super::sys::size;
use super::{Arguments, Command, CommandError, Reply, Rule, Session, Text, Words};
use kernel::VirtualMemory as _;
use kernel::mm::PAGE;
use kernel::space::KERNEL_MAP;

/// The command.
pub(super) const COMMAND: Command = Command {
    name: "mach",
    summary: "the machine, and where its kernel has its memory",
    usage: "",
    options: &[],
    rules: &[Rule::Words(0)],
    words: Words::Mixed,
    run,
};

#[derive(Debug, Serialize)]
struct Machine {
    machine: Option<String>,
    memory_bytes: Option<u64>,
    cpus: Option<usize>,
    megahertz: Option<u64>,
    /// Ticks a second.
    hz: Option<u64>,
    page_bytes: u64,
    /// Levels of page tables.
    levels: u8,
    /// Where all memory is mapped in one piece.
    direct_map: Option<String>,
    vmalloc: Option<String>,
    /// Where the array of `struct page` is.
    pages: Option<String>,
    image: String,
    /// Of a task's stack.
    stack_bytes: u64,
}

fn run(session: &mut Session<'_, '_>, _: &Arguments) -> Result<Reply, CommandError> {
    let kernel = session.kernel();
    let layout = kernel.space().layout();
    // A kernel that does not place its memory at random has these as constants, in no variable.
    let base = |name| kernel.symbol(name).ok().and_then(|at| kernel.read_u64(at).ok()).map(hex);
    Ok(Reply::new(Machine {
        machine: kernel.uts().ok().map(|uts| uts.machine),
        memory_bytes: kernel.memory_bytes().ok(),
        cpus: kernel.up_cpus().ok().map(|cpus| cpus.len()),
        megahertz: kernel.megahertz().ok(),
        hz: kernel.ticks_per_second().ok(),
        page_bytes: PAGE,
        levels: if layout.format.five_levels { 5 } else { 4 },
        direct_map: kernel.direct_map().map(|map| hex(map.base)),
        vmalloc: base("vmalloc_base"),
        pages: base("vmemmap_base"),
        image: hex(KERNEL_MAP),
        // In 6.12 the first stack's symbol ends where the registers of user mode begin.
        stack_bytes: kernel.thread_size().next_multiple_of(PAGE),
    }))
}

fn hex(address: u64) -> String {
    format!("{address:x}")
}

impl Text for Machine {
    fn text(&self) -> String {
        let rows = [
            ("MACHINE TYPE", self.machine.clone()),
            ("MEMORY SIZE", self.memory_bytes.map(size)),
            ("CPUS", self.cpus.map(|count| count.to_string())),
            ("PROCESSOR SPEED", self.megahertz.map(|speed| format!("{speed} Mhz"))),
            ("HZ", self.hz.map(|hz| hz.to_string())),
            ("PAGE SIZE", Some(self.page_bytes.to_string())),
            ("PAGE TABLE LEVELS", Some(self.levels.to_string())),
            ("KERNEL VIRTUAL BASE", self.direct_map.clone()),
            ("KERNEL VMALLOC BASE", self.vmalloc.clone()),
            ("KERNEL VMEMMAP BASE", self.pages.clone()),
            ("KERNEL START MAP", Some(self.image.clone())),
            ("KERNEL STACK SIZE", Some(self.stack_bytes.to_string())),
        ];
        let unknown = || "(unknown)".to_owned();
        let row = |(label, value): (&str, Option<String>)| {
            format!("{label:>19}: {}\n", value.unwrap_or_else(unknown))
        };
        rows.into_iter().map(row).collect()
    }
}
