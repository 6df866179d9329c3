// SPDX-License-Identifier: MIT OR Apache-2.0
//! `kmem -p`: page frames.

use serde::Serialize;
use vmcore::PhysAddr;

use super::super::{CommandError, Session, Text};
use kernel::Kernel;
use kernel::mm::PAGE;
use kernel::mm::page::{Page, PageUse};

/// Frames that are listed at most: 16 GiB of memory.
const MAX_FRAMES: u64 = 4 << 20;

/// Page frames.
#[derive(Debug, Serialize)]
pub(super) struct Pages {
    pages: Vec<Row>,
    /// Why there are no more.
    cut: Option<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct Row {
    page: String,
    physical: String,
    mapping: String,
    index: String,
    references: i32,
    maps: Option<i32>,
    order: u32,
    flags: String,
    flag_names: Vec<String>,
    used_for: String,
}

impl Row {
    pub(super) const HEAD: &'static str =
        "      PAGE        PHYSICAL      MAPPING       INDEX CNT FLAGS\n";

    pub(super) fn new(kernel: &Kernel<'_>, page: &Page) -> Self {
        let names = kernel.page_flags().map(|flags| flags.names(page.flags)).unwrap_or_default();
        // What a slab keeps in these places are its list and its own counts.
        let (mapping, index) = match page.used_for {
            PageUse::Slab => (0, 0),
            _ => (page.mapping, page.index),
        };
        Self {
            page: format!("{:x}", page.address),
            physical: format!("{:x}", page.frame * PAGE),
            mapping: format!("{mapping:x}"),
            index: format!("{index:x}"),
            references: page.references,
            maps: page.maps,
            order: page.order,
            flags: format!("{:x}", page.flags),
            flag_names: names,
            used_for: use_words(page.used_for).to_owned(),
        }
    }

    pub(super) fn line(&self) -> String {
        let names = self.flag_names.join(",");
        let line = format!(
            "{:>16} {:>9} {:>16} {:>9} {:>2} {} {names}",
            self.page, self.physical, self.mapping, self.index, self.references, self.flags
        );
        format!("{}\n", line.trim_end())
    }
}

const fn use_words(used_for: PageUse) -> &'static str {
    match used_for {
        PageUse::Slab => "slab",
        PageUse::Free { .. } | PageUse::FreeOnCpu { .. } => "free",
        PageUse::Unreferenced => "unreferenced",
        PageUse::Anonymous => "anonymous",
        PageUse::File(_) => "file",
        PageUse::Reserved => "reserved",
        PageUse::Kernel => "kernel",
    }
}

pub(super) fn show(session: &Session<'_, '_>, words: &[String]) -> Result<Pages, CommandError> {
    let kernel = session.kernel();
    let mut pages = Vec::new();
    if !words.is_empty() {
        for word in words {
            let page = kernel.page_at(physical(session, word)?)?;
            pages.push(Row::new(kernel, &page));
        }
        return Ok(Pages { pages, cut: None });
    }
    let end = kernel.vmcore().info().max_pfn.0;
    // Parts of the array that describe no memory are not mapped.
    let all = (0..end.min(MAX_FRAMES)).map(|frame| kernel.page_at(PhysAddr(frame * PAGE)));
    pages.extend(all.flatten().map(|page| Row::new(kernel, &page)));
    let cut = (end > MAX_FRAMES).then(|| format!("only the first {MAX_FRAMES} page frames"));
    Ok(Pages { pages, cut })
}

/// An address, physical or of the kernel's.
fn physical(session: &Session<'_, '_>, word: &str) -> Result<PhysAddr, CommandError> {
    let kernel = session.kernel();
    let address = session.address(word)?.value;
    let end = kernel.vmcore().info().max_pfn.0;
    if address / PAGE < end {
        return Ok(PhysAddr(address));
    }
    // The `struct page` itself may be meant.
    if let Some(frame) = kernel.page_array()?.frame(address, end) {
        return Ok(PhysAddr(frame * PAGE));
    }
    Ok(kernel.space().physical(address)?)
}

impl Text for Pages {
    fn text(&self) -> String {
        let mut out = Row::HEAD.to_owned();
        out.extend(self.pages.iter().map(Row::line));
        out.extend(self.cut.as_ref().map(|why| format!("({why})\n")));
        out
    }
}
