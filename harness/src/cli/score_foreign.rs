// SPDX-License-Identifier: MIT OR Apache-2.0
//! `repro score --foreign`: faults in modules of others.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use guest::WantedPackage;

use super::CommandResult;
use super::dkms::{DkmsPackage, DkmsReader};
use super::kept_runs::{KeptRun, KeptRuns, Kernels};
use super::options::{self, GlobalOptions, OutputFormat};
use crate::alternatives;
use crate::analysis::{self, Symbols};
use crate::config::Project;
use crate::error::Failure;
use crate::exit::Exit;
use crate::foreign::{
    Around, Drawn, Fault, ForeignRow, ForeignTable, Tools, page, recorded, recording_of, write_case,
};
use crate::recording::{self, About};
use crate::run::outcome::Outcome;
use crate::run::select::{self, Selected};
use crate::symbols::Lines;

/// Where the faults are, below the project's folder.
const FAULTS: &str = "tests/foreign";
/// Where the same modules without a fault are, below that folder.
const SOAKS: &str = "soaks";
/// Where their cases are made.
const CASES: &str = "target/foreign";
/// Where the committed table of the recordings and the page are.
const TABLE: &str = "docs/score-foreign.json";
const PAGE: &str = "docs/score-foreign.md";
/// Where the table of runs is that were made once, of which none was chosen.
const UNCHOSEN: &str = "docs/score-foreign-unchosen.json";

/// What is asked for.
pub(super) struct Wanted<'a> {
    /// Names of faults; none means all.
    pub(super) ids: &'a [String],
    pub(super) runs: &'a KeptRuns,
    pub(super) format: OutputFormat,
    pub(super) write: bool,
    pub(super) record: bool,
    pub(super) recorded: bool,
    pub(super) soaks: bool,
}

/// Makes the crashes and judges what is said of them.
pub(super) fn run(wanted: &Wanted<'_>, root: &Path, global: &GlobalOptions) -> CommandResult {
    let faults = faults(wanted, root)?;
    if wanted.recorded {
        let folder = root.join(FAULTS);
        let row = |fault: &Fault| {
            recorded(fault, &folder).map_err(|error| {
                let message = format!("the recording of {} is of no use", fault.id);
                Failure::new(Exit::AnalysisFailed, message)
                    .caused_by(&*error)
                    .hint("record it anew: repro score --foreign --record")
            })
        };
        let rows = faults.iter().map(row).collect::<Result<_, _>>()?;
        return shown(wanted, rows, &faults, root);
    }
    let project = cases(&faults, root, global)?;
    let ids: Vec<String> = faults.iter().map(|fault| fault.id.clone()).collect();
    let selected = select::select(&project, &ids)?;
    if wanted.soaks {
        return soaks(wanted, &project, &selected);
    }
    let should_crash = |selected: &Selected| {
        let of_case = |fault: &&Fault| fault.id == selected.case.name;
        faults.iter().find(of_case).is_some_and(|fault| fault.truth.is_some())
    };
    let runs = wanted.runs.get_in(&project.root, &selected, &should_crash)?;
    let mut kernels = Kernels::new(global)?;
    let mut rows = Vec::new();
    for (fault, selected) in faults.iter().zip(&selected) {
        let run = runs.get(&selected.name()).and_then(|runs| runs.first());
        let Some(run) = run.filter(|run| run.vmcore().is_file()) else {
            rows.push(ForeignRow::new(fault));
            continue;
        };
        let vmlinux = kernels.vmlinux(&selected.guest)?;
        let report = analysis::analyze(&[run.vmcore()], &run.symbols(vmlinux))?.report;
        rows.push(ForeignRow::judged(fault, &report));
        if wanted.record {
            record(fault, run, vmlinux, &root.join(FAULTS))?;
        }
    }
    shown(wanted, rows, &faults, root)
}

