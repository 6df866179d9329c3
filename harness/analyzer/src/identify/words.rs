// SPDX-License-Identifier: MIT OR Apache-2.0
//! An identity in words: one line, and lines with all that is known.

use std::fmt;

use super::UserPlace;
use super::{AddressRegion, Identity, ModulePlace, Pattern, PerCpuPlace, StackOwner, StackPlace};
use crate::gone::TakenFor;
use crate::printer::CodeName;
use kernel::mm::kfence::KfenceObject;
use kernel::mm::page::{Page, PageUse};
use kernel::mm::slab::SlabPlace;
use kernel::mm::slab_layout::SlotPart;
use kernel::mm::slab_object::{ObjectState, SlabObject};
use kernel::mm::vmalloc::VmArea;
use kernel::modules::RegionKind;

/// The most telling of all that is known, without the address itself: `slab object of kmalloc-64,
/// free, 0x18 bytes in`.
impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.lines().into_iter().next() {
            Some(first) => f.write_str(&first),
            None => write!(f, "{}", self.region),
        }
    }
}

impl Identity {
    /// All that is known, in words, the most telling first.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        lines.extend(self.pattern.as_ref().map(ToString::to_string));
        if self.region == AddressRegion::NonCanonical && self.pattern.is_none() {
            lines.push("non-canonical address: nothing can be there".to_owned());
        }
        lines.extend(self.gone.as_ref().map(|gone| gone.taken_for(TakenFor::Memory).to_string()));
        lines.extend(self.symbol.as_ref().map(symbol));
        lines.extend(self.module.as_ref().map(ToString::to_string));
        lines.extend(self.per_cpu.as_ref().map(ToString::to_string));
        lines.extend(self.task.as_ref().map(|task| {
            let offset = self.address - task.address;
            format!("task_struct of {} (pid {}) + {offset:#x}", task.comm, task.pid)
        }));
        lines.extend(self.stack.as_ref().map(ToString::to_string));
        lines.extend(self.kfence.as_deref().map(kfence_words));
        lines.extend(self.slab.as_deref().map(slab_words));
        lines.extend(self.slab.as_ref().into_iter().flat_map(|slab| details(slab)));
        lines.extend(self.page_entry.map(|frame| format!("struct page of frame {frame:#x}")));
        lines.extend(self.user.as_ref().map(ToString::to_string));
        lines.extend(self.vm_area.as_ref().map(|area| area_words(area, self.address)));
        lines.extend(self.freed_area.as_ref().map(|area| {
            format!("in a vmalloc area that was freed, 0x{:016x}-0x{:016x}", area.start, area.end)
        }));
        // What an object of a slab is in, or a page of the kernel's image, tells nothing more.
        let plain = self.slab.is_none() && self.symbol.is_none();
        lines.extend(self.page.as_ref().filter(|_| plain).map(page_words));
        if lines.is_empty() && self.region != AddressRegion::NonCanonical {
            lines.push(format!("{} address", self.region));
        }
        if self.pattern.is_none() || self.user.is_some() {
            lines.extend(self.unreadable.as_ref().map(|why| format!("cannot be read: {why}")));
        }
        lines.extend(self.unknown.iter().map(|why| format!("not known: {why}")));
        lines
    }
}

fn symbol(name: &CodeName) -> String {
    let module = name.module.as_ref().map(|module| format!(" [{module}]")).unwrap_or_default();
    format!("{}+{:#x}/{:#x}{module}", name.symbol, name.offset, name.size)
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null { offset: 0 } => f.write_str("NULL"),
            Self::Null { offset } => write!(f, "NULL + {offset:#x}"),
            Self::Error { errno, name: Some(name) } => {
                write!(f, "error code -{errno} (-{name}) taken for a pointer")
            }
            Self::Error { errno, name: None } => {
                write!(f, "error code -{errno} taken for a pointer")
            }
            Self::Poison { offset: 0, poison, .. } => write!(f, "poison: {poison}"),
            Self::Poison { offset, poison, .. } => {
                write!(f, "poison: {poison}, + {offset:#x}")
            }
            Self::Text(text) => write!(f, "text \"{text}\", no address"),
            Self::FreePointer { cache, next: 0 } => {
                write!(f, "end of the list of free objects of {cache}, hidden")
            }
            Self::FreePointer { cache, next } => {
                write!(f, "hidden pointer to the next free object of {cache}, 0x{next:016x}")
            }
        }
    }
}

impl fmt::Display for ModulePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            RegionKind::Text => "code",
            RegionKind::ReadOnly => "constants",
            RegionKind::ReadOnlyAfterInit => "data that is constant after initialisation",
            RegionKind::Data => "data",
        };
        let init = if self.init { "initialisation " } else { "" };
        write!(f, "{init}{kind} of module {}", self.name)?;
        match &self.section {
            Some(section) => write!(f, ", section {section} + {:#x}", self.offset),
            None => write!(f, " + {:#x}", self.offset),
        }
    }
}

impl fmt::Display for PerCpuPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let variable = self.variable.as_deref().unwrap_or("memory");
        write!(f, "per-CPU {variable} + {:#x} of CPU {}", self.offset, self.cpu)
    }
}

