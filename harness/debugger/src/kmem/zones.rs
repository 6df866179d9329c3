// SPDX-License-Identifier: MIT OR Apache-2.0
//! `kmem -n`, `-z`, `-f`, `-o`: nodes, zones, free blocks, places of per-CPU memory.

use serde::Serialize;

use super::super::{CommandError, Session, Text};
use kernel::mm::zones::{FreeArea, Zone};

/// Zones, each with its free blocks if they were asked for.
#[derive(Debug, Serialize)]
pub(super) struct Zones {
    nodes: Vec<String>,
    zones: Vec<Row>,
    #[serde(skip)]
    form: Form,
}

/// Which of the three options.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Nodes,
    Zones,
    Free,
}

#[derive(Debug, Serialize)]
struct Row {
    node: usize,
    zone: u64,
    address: String,
    name: String,
    start_frame: u64,
    size: u64,
    present: u64,
    free: u64,
    watermarks: [u64; 3],
    free_blocks: Vec<Area>,
    /// Why free blocks could not be counted.
    damage: Option<String>,
}

#[derive(Debug, Serialize)]
struct Area {
    order: u64,
    blocks: u64,
    pages: u64,
    /// What the zone's counter says, if it is not the number of blocks on the lists.
    counted: Option<u64>,
}

pub(super) fn show(session: &Session<'_, '_>, form: Form) -> Result<Zones, CommandError> {
    let kernel = session.kernel();
    let nodes = kernel.memory_nodes()?.iter().map(|node| format!("{node:x}")).collect();
    let row = |zone: &Zone| {
        let areas = match form {
            Form::Free => kernel.free_areas(zone),
            _ => Ok(Vec::new()),
        };
        Row::new(zone, areas.as_deref().unwrap_or_default(), areas.as_ref().err())
    };
    Ok(Zones { nodes, zones: kernel.zones()?.iter().map(row).collect(), form })
}

impl Row {
    fn new(zone: &Zone, areas: &[FreeArea], damage: Option<&kernel::Unavailable>) -> Self {
        let area = |area: &FreeArea| Area {
            order: area.order,
            blocks: area.listed,
            pages: area.listed << area.order,
            counted: Some(area.counted).filter(|counted| *counted != area.listed),
        };
        Self {
            node: zone.node,
            zone: zone.index,
            address: format!("{:x}", zone.address),
            name: zone.name.clone(),
            start_frame: zone.start,
            size: zone.spanned,
            present: zone.present,
            free: zone.free,
            watermarks: zone.watermarks,
            free_blocks: areas.iter().map(area).collect(),
            damage: damage.map(ToString::to_string),
        }
    }

    fn watermarks(&self) -> String {
        let mut out = format!(
            "NODE: {}  ZONE: {}  ADDR: {}  NAME: \"{}\"\n",
            self.node, self.zone, self.address, self.name
        );
        if self.size == 0 {
            out.push_str("  [unpopulated]\n");
            return out;
        }
        let [min, low, high] = self.watermarks;
        out.push_str(&format!(
            "  SIZE: {}  PRESENT: {}  FREE: {}  MIN/LOW/HIGH: {min}/{low}/{high}\n",
            self.size, self.present, self.free
        ));
        out
    }

    fn free(&self) -> String {
        let mut out = format!(
            "{:>3}   {:<9} {:>7} {:>7}  {:>12x}\n",
            self.zone,
            self.name,
            self.size,
            self.free,
            self.start_frame.saturating_mul(kernel::mm::PAGE)
        );
        for area in &self.free_blocks {
            let kib = 4_u64 << area.order;
            let counted = area.counted.map(|counted| format!("  (counted: {counted})"));
            out.push_str(&format!(
                "      order {:>2} {kib:>6}k {:>7} blocks {:>8} pages{}\n",
                area.order,
                area.blocks,
                area.pages,
                counted.unwrap_or_default()
            ));
        }
        out.extend(self.damage.iter().map(|why| format!("({why})\n")));
        out
    }
}

impl Text for Zones {
    fn text(&self) -> String {
        match self.form {
            Form::Nodes => {
                let mut out = format!("{:<5} PGLIST_DATA\n", "NODE");
                for (index, node) in self.nodes.iter().enumerate() {
                    out.push_str(&format!("{index:<5} {node}\n"));
                }
                out.push_str("\nZONE  NAME         SIZE  START_FRAME\n");
                for row in &self.zones {
                    out.push_str(&format!(
                        "{:>3}   {:<9} {:>7}  {:>11}\n",
                        row.zone, row.name, row.size, row.start_frame
                    ));
                }
                out
            }
            Form::Zones => {
                let rows: Vec<String> = self.zones.iter().map(Row::watermarks).collect();
                rows.join("\n")
            }
            Form::Free => {
                let mut out = String::from("ZONE  NAME         SIZE    FREE  START_PADDR\n");
                let known = self.zones.iter().filter(|row| row.size != 0);
                out.extend(known.map(Row::free));
                out
            }
        }
    }
}

/// Where each CPU's memory is.
#[derive(Debug, Serialize)]
pub(super) struct Offsets {
    cpus: Vec<(u32, String)>,
}

pub(super) fn offsets(session: &Session<'_, '_>) -> Result<Offsets, CommandError> {
    let kernel = session.kernel();
    let cpus = kernel.possible_cpus()?.into_iter();
    let offset = |cpu| Ok((cpu, format!("{:x}", kernel.percpu_offset(cpu)?)));
    Ok(Offsets { cpus: cpus.map(offset).collect::<Result<_, CommandError>>()? })
}

impl Text for Offsets {
    fn text(&self) -> String {
        let mut out = String::from("PER-CPU OFFSET VALUES:\n");
        out.extend(self.cpus.iter().map(|(cpu, offset)| format!("  CPU {cpu}: {offset}\n")));
        out
    }
}