/// Whether each module survives without a fault.
fn soaks(wanted: &Wanted<'_>, project: &Project, selected: &[Selected]) -> CommandResult {
    let runs = wanted.runs.make_in(&project.root, selected)?;
    let mut text = String::new();
    let mut all = true;
    for selected in selected {
        let run = runs.get(&selected.name()).and_then(|runs| runs.first());
        let outcome = run.map(|run| run.result.outcome);
        all &= outcome == Some(Outcome::Reproduced);
        let said = match outcome {
            Some(Outcome::Reproduced) => "survives".to_owned(),
            Some(other) => other.to_string(),
            None => "was not run".to_owned(),
        };
        let _ = writeln!(text, "{:28} {said}", selected.case.name);
    }
    options::print(&text)?;
    Ok(if all { Exit::Ok } else { Exit::CaseFailed })
}

fn shown(
    wanted: &Wanted<'_>,
    rows: Vec<ForeignRow>,
    faults: &[Fault],
    root: &Path,
) -> CommandResult {
    let table = ForeignTable::new(rows, &drawn(wanted, root)?);
    match wanted.format {
        OutputFormat::Text => options::print(&table.to_text())?,
        OutputFormat::Json => options::print_json(&table.to_json())?,
    }
    if wanted.write {
        write(&root.join(if wanted.recorded { TABLE } else { UNCHOSEN }), &table.to_json())?;
        let tables = (committed(root, TABLE)?, committed(root, UNCHOSEN)?);
        if let (Some(recorded), unchosen) = tables {
            write(&root.join(PAGE), &page(&recorded, unchosen.as_ref(), faults))?;
        }
        return Ok(Exit::Ok);
    }
    let Some(before) = committed(root, TABLE)? else { return Ok(Exit::Ok) };
    let falls = table.falls(&before, wanted.ids.is_empty());
    for fall in &falls {
        options::complain(&format!("fell: {fall}\n"))?;
    }
    Ok(if falls.is_empty() { Exit::Ok } else { Exit::CaseFailed })
}

/// A table that was written before; `None` where there is none.
fn committed(root: &Path, name: &str) -> Result<Option<ForeignTable>, Failure> {
    let path = root.join(name);
    let Ok(text) = fs::read_to_string(&path) else { return Ok(None) };
    serde_json::from_str(&text).map(Some).map_err(|error| {
        Failure::new(Exit::SetupError, format!("cannot read {}", path.display())).caused_by(&error)
    })
}

/// What was drawn, where all faults are asked for.
fn drawn(wanted: &Wanted<'_>, root: &Path) -> Result<Drawn, Failure> {
    if !wanted.ids.is_empty() {
        return Ok(Drawn::default());
    }
    let folder = root.join(FAULTS);
    Drawn::load(&folder).map_err(|error| {
        let message = format!("cannot read what was drawn in {}", folder.display());
        Failure::new(Exit::SetupError, message).caused_by(&error)
    })
}

fn faults(wanted: &Wanted<'_>, root: &Path) -> Result<Vec<Fault>, Failure> {
    let folder = root.join(FAULTS);
    let folder = if wanted.soaks { folder.join(SOAKS) } else { folder };
    let mut faults = Fault::load_all(&folder).map_err(|error| {
        let message = format!("cannot read the faults in {}", folder.display());
        Failure::new(Exit::SetupError, message).caused_by(&error)
    })?;
    if let Some(id) = wanted.ids.iter().find(|id| faults.iter().all(|fault| fault.id != **id)) {
        let known = faults.iter().map(|fault| fault.id.as_str());
        return Err(Failure::new(Exit::NoCases, format!("there is no fault {id}"))
            .hint(alternatives::hint(id, "faults", known)));
    }
    faults.retain(|fault| wanted.ids.is_empty() || wanted.ids.contains(&fault.id));
    Ok(faults)
}

