// SPDX-License-Identifier: MIT OR Apache-2.0
//! Faults in modules of others: their recorded crashes, analyzed again without packages, compilers or
//! QEMU. The committed table says of each what is said of it now, so that a change of a verdict is
//! seen where it is read.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, ensure};
use harness::foreign::{Drawn, Fault, ForeignTable, page, recorded};
use libtest_mimic::{Arguments, Trial};
use tests::project;
use tests::trial::trial;

/// What brings the table up to date.
const HINT: &str = "cargo xtask score --foreign --recorded --write; read what changed";

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let trials = match Fault::load_all(&folder()) {
        Ok(faults) => {
            let all = trial("foreign::the_table_is_current", {
                let faults = faults.clone();
                move || the_table_is_current(&faults)
            });
            let drawn = trial("foreign::each_drawn_fault_crashed_or_was_calm", {
                let faults = faults.clone();
                move || each_drawn_fault_crashed_or_was_calm(&faults)
            });
            let each =
                |fault: Fault| trial(format!("foreign::{}", fault.id), move || replay(&fault));
            faults.into_iter().map(each).chain([all, drawn]).collect()
        }
        Err(error) => {
            let error = format!("{error:#}");
            vec![Trial::test("foreign::faults", move || Err(error.into()))]
        }
    };
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn folder() -> PathBuf {
    project::root().join("tests/foreign")
}

fn table() -> Result<ForeignTable> {
    written("docs/score-foreign.json")
}

/// A table that was written.
fn written(path: &str) -> Result<ForeignTable> {
    let path = project::root().join(path);
    let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
    Ok(serde_json::from_str(&text)?)
}

fn replay(fault: &Fault) -> Result<()> {
    let now = recorded(fault, &folder()).map_err(|error| anyhow::anyhow!("{error}"))?;
    let table = table()?;
    let row = table.rows.iter().find(|row| row.id == fault.id).context(HINT)?;
    ensure!(*row == now, "{HINT}\n{row:#?}\nis now\n{now:#?}");
    Ok(())
}

/// A fault that was drawn and crashed nothing is no fault with a truth, and together they are all that
/// were drawn: none can be lost unseen.
fn each_drawn_fault_crashed_or_was_calm(faults: &[Fault]) -> Result<()> {
    let mut seeds = Vec::new();
    for fault in faults {
        let text = fs::read_to_string(folder().join(format!("{}.json", fault.id)))?;
        let whole: serde_json::Value = serde_json::from_str(&text)?;
        seeds.push((fault.id.as_str(), whole["drawn"]["seed"].as_u64()));
    }
    for draw in Drawn::load(&folder())?.draws {
        let calm: BTreeSet<&str> = draw.calm.values().flatten().map(String::as_str).collect();
        let crashed = seeds.iter().filter(|(_, seed)| *seed == Some(draw.seed));
        let crashed: Vec<&str> = crashed.map(|(id, _)| *id).collect();
        let both = crashed.iter().find(|id| calm.contains(**id));
        ensure!(both.is_none(), "{both:?} is both");
        let all = calm.len() + crashed.len() + draw.known.len();
        ensure!(all == draw.count, "seed {}: {all} of {}", draw.seed, draw.count);
    }
    Ok(())
}

/// Totals and page are those of the rows, and no fault is left out.
fn the_table_is_current(faults: &[Fault]) -> Result<()> {
    let table = table()?;
    let ids: Vec<&str> = faults.iter().map(|fault| fault.id.as_str()).collect();
    let rows: Vec<&str> = table.rows.iter().map(|row| row.id.as_str()).collect();
    ensure!(ids == rows, "{HINT}: {rows:?}");
    let drawn = Drawn::load(&folder())?;
    ensure!(ForeignTable::new(table.rows.clone(), &drawn) == table, "totals are others: {HINT}");
    let path = Path::new("docs/score-foreign.md");
    let is = fs::read_to_string(project::root().join(path))?;
    let unchosen = written("docs/score-foreign-unchosen.json")?;
    ensure!(is == page(&table, Some(&unchosen), faults), "{} is another: {HINT}", path.display());
    Ok(())
}
