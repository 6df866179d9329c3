// SPDX-License-Identifier: MIT OR Apache-2.0
//! Timers: the wheels of `struct timer_list`, and the trees of `struct hrtimer`.
//!
//! Up to 4.7 a CPU has one `tvec_base` with five wheels `tv1` to `tv5` (`kernel/timer.c`), since
//! 4.8 an array of `timer_base`, each with one array of lists (`kernel/time/timer.c`). Their lists
//! are `list_head`s up to 4.1 and `hlist_head`s since.

use std::collections::BTreeSet;

use super::memory::VirtualMemory;
use super::trees::Order;
use super::{Kernel, Listing, Unavailable};

/// Timers of one base that are listed.
const MAX_TIMERS: usize = 1 << 16;
/// Wheels of a `tvec_base`.
const WHEELS: [&str; 5] = ["tv1", "tv2", "tv3", "tv4", "tv5"];
/// Bases of a CPU where nothing tells their number (`NR_BASES` up to 6.8).
const USUAL_BASES: u64 = 2;
/// What the bases are for: up to 6.8 there are two, since 6.9 three (`BASE_LOCAL` and so on).
const BASE_NAMES: [&[&str]; 2] =
    [&["BASE_STD", "BASE_DEF"], &["BASE_LOCAL", "BASE_GLOBAL", "BASE_DEF"]];

/// A CPU's timers of one kind.
#[derive(Debug, Clone)]
pub struct TimerBase {
    /// The CPU.
    pub cpu: u32,
    /// Address of the base.
    pub address: u64,
    /// What it is for, where a CPU has several.
    pub name: Option<String>,
    /// Timers, soonest first.
    pub timers: Listing<Timer>,
}

/// A timer that is pending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timer {
    /// Address of its `timer_list` or `hrtimer`.
    pub address: u64,
    /// When it fires: in jiffies, or in nanoseconds of its clock.
    pub expires: u64,
    /// The earliest time at which it may fire (`hrtimer` only).
    pub soft_expires: Option<u64>,
    /// What is called.
    pub function: u64,
    /// What is handed to it (`timer_list.data`, up to 4.14).
    pub data: Option<u64>,
}

