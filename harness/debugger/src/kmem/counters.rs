// SPDX-License-Identifier: MIT OR Apache-2.0
//! `kmem -V`: the kernel's counters of memory.

use serde::Serialize;

use super::super::{CommandError, Session, Text};

/// Counters.
#[derive(Debug, Serialize)]
pub(super) struct Counters {
    counters: Vec<Counter>,
}

#[derive(Debug, Serialize)]
struct Counter {
    name: String,
    value: i64,
}

pub(super) fn show(session: &Session<'_, '_>) -> Result<Counters, CommandError> {
    let all = session.kernel().memory_counters()?;
    let counters = all.into_iter().map(|(name, value)| Counter { name, value }).collect();
    Ok(Counters { counters })
}

impl Text for Counters {
    fn text(&self) -> String {
        let line = |one: &Counter| format!("{:>30}: {}\n", one.name, one.value);
        self.counters.iter().map(line).collect()
    }
}
