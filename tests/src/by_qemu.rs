// SPDX-License-Identifier: MIT OR Apache-2.0
//! Dumps that QEMU writes of a kernel that panicked because it has no root: no initramfs, no
//! driver, nobody who tells QEMU where anything is.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};

use crate::trial::Unavailable;

/// The end of what the kernel says of its panic.
const END: &str = "---[ end Kernel panic - not syncing: ";
/// Why it panics.
pub const MESSAGE: &str = "VFS: Unable to mount root fs on unknown-block(0,0)";

/// Lets the kernel panic and QEMU write its memory in every format that it can write, into a
/// folder: names of the formats, and files.
///
/// # Errors
/// QEMU or the kernel does something else; [`Unavailable`] if there is no QEMU.
pub fn dumps(kernel: &Path, folder: &Path) -> Result<Vec<(String, PathBuf)>> {
    let socket = folder.join("qmp");
    let mut machine = Machine(start(kernel, &socket)?);
    let console = machine.0.stdout.take().context("no console")?;
    let mut lines = BufReader::new(console).split(b'\n');
    let panicked = lines.by_ref().any(|line| {
        line.is_ok_and(|line| String::from_utf8_lossy(&line).contains(&format!("{END}{MESSAGE}")))
    });
    ensure!(panicked, "the kernel did not panic as it should");
    let mut qmp = Qmp::connect(&socket)?;
    qmp.command("stop", json!({}))?;
    let can = qmp.command("query-dump-guest-memory-capability", json!({}))?;
    let formats = can["formats"].as_array().cloned().unwrap_or_default();
    let mut dumps = Vec::new();
    // Windows' format needs a guest's driver.
    for format in formats.iter().filter_map(Value::as_str).filter(|name| *name != "win-dmp") {
        let file = folder.join(format);
        let target = format!("file:{}", file.display());
        let what = json!({ "paging": false, "protocol": target, "format": format });
        qmp.command("dump-guest-memory", what)?;
        dumps.push((format.to_owned(), file));
    }
    Ok(dumps)
}

fn start(kernel: &Path, socket: &Path) -> Result<Child> {
    let started = Command::new("qemu-system-x86_64")
        .args(["-nodefaults", "-no-user-config", "-display", "none", "-machine", "pc"])
        // The CPU that `repro` gives a guest without KVM.
        .args(["-accel", "tcg,thread=multi", "-cpu", "max,-erms,-fsrm", "-smp", "2", "-m", "512M"])
        .args(["-append", "console=ttyS0 panic=0", "-serial", "stdio"])
        .arg("-kernel")
        .arg(kernel)
        .arg("-qmp")
        .arg(format!("unix:{},server=on,wait=off", socket.display()))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn();
    match started {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(Unavailable {
            what: "QEMU is not installed".to_owned(),
            hint: "install the package qemu-system-x86".to_owned(),
        }
        .into()),
        started => started.context("start QEMU"),
    }
}

/// QEMU, which ends with the test.
struct Machine(Child);

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

struct Qmp {
    reader: BufReader<UnixStream>,
    writer: UnixStream,
}

impl Qmp {
    fn connect(socket: &Path) -> Result<Self> {
        let writer = UnixStream::connect(socket).context("connect to QEMU")?;
        let mut qmp = Self { reader: BufReader::new(writer.try_clone()?), writer };
        qmp.command("qmp_capabilities", json!({}))?;
        Ok(qmp)
    }

    fn command(&mut self, name: &str, arguments: Value) -> Result<Value> {
        let command = json!({ "execute": name, "arguments": arguments });
        writeln!(self.writer, "{command}")?;
        let mut line = String::new();
        while self.reader.read_line(&mut line)? > 0 {
            let mut said: Value = serde_json::from_str(&line)?;
            ensure!(said["error"].is_null(), "{name}: {said}");
            // The greeting and events have none.
            if said.get("return").is_some() {
                return Ok(said["return"].take());
            }
            line.clear();
        }
        bail!("QEMU ended at {name}")
    }
}