/// A project with a case for each fault.
fn cases(faults: &[Fault], root: &Path, global: &GlobalOptions) -> Result<Project, Failure> {
    let folder = root.join(CASES);
    let failed = |error: &std::io::Error| {
        Failure::new(Exit::WriteFailed, format!("cannot write {}", folder.display()))
            .caused_by(error)
    };
    fs::create_dir_all(&folder).map_err(|error| failed(&error))?;
    let faults_folder = root.join(FAULTS);
    let programs = [
        program(&faults_folder.join("program.c"), &folder.join("t"))?,
        program(&faults_folder.join(SOAKS).join("u.c"), &folder.join("u"))?,
    ];
    write(&folder.join("repro.toml"), "cases = [\"cases\"]\n")?;
    let tools = Tools::load(&root.join(FAULTS).join("tools.toml")).map_err(|error| {
        Failure::new(Exit::SetupError, "cannot read the tools of packages").caused_by(&error)
    })?;
    let (store, cache) = (global.store()?, global.cache()?);
    let project = Project::find(Some(&folder))?.with_cache(&cache)?;
    let own = global.project()?;
    let default = &own.settings.default_guest;
    let mut reader = DkmsReader::new(&store);
    let mut known = BTreeMap::<String, DkmsPackage>::new();
    for fault in faults {
        let name = guest_of(fault, default);
        let guest = select::load_guest(&project, &name)?;
        let key = format!("{}={}", fault.package, fault.version);
        if !known.contains_key(&key) {
            let wanted = WantedPackage::try_from(key.clone())
                .map_err(|why| Failure::new(Exit::SetupError, format!("{}: {why}", fault.id)))?;
            known.insert(key.clone(), reader.package(&wanted, true, &guest)?);
        }
        let package = &known[&key];
        let tools = tools.of(&fault.package);
        let around = Around {
            version: &package.version,
            own: &package.modules,
            tools: &tools,
            programs: &programs,
            guest: &name,
        };
        let case = folder.join("cases").join(&fault.id);
        write_case(fault, around, &case).map_err(|error| failed(&error))?;
    }
    Ok(project)
}

fn guest_of(fault: &Fault, default: &str) -> String {
    match &fault.flavour {
        Some(flavour) => format!("{default}-{flavour}"),
        None => default.to_owned(),
    }
}

/// A program that triggers use, compiled.
fn program(source: &Path, program: &Path) -> Result<PathBuf, Failure> {
    let failed = |why: String| {
        Failure::new(Exit::BuildFailed, format!("cannot compile {}", source.display())).hint(why)
    };
    let words: [&std::ffi::OsStr; 7] = [
        "-O1".as_ref(),
        "-w".as_ref(),
        "-static".as_ref(),
        "-pthread".as_ref(),
        "-o".as_ref(),
        program.as_os_str(),
        source.as_os_str(),
    ];
    let output = duct::cmd("gcc", words).stderr_capture().unchecked().run();
    let output = output.map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        return Err(failed(process::helper::tail(&output.stderr, 3)));
    }
    Ok(program.to_owned())
}

fn record(fault: &Fault, run: &KeptRun, vmlinux: &Path, faults: &Path) -> Result<(), Failure> {
    let failed = |error: &(dyn std::error::Error + 'static)| {
        Failure::new(Exit::AnalysisFailed, format!("{} is not recorded", fault.id)).caused_by(error)
    };
    let Some(crash) = run.result.crash.clone() else { return Ok(()) };
    let about =
        About { case: fault.id.clone(), guest: run.result.guest.clone(), crash, made: None };
    // No line of the other project may be in it.
    let symbols = Symbols { lines: Lines::default(), ..run.symbols(vmlinux) };
    let made = recording::make(about, &run.vmcore(), &symbols);
    let (bytes, _) = made.map_err(|error| failed(&error))?;
    let path = recording_of(fault, faults);
    let folder = path.parent().unwrap_or(&path);
    fs::create_dir_all(folder).and_then(|()| fs::write(&path, &bytes)).map_err(|error| {
        Failure::new(Exit::WriteFailed, format!("cannot write {}", path.display()))
            .caused_by(&error)
    })
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    fs::write(path, text).map_err(|error| {
        Failure::new(Exit::WriteFailed, format!("cannot write {}", path.display()))
            .caused_by(&error)
    })
}
