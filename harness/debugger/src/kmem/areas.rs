// SPDX-License-Identifier: MIT OR Apache-2.0
//! `kmem -v`: vmalloc areas.

use serde::Serialize;

use super::super::{CommandError, Session, Text};
use analyzer::machine::Machine;
use analyzer::printer::CodeNames as _;
use kernel::mm::vmalloc::VmArea;

/// Areas of the kernel's address space.
#[derive(Debug, Serialize)]
pub(super) struct Areas {
    areas: Vec<Area>,
    damage: Vec<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct Area {
    vmap_area: String,
    vm_struct: Option<String>,
    start: String,
    end: String,
    size: u64,
    pages: Option<u64>,
    kind: Option<&'static str>,
    caller: Option<String>,
}

impl Area {
    pub(super) const HEAD: &'static str = "   VMAP_AREA         VM_STRUCT                 ADDRESS RANGE                SIZE  CALLER\n";

    pub(super) fn new(machine: &Machine<'_>, area: &VmArea) -> Self {
        let user = area.user.as_ref();
        let caller = user.map(|user| user.caller).filter(|caller| *caller != 0);
        let name = caller.map(|caller| match machine.code_name(caller) {
            Some(name) => format!("{}+{:#x}", name.symbol, name.offset),
            None => format!("{caller:x}"),
        });
        Self {
            vmap_area: format!("{:x}", area.address),
            vm_struct: user.map(|user| format!("{:x}", user.address)),
            start: format!("{:x}", area.start),
            end: format!("{:x}", area.end),
            size: area.end.wrapping_sub(area.start),
            pages: user.map(|user| user.pages),
            kind: user.map(|user| user.kind),
            caller: name,
        }
    }

    pub(super) fn line(&self) -> String {
        let vm = self.vm_struct.as_deref().unwrap_or("-");
        let caller = self.caller.as_deref().unwrap_or("");
        let line = format!(
            "{:>16}  {vm:>16}  {:>16} - {:>16}  {:>8}  {caller}",
            self.vmap_area, self.start, self.end, self.size
        );
        format!("{}\n", line.trim_end())
    }
}

pub(super) fn show(session: &Session<'_, '_>, words: &[String]) -> Result<Areas, CommandError> {
    let kernel = session.kernel();
    let machine = session.machine();
    if words.is_empty() {
        let all = kernel.vm_areas()?;
        let areas = all.items.iter().map(|area| Area::new(machine, area)).collect();
        return Ok(Areas { areas, damage: all.damage.iter().map(ToString::to_string).collect() });
    }
    let mut areas = Vec::new();
    for word in words {
        let address = session.address(word)?.value;
        let none = || CommandError::nothing(format!("no vmalloc area at {address:x}"));
        areas.push(Area::new(machine, &kernel.vm_area_at(address)?.ok_or_else(none)?));
    }
    Ok(Areas { areas, damage: Vec::new() })
}

impl Text for Areas {
    fn text(&self) -> String {
        let mut out = Area::HEAD.to_owned();
        out.extend(self.areas.iter().map(Area::line));
        for damage in &self.damage {
            out.push_str(&format!("(the list is not whole: {damage})\n"));
        }
        out
    }
}
