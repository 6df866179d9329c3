// SPDX-License-Identifier: MIT OR Apache-2.0
//! From a case and a guest to a plan: fetch, build, initramfs, command lines.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Seek as _, Write as _};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::analysis::Symbols;
use crate::case::{
    self, BuildError, BuiltModule, Case, ExecPaths, KernelSide, Origin, Step, TriggerCommand,
};
use crate::compose::Ram;
use crate::error::Failure;
use crate::events::{Accel, CaptureMethod, Phase};
use crate::exit::Exit;
use crate::initramfs::{self, CASE_FOLDER, CaseContent, CaseFile, EXEC_MODULES, EXEC_PATHS};
use crate::interrupt::Interrupt;
use crate::json;
use crate::module_disk::{ModuleDisk, ModuleDiskError};
use crate::run::limits::Limits;
use crate::run::package_files::{self, PackageFiles};
use crate::run::plan::{
    BootWay, ByAccel, CaptureWay, FromSnapshot, Module, ModuleFrom, Plan, Sysctl, Trigger, Ways,
};
use crate::run::recorder::Recorder;
use crate::run::select::Selected;
use crate::run::setup_files;
use crate::snapshot::Snapshots;
use crate::symbols::Lines;
use crate::units;
use crate::vm::{CASE_BYTES, Disks, Launcher, SharedRam};
use protocol::{CASE_MODULES, ModuleEntry, ModuleIndex, ModulePlace, kernel_name};

use guest::{self, FetchError, GuestFiles, ImportFiles, Manifest, Progress, Purpose, Store};

/// Name of the trigger's script in the guest.
const TRIGGER: &str = "trigger.sh";
/// Folder of a run with the modules.
const BUILD: &str = "build";
/// Name of what is read before it.
const PROGRAMS: &str = ".programs.sh";

/// The serial console of both kernels.
const CONSOLE: &str = "console=ttyS0,115200";

/// A run that can start.
#[derive(Debug)]
pub struct Prepared {
    /// What to do with the guest.
    pub plan: Plan,
    /// What the analyzer may use.
    pub symbols: Symbols,
}

/// Brings everything together that a run needs. Build products go to `folder/build`.
///
/// # Errors
/// Something cannot be fetched, built or written, or the user asked to stop.
pub fn prepare(
    selected: &Selected,
    ways: Ways,
    store: &Store,
    folder: &Path,
    recorder: &mut Recorder<'_>,
    interrupt: &Interrupt,
) -> Result<Prepared, Failure> {
    let files = fetch(&selected.guest, store, recorder, interrupt)?;
    if interrupt.requested() {
        return Err(interrupted());
    }
    let modules = build(&selected.case, &files, store, folder, recorder, interrupt)?;
    if interrupt.requested() {
        return Err(interrupted());
    }
    let disk = ModuleDisk::of(&files, store, &mut || !interrupt.requested());
    let disk = disk.map_err(|error| match error {
        ModuleDiskError::Cancelled => interrupted(),
        error => Failure::from_error(Exit::SetupError, &error),
    })?;
    let steps = steps(&selected.case, &modules, &files, &disk)?;
    let packages = packages(selected, store, recorder, interrupt)?;
    let case = case_files(selected, &modules, &steps, packages, &disk)?;
    let initrd = initrd(ways.capture, &files, &disk, &case, folder)?;
    write_case(selected, &files, folder)?;
    let mut plan = plan(selected, ways.capture, files.vmlinuz.clone(), initrd);
    plan.modules = steps.iter().map(module).collect();
    if ways.boot == BootWay::Snapshot && plan.is_fast() {
        let guest = (&files, &disk);
        plan.snapshot = from_snapshot(ways.variant, store, guest, &case, folder, interrupt)?;
    }
    let place = (store, folder);
    let of_kernel = modules_of_kernel(&files, &steps, &disk, place, recorder, interrupt)?;
    plan.module_disk = Some(disk.into_file());
    let own = modules.into_iter().map(|BuiltModule { name, path }| (name, path));
    let modules = own.chain(of_kernel).collect();
    let lines = Lines::of(&selected.case.sources);
    let symbols = Symbols { vmlinux: Some(files.vmlinux), modules, lines, ..Symbols::default() };
    Ok(Prepared { plan, symbols })
}

