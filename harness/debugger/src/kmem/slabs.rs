// SPDX-License-Identifier: MIT OR Apache-2.0
//! `kmem -s`, `kmem -S`: caches of the slab allocator, a slab and its objects.

use serde::Serialize;

use super::super::{CommandError, Session, Text};
use analyzer::identify::identify;
use analyzer::machine::Machine;
use analyzer::printer::CodeNames as _;
use kernel::Kernel;
use kernel::mm::caches::SlabCache;
use kernel::mm::slab::Slab;
use kernel::mm::slab_object::{ObjectState, SlabObject};
use kernel::mm::track::Track;

/// Caches, and of an address its slab.
#[derive(Debug, Serialize)]
pub(super) struct Caches {
    caches: Vec<Listed>,
    damage: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Listed {
    #[serde(flatten)]
    cache: Cache,
    objects: Vec<Object>,
}

#[derive(Debug, Serialize)]
pub(super) struct Cache {
    address: String,
    name: String,
    object_size: u64,
    allocated: Option<u64>,
    total: Option<u64>,
    slabs: Option<u64>,
    slab_bytes: Option<u64>,
    /// Why the counts are missing.
    unknown: Option<String>,
}

impl Cache {
    pub(super) const HEAD: &'static str =
        "CACHE             OBJSIZE  ALLOCATED     TOTAL  SLABS  SSIZE  NAME\n";

    pub(super) fn new(kernel: &Kernel<'_>, cache: &SlabCache) -> Self {
        let counts = kernel.slab_use(cache);
        let known = counts.as_ref().ok();
        Self {
            address: format!("{:x}", cache.address),
            name: cache.name.clone(),
            object_size: cache.object_size,
            allocated: known.map(|counts| counts.allocated),
            total: known.map(|counts| counts.objects),
            slabs: known.map(|counts| counts.slabs),
            slab_bytes: known.map(|counts| counts.slab_bytes),
            unknown: counts.as_ref().err().map(ToString::to_string),
        }
    }

    pub(super) fn line(&self) -> String {
        let count =
            |count: Option<u64>| count.map_or_else(|| "?".to_owned(), |one| one.to_string());
        let bytes =
            self.slab_bytes.map_or_else(|| "?".to_owned(), |bytes| format!("{}k", bytes >> 10));
        let mut line = format!(
            "{:>16} {:>8}  {:>9}  {:>8}  {:>5}  {bytes:>5}  {}",
            self.address,
            self.object_size,
            count(self.allocated),
            count(self.total),
            count(self.slabs),
            self.name
        );
        if let Some(why) = &self.unknown {
            line.push_str(&format!("  ({why})"));
        }
        line.push('\n');
        line
    }
}

/// An object and its slab.
#[derive(Debug, Serialize)]
pub(super) struct Object {
    slab: String,
    memory: String,
    total: u64,
    allocated: u64,
    address: String,
    offset: i64,
    free: Option<bool>,
    /// CPU that has it on its own list of free objects.
    cpu: Option<u32>,
    damage: Vec<String>,
    allocated_by: Option<User>,
    freed_by: Option<User>,
}

#[derive(Debug, Serialize)]
struct User {
    pid: i32,
    cpu: i32,
    jiffies: u64,
    stack: Vec<String>,
    no_stack: Option<String>,
}

impl Object {
    pub(super) fn new(machine: &Machine<'_>, object: &SlabObject) -> Self {
        let slab = &object.slab;
        let (free, cpu) = match object.state {
            ObjectState::Allocated => (Some(false), None),
            ObjectState::Free => (Some(true), None),
            ObjectState::FreeOnCpu(cpu) => (Some(true), Some(cpu)),
            ObjectState::FreeByZones | ObjectState::InUseByZones | ObjectState::Unknown(_) => {
                (None, None)
            }
        };
        Self {
            slab: format!("{:x}", slab.page),
            memory: format!("{:x}", slab.base),
            total: slab.objects,
            // A damaged list leaves what the slab itself says.
            allocated: machine.kernel().slab_allocated(slab).unwrap_or(slab.in_use),
            address: format!("{:x}", object.start),
            offset: object.offset,
            free,
            cpu,
            damage: object.damage.clone(),
            allocated_by: object.allocated.as_ref().map(|track| User::new(machine, track)),
            freed_by: object.freed.as_ref().map(|track| User::new(machine, track)),
        }
    }

