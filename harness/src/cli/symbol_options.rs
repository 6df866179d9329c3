// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where the kernel and the modules of a dump are: named, found, or brought.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::env;
use std::ffi::OsString;
use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use analyzer::Analysis;
use analyzer::machine::Machine;
use analyzer::report::{Confidence, Report};
use clap::Args;
use guest::{Debuginfod, Limits, Manifest, no_servers};

use super::guest_options::GuestOptions;
use super::options::GlobalOptions;
use crate::analysis::{Symbols, analyze_input};
use crate::crash_folder;
use crate::debug_files::{Missing, Sources, Ways, bring, words};
use crate::error::Failure;
use crate::events::{Bus, Counts, Event};
use crate::exit::Exit;
use crate::input::Input;
use crate::report::{Lacking, columns, lacking_text};
use crate::run::{Recorder, select};
use crate::symbols::{Lines, Places, Wanted, is_kernel, other_than_kernel};
use crate::vm::quoted;

/// Rounds of bringing and looking again: the kernel, then its modules, then what their frames lead to.
const MOST_ROUNDS: usize = 6;

/// Where the kernel and the modules of a dump are.
#[derive(Debug, Clone, Args)]
pub(super) struct SymbolOptions {
    /// The kernel with symbols and debug information, or a folder with it
    #[arg(long, value_name = "PATH")]
    vmlinux: Option<PathBuf>,
    /// Folder with the modules that were loaded (.ko, .ko.xz, .ko.debug, …), at any depth
    #[arg(long, value_name = "DIR")]
    module_dir: Option<PathBuf>,
    /// Bring debug information that is not here from the repositories of the guest that has such kernels
    ///
    /// Only the kernel's package of debug information is fetched, into the cache. Without this option a terminal
    /// is asked; without a terminal nothing is fetched. REPRO_MIRROR and the user's configuration name other places
    /// of repositories, as for runs.
    #[arg(long)]
    fetch: bool,
}

impl SymbolOptions {
    /// Opens what is named, and says where the rest is looked for. Among several files, the kernel's own may be one,
    /// wherever it stands.
    pub(super) fn open(
        &self,
        named: &[PathBuf],
        global: &GlobalOptions,
    ) -> Result<(Input, Symbols), Failure> {
        let of_kernel = |path: &&PathBuf| named.len() > 1 && is_kernel(path);
        let mut kernels: Vec<&PathBuf> =
            named.iter().filter(of_kernel).chain(&self.vmlinux).collect();
        kernels.dedup_by_key(|path| path.canonicalize().ok());
        if let [_, other, ..] = kernels.as_slice() {
            let what = format!("{} is a second kernel", other.display());
            return Err(Failure::new(Exit::Usage, what).hint("a dump has one vmlinux"));
        }
        kernels.iter().copied().chain(&self.module_dir).try_for_each(|path| is_there(path))?;
        if let Some((path, what)) =
            kernels.first().and_then(|path| Some((path, other_than_kernel(path)?)))
        {
            let words = format!("{} is no vmlinux, but {what}", path.display());
            return Err(Failure::new(Exit::Usage, words));
        }
        let dump = dumps(named, &of_kernel)?;
        let dump = crash_folder::expanded(&dump)?;
        let symbols = self.symbols(&dump, kernels.first().copied(), global);
        Ok((Input::open(&dump)?, symbols))
    }

    /// What is named, and the places where the rest is looked for.
    pub(super) fn symbols(
        &self,
        dump: &[PathBuf],
        vmlinux: Option<&PathBuf>,
        global: &GlobalOptions,
    ) -> Symbols {
        let first = dump.first().map(PathBuf::as_path);
        Symbols {
            vmlinux: vmlinux.or(self.vmlinux.as_ref()).cloned(),
            modules: Vec::new(),
            module_dir: self.module_dir.clone(),
            places: Places::of(first, global.cache().ok()),
            // A run leaves beside its vmcore the lines of sources that its report quotes.
            lines: first.and_then(|file| file.parent()).map(Lines::kept_in).unwrap_or_default(),
        }
    }

