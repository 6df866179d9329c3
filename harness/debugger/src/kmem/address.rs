// SPDX-License-Identifier: MIT OR Apache-2.0
//! `kmem ADDRESS`: what is there, as sentences and then as crash(8) shows it.

use serde::Serialize;

use super::super::{CommandError, Session, Text};
use super::areas::Area;
use super::pages::Row as PageRow;
use super::slabs::{Cache, Object};
use analyzer::identify::{AddressRegion, Identity, identify_for};
use analyzer::printer::CodeNames as _;
use kernel::mm::PAGE;
use vmcore::PhysAddr;

/// What is at some addresses.
#[derive(Debug, Serialize)]
pub(super) struct Answers {
    addresses: Vec<Answer>,
}

#[derive(Debug, Serialize)]
struct Answer {
    address: String,
    region: String,
    /// In words, the most telling first.
    lines: Vec<String>,
    cache: Option<Cache>,
    object: Option<Object>,
    area: Option<Area>,
    page: Option<PageRow>,
}

pub(super) fn show(session: &Session<'_, '_>, words: &[String]) -> Result<Answers, CommandError> {
    let task = session.context().ok();
    let mut addresses = Vec::new();
    for word in words {
        let address = session.address(word)?.value;
        let mut found = identify_for(session.machine(), address, task);
        let kernel = session.kernel();
        // Of a page's own entry in the array of pages, that page is meant.
        if let Some(page) =
            found.page_entry.and_then(|frame| kernel.page_at(PhysAddr(frame * PAGE)).ok())
        {
            found.page = Some(page);
        }
        // A number where the process has nothing is taken for a physical address, as crash(8) does.
        let is_nobodys = found.user.as_ref().is_none_or(|place| place.vma.is_none());
        let memory =
            kernel.direct_map().filter(|_| found.region == AddressRegion::User && is_nobodys);
        if let Some(map) = memory.filter(|_| address / PAGE < kernel.vmcore().info().max_pfn.0) {
            found = identify_for(session.machine(), map.base.wrapping_add(address), task);
        }
        addresses.push(answer(session, found));
    }
    Ok(Answers { addresses })
}

fn answer(session: &Session<'_, '_>, found: Identity) -> Answer {
    let kernel = session.kernel();
    let caller = |address| session.machine().code_name(address);
    let mut lines = found.lines();
    for line in &mut lines {
        name_callers(line, &caller);
    }
    let slab = found.slab.as_deref();
    Answer {
        address: format!("{:x}", found.address),
        region: found.region.to_string(),
        lines,
        cache: slab.map(|object| Cache::new(kernel, &object.slab.cache)),
        object: slab.map(|object| Object::new(session.machine(), object)),
        area: found.vm_area.as_ref().map(|area| Area::new(session.machine(), area)),
        page: found.page.as_ref().map(|page| PageRow::new(kernel, page)),
    }
}

/// Puts the function's name behind the address of a caller.
fn name_callers(line: &mut String, name: &dyn Fn(u64) -> Option<analyzer::printer::CodeName>) {
    let Some((_, digits)) = line.rsplit_once(", from 0x") else { return };
    let found = u64::from_str_radix(digits, 16).ok().and_then(name);
    if let Some(found) = found {
        line.push_str(&format!(" ({}+{:#x})", found.symbol, found.offset));
    }
}

impl Text for Answers {
    fn text(&self) -> String {
        let mut out = String::new();
        for (index, answer) in self.addresses.iter().enumerate() {
            if index > 0 {
                out.push('\n');
            }
            let mut lines = answer.lines.iter();
            let first = lines.next().map_or(answer.region.as_str(), String::as_str);
            out.push_str(&format!("{}: {first}\n", answer.address));
            for line in lines {
                out.push_str(&format!("  {line}\n"));
            }
            if let (Some(cache), Some(object)) = (&answer.cache, &answer.object) {
                out.push_str(&format!("\n{}{}{}", Cache::HEAD, cache.line(), object.text()));
            }
            if let Some(area) = &answer.area {
                out.push_str(&format!("\n{}{}", Area::HEAD, area.line()));
            }
            if let Some(page) = &answer.page {
                out.push_str(&format!("\n{}{}", PageRow::HEAD, page.line()));
            }
        }
        out
    }
}
