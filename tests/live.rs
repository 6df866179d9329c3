// SPDX-License-Identifier: MIT OR Apache-2.0
//! The cases on their guests: a real kernel, a real kdump, a real vmcore, and the verdict that the
//! case's own source and the kernel's own words confirm.
//!
//! The tests list themselves from `modules/` and `guests/`; a new case needs no change here. What a
//! case expects is held on each guest chosen for it; where somebody reviewed its report, all of the
//! report is.

use std::fs;
use std::process::ExitCode;

use analyzer::report::{Confidence, Report, SCHEMA_VERSION};
use anyhow::{Context as _, Result, ensure};
use harness::case::Outcome as Expected;
use harness::events::CaptureMethod;
use harness::run::outcome::Outcome;
use harness::run::plan::BootWay;
use harness::run::select::Selected;
use libtest_mimic::{Arguments, Trial};
use tests::alone::{self, Alone};
use tests::dump::Dump;
use tests::live::{self, Live};
use tests::oops::Oops;
use tests::peers::{crash, schema};
use tests::trial::trial;
use tests::{by_qemu, compare, debug_files as bare, formats, opened, project, snapshot, source};

type Test = fn(&Selected) -> Result<()>;

/// Test of every case.
const ALWAYS: (&str, Test) = ("outcome", outcome);
/// Tests of cases with a reviewed report.
const REVIEWED: [(&str, Test); 2] = [("told-to-people", told_to_people), ("json", json)];
/// Tests of those that crash.
const CRASHED: [(&str, Test); 8] = [
    ("verdict", verdict),
    ("oops", oops),
    ("artefacts", artefacts),
    ("analyzed-again", analyzed_again),
    ("stable-text", stable_text),
    ("stable-json", stable_json),
    ("another-boot", another_boot),
    ("alone", alone),
];

/// Tests of one dump that stands for all.
const DUMPS: [(&str, Test); 6] = [
    ("levels", every_level),
    ("debug-files", debug_files),
    ("formats", every_format),
    ("text", by_its_text),
    ("opened-by-others", opened_by_others),
    ("qemu-formats", qemu_formats),
];

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let selected = match project::chosen() {
        Ok(selected) => selected,
        Err(error) => {
            let error = format!("{error:#}");
            let trial = Trial::test("live::manifests", move || Err(error.into()));
            return libtest_mimic::run(&arguments, vec![trial]).exit_code();
        }
    };
    let is_reference = |selected: &&Selected| project::is_reference(selected).unwrap_or_default();
    let references = selected.iter().filter(is_reference).map(|selected| {
        let name = format!("live::{}::captured-fast", selected.name());
        let selected = selected.clone();
        trial(name, move || captured_fast(&selected))
    });
    let trials = selected.iter().flat_map(trials).chain(references).collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn trials(selected: &Selected) -> Vec<Trial> {
    let expected = selected.case.manifest.expectation(&selected.guest.name).outcome;
    let reviewed = snapshot::is_reviewed(selected);
    let crashed = CRASHED.iter().filter(|_| expected != Expected::None);
    let more = REVIEWED.iter().chain(crashed).filter(|_| reviewed);
    let one = |&(name, test): &(&str, Test)| {
        let selected = selected.clone();
        trial(format!("live::{}::{name}", selected.name()), move || test(&selected))
    };
    let dumps = DUMPS.iter().filter(|_| project::is_default(selected));
    std::iter::once(&ALWAYS).chain(more).chain(dumps).map(one).collect()
}

/// The run is judged as reproduced, captured as it was asked for.
fn outcome(selected: &Selected) -> Result<()> {
    let live = live::run(selected)?;
    let result = &live.result;
    ensure!(result.outcome == Outcome::Reproduced, "{:?}: {result:#?}", result.outcome);
    ensure!(result.differences.is_empty() && result.failure.is_none(), "{result:#?}");
    ensure!(result.case == selected.case.name && result.guest == selected.guest.name);
    ensure!(result.accel.is_some(), "nobody says what ran the guest");
    let reference = project::is_reference(selected)?;
    captured(&live, if reference { CaptureMethod::Kdump } else { CaptureMethod::Fast })
}

