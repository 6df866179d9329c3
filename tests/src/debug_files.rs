// SPDX-License-Identifier: MIT OR Apache-2.0
//! A dump on a machine that has nothing but the program: what is missing is named, a debuginfod on loopback has it,
//! and the report is then the one of the run that made the dump.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use anyhow::{Context as _, Result, ensure};
use vmcore::Vmcore;

use crate::live::Live;
use crate::peers::debuginfod::Server;
use crate::peers::setup;
use crate::project;
use crate::symbols::Symbols;

/// The machine: an empty cache and home, a dump and nothing beside it.
struct Bare {
    folder: tempfile::TempDir,
    vmcore: PathBuf,
}

/// What the program says there.
struct Said {
    report: String,
    notes: String,
}

impl Bare {
    fn with(live: &Live) -> Result<Self> {
        let folder = tempfile::tempdir_in(project::target())?;
        let vmcore = folder.path().join("vmcore");
        fs::hard_link(&live.dump.vmcore, &vmcore)?;
        Ok(Self { folder, vmcore })
    }

    fn analyze(&self, options: &[&str], urls: &str) -> Result<Said> {
        let home = self.folder.path();
        let output: Output = duct::cmd(project::repro()?, ["analyze"].iter().chain(options))
            .before_spawn({
                let vmcore = self.vmcore.clone();
                move |command| {
                    command.arg(&vmcore);
                    Ok(())
                }
            })
            .dir(home)
            .env("HOME", home)
            .env_remove("XDG_CACHE_HOME")
            .env_remove("DEBUGINFOD_CACHE_PATH")
            .env("REPRO_CACHE", home.join("cache"))
            .env("DEBUGINFOD_URLS", urls)
            .env("NO_COLOR", "1")
            .stdout_capture()
            .stderr_capture()
            .unchecked()
            .run()
            .context("start repro")?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let said = Said { report: text(&output.stdout), notes: text(&output.stderr) };
        ensure!(output.status.success(), "repro analyze: {}", said.notes);
        Ok(said)
    }
}

/// From a dump alone to the report of its run, by build-id.
///
/// # Errors
/// The program says something else; [`Unavailable`](crate::trial::Unavailable) if there is no debuginfod.
pub fn check(live: &Live) -> Result<()> {
    let whole = fs::read_to_string(live.artifacts.join("crash.txt"))?;
    let report = live.report()?;
    let release = report.kernel.release.as_deref().context("no release")?;
    let build_id =
        Symbols::read(&live.dump.vmlinux)?.build_id.context("vmlinux has no build-id")?;
    let bare = Bare::with(live)?;
    let served = bare.folder.path().join("served");
    serve(live, &served)?;

    let alone = bare.analyze(&[], "")?;
    let missing = format!("Missing vmlinux of {release} (build-id {build_id})");
    ensure!(alone.notes.contains(&missing), "{missing} is not in {}", alone.notes);
    let line = format!("apt install linux-image-{release}-dbg");
    ensure!(alone.notes.contains(&line), "{line} is not in {}", alone.notes);
    ensure!(alone.report != whole, "the dump alone says all");

    let configuration = bare.folder.path().join(".config/repro");
    fs::create_dir_all(&configuration)?;
    fs::write(configuration.join("config.toml"), "mirrors = 5\n")?;
    let unset = bare.analyze(&["--fetch"], "")?;
    ensure!(unset.notes.contains("config.toml:1"), "nothing was fetched, for: {}", unset.notes);
    ensure!(unset.notes.contains(&missing) && unset.report == alone.report, "{}", unset.notes);
    fs::remove_dir_all(&configuration)?;

    stripped(live, &bare, &alone)?;

    let server = Server::start(&served)?;
    let offline = bare.analyze(&["--offline"], &server.url)?;
    ensure!(
        offline.report == alone.report && offline.notes.contains(&missing),
        "{}",
        offline.notes
    );
    let brought = bare.analyze(&[], &server.url)?;
    ensure!(brought.report == whole, "by debuginfod:\n{}\n{}", brought.report, brought.notes);
    ensure!(brought.notes.contains(&format!("by build-id {build_id}")), "{}", brought.notes);
    ensure!(!brought.notes.contains("Missing"), "{}", brought.notes);

    by_its_notes(live, &bare, &whole)?;

    let gone = server.url.clone();
    drop(server);
    let kept = bare.analyze(&[], &gone)?;
    ensure!(kept.report == whole && kept.notes.is_empty(), "from the cache: {}", kept.notes);
    fs::remove_dir_all(bare.folder.path().join("cache"))?;
    let silent = bare.analyze(&[], &gone)?;
    ensure!(silent.report == alone.report, "{}", silent.report);
    let tried = silent.notes.matches("cannot fetch").count();
    ensure!(tried == 1, "a server that is gone was asked {tried} times: {}", silent.notes);
    beside(live, &bare, &whole)
}

