// SPDX-License-Identifier: MIT OR Apache-2.0
//! Analyzes a recording.

use std::collections::{BTreeMap, BTreeSet};

use analyzer::machine::Machine;
use analyzer::{Analysis, Files, Inputs, ModuleFiles};
use debuginfo::{Answers, Ledger};
use vmcore::Vmcore;

use super::kept::Kept;
use super::{About, Recording};

/// Why a recording gives no report.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The analyzer looks at more than the one that made the recording.
    #[error(
        "the recording of {name} lacks what this analyzer reads: {}; make it again with `cargo xtask \
         record {name}`", some(.missing)
    )]
    Lacks {
        /// Case and guest.
        name: String,
        /// What is not in the recording.
        missing: Vec<String>,
    },
    /// The recorded headers are those of no dump.
    #[error("the recorded dump cannot be opened")]
    Dump(#[from] vmcore::Error),
    /// The kernel cannot be found in it.
    #[error(transparent)]
    Analysis(#[from] analyzer::Error),
}

/// The first few of many words.
fn some(missing: &[String]) -> String {
    let shown: Vec<&str> = missing.iter().take(3).map(String::as_str).collect();
    let more = missing.len().saturating_sub(shown.len());
    let rest = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("{}{rest}", shown.join(", "))
}

impl Recording {
    /// Analyzes the crash again.
    ///
    /// # Errors
    /// The recording lacks what the analyzer looks at.
    pub fn replay(self) -> Result<(About, Analysis), Error> {
        let Self { about, file_length, file, memory, vmlinux, modules } = self;
        let whole = BTreeSet::new();
        let kept = Kept::new(file_length, &file, &memory, &whole);
        let vmlinux = Ledger::replay(vmlinux);
        let modules = Modules::new(modules);
        let analysis = analyze(&kept, &vmlinux, &modules);
        let of = |ledger: &Ledger, whose: &str| {
            ledger.missing().into_iter().map(|what| format!("{whose}: {what}")).collect::<Vec<_>>()
        };
        let mut missing = kept.missing();
        missing.extend(of(&vmlinux, "vmlinux"));
        missing.extend(modules.0.iter().flat_map(|(name, ledger)| of(ledger, name)));
        if missing.is_empty() {
            return Ok((about, analysis?));
        }
        Err(Error::Lacks { name: about.name(), missing })
    }
}

impl Recording {
    /// Analyzes the crash as if pages of memory, by their frame numbers, were not in the dump. What the analyzer
    /// looks at instead and was not recorded is not there either.
    ///
    /// # Errors
    /// There is no report without them.
    pub fn replay_without(&self, pages: &BTreeSet<u64>) -> Result<Analysis, Error> {
        let kept = Kept::new(self.file_length, &self.file, &self.memory, pages);
        let vmlinux = Ledger::replay(self.vmlinux.clone());
        analyze(&kept, &vmlinux, &Modules::new(self.modules.clone()))
    }

    /// Looks into the machine of the recording.
    ///
    /// # Errors
    /// The recorded headers are those of no dump.
    pub fn look<T>(&self, look: impl FnOnce(&Machine<'_>) -> T) -> Result<T, Error> {
        let whole = BTreeSet::new();
        let kept = Kept::new(self.file_length, &self.file, &self.memory, &whole);
        let (vmlinux, modules) =
            (Ledger::replay(self.vmlinux.clone()), Modules::new(self.modules.clone()));
        let mut vmcore = Vmcore::open(&kept)?;
        vmcore.attend(&kept);
        let inputs =
            Inputs { vmcore: &vmcore, vmlinux: Some(replayed(&vmlinux)), modules: &modules };
        Ok(analyzer::analyze_and(&inputs, |machine, _| look(machine))?.1)
    }
}

fn analyze(kept: &Kept<'_>, vmlinux: &Ledger, modules: &Modules) -> Result<Analysis, Error> {
    let mut vmcore = Vmcore::open(kept)?;
    vmcore.attend(kept);
    let inputs = Inputs { vmcore: &vmcore, vmlinux: Some(replayed(vmlinux)), modules };
    Ok(analyzer::analyze(&inputs)?)
}

/// A file of which only a ledger is left.
fn replayed(ledger: &Ledger) -> Files<'_> {
    Files { ledger: Some(ledger), ..Files::from(&[]) }
}

/// The modules of a recording.
struct Modules(BTreeMap<String, Ledger>);

impl Modules {
    fn new(modules: BTreeMap<String, Answers>) -> Self {
        let ledgers = modules.into_iter().map(|(name, answers)| (name, Ledger::replay(answers)));
        Self(ledgers.collect())
    }
}

impl ModuleFiles for Modules {
    fn module(&self, name: &str, _: Option<&[u8]>) -> Option<Files<'_>> {
        self.0.get(name).map(replayed)
    }

    fn names(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }
}