fn captured(live: &Live, wanted: CaptureMethod) -> Result<()> {
    let result = &live.result;
    let reason = &result.capture_reason;
    let is_wanted = result.crash.is_none() || result.capture == Some(wanted);
    ensure!(is_wanted, "captured by {:?}: {reason:?}", result.capture);
    Ok(())
}

/// Fast capture from a snapshot gives the same report as classic kdump, and `makedumpfile` reads the
/// same log out of the memory as we do.
fn captured_fast(selected: &Selected) -> Result<()> {
    let (reference, fast) = (live::run(selected)?, live::run_fast(selected)?);
    let result = &fast.result;
    ensure!(result.outcome == Outcome::Reproduced, "{result:#?}");
    ensure!(result.boot == Some(BootWay::Snapshot), "booted: {:?}", result.boot_reason);
    captured(&fast, CaptureMethod::Fast)?;
    let stable = |live: &Live| live.dump.analyze(&["--addresses", "stable"]);
    let (ours, theirs) = (stable(&fast)?, stable(&reference)?);
    ensure!(ours == theirs, "fast:\n{ours}\nby kdump:\n{theirs}");
    let log = reference.dump.told("log")?;
    let theirs = without_callers(&reference.dmesg()?);
    ensure!(log == theirs, "the log is not the one of makedumpfile:\n{log}");
    Ok(())
}

/// Some versions of makedumpfile write who printed a line (`[      T0]`), where `log` does so when
/// it is asked to. They set further lines of the same record in by as much.
fn without_callers(log: &str) -> String {
    let mut width = 0;
    let line = |line: &str| {
        let Some((time, rest)) = line.split_once("] [") else {
            let set_in = line.get(..width).is_some_and(|begin| begin.trim().is_empty());
            return format!("{}\n", if set_in { &line[width..] } else { line });
        };
        let caller = rest.split_once("] ").filter(|(caller, _)| {
            let caller = caller.trim_start();
            let number = caller.strip_prefix(['T', 'C']);
            number.is_some_and(|number| number.parse::<u32>().is_ok())
        });
        match caller {
            Some((caller, words)) => {
                width = "[".len() + caller.len() + "] ".len();
                format!("{time}] {words}\n")
            }
            None => format!("{line}\n"),
        }
    };
    log.lines().map(line).collect()
}

/// The last lines name the case, the guest, what ran it, how the vmcore was taken, the verdict.
fn told_to_people(selected: &Selected) -> Result<()> {
    let live = live::run(selected)?;
    let lines: Vec<&str> = live.stderr.lines().collect();
    let last = lines[lines.len().saturating_sub(8)..].join("\n");
    let word = |value: serde_json::Value| value.as_str().map(str::to_owned);
    let mut wanted = vec![selected.name()];
    wanted.extend(word(serde_json::to_value(live.result.accel)?));
    wanted.extend(word(serde_json::to_value(live.result.capture)?));
    wanted.extend(live.result.report.as_ref().map(|report| report.verdict.summary.clone()));
    for wanted in wanted {
        ensure!(last.contains(&wanted), "{wanted:?} is not in the last lines:\n{last}");
    }
    Ok(())
}

/// What stdout has is one JSON document of the committed form.
fn json(selected: &Selected) -> Result<()> {
    let live = live::run(selected)?;
    schema::check(schema::RUNS, &live.stdout)?;
    let value: serde_json::Value = serde_json::from_str(&live.stdout)?;
    let report = value.pointer("/runs/0/report").context("no report")?;
    if !report.is_null() {
        schema::check(schema::REPORT, &report.to_string())?;
        ensure!(report["schema_version"] == SCHEMA_VERSION);
    }
    Ok(())
}