    /// The slab, then the object: in brackets if it is in use.
    pub(super) fn text(&self) -> String {
        let mut out = format!(
            "  {:<16}  {:<16}  TOTAL  ALLOCATED  FREE\n  {:<16}  {:<16}  {:>5}  {:>9}  {:>4}\n",
            "SLAB",
            "MEMORY",
            self.slab,
            self.memory,
            self.total,
            self.allocated,
            self.total.saturating_sub(self.allocated)
        );
        out.push_str("  FREE / [ALLOCATED]\n");
        out.push_str(&self.line());
        out
    }

    fn line(&self) -> String {
        let mut out = match (self.free, self.cpu) {
            (Some(false), _) => format!("  [{}]\n", self.address),
            (Some(true), Some(cpu)) => format!("   {}  (cpu {cpu} cache)\n", self.address),
            (Some(true), None) => format!("   {}\n", self.address),
            (None, _) => format!("  ?{}\n", self.address),
        };
        for (what, user) in [("allocated", &self.allocated_by), ("freed", &self.freed_by)] {
            let Some(user) = user else { continue };
            let (pid, cpu, at) = (user.pid, user.cpu, user.jiffies);
            out.push_str(&format!("     {what} by pid {pid} on CPU {cpu} at {at} jiffies:\n"));
            out.extend(user.stack.iter().map(|frame| format!("       {frame}\n")));
            out.extend(user.no_stack.iter().map(|why| format!("       ({why})\n")));
        }
        out
    }
}

impl User {
    fn new(machine: &Machine<'_>, track: &Track) -> Self {
        let alone = [track.caller];
        let stack = if track.stack.is_empty() { &alone[..] } else { &track.stack };
        // They are return addresses: the call is before them.
        let name = |address: &u64| match machine.code_name(address.wrapping_sub(1)) {
            Some(name) => {
                let module = name.module.map(|module| format!(" [{module}]")).unwrap_or_default();
                format!("{address:x} {}+{:#x}{module}", name.symbol, name.offset + 1)
            }
            None => format!("{address:x}"),
        };
        Self {
            pid: track.pid,
            cpu: track.cpu,
            jiffies: track.when,
            stack: stack.iter().map(name).collect(),
            no_stack: track.no_stack.as_ref().map(ToString::to_string),
        }
    }
}

pub(super) fn show(
    session: &Session<'_, '_>,
    words: &[String],
    all_objects: bool,
) -> Result<Caches, CommandError> {
    let kernel = session.kernel();
    let all = kernel.slab_caches()?;
    let mut damage: Vec<_> = all.damage.iter().map(ToString::to_string).collect();
    let cut = kernel.slabs_cut().filter(|_| all_objects);
    damage.extend(cut.map(|frames| format!("only the first {frames} page frames are looked at")));
    let listed = |cache: &SlabCache| {
        let slabs = if all_objects { kernel.slabs_of(cache) } else { Vec::new() };
        let objects = slabs.iter().flat_map(|slab| objects(session.machine(), slab)).collect();
        Listed { cache: Cache::new(kernel, cache), objects }
    };
    if words.is_empty() {
        return Ok(Caches { caches: all.items.iter().map(listed).collect(), damage });
    }
    let mut caches = Vec::new();
    for word in words {
        if let Some(cache) = all.items.iter().find(|cache| cache.name == *word) {
            caches.push(listed(cache));
            continue;
        }
        let address = session.address(word)?.value;
        if let Some(cache) = all.items.iter().find(|cache| cache.address == address) {
            caches.push(listed(cache));
            continue;
        }
        let none = || CommandError::nothing(format!("`{word}` is no cache and no slab object"));
        let object = identify(session.machine(), address).slab.ok_or_else(none)?;
        let cache = Cache::new(kernel, &object.slab.cache);
        let objects = if all_objects {
            objects(session.machine(), &object.slab)
        } else {
            vec![Object::new(session.machine(), &object)]
        };
        caches.push(Listed { cache, objects });
    }
    Ok(Caches { caches, damage })
}

/// All objects of a slab.
fn objects(machine: &Machine<'_>, slab: &Slab) -> Vec<Object> {
    let starts = (0..slab.objects).map(|index| slab.cache.object(slab.base, index));
    let kernel = machine.kernel();
    let found = starts.filter_map(|start| kernel.slab_object(slab.clone(), start));
    found.map(|object| Object::new(machine, &object)).collect()
}

impl Text for Caches {
    fn text(&self) -> String {
        let mut out = Cache::HEAD.to_owned();
        for listed in &self.caches {
            out.push_str(&listed.cache.line());
            let mut slab = None;
            for object in &listed.objects {
                let is_next = slab.replace(&object.slab) != Some(&object.slab);
                out.push_str(&if is_next { object.text() } else { object.line() });
            }
        }
        for damage in &self.damage {
            out.push_str(&format!("(the list is not whole: {damage})\n"));
        }
        out
    }
}
