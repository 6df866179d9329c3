// SPDX-License-Identifier: MIT OR Apache-2.0
//! `ptov`: the kernel's address of physical memory.

use serde::Serialize;

use super::resolve::hexadecimal;
use super::{Arguments, Command, CommandError, Reply, Session, Text, Words};
use vmcore::PhysAddr;

/// The command.
pub(super) const COMMAND: Command = Command {
    name: "ptov",
    summary: "the kernel's address of physical memory",
    usage: "ADDRESS...",
    options: &[],
    rules: &[],
    words: Words::Mixed,
    run,
};

#[derive(Debug, Serialize)]
struct Addresses {
    addresses: Vec<Address>,
}

#[derive(Debug, Serialize)]
struct Address {
    #[serde(rename = "virtual")]
    address: String,
    physical: String,
}

fn run(session: &mut Session<'_, '_>, arguments: &Arguments) -> Result<Reply, CommandError> {
    if arguments.words.is_empty() {
        return Err(CommandError::usage("which address?"));
    }
    let none = || CommandError::nothing("where all memory is mapped is not known");
    let map = session.kernel().direct_map().ok_or_else(none)?;
    let one = |word: &String| {
        let unknown = || CommandError::usage(format!("`{word}` is no physical address"));
        let physical = hexadecimal(word).ok_or_else(unknown)?;
        let address = map.address(PhysAddr(physical)).ok_or_else(unknown)?;
        Ok(Address { address: format!("{address:x}"), physical: format!("{physical:x}") })
    };
    let addresses = arguments.words.iter().map(one).collect::<Result<_, CommandError>>()?;
    Ok(Reply::new(Addresses { addresses }))
}

impl Text for Addresses {
    fn text(&self) -> String {
        let mut out = format!("{:<16}  PHYSICAL\n", "VIRTUAL");
        for Address { address, physical } in &self.addresses {
            out.push_str(&format!("{address:<16}  {physical}\n"));
        }
        out
    }
}