/// A kernel whose VMCOREINFO has no build-id, as before 5.9: its notes in memory have it, and what was brought is found.
fn by_its_notes(live: &Live, bare: &Bare, whole: &str) -> Result<()> {
    const NAME: &[u8] = b"BUILD-ID=";
    let mut bytes = fs::read(&live.dump.vmcore)?;
    // It stands in the headers more than once: as a note, and by itself.
    let head = bytes.get_mut(..1 << 20).context("a short dump")?;
    while let Some(at) = head.windows(NAME.len()).position(|at| at == NAME) {
        head[at] = b'X';
    }
    let said = Vmcore::open(&bytes)?.vmcoreinfo().build_id();
    ensure!(said.is_none(), "VMCOREINFO has a build-id still");
    let place = tempfile::tempdir_in(project::target())?;
    let without = place.path().join("vmcore");
    fs::write(&without, bytes)?;
    let other = Bare { folder: tempfile::tempdir_in(project::target())?, vmcore: without };
    fs::rename(bare.folder.path().join("cache"), other.folder.path().join("cache"))?;
    let said = other.analyze(&["--offline"], "")?;
    fs::rename(other.folder.path().join("cache"), bare.folder.path().join("cache"))?;
    let build = |text: &str| text.lines().skip(1).map(str::to_owned).collect::<Vec<_>>();
    ensure!(build(&said.report) == build(whole), "by its notes:\n{}{}", said.report, said.notes);
    Ok(())
}

/// A kernel without names tells less than the dump, which has its own.
fn stripped(live: &Live, bare: &Bare, alone: &Said) -> Result<()> {
    let objcopy = setup::program("objcopy", "binutils")?;
    let kernel = bare.folder.path().join("stripped");
    duct::cmd!(objcopy, "--strip-all", &live.dump.vmlinux, &kernel).run().context("objcopy")?;
    let said = bare.analyze(&["--vmlinux", &kernel.display().to_string()], "")?;
    let verdict = |report: &str| {
        let lines = report.lines().filter(|line| !line.contains("A003"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    ensure!(verdict(&said.report) == verdict(&alone.report), "stripped: {}", said.report);
    ensure!(said.report.contains("is stripped, and not used"), "stripped: {}", said.report);
    ensure!(said.notes.contains("has no debug information"), "stripped: {}", said.notes);
    fs::remove_file(&kernel).context("remove the kernel")
}

/// What distributions have: the kernel with all its sections, and debug information of modules apart from their code.
fn serve(live: &Live, folder: &Path) -> Result<()> {
    fs::create_dir(folder)?;
    fs::hard_link(&live.dump.vmlinux, folder.join("vmlinux"))
        .or_else(|_| fs::copy(&live.dump.vmlinux, folder.join("vmlinux")).map(|_| ()))?;
    let objcopy = setup::program("objcopy", "binutils")?;
    for entry in fs::read_dir(&live.dump.modules)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "ko") {
            let name = path.file_name().unwrap_or_default();
            let debug = folder.join(name).with_extension("ko.debug");
            duct::cmd!(&objcopy, "--only-keep-debug", &path, debug).run().context("objcopy")?;
        }
    }
    Ok(())
}

/// A run's folder that was copied from elsewhere: its modules are beside its vmcore.
fn beside(live: &Live, bare: &Bare, whole: &str) -> Result<()> {
    let build = bare.folder.path().join("build");
    fs::create_dir(&build)?;
    for entry in fs::read_dir(&live.dump.modules)? {
        let path = entry?.path();
        fs::copy(&path, build.join(path.file_name().unwrap_or_default()))?;
    }
    let vmlinux = live.dump.vmlinux.display().to_string();
    let said = bare.analyze(&["--vmlinux", &vmlinux], "")?;
    ensure!(said.report == whole && said.notes.is_empty(), "beside: {}", said.notes);
    Ok(())
}
