// SPDX-License-Identifier: MIT OR Apache-2.0
//! Code that the kernel made while it ran: ftrace's trampolines, BPF programs, slots of kprobes.

use std::ops::Range;

use unwind::Memory;

use super::{Kernel, Unavailable, VirtualMemory};

/// Pieces of one kind that are listed at most.
const MAX_PIECES: usize = 1 << 16;
/// Bytes that one piece may have; more is damage.
const MAX_BYTES: u64 = 1 << 24;
/// Functions that ftrace copies for one user, and begins its copy with.
const COPIED: [&str; 2] = ["ftrace_regs_caller", "ftrace_caller"];
/// Caches of slots for the instructions that probes replaced (`struct kprobe_insn_cache`), and
/// what the kernel calls code there.
const SLOTS: [(&str, &str); 2] =
    [("kprobe_insn_slots", "kprobe_insn_page"), ("kprobe_optinsn_slots", "kprobe_optinsn_page")];
/// Bytes of a page of slots.
const PAGE: u64 = 4096;

/// A piece of code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generated {
    /// Its addresses.
    pub range: Range<u64>,
    /// What the kernel calls it.
    pub name: String,
    /// What it is a copy of.
    original: Option<u64>,
}

impl Kernel<'_> {
    /// The piece of such code that lies at the address.
    pub fn generated_at(&self, address: u64) -> Option<&Generated> {
        let all = self.generated.get_or_init(|| {
            let mut all = Vec::new();
            // None of these is in every kernel; what is damaged is as good as not there.
            let _ = self.ftrace_trampolines(&mut all);
            let _ = self.bpf_programs(&mut all);
            let _ = self.kprobe_slots(&mut all);
            all.sort_by_key(|piece| (piece.range.start, piece.range.end));
            all
        });
        let above = all.partition_point(|piece| piece.range.start <= address);
        all.get(..above)?.last().filter(|piece| piece.range.contains(&address))
    }

    /// The address in the kernel's image that generated code is a copy of.
    pub fn original(&self, address: u64) -> Option<u64> {
        let piece = self.generated_at(address)?;
        Some(piece.original?.wrapping_add(address - piece.range.start))
    }

    /// Trampolines of `struct ftrace_ops`, each listed from `ftrace_ops_list` on; the last element
    /// is `ftrace_list_end`.
    fn ftrace_trampolines(&self, all: &mut Vec<Generated>) -> Result<(), Unavailable> {
        let kernel = self;
        let end = kernel.symbol("ftrace_list_end")?;
        let lost = |source| Unavailable::memory("ftrace_ops_list", source);
        let mut at =
            VirtualMemory::read_u64(kernel, kernel.symbol("ftrace_ops_list")?).map_err(lost)?;
        for _ in 0..MAX_PIECES {
            if at == 0 || at == end {
                break;
            }
            let ops = kernel.object("ftrace_ops", at);
            let (start, size) = (ops.number("trampoline")?, ops.number("trampoline_size")?);
            // One that was not allocated is the kernel's own `ftrace_caller`.
            if start != 0 && !kernel.is_text(start) {
                let original = self.copied(start);
                self.add(all, start, start.saturating_add(size), "ftrace_trampoline", original);
            }
            at = ops.number("next")?;
        }
        Ok(())
    }

    /// The function that code at `start` is a copy of.
    fn copied(&self, start: u64) -> Option<u64> {
        let code = Memory::read_u64(self, start)?;
        COPIED.iter().find_map(|name| {
            let original = self.symbol(name).ok()?;
            (Memory::read_u64(self, original)? == code).then_some(original)
        })
    }

    /// Programs of `bpf_kallsyms` (`struct bpf_ksym`, 5.8 and later).
    fn bpf_programs(&self, all: &mut Vec<Generated>) -> Result<(), Unavailable> {
        let kernel = self;
        let link = kernel.field("bpf_ksym", "lnode")?.offset;
        let head = kernel.symbol("bpf_kallsyms")?;
        for at in kernel.list(head, MAX_PIECES, "bpf_kallsyms").items {
            let program = kernel.object("bpf_ksym", at.wrapping_sub(link));
            let (start, end) = (program.number("start")?, program.number("end")?);
            self.add(all, start, end, &program.text("name")?, None);
        }
        Ok(())
    }

    fn kprobe_slots(&self, all: &mut Vec<Generated>) -> Result<(), Unavailable> {
        let kernel = self;
        let link = kernel.field("kprobe_insn_page", "list")?.offset;
        for (cache, name) in SLOTS {
            let Ok(cache) = kernel.symbol(cache) else { continue };
            let head = kernel.object("kprobe_insn_cache", cache).address_of("pages")?;
            for at in kernel.list(head, MAX_PIECES, "pages of kprobes").items {
                let page = kernel.object("kprobe_insn_page", at.wrapping_sub(link));
                let start = page.number("insns")?;
                self.add(all, start, start.saturating_add(PAGE), name, None);
            }
        }
        Ok(())
    }

    fn add(&self, all: &mut Vec<Generated>, start: u64, end: u64, name: &str, of: Option<u64>) {
        let size = end.saturating_sub(start);
        // Code of the image or a module is known by its own name.
        if (1..=MAX_BYTES).contains(&size) && !self.is_text(start) {
            all.push(Generated { range: start..end, name: name.to_owned(), original: of });
        }
    }
}