    /// Analyzes a dump; what it lacks is brought, where that is wanted, and it is analyzed again. Gives what is
    /// lacking still.
    pub(super) fn analyze<T: Default>(
        &self,
        input: &Input,
        symbols: &mut Symbols,
        global: &GlobalOptions,
        look: &dyn Fn(&Machine<'_>, &Report) -> T,
    ) -> Result<(Analysis, T, Vec<Lacking>), Failure> {
        let servers = servers(global);
        let named = servers.as_ref().map(ToString::to_string);
        let asked_for = Cell::new(None);
        let repositories = |release: &str| self.repositories(release, global, &asked_for);
        let mut sources =
            Sources { store: None, servers, repositories: &repositories, asked: BTreeSet::new() };
        let mut bus = Bus::new(vec![Box::new(global.terminal())]);
        for damage in input.damage() {
            Recorder::new(&mut bus).warn(damage);
        }
        let mut left = MOST_ROUNDS;
        let (analysis, looked, missing) = loop {
            let look = |machine: &Machine<'_>, report: &Report| {
                (look(machine, report), Missing::of(machine, report))
            };
            let (analysis, (looked, missing)) = analyze_input(input, symbols, look)?;
            let missing = match input {
                Input::Text(_) => of_text(analysis.report.kernel.release.clone(), symbols),
                Input::Dump(_) => missing,
            };
            left -= 1;
            if missing.is_nothing() || left == 0 {
                break (analysis, looked, missing);
            }
            let mut recorder = Recorder::new(&mut bus);
            if sources.store.is_none() {
                if left == MOST_ROUNDS - 1 {
                    misunderstood(global).into_iter().for_each(|words| recorder.warn(words));
                }
                match global.store() {
                    Ok(store) => sources.store = Some(store),
                    Err(failure) if left == MOST_ROUNDS - 1 => recorder.warn(failure.to_string()),
                    Err(_) => {}
                }
            }
            if !bring(&missing, &mut symbols.places, &mut sources, &mut recorder) {
                break (analysis, looked, missing);
            }
        };
        let release = missing.release();
        if self.fetch && missing.kernel.is_some() {
            let why = match release.map(|release| guest_with(release, global)) {
                _ if global.offline() => Some("nothing is fetched with --offline"),
                None => Some("the release of the kernel is not known"),
                Some(None) => Some("no guest has such kernels"),
                Some(Some(_)) => None,
            };
            let mut recorder = Recorder::new(&mut bus);
            why.into_iter().for_each(|why| recorder.warn(format!("--fetch does nothing: {why}")));
        }
        if matches!(input, Input::Dump(_)) {
            let mut recorder = Recorder::new(&mut bus);
            by_its_log(&analysis.report, symbols)
                .into_iter()
                .for_each(|words| recorder.warn(words));
        }
        let were_asked = sources.store.is_some();
        bus.emit(Event::Finished { counts: Counts::default(), failure: None });
        bus.finish()?;
        if missing.is_nothing() {
            return Ok((analysis, looked, Vec::new()));
        }
        let may_fetch = !self.fetch && !global.offline();
        let guest = missing.release().filter(|_| may_fetch).and_then(|it| guest_with(it, global));
        let guest = guest.map(|guest| guest.name);
        let servers = named.filter(|_| were_asked);
        let command = typed(env::args_os());
        let module_dir = self.module_dir.clone();
        let ways = Ways { guest, servers, module_dir, offline: global.offline(), command };
        Ok((analysis, looked, words(&missing, &ways)))
    }

    /// The guest whose repositories are to be asked for a release.
    fn repositories(
        &self,
        release: &str,
        global: &GlobalOptions,
        asked_for: &Cell<Option<bool>>,
    ) -> Option<Result<Manifest, Failure>> {
        if global.offline() {
            return None;
        }
        let mut guest = guest_with(release, global)?;
        let agreed = self.fetch
            || asked_for.get().unwrap_or_else(|| {
                let answer = agrees(release, &guest.name, global);
                asked_for.set(Some(answer));
                answer
            });
        let options = GuestOptions::of_kernel(release);
        agreed.then(|| options.apply([&mut guest]).map(|()| guest))
    }
}

/// Those of the files that are no kernel.
fn dumps<'n>(
    named: &'n [PathBuf],
    of_kernel: &dyn Fn(&&PathBuf) -> bool,
) -> Result<Vec<&'n PathBuf>, Failure> {
    let dump: Vec<&PathBuf> = named.iter().filter(|path| !of_kernel(path)).collect();
    match named {
        [kernel, ..] if dump.is_empty() => {
            let what = format!("no dump is among the files: {} is a kernel", kernel.display());
            Err(Failure::new(Exit::Usage, what).hint("name the vmcore, too"))
        }
        _ => Ok(dump),
    }
}

/// Says below the report what is lacking.
pub(super) fn tell(lacking: &[Lacking], global: &GlobalOptions) {
    if lacking.is_empty() || global.is_quiet() {
        return;
    }
    let text = lacking_text(lacking, columns(io::stderr()));
    // Where stderr is gone, there is nowhere to tell it.
    let _ = anstream::stderr().write_all(text.as_bytes());
}

/// What a dump that lacks too much leaves open, the log may tell that was saved beside it.
fn by_its_log(report: &Report, symbols: &Symbols) -> Option<String> {
    let is_open =
        report.verdict.confidence == Confidence::Unknown && report.dump.complete == Some(false);
    let log = crash_folder::log_in(symbols.places.beside.as_deref().filter(|_| is_open)?)?;
    Some(format!("the log beside the dump may tell more: repro analyze {}", log.display()))
}