/// The verdict has every value that the manifest expects, and blames the marked line.
fn verdict(selected: &Selected) -> Result<()> {
    let live = live::run(selected)?;
    let report = serde_json::to_value(live.report()?)?;
    let folder = project::root().join("modules").join(&selected.case.name);
    let expected = source::expected(&folder, &selected.guest.name)?;
    for key in ["kind", "expression", "confidence", "title"] {
        if let Some(expected) = expected.get(key).and_then(toml::Value::as_str) {
            let got = &report["verdict"][key];
            ensure!(got == expected, "{key} is {got}, not {expected}");
        }
    }
    let got = &report["verdict"]["culprit"];
    let culprit = expected.get("culprit").and_then(toml::Value::as_table);
    for (key, expected) in culprit.into_iter().flatten() {
        let expected = expected.as_str().context("a culprit is described by words")?;
        let is = match key.as_str() {
            "inlined-into" => got["inlined_into"].as_array().and_then(|names| names.last()),
            key => Some(&got[key]),
        };
        let is = is.and_then(serde_json::Value::as_str).context("no such value")?;
        let same = if key == "file" { file_name(is) == expected } else { is == expected };
        ensure!(same, "{key} is {is}, not {expected}");
    }
    let marked = source::marked(&folder)?;
    let file = got["file"].as_str().map(file_name);
    ensure!(file == Some(marked.file.as_str()), "{file:?} is blamed, not {marked:?}");
    ensure!(got["line"].as_u64() == Some(marked.line), "{got} is blamed, not {marked:?}");
    Ok(())
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The kernel's own oops text has the same registers, symbols, task and modules.
fn oops(selected: &Selected) -> Result<()> {
    let live = live::run(selected)?;
    let log = live.dmesg()?;
    let theirs = Oops::last(&log)?;
    let mut compared = compare::Count::default();
    compare::oops::report(live.report()?, &theirs, &mut compared)?;
    compare::oops::memory(live.report()?, &log, &mut compared)?;
    compare::oops::registers(&live.dump, &theirs, &mut compared)?;
    compare::oops::told(&live.result, &theirs, &mut compared)
}

/// The artefact folder has what a person needs, and the report in all its forms.
fn artefacts(selected: &Selected) -> Result<()> {
    let live = live::run(selected)?;
    let text = |name: &str| {
        let path = live.artifacts.join(name);
        let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
        ensure!(!text.trim().is_empty(), "{name} is empty");
        anyhow::Ok(text)
    };
    let report = live.report()?;
    // Between the report's own lines are those of what else the dump tells.
    let (told, own) = (text("crash.txt")?, analyzer::render::text(report));
    let mut told = told.lines();
    let lost = own.lines().find(|line| !told.any(|told| told == *line));
    ensure!(lost.is_none(), "crash.txt has not `{lost:?}` in its place");
    ensure!(text("crash.json")? == analyzer::render::json(report), "crash.json is another report");
    ensure!(text("console.log")?.contains("Linux version"), "no kernel speaks on the console");
    ensure!(text("qemu.txt")?.contains("qemu-system-"), "qemu.txt has no command line");
    let run = live.artifacts.parent().context("no folder of the invocation")?.join("run.json");
    let run = fs::read_to_string(&run).with_context(|| format!("read {}", run.display()))?;
    ensure!(run == live.stdout, "run.json is not what was printed");
    Ok(())
}

/// A dump by kdump at level 31, of all memory by QEMU, and of that at each level say the same of the crash.
fn every_level(selected: &Selected) -> Result<()> {
    let (by_kdump, by_qemu) = (live::run(selected)?, live::run_by_qemu(selected)?);
    captured(&by_qemu, CaptureMethod::Qmp)?;
    let said = |live: &Live| -> Result<Report> {
        let stable = live.dump.analyze(&["--addresses", "stable", "--format", "json"])?;
        Ok(serde_json::from_str(&stable)?)
    };
    let (ours, theirs) = (said(&by_kdump)?, said(&by_qemu)?);
    ensure!(ours.verdict == theirs.verdict, "{:#?}\n{:#?}", ours.verdict, theirs.verdict);
    ensure!(ours.signature == theirs.signature && ours.root_signature == theirs.root_signature);
    ensure!(ours.backtraces.fault == theirs.backtraces.fault, "the stacks of the fault differ");
    formats::check_levels(&by_qemu.dump)
}

/// The dump alone, on a machine without its debug files, and with a server that has them.
fn debug_files(selected: &Selected) -> Result<()> {
    bare::check(&live::run(selected)?)
}

/// `repro analyze` on the kept vmcore gives the same report without any QEMU.
fn analyzed_again(selected: &Selected) -> Result<()> {
    let live = live::run(selected)?;
    let report = live.report()?;
    ensure!(live.dump.analyze(&["--format", "json"])? == analyzer::render::json(report));
    let text = fs::read_to_string(live.artifacts.join("crash.txt"))?;
    ensure!(
        live.dump.analyze(&[])? == text,
        "crash.txt is what `repro analyze` says of the vmcore"
    );
    let stable = fs::read_to_string(live.artifacts.join("crash.stable.txt"))?;
    ensure!(live.dump.analyze(&["--addresses", "stable"])? == stable);
    Ok(())
}

/// The log alone, with the files, says what the dump does, and proves nothing.
fn by_its_text(selected: &Selected) -> Result<()> {
    let live = live::run(selected)?;
    let text = Dump { vmcore: live.artifacts.join("vmcore-dmesg.txt"), ..live.dump.clone() };
    let text: Report = serde_json::from_str(&text.analyze(&["--format", "json"])?)?;
    let dump = live.report()?;
    ensure!(text.verdict.kind == dump.verdict.kind, "{}", text.verdict.summary);
    ensure!(text.verdict.title == dump.verdict.title, "{}", text.verdict.summary);
    ensure!(text.verdict.culprit == dump.verdict.culprit, "{}", text.verdict.summary);
    ensure!(text.signature == dump.signature && text.root_signature == dump.root_signature);
    ensure!(text.verdict.confidence == Confidence::Likely, "{}", text.verdict.summary);
    Ok(())
}

/// The dump, written anew in every format that there is, gives the same report.
fn every_format(selected: &Selected) -> Result<()> {
    formats::check(&live::run(selected)?.dump)
}

/// What fast capture writes, and what makedumpfile makes of it, is opened by `crash`, drgn and
/// makedumpfile.
fn opened_by_others(selected: &Selected) -> Result<()> {
    opened::check(&live::run_fast(selected)?)
}

/// QEMU's own forms of kdump-compressed tell the same as its ELF, and `crash` opens each. The other
/// tools want VMCOREINFO, which the guest tells QEMU by a driver that is not there yet.
fn qemu_formats(selected: &Selected) -> Result<()> {
    let store = project::store()?;
    let go_on = &mut |_| std::ops::ControlFlow::Continue(());
    let files = guest::fetch(&selected.guest, &store, go_on)?;
    let folder = tempfile::tempdir_in(project::target())?;
    let dumps = by_qemu::dumps(&files.vmlinuz, folder.path())?;
    let names: Vec<&str> = dumps.iter().map(|(name, _)| name.as_str()).collect();
    ensure!(names.contains(&"elf") && names.contains(&"kdump-zlib"), "QEMU writes {names:?}");
    let mut first = None;
    for (name, vmcore) in dumps {
        let modules = folder.path().to_owned();
        let dump = Dump { vmcore: vmcore.clone(), vmlinux: files.vmlinux.clone(), modules };
        let report = formats::report(&dump, std::slice::from_ref(&vmcore));
        let report = report.with_context(|| name.clone())?;
        ensure!(report.contains(by_qemu::MESSAGE), "{name}: {report}");
        let log = crash::run(&[&vmcore], &files.vmlinux, &["log".to_owned()])?.concat();
        ensure!(log.contains(by_qemu::MESSAGE), "{name}: crash: {log}");
        let first = first.get_or_insert_with(|| report.clone());
        ensure!(report == *first, "{name}: another report:\n{report}\ninstead of\n{first}");
    }
    Ok(())
}

/// The stable report is the one that was reviewed, as text.
fn stable_text(selected: &Selected) -> Result<()> {
    let text = live::run(selected)?.dump.analyze(&["--addresses", "stable"])?;
    snapshot::settings(selected).bind(|| insta::assert_snapshot!("crash.txt", text));
    Ok(())
}

/// The verdict is the one that was reviewed, in the form that programs read.
fn stable_json(selected: &Selected) -> Result<()> {
    let live = live::run(selected)?;
    let json = live.dump.analyze(&["--addresses", "stable", "--format", "json"])?;
    schema::check(schema::REPORT, &json)?;
    let report: Report = serde_json::from_str(&json)?;
    let verdict = serde_json::to_string_pretty(&report.verdict)?;
    snapshot::settings(selected).bind(|| insta::assert_snapshot!("verdict.json", verdict));
    Ok(())
}

/// Another boot, with its own addresses and times, gives the same stable report and signature.
fn another_boot(selected: &Selected) -> Result<()> {
    let (first, second) = (live::run(selected)?, live::run_again(selected)?);
    let (one, two) = (first.report()?, second.report()?);
    ensure!(one.kernel.kaslr_offset.is_some(), "the kernel was not moved");
    ensure!(one.signature.is_some() && one.signature == two.signature);
    let stable = |live: &Live| live.dump.analyze(&["--addresses", "stable", "--format", "json"]);
    let (one, two) = (stable(&first)?, stable(&second)?);
    ensure!(one == two, "two boots, two stable reports:\n{one}\n{two}");
    Ok(())
}

/// The dump alone, without any debug information, tells the same code, registers, modules, log and
/// tasks, and says what it did without.
fn alone(selected: &Selected) -> Result<()> {
    let live = live::run(selected)?;
    let (dump, whole) = (Alone::new(&live.dump)?, live.report()?);
    let report = dump.report()?;
    ensure!(report.kernel == whole.kernel, "{:?}, not {:?}", report.kernel, whole.kernel);
    ensure!(report.panic == whole.panic, "{:?}, not {:?}", report.panic, whole.panic);
    let without = report.findings.iter().find(|finding| finding.code == "A003");
    ensure!(without.is_some(), "nothing says that there is no vmlinux");
    let log = dump.command("log")?;
    let log = log.to_string();
    let message = whole.panic.message.as_deref().context("the kernel said nothing")?;
    ensure!(log.contains(message), "the log does not have {message}");
    if !dump.has_symbols()? {
        return Ok(());
    }
    let (fault, expected) =
        (alone::code(&report.backtraces.fault), alone::code(&whole.backtraces.fault));
    ensure!(fault == expected, "{fault:#?}\nand with debug information\n{expected:#?}");
    ensure!(report.task == whole.task, "{:?}, not {:?}", report.task, whole.task);
    let names = |report: &Report| -> Vec<_> {
        report.modules.iter().map(|module| (module.name.clone(), module.base.clone())).collect()
    };
    ensure!(names(&report) == names(whole), "{:?}, not {:?}", names(&report), names(whole));
    let tasks = dump.command("ps")?["tasks"].as_array().map_or(0, Vec::len);
    let said = dump.command("sys")?["tasks"].as_u64();
    ensure!(tasks > 10 && said == u64::try_from(tasks).ok(), "{tasks} tasks, or {said:?}");
    Ok(())
}
