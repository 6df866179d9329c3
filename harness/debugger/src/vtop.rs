// SPDX-License-Identifier: MIT OR Apache-2.0
//! `vtop`: where a virtual address is mapped.

use serde::Serialize;

use super::{Arguments, Command, CommandError, Flag, Reply, Rule, Session, Text, Words};
use kernel::Level;
use kernel::space::AddressSpace;
use vmcore::PhysAddr;

/// The command.
pub(super) const COMMAND: Command = Command {
    name: "vtop",
    summary: "where a virtual address is mapped",
    usage: "[-u | -k] ADDRESS|SYMBOL...",
    options: &[
        Flag::switch("u", "the address is one of the current task's user space"),
        Flag::switch("k", "the address is the kernel's"),
    ],
    rules: &[Rule::OneOf(&["u", "k"])],
    words: Words::Mixed,
    run,
};

#[derive(Debug, Serialize)]
struct Mappings {
    mappings: Vec<Found>,
}

#[derive(Debug, Serialize)]
struct Found {
    #[serde(rename = "virtual")]
    address: String,
    physical: String,
    page_bytes: Option<u64>,
    writable: Option<bool>,
    executable: Option<bool>,
    user: Option<bool>,
    /// The entries of page tables that lead there, from the top one on.
    entries: Vec<Entry>,
    /// What the page tables of the dump do not tell.
    note: Option<String>,
}

/// An entry of a page table.
#[derive(Debug, Serialize)]
struct Entry {
    level: String,
    place: String,
    value: String,
}

fn run(session: &mut Session<'_, '_>, arguments: &Arguments) -> Result<Reply, CommandError> {
    if arguments.words.is_empty() {
        return Err(CommandError::usage("which address?"));
    }
    let space = session.kernel().space();
    let mut mappings = Vec::new();
    for word in &arguments.words {
        let address = session.address(word)?.value;
        let user = arguments.has("u") || (!arguments.has("k") && address >> 63 == 0);
        let root = match user {
            true => Some(session.kernel().user_tables(session.context()?)?),
            false => None,
        };
        mappings.push(find(space, root, address)?);
    }
    Ok(Reply::new(Mappings { mappings }))
}

fn find(
    space: &AddressSpace<'_>,
    root: Option<PhysAddr>,
    address: u64,
) -> Result<Found, CommandError> {
    let mapping = match root {
        Some(root) => space.mapping_at(root, address),
        None => space.mapping(address),
    };
    let mut found = Found {
        address: format!("{address:x}"),
        physical: String::new(),
        page_bytes: None,
        writable: None,
        executable: None,
        user: None,
        entries: entries(space, root, address),
        note: None,
    };
    match mapping {
        Ok(mapping) => {
            found.physical = format!("{:x}", mapping.physical.0);
            found.page_bytes = Some(mapping.page_bytes());
            found.writable = Some(mapping.writable);
            found.executable = Some(mapping.executable);
            found.user = Some(mapping.user);
        }
        // The image's place is known without tables.
        Err(why) if root.is_none() => {
            found.physical = format!("{:x}", space.physical(address)?.0);
            found.note = Some(why.to_string());
        }
        Err(why) => return Err(why.into()),
    }
    Ok(found)
}

/// The entries that lead to an address. With four levels, the top one is called PGD, as with five.
fn entries(space: &AddressSpace<'_>, root: Option<PhysAddr>, address: u64) -> Vec<Entry> {
    let Some(root) = root.or_else(|| space.root()) else { return Vec::new() };
    let top = space.layout().format.top();
    let entry = |found: kernel::paging::Entry| Entry {
        level: if found.level == top { Level::Pgd } else { found.level }.to_string(),
        place: format!("{:x}", found.place.0),
        value: format!("{:x}", found.value),
    };
    space.entries_at(root, address).into_iter().map(entry).collect()
}

impl Text for Mappings {
    fn text(&self) -> String {
        let mut out = String::new();
        for (index, found) in self.mappings.iter().enumerate() {
            let gap = if index == 0 { "" } else { "\n" };
            out.push_str(&format!("{gap}{:<16}  {:<16}\n", "VIRTUAL", "PHYSICAL"));
            out.push_str(&format!("{:<16}  {}\n", found.address, found.physical));
            out.push_str(if found.entries.is_empty() { "" } else { "\n" });
            for Entry { level, place, value } in &found.entries {
                out.push_str(&format!("{level:>6}: {place} => {value}\n"));
            }
            let mut rights = Vec::new();
            rights.extend(found.page_bytes.map(|bytes| format!("page of {} KiB", bytes >> 10)));
            let named = [
                (found.writable, "writable", "read-only"),
                (found.executable, "executable", "not executable"),
                (found.user, "user", "kernel only"),
            ];
            for (right, yes, no) in named {
                rights.extend(right.map(|right| if right { yes } else { no }.to_owned()));
            }
            rights.extend(found.note.clone());
            out.push_str(&format!("\n  {}\n", rights.join(", ")));
        }
        out
    }
}
