// SPDX-License-Identifier: MIT OR Apache-2.0
//! `kmem -i`: how memory is used as a whole.

use serde::Serialize;

use super::super::{CommandError, Session, Text};

/// KiB of a page.
const PAGE_KIB: u64 = 4;

/// Memory by what it is used for.
#[derive(Debug, Serialize)]
pub(super) struct Usage {
    rows: Vec<Row>,
}

#[derive(Debug, Serialize)]
struct Row {
    name: &'static str,
    pages: u64,
    percent: Option<u64>,
    /// What it is a part of.
    of: &'static str,
}

pub(super) fn show(session: &Session<'_, '_>) -> Result<Usage, CommandError> {
    let found = session.kernel().memory_use()?;
    let part = |name, pages: u64| Row {
        name,
        pages,
        percent: pages.saturating_mul(100).checked_div(found.total),
        of: "TOTAL MEM",
    };
    let mut rows = vec![
        Row { name: "TOTAL MEM", pages: found.total, percent: None, of: "" },
        part("FREE", found.free),
        part("USED", found.total.saturating_sub(found.free)),
        part("CACHED", found.file),
        part("SLAB", found.slab),
    ];
    if let Some(pages) = found.commit_limit {
        rows.push(Row { name: "COMMIT LIMIT", pages, percent: None, of: "" });
    }
    if let Some(pages) = found.committed {
        let whole = found.commit_limit;
        let percent = whole.and_then(|whole| pages.saturating_mul(100).checked_div(whole));
        rows.push(Row { name: "COMMITTED", pages, percent, of: "TOTAL LIMIT" });
    }
    Ok(Usage { rows })
}

/// Pages as a size, as crash(8) writes them: a tenth is kept.
fn size(pages: u64) -> String {
    let kib = pages.saturating_mul(PAGE_KIB);
    let tenths = |unit: u64| format!("{}.{}", kib / unit, kib % unit * 10 / unit);
    match kib {
        0 => "0".to_owned(),
        _ if kib >= 1 << 20 => format!("{} GB", tenths(1 << 20)),
        _ if kib >= 1 << 10 => format!("{} MB", tenths(1 << 10)),
        _ => format!("{kib} KB"),
    }
}

impl Text for Usage {
    fn text(&self) -> String {
        let mut out = format!("{:>22}  {:>11}      PERCENTAGE\n", "PAGES", "TOTAL");
        for row in &self.rows {
            let percent = match row.percent {
                Some(percent) => format!("{percent:>4}% of {}", row.of),
                None => "        ----".to_owned(),
            };
            let (name, pages) = (row.name, row.pages);
            out.push_str(&format!("{name:>13} {pages:>8}  {:>11}  {percent}\n", size(pages)));
        }
        out
    }
}