/// Programs of packages for the guest.
fn packages(
    selected: &Selected,
    store: &Store,
    recorder: &mut Recorder<'_>,
    interrupt: &Interrupt,
) -> Result<PackageFiles, Failure> {
    let wanted = selected.case.manifest.setup(&selected.guest.name).packages;
    if wanted.is_empty() {
        return Ok(PackageFiles::default());
    }
    let names: Vec<String> = wanted.iter().cloned().map(String::from).collect();
    recorder.begin(Phase::Fetch, names.join(", "));
    let brought = guest::bring(&selected.guest, Purpose::Programs, &wanted, store, &mut |it| {
        recorder.progress(progress_line(&it));
        if interrupt.requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    let brought = brought.map_err(|error| fetch_failure(&error))?;
    let files = package_files::all(&brought).map_err(|error| {
        let message = format!("cannot give the guest the packages of case {}", selected.case.name);
        Failure::new(Exit::SetupError, message).caused_by(&*error)
    })?;
    recorder.finish(format!("{}, {} files for the guest", names.join(", "), files.files.len()));
    Ok(files)
}

/// The modules of the kernel that the case loads, with their debug information: as files beside the
/// case's own, so that the folder of a run has all that its dump is explained with.
fn modules_of_kernel(
    files: &GuestFiles,
    steps: &[Step],
    disk: &ModuleDisk,
    cache: (&Store, &Path),
    recorder: &mut Recorder<'_>,
    interrupt: &Interrupt,
) -> Result<Vec<(String, PathBuf)>, Failure> {
    let (store, folder) = cache;
    let mut names = BTreeSet::new();
    for step in steps {
        if let Step::OfKernel { name, .. } = step {
            let order = disk.index().order(name).unwrap_or_default();
            names.extend(order.into_iter().map(str::to_owned));
        }
    }
    let mut go_on = |progress| {
        recorder.progress(progress_line(&progress));
        if interrupt.requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let of_package = |package| guest::debug_modules(package, &names, store, &mut go_on);
    let debug = files.debug_package.as_deref().map(of_package).transpose();
    let debug = debug.map_err(|error| fetch_failure(&error))?.unwrap_or_default();
    let mut all = Vec::new();
    for name in names {
        let path = folder.join(BUILD).join(format!("{name}.ko"));
        let module = disk.module(&name);
        let module = module.map_err(|error| Failure::from_error(Exit::SetupError, &error))?;
        let Some(module) = module else { continue };
        fs::write(&path, module).map_err(|error| unwritable(folder, &error))?;
        if let Some(debug) = debug.get(&name) {
            let beside = path.with_extension("ko.debug");
            fs::copy(debug, beside).map_err(|error| unwritable(folder, &error))?;
        }
        all.push((name, path));
    }
    Ok(all)
}

/// `case.json`: what was run, with everything that manifests leave open filled in.
fn write_case(selected: &Selected, files: &GuestFiles, folder: &Path) -> Result<(), Failure> {
    let case = serde_json::json!({
        "case": selected.case.name,
        "manifest": selected.case.manifest,
        "expectation": selected.case.manifest.expectation(&selected.guest.name),
        "marked_line": selected.case.marker.as_ref().map(|marker| {
            format!("{}:{}", marker.file.display(), marker.line)
        }),
        "guest": selected.guest,
        "kernel": files.release,
        "packages": files.packages,
    });
    let path = folder.join("case.json");
    std::fs::write(&path, format!("{case:#}\n")).map_err(|error| {
        Failure::new(Exit::WriteFailed, format!("cannot write {}", path.display()))
            .caused_by(&error)
    })
}

fn interrupted() -> Failure {
    Failure::new(Exit::Interrupted, "interrupted")
}

/// Brings the guest's files into the cache.
///
/// # Errors
/// They cannot be had, or the user asked to stop.
pub fn fetch(
    guest: &Manifest,
    store: &Store,
    recorder: &mut Recorder<'_>,
    interrupt: &Interrupt,
) -> Result<GuestFiles, Failure> {
    recorder.begin(Phase::Fetch, guest.name.clone());
    let mut steps = 0_u32;
    let mut downloading = Duration::ZERO;
    let mut before = Instant::now();
    let result = guest::fetch(guest, store, &mut |progress| {
        steps = steps.saturating_add(1);
        if progress.phase == guest::Phase::Download {
            downloading += before.elapsed();
        }
        before = Instant::now();
        recorder.progress(progress_line(&progress));
        if interrupt.requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    let files = result.map_err(|error| fetch_failure(&error))?;
    for note in &files.notes {
        recorder.warn(note.clone());
    }
    let from = if steps == 0 {
        " from the cache".to_owned()
    } else {
        format!(", {} of it downloading", units::duration(downloading))
    };
    let packages = files.packages.len();
    recorder.finish(format!("{}: kernel {}, {packages} packages{from}", guest.name, files.release));
    Ok(files)
}

/// Makes a guest of files that are here; gives its name.
///
/// # Errors
/// They cannot be used, or the user asked to stop.
pub fn import(
    like: &Manifest,
    name: Option<&str>,
    files: &ImportFiles,
    store: &Store,
    recorder: &mut Recorder<'_>,
    interrupt: &Interrupt,
) -> Result<String, Failure> {
    recorder.begin(Phase::Fetch, "files to import");
    let result = guest::import(like, name, files, store, &mut |progress| {
        recorder.progress(progress_line(&progress));
        if interrupt.requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    let (name, files) = result.map_err(|error| fetch_failure(&error))?;
    for note in &files.notes {
        recorder.warn(note.clone());
    }
    recorder.finish(format!("{name}: kernel {}, as {}", files.release, like.name));
    Ok(name)
}

/// What a failed fetch is for the user.
pub(crate) fn fetch_failure(error: &FetchError) -> Failure {
    if matches!(error, FetchError::Cancelled) {
        return interrupted();
    }
    let failure = Failure::from_error(Exit::FetchFailed, error);
    match error.hint() {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

pub(crate) fn progress_line(progress: &Progress) -> String {
    let step = match progress.phase {
        guest::Phase::Waiting => "waiting for",
        guest::Phase::Lists => "reading",
        guest::Phase::Download => "downloading",
        guest::Phase::Extract => "unpacking",
    };
    let done = units::bytes(progress.done);
    match progress.total {
        Some(total) => format!("{step} {}, {done} of {}", progress.what, units::bytes(total)),
        None if progress.done > 0 => format!("{step} {}, {done}", progress.what),
        None => format!("{step} {}", progress.what),
    }
}

fn build(
    case: &Case,
    files: &GuestFiles,
    store: &Store,
    folder: &Path,
    recorder: &mut Recorder<'_>,
    interrupt: &Interrupt,
) -> Result<Vec<BuiltModule>, Failure> {
    let own = case.manifest.module.iter().filter(|module| module.origin() != Origin::InTree);
    let names: Vec<_> = own.map(|module| format!("{}.ko", module.name)).collect();
    let names = if names.is_empty() { "nothing".to_owned() } else { names.join(", ") };
    let what = format!("{names} for {}", files.release);
    recorder.begin(Phase::Build, what.clone());
    let out = folder.join(BUILD);
    let built = case::build(case, files, store, &out, &mut || !interrupt.requested());
    let built = built.map_err(|error| match error {
        BuildError::Cancelled => interrupted(),
        error => Failure::from_error(error.exit(), &error),
    })?;
    for note in &built.notes {
        recorder.warn(note.clone());
    }
    let cached = if built.cached { ", built before" } else { "" };
    recorder.finish(format!("{what}{cached}"));
    Ok(built.modules)
}

/// The modules that the guest loads, in order.
fn steps(
    case: &Case,
    built: &[BuiltModule],
    files: &GuestFiles,
    disk: &ModuleDisk,
) -> Result<Vec<Step>, Failure> {
    // A guest without headers has no list of symbols.
    let symvers = fs::read_to_string(files.build_dir.join("Module.symvers")).unwrap_or_default();
    let kernel = KernelSide { release: &files.release, index: disk.index(), symvers: &symvers };
    case::steps(&case.manifest, built, kernel)
        .map_err(|error| Failure::from_error(error.exit(), &error))
}

/// The case's files in the guest.
///
/// # Errors
/// A folder cannot be read, or a program's libraries are not on this machine.
fn case_files(
    selected: &Selected,
    modules: &[BuiltModule],
    steps: &[Step],
    packages: PackageFiles,
    disk: &ModuleDisk,
) -> Result<Vec<CaseFile>, Failure> {
    let case = &selected.case;
    let mut files: Vec<_> = modules
        .iter()
        .map(|module| CaseFile::at(format!("{}.ko", module.name), module.path.clone()))
        .collect();
    if let Some(TriggerCommand::Run(script)) = &case.manifest.trigger.command {
        files.push(CaseFile::at(TRIGGER.to_owned(), case.folder.join(script)));
        let known = [vec![initramfs::MODPROBE.to_owned()], packages.programs].concat();
        let programs = CaseContent::Bytes(programs(&known).into());
        files.push(CaseFile { name: PROGRAMS.to_owned(), content: programs });
    }
    if case.manifest.trigger.exec_paths.is_some() {
        let more = initramfs::exec_paths(disk);
        files.extend(more.map_err(|error| Failure::from_error(Exit::SetupError, &error))?);
    }
    let index = json::text(&own_index(steps)).into_bytes();
    files.push(CaseFile { name: CASE_MODULES.into(), content: CaseContent::Bytes(index) });
    let named = &case.manifest.setup(&selected.guest.name).files;
    let more = setup_files::all(&case.folder, named).map_err(|error| {
        let message = format!("cannot give the guest the files of case {}", case.name);
        Failure::new(Exit::SetupError, message).caused_by(&*error)
    })?;
    files.extend(more);
    files.extend(packages.files);
    Ok(files)
}

/// The case's modules for the guest's modprobe(8).
fn own_index(steps: &[Step]) -> ModuleIndex {
    let mut index = ModuleIndex::default();
    let entry = |step: &Step| match step {
        Step::Own { name, parameters, depends, .. } => {
            let entry = ModuleEntry {
                place: ModulePlace::File(guest_path(name)),
                depends: depends.clone(),
                wishes: Vec::new(),
                parameters: parameters.clone(),
            };
            Some((kernel_name(name), entry))
        }
        Step::OfKernel { .. } => None,
    };
    index.modules = steps.iter().filter_map(entry).collect();
    for step in steps {
        if let Step::Own { name, aliases, .. } = step {
            index.aliases.extend(aliases.iter().map(|alias| (alias.clone(), kernel_name(name))));
        }
    }
    index
}

/// Names for the shell: busybox's looks into itself before it looks for a program, and its own
/// modprobe, say, reads files that no guest has.
fn programs(paths: &[String]) -> String {
    let is_name = |name: &&str| {
        name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            && !name.starts_with(|c: char| c.is_ascii_digit())
    };
    let name = |path: &'_ str| path.rsplit('/').next().map(str::to_owned);
    let mut text = String::new();
    for path in paths {
        let Some(name) = name(path).filter(|name| is_name(&name.as_str())) else { continue };
        text.push_str(&format!("{name}() {{ {path} \"$@\"; }}\n"));
    }
    text
}

fn guest_path(module: &str) -> String {
    format!("{CASE_FOLDER}/{module}.ko")
}

/// The first kernel's initramfs, in a file without a name.
fn initrd(
    way: CaptureWay,
    files: &GuestFiles,
    disk: &ModuleDisk,
    case: &[CaseFile],
    folder: &Path,
) -> Result<File, Failure> {
    let bytes = initramfs::first(files, disk, way == CaptureWay::Kdump, case)
        .map_err(|error| Failure::from_error(Exit::SetupError, &error))?;
    nameless(&bytes, folder)
}

/// What a start from a snapshot needs. Nothing for a case whose files do not fit on their disk.
fn from_snapshot(
    variant: u32,
    store: &Store,
    (files, disk): (&GuestFiles, &ModuleDisk),
    case: &[CaseFile],
    folder: &Path,
    interrupt: &Interrupt,
) -> Result<Option<FromSnapshot>, Failure> {
    let setup =
        |error: &(dyn std::error::Error + 'static)| Failure::from_error(Exit::SetupError, error);
    let archive = initramfs::case(case).map_err(|error| setup(&error))?;
    if u64::try_from(archive.len()).is_ok_and(|bytes| bytes > CASE_BYTES) {
        return Ok(None);
    }
    let case_disk = nameless(&archive, folder)?;
    case_disk.set_len(CASE_BYTES).map_err(|error| unwritable(folder, &error))?;
    Ok(Some(FromSnapshot {
        snapshots: Snapshots::open(store.root()).map_err(|error| setup(&error))?,
        variant,
        initrd: initrd(CaptureWay::Fast, files, disk, &[], folder)?,
        case: case_disk,
        interrupt: interrupt.clone(),
    }))
}

/// A file without a name in `folder`.
fn nameless(bytes: &[u8], folder: &Path) -> Result<File, Failure> {
    let write = || -> io::Result<File> {
        let mut file = tempfile::tempfile_in(folder)?;
        file.write_all(bytes)?;
        file.rewind()?;
        Ok(file)
    };
    write().map_err(|error| unwritable(folder, &error))
}

fn unwritable(folder: &Path, error: &io::Error) -> Failure {
    Failure::new(Exit::WriteFailed, format!("cannot write to {}", folder.display()))
        .caused_by(error)
}

/// The command line QEMU would be started with; what is not fetched or built has a name in
/// brackets.
///
/// # Errors
/// No temporary file can be made.
pub fn dry_run(
    selected: &Selected,
    way: CaptureWay,
    accel: Accel,
    launcher: &dyn Launcher,
) -> io::Result<String> {
    let kernel = format!("<kernel of {}>", selected.guest.name);
    let plan = plan(selected, way, kernel.into(), tempfile::tempfile()?);
    let disks = Disks::create(&std::env::temp_dir())?;
    let ram = plan.is_fast().then(|| Ram::create(plan.memory_bytes)).transpose()?;
    let ram = ram.as_ref().map(|ram| SharedRam { file: &ram.file, case: None, incoming: false });
    Ok(launcher.describe(&plan.spec(accel, &disks, ram)))
}

fn plan(selected: &Selected, way: CaptureWay, vmlinuz: PathBuf, initrd: File) -> Plan {
    let Selected { case, guest } = selected;
    let (kernel, setup) = (&guest.kernel, case.manifest.setup(&guest.name));
    let expected = case.manifest.expectation(&guest.name);
    let capture = |tcg: &[String]| {
        let level = setup.dump_level.unwrap_or(kernel.dump_level);
        let words = [CONSOLE.to_owned(), format!("REPRO_VMCORE_LEVEL={level}")];
        [&words[..], &kernel.capture_command_line, tcg].concat().join(" ")
    };
    let memory_bytes = setup.memory.unwrap_or(guest.memory);
    let limits = |timeouts| Limits::of(timeouts, memory_bytes, guest.memory);
    let first = [CONSOLE.to_owned(), format!("crashkernel={}", kernel.crashkernel)];
    Plan {
        case: case.name.clone(),
        guest: guest.name.clone(),
        cpus: setup.cpus.unwrap_or(guest.cpus),
        memory_bytes,
        kernel: vmlinuz,
        initrd,
        command_line: [&first[..], &kernel.command_line, &setup.command_line].concat().join(" "),
        crashkernel: kernel.crashkernel.clone(),
        capture_command_line: ByAccel {
            kvm: capture(&[]),
            tcg: capture(&kernel.capture_command_line_tcg),
        },
        sysctls: sysctls(&setup),
        modules: case.manifest.module.iter().map(named).collect(),
        module_disk: None,
        trigger: trigger(case, &selected.guest.name),
        unload: expected.outcome == case::Outcome::None && expected.unload,
        capture: methods(way, guest),
        limits: ByAccel { kvm: limits(&guest.timeouts.kvm), tcg: limits(&guest.timeouts.tcg) },
        snapshot: None,
    }
}

/// The ways of a guest, in order. Fast capture takes the place of kdump.
fn methods(way: CaptureWay, guest: &Manifest) -> Vec<CaptureMethod> {
    let mut methods: Vec<_> = guest.capture.iter().copied().map(capture_method).collect();
    match way {
        CaptureWay::Kdump => {}
        CaptureWay::Fast => {
            methods.retain(|method| *method != CaptureMethod::Kdump);
            methods.insert(0, CaptureMethod::Fast);
        }
        CaptureWay::Qmp => methods = vec![CaptureMethod::Qmp],
    }
    methods
}

fn capture_method(method: guest::CaptureMethod) -> CaptureMethod {
    match method {
        guest::CaptureMethod::Kdump => CaptureMethod::Kdump,
        guest::CaptureMethod::Qmp => CaptureMethod::Qmp,
    }
}

/// An oops has to enter the capture kernel, and so has an NMI that wakes a hanging kernel. What the
/// case sets comes last, and wins.
fn sysctls(setup: &case::Setup) -> Vec<Sysctl> {
    let sysctl =
        |name: &str, required| Sysctl { name: name.to_owned(), value: "1".to_owned(), required };
    let own = setup.sysctls.iter().map(|(name, value)| Sysctl {
        name: name.clone(),
        value: value.0.clone(),
        required: true,
    });
    [sysctl("kernel.panic_on_oops", true), sysctl("kernel.unknown_nmi_panic", false)]
        .into_iter()
        .chain(own)
        .collect()
}

/// A module as the manifest names it: what it depends on is known when it is built.
fn named(module: &case::Module) -> Module {
    let (name, parameters) = (module.name.clone(), module.parameter_line());
    match module.origin() {
        Origin::InTree => self::module(&Step::OfKernel { name, parameters }),
        Origin::Built | Origin::Prebuilt => {
            let (depends, aliases) = (Vec::new(), Vec::new());
            self::module(&Step::Own { name, parameters, depends, aliases })
        }
    }
}

fn module(step: &Step) -> Module {
    match step {
        Step::Own { name, parameters, .. } => Module {
            name: format!("{name}.ko"),
            from: ModuleFrom::Case(guest_path(name)),
            parameters: parameters.clone(),
        },
        Step::OfKernel { name, parameters } => {
            Module { name: name.clone(), from: ModuleFrom::Kernel, parameters: parameters.clone() }
        }
    }
}

fn trigger(case: &Case, guest: &str) -> Trigger {
    let trigger = &case.manifest.trigger;
    let command = trigger.command.as_ref().map(|command| match command {
        TriggerCommand::Run(script) => {
            let start = format!(". {CASE_FOLDER}/{PROGRAMS}; . \"$0\"");
            let script_path = format!("{CASE_FOLDER}/{TRIGGER}");
            let argv = vec!["/bin/sh".to_owned(), "-c".to_owned(), start, script_path];
            (script.display().to_string(), argv)
        }
        TriggerCommand::Exec(words) => (words.join(" "), words.clone()),
    });
    let (label, argv) = match &trigger.exec_paths {
        None => command.unwrap_or_default(),
        Some(paths) => {
            let (label, first) = command.unzip();
            let label = label.map(|label| format!("{label}, then {paths}"));
            (label.unwrap_or_else(|| paths.to_string()), exec_paths(case, paths, first))
        }
    };
    let allow = case.manifest.expectation(guest).allow;
    Trigger {
        label,
        argv,
        environment: trigger.environment.clone(),
        tells: trigger.exec_paths.is_some(),
        limit: trigger.timeout,
        settle: trigger.settle,
        stop_unless: trigger.stop_at_complaint.then_some(allow),
    }
}

/// The command line of the program in the guest that executes others in these ways, after `first`.
fn exec_paths(case: &Case, paths: &ExecPaths, first: Option<Vec<String>>) -> Vec<String> {
    let ExecPaths { wanted, seed, rounds } = paths;
    let mut argv = vec![EXEC_PATHS.to_owned(), "--tell".to_owned()];
    let mut option = |name: &str, value: String| argv.extend([name.to_owned(), value]);
    option("--modules", EXEC_MODULES.to_owned());
    option("--rounds", rounds.to_string());
    if let Some(seed) = seed {
        option("--seed", seed.to_string());
    }
    if let Some(module) = case.manifest.module.last() {
        option("--module", kernel_name(&module.name));
    }
    argv.extend(wanted.iter().map(|wanted| wanted.word().to_owned()));
    argv.extend(first.into_iter().flat_map(|first| std::iter::once("--".to_owned()).chain(first)));
    argv
}
