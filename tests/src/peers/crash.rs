// SPDX-License-Identifier: MIT OR Apache-2.0
//! `crash`: `bt`, `sys`, `mod`, `log`, and expressions evaluated by the gdb within it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};

use super::setup;

/// What `crash` says of a dump.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crash {
    /// `bt` of the task that crashed.
    pub bt: Backtrace,
    /// `sys`: label and value.
    pub sys: BTreeMap<String, String>,
    /// `mod`: loaded modules.
    pub modules: Vec<Module>,
    /// `log`.
    pub log: String,
    /// `p/x EXPRESSION`, if one was asked for.
    pub value: Option<u64>,
}

/// `bt`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Backtrace {
    /// `PID`.
    pub pid: i32,
    /// `TASK`.
    pub task: u64,
    /// `CPU`.
    pub cpu: u32,
    /// `COMMAND`.
    pub command: String,
    /// Addresses of the frames, innermost first.
    pub addresses: Vec<u64>,
    /// Registers of the first exception frame, if it is shown: with a program counter that is no
    /// code, `crash` takes only some exception frames for one.
    pub exception: BTreeMap<String, u64>,
}

/// A line of `mod`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Module {
    /// `NAME`.
    pub name: String,
    /// `BASE`.
    pub base: u64,
    /// `SIZE`.
    pub size: u64,
}

/// Asks `crash`. `modules` are names and files, `expression` is C.
///
/// # Errors
/// It cannot be had, or it fails.
pub fn ask(
    vmcore: &Path,
    vmlinux: &Path,
    modules: &[(&str, &Path)],
    expression: Option<&str>,
) -> Result<Crash> {
    let mut commands = vec!["sys".to_owned(), "mod".to_owned(), "log".to_owned()];
    commands.extend(modules.iter().map(|(name, file)| format!("mod -s {name} {}", file.display())));
    commands.push("bt".to_owned());
    commands.extend(expression.map(|expression| format!("p/x {expression}")));
    let said = run(&[vmcore], vmlinux, &commands)?;
    let mut answers = said.into_iter();
    let mut next = || answers.next().context("crash stopped early");
    let (sys, listing, log) = (next()?, next()?, next()?);
    for _ in modules {
        next()?;
    }
    Ok(Crash {
        sys: sys_values(&sys),
        modules: module_lines(&listing),
        log,
        bt: backtrace(&next()?)?,
        value: expression.map(|_| next().and_then(|said| printed(&said))).transpose()?,
    })
}

/// Runs commands on a dump of one file or of several; what each of them printed.
///
/// # Errors
/// It cannot be had, or it fails.
pub fn run(vmcores: &[&Path], vmlinux: &Path, commands: &[String]) -> Result<Vec<String>> {
    let crash = setup::program("crash", "crash")?;
    let folder = tempfile::tempdir().context("make a folder")?;
    let answer = |index: usize| folder.path().join(index.to_string());
    let mut input = String::from("set scroll off\n");
    for (index, command) in commands.iter().enumerate() {
        input.push_str(&format!("{command} > {}\n", answer(index).display()));
    }
    input.push_str("quit\n");
    let script = folder.path().join("commands");
    fs::write(&script, input).with_context(|| format!("write {}", script.display()))?;
    // It takes what follows an @ in a path for an address.
    let mut words = vec![OsString::from("-s"), vmlinux.into()];
    for (index, vmcore) in vmcores.iter().enumerate() {
        let dump = folder.path().join(format!("vmcore{index}"));
        symlink(vmcore, &dump).with_context(|| format!("make {}", dump.display()))?;
        words.push(dump.into());
    }
    words.extend(["-i".into(), script.into()]);
    let output = duct::cmd(crash, words)
        .stdin_null()
        .stderr_to_stdout()
        .stdout_capture()
        .unchecked()
        .run()
        .context("start crash")?;
    let text = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "crash: {}\n{text}", output.status);
    let read = |index| fs::read(answer(index)).with_context(|| format!("no answer:\n{text}"));
    let answers = (0..commands.len()).map(read);
    answers.map(|bytes| Ok(String::from_utf8_lossy(&bytes?).into_owned())).collect()
}

/// `    KERNEL: /boot/vmlinux  [TAINTED]`.
fn sys_values(text: &str) -> BTreeMap<String, String> {
    let pair = |line: &str| {
        let (label, value) = line.split_once(':')?;
        Some((label.trim().to_owned(), value.trim().to_owned()))
    };
    text.lines().filter_map(pair).collect()
}

/// `ffffffffc0346100  akfs     ffffffffc0344000  16384  (not loaded)  [CONFIG_KALLSYMS]`.
fn module_lines(text: &str) -> Vec<Module> {
    let module = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [_, name, base, size, ..] = words[..] else { return None };
        let (base, size) = (hex(base)?, size.parse().ok()?);
        Some(Module { name: name.to_owned(), base, size })
    };
    text.lines().filter_map(module).collect()
}

fn hex(text: &str) -> Option<u64> {
    u64::from_str_radix(text, 16).ok()
}

fn backtrace(text: &str) -> Result<Backtrace> {
    let mut lines = text.lines().skip_while(|line| !line.starts_with("PID: "));
    let head = lines.next().with_context(|| format!("no backtrace in {text}"))?;
    let after = |label: &str| {
        let rest = head.split_once(label).map(|(_, rest)| rest.trim_start());
        let word = rest.and_then(|rest| rest.split_whitespace().next());
        word.with_context(|| format!("no {label} in {head}"))
    };
    let mut found = Backtrace {
        pid: after("PID:")?.parse()?,
        task: hex(after("TASK:")?).context("no address")?,
        cpu: after("CPU:")?.parse()?,
        command: after("COMMAND:")?.trim_matches('"').to_owned(),
        ..Backtrace::default()
    };
    // The registers of user space come last, in the same form but without this line.
    let mut in_exception = false;
    for line in lines {
        let frame = line.trim_start().starts_with('#');
        in_exception = !frame && (in_exception || line.contains("[exception RIP:"));
        if let (true, Some((_, at))) = (frame, line.split_once(" at ")) {
            found.addresses.extend(at.split_whitespace().next().and_then(hex));
        } else if in_exception {
            registers(line, &mut found.exception);
        }
    }
    Ok(found)
}

/// `    RIP: 0000000000000000  RSP: ff33ceb8403eacf0  RFLAGS: 00000246`.
fn registers(line: &str, into: &mut BTreeMap<String, u64>) {
    let words: Vec<&str> = line.split_whitespace().collect();
    for pair in words.chunks(2) {
        if let [name, value] = pair
            && let Some(name) = name.strip_suffix(':')
            && let Some(value) = hex(value)
        {
            into.entry(name.to_owned()).or_insert(value);
        }
    }
}

/// `$1 = 0x0`.
fn printed(text: &str) -> Result<u64> {
    let value = text.rsplit_once("= ").map(|(_, value)| value.trim());
    match value.and_then(|value| hex(value.strip_prefix("0x")?)) {
        Some(value) => Ok(value),
        None => bail!("crash printed no number: {text}"),
    }
}