impl fmt::Display for StackPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.guard {
            f.write_str("guard page below the ")?;
        }
        match &self.owner {
            StackOwner::Task { pid, comm, .. } => write!(f, "stack of {comm} (pid {pid})"),
            StackOwner::Cpu(cpu) => write!(f, "{} of CPU {cpu}", self.stack.kind),
        }
    }
}

/// A slab's object: `slab object of kmalloc-64 (64 bytes), free, 0x18 bytes in`.
fn slab_words(object: &SlabObject) -> String {
    let cache = &object.slab.cache;
    let state = match &object.state {
        ObjectState::Allocated => "allocated".to_owned(),
        ObjectState::Free => "free".to_owned(),
        ObjectState::FreeOnCpu(cpu) => format!("free, next to be used by CPU {cpu}"),
        ObjectState::FreeByZones => {
            "free by its red zones, though on no list of free objects".to_owned()
        }
        ObjectState::InUseByZones => {
            "in use by its red zones, though on a list of free objects".to_owned()
        }
        ObjectState::Unknown(why) => format!("free or allocated is not known ({why})"),
    };
    let place = match object.part {
        SlotPart::Object if object.offset == 0 => String::new(),
        SlotPart::Object => format!(", {:#x} bytes in", object.offset),
        part => format!(", in {part}"),
    };
    format!("slab object of {} ({} bytes), {state}{place}", cache.name, cache.object_size)
}

/// An object that KFENCE watches over.
fn kfence_words(object: &KfenceObject) -> String {
    let state = if object.allocated { "allocated" } else { "freed" };
    let by = object.freed_by.as_ref().unwrap_or(&object.allocated_by);
    let place = match u64::try_from(object.offset) {
        Ok(0) => String::new(),
        Ok(offset) if offset < object.size => format!(", {offset:#x} bytes in"),
        Ok(offset) => format!(", {:#x} bytes behind its end", offset - object.size),
        Err(_) => format!(", {:#x} bytes before it", object.offset.unsigned_abs()),
    };
    format!(
        "KFENCE object of {} ({} bytes), {state} by pid {} from 0x{:016x}{place}",
        object.cache, object.size, by.pid, by.caller
    )
}

/// What surrounds an object.
fn details(object: &SlabObject) -> Vec<String> {
    let slab = &object.slab;
    let place = match object.place {
        Some(SlabPlace::Active(cpu)) => format!("of CPU {cpu}"),
        Some(SlabPlace::CpuPartial(cpu)) => format!("in the reserve of CPU {cpu}"),
        Some(SlabPlace::NodePartial(node)) => format!("with room, on the list of node {node}"),
        Some(SlabPlace::Full) => "full".to_owned(),
        None => "on no list".to_owned(),
    };
    let mut lines = vec![format!(
        "object 0x{:016x}, number {} of {} in slab 0x{:016x} ({place})",
        object.start, object.index, slab.objects, slab.page
    )];
    lines.extend(object.damage.iter().cloned());
    for (what, track) in [("allocated", &object.allocated), ("freed", &object.freed)] {
        lines.extend(track.as_ref().map(|track| {
            format!(
                "{what} by pid {} on CPU {} at {} jiffies, from 0x{:016x}",
                track.pid, track.cpu, track.when, track.caller
            )
        }));
    }
    lines.extend(object.unknown.iter().map(|why| format!("not known: {why}")));
    lines
}

impl fmt::Display for UserPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "user space of {} (pid {})", self.comm, self.pid)?;
        match &self.vma {
            Some(vma) => {
                write!(f, ", mapping 0x{:x}-0x{:x} {}", vma.start, vma.end, vma.rights())?;
                if let Some(path) = &self.path {
                    write!(f, " {path}")?;
                }
            }
            None => f.write_str(", which has no mapping there")?,
        }
        match (&self.vma, self.physical) {
            (Some(_), None) => f.write_str(", not in memory"),
            _ => Ok(()),
        }
    }
}

fn area_words(area: &VmArea, address: u64) -> String {
    let offset = address.wrapping_sub(area.start);
    let range = format!("0x{:016x}-0x{:016x} + {offset:#x}", area.start, area.end);
    match &area.user {
        Some(user) => format!("{} area {range}, {} pages", user.kind, user.pages),
        None => format!("vmap area {range}"),
    }
}

fn page_words(page: &Page) -> String {
    let state = match page.used_for {
        PageUse::Slab => "of the slab allocator".to_owned(),
        PageUse::Free { order } => format!("free, in a block of order {order}"),
        PageUse::FreeOnCpu { cpu, order } => {
            format!("free, in a block of order {order} of CPU {cpu}")
        }
        PageUse::Unreferenced => "without references".to_owned(),
        PageUse::Anonymous => "anonymous memory of processes".to_owned(),
        PageUse::File(mapping) => format!("contents of a file (mapping 0x{mapping:016x})"),
        PageUse::Reserved => "reserved".to_owned(),
        PageUse::Kernel => "of the kernel".to_owned(),
    };
    format!("page frame {:#x}, {state}, {} references", page.frame, page.references)
}
