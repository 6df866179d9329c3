// SPDX-License-Identifier: MIT OR Apache-2.0
//! Interrupts: their descriptors, who handles them, how often they came; soft interrupts.
//!
//! Descriptors are in an array (`irq_desc`, without `CONFIG_SPARSE_IRQ`), in the radix tree
//! `irq_desc_tree` up to 6.4, or in the maple tree `sparse_irqs` since 6.5.

use super::memory::VirtualMemory;
use super::{Kernel, Listing, Unavailable};

/// Interrupts that are listed.
const MAX_IRQS: usize = 1 << 16;
/// Handlers of one interrupt that are listed.
const MAX_ACTIONS: usize = 256;
/// Entries of the IDT.
const VECTORS: u64 = 256;

/// An interrupt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Irq {
    /// Number.
    pub number: u32,
    /// Address of its `struct irq_desc`.
    pub descriptor: u64,
    /// Who handles it.
    pub actions: Vec<Action>,
    /// Name of its flow (`edge`, `fasteoi`).
    pub flow: Option<String>,
    /// Name of its chip.
    pub chip: Option<String>,
    /// How often it is disabled.
    pub depth: u64,
    /// How often it came, on each CPU.
    pub counts: Vec<(u32, u64)>,
}

/// A handler of an interrupt (`struct irqaction`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// Address.
    pub address: u64,
    /// What is called.
    pub handler: u64,
    /// What is called in the interrupt's thread; 0 for none.
    pub thread_function: u64,
    /// `IRQF_*` flags.
    pub flags: u64,
    /// Who asked for it.
    pub name: Option<String>,
    /// What its handler gets.
    pub device: u64,
}

/// An entry of the interrupt descriptor table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gate {
    /// Vector.
    pub vector: u64,
    /// Code that it leads to.
    pub handler: u64,
    /// Number of the stack it switches to; 0 for none.
    pub stack: u8,
}

impl Kernel<'_> {
    /// Interrupts that have a descriptor, by number.
    ///
    /// # Errors
    /// If descriptors cannot be found.
    pub fn irqs(&self) -> Result<Listing<Irq>, Unavailable> {
        let mut found = Listing::default();
        let entries = if let Ok(tree) = self.symbol("sparse_irqs") {
            self.maple(tree, MAX_IRQS)?
        } else {
            self.xarray(self.symbol("irq_desc_tree")?, MAX_IRQS)?
        };
        found.damage.extend(entries.damage);
        let cpus = self.possible_cpus().unwrap_or_default();
        for entry in entries.items {
            let number = u32::try_from(entry.first).unwrap_or(u32::MAX);
            match self.irq(number, entry.value, &cpus) {
                Ok(irq) => found.items.push(irq),
                Err(why) => found.damage.push(why),
            }
        }
        Ok(found)
    }

    fn irq(&self, number: u32, descriptor: u64, cpus: &[u32]) -> Result<Irq, Unavailable> {
        let desc = self.object("irq_desc", descriptor);
        let chip = desc.number("irq_data.chip").unwrap_or(0);
        let chip = (chip != 0).then(|| self.object("irq_chip", chip).string("name"));
        Ok(Irq {
            number,
            descriptor,
            actions: self.actions(desc.number("action")?)?,
            flow: desc.string("name").ok().flatten(),
            chip: chip.and_then(|chip| chip.ok().flatten()),
            depth: desc.number("depth").unwrap_or(0),
            counts: self.irq_counts(&desc, cpus),
        })
    }

    fn actions(&self, first: u64) -> Result<Vec<Action>, Unavailable> {
        let mut actions: Vec<Action> = Vec::new();
        let mut at = first;
        while at != 0 && actions.len() < MAX_ACTIONS && actions.iter().all(|one| one.address != at)
        {
            let action = self.object("irqaction", at);
            actions.push(Action {
                address: at,
                handler: action.number("handler")?,
                thread_function: action.number("thread_fn").unwrap_or(0),
                flags: action.number("flags")?,
                name: action.string("name").ok().flatten(),
                device: action.number("dev_id").unwrap_or(0),
            });
            at = action.number("next")?;
        }
        Ok(actions)
    }

    /// A per-CPU number; since 6.10 inside of a structure whose first member it is.
    fn irq_counts(&self, desc: &super::object::Object<'_, '_>, cpus: &[u32]) -> Vec<(u32, u64)> {
        let Ok(counts) = desc.number("kstat_irqs") else { return Vec::new() };
        let count = |cpu: &u32| {
            let offset = self.percpu_offset(*cpu).ok()?;
            let value = self.read_u32(counts.wrapping_add(offset)).ok()?;
            Some((*cpu, u64::from(value)))
        };
        cpus.iter().filter_map(count).collect()
    }

    /// What the soft interrupts call, by number.
    ///
    /// # Errors
    /// If the table cannot be found or read.
    pub fn soft_irqs(&self) -> Result<Vec<u64>, Unavailable> {
        let table = self.symbol("softirq_vec")?;
        let size = self.size_of("softirq_action")?.max(8);
        let count = match self.image().and_then(|image| image.symbol("softirq_vec")) {
            Some(symbol) => symbol.size / size,
            None => 10,
        };
        let action = self.field("softirq_action", "action")?.offset;
        let read = |index: u64| {
            let address = table.wrapping_add(index * size).wrapping_add(action);
            self.read_u64(address).map_err(|source| Unavailable::memory("softirq_vec", source))
        };
        (0..count.min(32)).map(read).collect()
    }

    /// The interrupt descriptor table (Intel SDM volume 3, 6.14.1).
    ///
    /// # Errors
    /// If it cannot be found or read.
    pub fn gates(&self) -> Result<Vec<Gate>, Unavailable> {
        let table = self.symbol("idt_table")?;
        let gate = |vector: u64| {
            let at = table.wrapping_add(vector * 16);
            let lost = |source| Unavailable::memory("idt_table", source);
            let low = self.read_u64(at).map_err(lost)?;
            let high = self.read_u64(at.wrapping_add(8)).map_err(lost)?;
            let handler = low & 0xffff | low >> 32 & 0xffff_0000 | high << 32;
            let stack = low.to_le_bytes()[4] & 7;
            Ok(Gate { vector, handler, stack })
        };
        (0..VECTORS).map(gate).collect()
    }
}