/// What a text lacks, which has no machine to look into.
fn of_text(release: Option<String>, symbols: &Symbols) -> Missing {
    let wanted = Wanted { release: release.clone(), build_id: None };
    match symbols.kernel(&wanted) {
        Ok(None) => Missing::of_text(release),
        _ => Missing::default(),
    }
}

/// The guest that has kernels of that release.
fn guest_with(release: &str, global: &GlobalOptions) -> Option<Manifest> {
    let project = global.project().ok()?;
    let names = select::guest_names(&project).ok()?;
    let mut guests = names.iter().filter_map(|name| select::load_guest(&project, name).ok());
    guests.find(|guest| guest.source.may_have(release))
}

/// Asks at a terminal, unless all questions are answered with yes; elsewhere nobody agrees, whatever the environment
/// says: what is fetched was asked for by somebody who sees it.
fn agrees(release: &str, guest: &str, global: &GlobalOptions) -> bool {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() || global.is_quiet() {
        return false;
    }
    if global.yes() {
        return true;
    }
    let question = format!(
        "Fetch the debug information of {release} (some hundred MB) from the repositories of {guest}? [y/N] "
    );
    let mut answer = String::new();
    let asked = io::stderr().write_all(question.as_bytes()).and_then(|()| io::stderr().flush());
    let read = asked.and_then(|()| io::stdin().lock().read_line(&mut answer));
    if matches!(read, Ok(0)) {
        // The end of the input is no line, and the report begins one.
        let _ = io::stderr().write_all(b"\n");
    }
    read.is_ok() && matches!(answer.trim(), "y" | "Y" | "yes")
}

/// Whether servers of debug files may be asked.
pub(super) fn has_servers(global: &GlobalOptions) -> bool {
    servers(global).is_some()
}

/// That a file or folder that the command line names is there.
fn is_there(path: &Path) -> Result<(), Failure> {
    let cannot = |error: io::Error| {
        Failure::new(Exit::Usage, format!("cannot read {}", path.display())).caused_by(&error)
    };
    path.metadata().map(|_| ()).map_err(cannot)
}

/// Limits of servers: seconds of silence, seconds of a file, and its bytes.
const LIMITS: [&str; 3] = ["DEBUGINFOD_TIMEOUT", "DEBUGINFOD_MAXTIME", "DEBUGINFOD_MAXSIZE"];

/// A number of the environment; 0 stands for no limit of one's own.
fn number(name: &str) -> Option<u64> {
    env::var(name).ok()?.trim().parse().ok().filter(|it| *it > 0)
}

/// What of the environment names no servers, and no limits for them.
fn misunderstood(global: &GlobalOptions) -> Vec<String> {
    let Some(urls) = env::var("DEBUGINFOD_URLS").ok().filter(|_| !global.offline()) else {
        return Vec::new();
    };
    let words = no_servers(&urls).into_iter().map(|word| {
        format!("DEBUGINFOD_URLS: `{word}` is no server: http://, https:// or file:// is missing")
    });
    let is_no_number = |name: &&str| {
        let value = env::var(name).ok();
        value.is_some_and(|it| !it.trim().is_empty() && it.trim().parse::<u64>().is_err())
    };
    let limits = LIMITS.into_iter().filter(is_no_number);
    words.chain(limits.map(|name| format!("{name} is no number, and is not used"))).collect()
}

/// A command as it is typed.
fn typed(words: impl Iterator<Item = OsString>) -> String {
    let mut words = words.map(|word| quoted(&word.to_string_lossy()));
    let program = words.next().unwrap_or_default();
    let program = program.rsplit('/').next().unwrap_or_default().to_owned();
    [program].into_iter().chain(words).collect::<Vec<_>>().join(" ")
}

/// The servers that the environment names, with its limits (debuginfod-find(1), "ENVIRONMENT VARIABLES").
fn servers(global: &GlobalOptions) -> Option<Debuginfod> {
    if global.offline() {
        return None;
    }
    let [silence, whole, bytes] = LIMITS.map(number);
    let limits = Limits {
        silence: silence.map(Duration::from_secs),
        whole: whole.map(Duration::from_secs),
        bytes,
    };
    Debuginfod::of(&env::var("DEBUGINFOD_URLS").ok()?, limits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernels_alone_are_no_dump() {
        let [kernel, dump] = ["vmlinux", "vmcore"].map(PathBuf::from);
        let of_kernel = |path: &&PathBuf| path.ends_with("vmlinux");
        let named = [kernel.clone(), dump.clone()];
        assert_eq!(dumps(&named, &of_kernel).unwrap(), [&dump]);
        let failure = dumps(&[kernel.clone(), kernel], &of_kernel).unwrap_err();
        assert_eq!(failure.to_string(), "no dump is among the files: vmlinux is a kernel");
    }
}
