// SPDX-License-Identifier: MIT OR Apache-2.0
//! Draws faults for modules of others: package, sort and place by a seed, so that nobody chooses what
//! the analyzer is measured on.
//!
//! ```console
//! $ cargo run -p tests --bin draw-faults -- --seed 7 --count 60 --built target/foreign target/drawn
//! ```
//! Each becomes a file like those in tests/foreign, without a truth. Those that crash the kernel get one,
//! written from the oops, `addr2line` and the source before the program is asked.

use std::collections::BTreeSet;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow, ensure};
use clap::Parser;
use guest::{Purpose, Store, WantedPackage};
use harness::case::{FileChange, dkms};
use harness::foreign::Fault;
use serde_json::json;
use tests::draw::{OPERATORS, Operator, Random};
use tests::project;

/// More tries than this for one fault mean that there is none left.
const MAX_TRIES: usize = 10_000;

/// Draws faults for modules of others.
#[derive(Debug, Parser)]
struct Options {
    /// The seed
    #[arg(long)]
    seed: u64,
    /// How many
    #[arg(long)]
    count: usize,
    /// Folder with modules that were built of the same packages, at any depth: only sources that
    /// they were made of are changed
    #[arg(long)]
    built: PathBuf,
    /// The number of the first fault of each package
    #[arg(long, default_value_t = 101)]
    first: usize,
    /// Folder for the files
    out: PathBuf,
}

/// A source that can be changed.
struct Source {
    /// Its path below `usr/src`.
    file: PathBuf,
    sha256: String,
    text: String,
}

/// A package and how its modules are used.
struct Soak {
    fault: Fault,
    version: String,
    sources: Vec<Source>,
}

fn main() -> Result<()> {
    let options = Options::parse();
    let built = compiled(&options.built)?;
    let soaks = Fault::load_all(&project::root().join("tests/foreign/soaks"))?;
    let soaks: Vec<Soak> =
        soaks.into_iter().map(|fault| soak(fault, &built)).collect::<Result<_>>()?;
    fs::create_dir_all(&options.out)?;
    let mut random = Random::new(options.seed);
    let mut seen = BTreeSet::new();
    let mut numbers = vec![options.first; soaks.len()];
    for number in 0..options.count {
        let (soak, fault) = draw(&soaks, &mut random, &mut seen)?;
        let short = soaks[soak].fault.package.trim_end_matches("-dkms");
        let id = format!("{short}-{}", numbers[soak]);
        numbers[soak] += 1;
        let text = file(&soaks[soak], &fault, &id, (options.seed, number));
        fs::write(options.out.join(format!("{id}.json")), text)?;
    }
    Ok(())
}

/// A sort and a place.
struct Drawn {
    operator: Operator,
    change: FileChange,
}

fn draw(
    soaks: &[Soak],
    random: &mut Random,
    seen: &mut BTreeSet<String>,
) -> Result<(usize, Drawn)> {
    for _ in 0..MAX_TRIES {
        let operator = OPERATORS[random.below(OPERATORS.len())];
        let number = random.below(soaks.len());
        let soak = &soaks[number];
        let places: Vec<(&Source, usize, Vec<_>)> = soak
            .sources
            .iter()
            .flat_map(|source| {
                let places = operator.places(&source.text);
                places.into_iter().map(move |(line, edits)| (source, line, edits))
            })
            .collect();
        if places.is_empty() {
            continue;
        }
        let (source, line, edits) = &places[random.below(places.len())];
        if seen.insert(format!("{} {line} {}", source.file.display(), operator.name)) {
            let change = FileChange {
                file: source.file.clone(),
                sha256: source.sha256.clone(),
                edits: edits.clone(),
            };
            return Ok((number, Drawn { operator, change }));
        }
    }
    Err(anyhow!("there are no more places"))
}

fn file(soak: &Soak, drawn: &Drawn, id: &str, (seed, number): (u64, usize)) -> String {
    let fault = &soak.fault;
    let value = json!({
        "id": id,
        "package": fault.package,
        "version": soak.version,
        "operator": drawn.operator.name,
        "drawn": { "seed": seed, "number": number },
        "changes": [drawn.change],
        "kernel_command_line": fault.kernel_command_line,
        "sysctls": fault.sysctls,
        "load_in_order": fault.load_in_order,
        "flavour": fault.flavour,
        "trigger": format!("{}{}", fault.trigger, end_of(fault)),
        "trigger_timeout": "30s",
        "truth": null,
    });
    format!("{value:#}\n")
}

/// The modules go too, the youngest first: some faults show then only.
fn end_of(fault: &Fault) -> String {
    let names = fault.load_in_order.iter().rev().filter_map(|it| it.split_whitespace().next());
    let names: Vec<&str> = names.collect();
    format!("for m in {}; do rmmod $m; done\nsleep 1\n", names.join(" "))
}

/// Names of the sources that all modules below a folder were made of: texts of their debug information
/// that end as such names do.
fn compiled(folder: &Path) -> Result<BTreeSet<String>> {
    let mut all = BTreeSet::new();
    let mut todo = vec![folder.to_owned()];
    while let Some(folder) = todo.pop() {
        for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
            let path = entry?.path();
            if path.is_dir() && !path.is_symlink() {
                todo.push(path);
            } else if path.extension().is_some_and(|extension| extension == "ko") {
                let module = fs::read(path)?;
                let texts = module.split(|byte| *byte == 0).filter(|text| text.ends_with(b".c"));
                let texts = texts.filter_map(|text| std::str::from_utf8(text).ok());
                all.extend(texts.filter_map(|text| text.rsplit('/').next()).map(str::to_owned));
            }
        }
    }
    ensure!(!all.is_empty(), "there is no module below {}", folder.display());
    Ok(all)
}

/// The sources of a package that its modules were made of.
fn soak(fault: Fault, built: &BTreeSet<String>) -> Result<Soak> {
    let project = project::project()?;
    let guest = harness::run::select::load_guest(&project, &project.settings.default_guest)
        .map_err(|failure| anyhow!("{failure}"))?;
    let store = Store::open(&Store::default_root()?, false)?;
    let wanted = WantedPackage::try_from(fault.package.clone()).map_err(|why| anyhow!(why))?;
    let go_on = &mut |_: guest::Progress| ControlFlow::Continue(());
    let brought = guest::bring(&guest, Purpose::Sources, &[wanted], &store, go_on)?;
    let found = brought.iter().find_map(|it| Some((it, dkms::folder_in(&it.tree)?)));
    let (package, folder) = found.with_context(|| format!("{} has no sources", fault.package))?;
    let above = folder.parent().unwrap_or(&folder).to_owned();
    let is_built = |name: &str| built.contains(name);
    let mut sources = Vec::new();
    let mut todo = vec![folder.clone()];
    while let Some(folder) = todo.pop() {
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() {
                todo.push(path);
            } else if path.file_name().and_then(|name| name.to_str()).is_some_and(is_built) {
                sources.push(Source {
                    file: path.strip_prefix(&above)?.to_owned(),
                    sha256: guest::store::hash_file(&path)?,
                    text: fs::read_to_string(&path)?,
                });
            }
        }
    }
    sources.sort_by(|a, b| a.file.cmp(&b.file));
    ensure!(!sources.is_empty(), "nothing of {} was built", fault.package);
    Ok(Soak { version: package.package.version.clone(), fault, sources })
}