impl Kernel<'_> {
    /// The kernel's count of ticks.
    ///
    /// # Errors
    /// If it cannot be found or read.
    pub fn jiffies(&self) -> Result<u64, Unavailable> {
        let address = self.symbol("jiffies_64").or_else(|_| self.symbol("jiffies"))?;
        self.read_u64(address).map_err(|source| Unavailable::memory("jiffies", source))
    }

    /// Bases of the timer wheels of a CPU.
    ///
    /// # Errors
    /// If they cannot be found.
    pub fn timer_bases(&self, cpu: u32) -> Result<Vec<TimerBase>, Unavailable> {
        if self.symbol("timer_bases").is_ok() {
            return self.newer_bases(cpu);
        }
        let mut address = self.percpu_address("tvec_bases", cpu)?;
        // Up to 4.1 each CPU has a pointer to its base; the first CPU's is a variable of its own.
        if self.symbol("boot_tvec_bases").is_ok() {
            address = self.percpu_u64("tvec_bases", cpu)?;
        }
        let base = self.object("tvec_base", address);
        let mut vectors = Vec::new();
        for wheel in WHEELS {
            let count = self.field("tvec_base", wheel)?.size;
            let head = self.wheel_head();
            let first = base.address_of(wheel)?;
            vectors.extend((0..count / head).map(|index| first.wrapping_add(index * head)));
        }
        let timers = self.timers_of(&vectors);
        Ok(vec![TimerBase { cpu, address, name: None, timers }])
    }

    fn newer_bases(&self, cpu: u32) -> Result<Vec<TimerBase>, Unavailable> {
        let first = self.percpu_address("timer_bases", cpu)?;
        let size = self.size_of("timer_base")?.max(1);
        let symbol = self.image().and_then(|image| image.symbol("timer_bases"));
        let count = symbol.map_or(USUAL_BASES, |symbol| symbol.size / size).clamp(1, 8);
        let names = BASE_NAMES.iter().find(|names| names.len() as u64 == count);
        let vectors = self.field("timer_base", "vectors")?;
        let one = |index: u64| {
            let address = first.wrapping_add(index * size);
            let heads: Vec<u64> = (0..vectors.size / 8)
                .map(|slot| address.wrapping_add(vectors.offset).wrapping_add(slot * 8))
                .collect();
            let place = usize::try_from(index).unwrap_or(usize::MAX);
            let name = names.and_then(|names| names.get(place));
            let name = name.map(|name| (*name).to_owned());
            TimerBase { cpu, address, name, timers: self.timers_of(&heads) }
        };
        Ok((0..count).map(one).collect())
    }

    /// Bytes of the head of one list of a wheel.
    fn wheel_head(&self) -> u64 {
        let size = self.field("timer_list", "entry").map_or(16, |entry| entry.size);
        let next = self.has_field("timer_list", "entry.pprev");
        if next { 8 } else { size }
    }

    fn timers_of(&self, heads: &[u64]) -> Listing<Timer> {
        let hashed = self.has_field("timer_list", "entry.pprev");
        let mut found = Listing::default();
        let link = match self.field("timer_list", "entry") {
            Ok(link) => link.offset,
            Err(why) => {
                found.damage.push(why);
                return found;
            }
        };
        for head in heads {
            let listed = match hashed {
                true => self.hlist(*head, MAX_TIMERS, "a list of timers"),
                false => self.list(*head, MAX_TIMERS, "a list of timers"),
            };
            found.damage.extend(listed.damage);
            for entry in listed.items {
                match self.timer(entry.wrapping_sub(link)) {
                    Ok(timer) => found.items.push(timer),
                    Err(why) => found.damage.push(why),
                }
            }
        }
        found.items.sort_by_key(|timer| (timer.expires, timer.address));
        found
    }

    fn timer(&self, address: u64) -> Result<Timer, Unavailable> {
        let timer = self.object("timer_list", address);
        Ok(Timer {
            address,
            expires: timer.number("expires")?,
            soft_expires: None,
            function: timer.number("function")?,
            data: timer.number("data").ok(),
        })
    }

    /// Nodes of a list with a head of one pointer (`struct hlist_head`).
    #[must_use]
    pub fn hlist(&self, head: u64, limit: usize, what: &str) -> Listing<u64> {
        let mut found = Listing::default();
        let mut seen = BTreeSet::new();
        let mut at = head;
        loop {
            let next = match self.read_u64(at) {
                Ok(next) => next,
                Err(source) => {
                    found.damage.push(Unavailable::memory(what, source));
                    return found;
                }
            };
            // Lists of `hlist_nulls` end in an odd number.
            if next == 0 || next & 1 == 1 {
                return found;
            }
            if !seen.insert(next) || found.items.len() >= limit {
                let words = format!("{what} does not end, at 0x{next:016x}");
                found.damage.push(Unavailable::Damaged(words));
                return found;
            }
            found.items.push(next);
            at = next;
        }
    }

    /// High-resolution timers of a CPU, by clock.
    ///
    /// # Errors
    /// If they cannot be found.
    pub fn hrtimer_bases(&self, cpu: u32) -> Result<Vec<TimerBase>, Unavailable> {
        let base = self.percpu_address("hrtimer_bases", cpu)?;
        let clocks = self.field("hrtimer_cpu_base", "clock_base")?;
        let size = self.size_of("hrtimer_clock_base")?.max(1);
        let mut found = Vec::new();
        for index in 0..(clocks.size / size).min(16) {
            let address = base.wrapping_add(clocks.offset).wrapping_add(index * size);
            let clock = self.object("hrtimer_clock_base", address);
            let top = self
                .cached_root(&clock, "active.rb_root")
                .or_else(|_| clock.number("active.head.rb_node"))?;
            let nodes = self.rb_nodes(top, Order::Sorted, MAX_TIMERS)?;
            let link = self.field("hrtimer", "node.node")?.offset;
            let mut timers = Listing { items: Vec::new(), damage: nodes.damage };
            for node in nodes.items {
                match self.hrtimer(node.address.wrapping_sub(link)) {
                    Ok(timer) => timers.items.push(timer),
                    Err(why) => timers.damage.push(why),
                }
            }
            let function = ["get_time"].iter().find_map(|name| clock.number(name).ok());
            let name = function.and_then(|function| self.function_name(function));
            found.push(TimerBase { cpu, address, name, timers });
        }
        Ok(found)
    }

    fn hrtimer(&self, address: u64) -> Result<Timer, Unavailable> {
        let timer = self.object("hrtimer", address);
        let time = |path: &str| {
            // `ktime_t` was a union up to 4.9.
            timer.number(&format!("{path}.tv64")).or_else(|_| timer.number(path))
        };
        Ok(Timer {
            address,
            expires: time("node.expires")?,
            soft_expires: time("_softexpires").ok(),
            function: timer.number("function")?,
            data: None,
        })
    }

    fn function_name(&self, address: u64) -> Option<String> {
        match self.image() {
            Some(image) => image.symbol_at(address).map(|symbol| symbol.name),
            None => self.kallsyms().ok()?.at(address).map(|symbol| symbol.name.to_owned()),
        }
    }
}
