// SPDX-License-Identifier: MIT OR Apache-2.0
//! `sys`: the machine at a glance.

use serde::Serialize;

use super::{Arguments, Command, CommandError, Flag, Reply, Rule, Session, Text, Words};
use kernel::Kernel;
use kernel::uts::Uts;

/// The command.
pub(super) const COMMAND: Command = Command {
    name: "sys",
    summary: "the machine at a glance",
    usage: "[-t | -c [NAME|NUMBER]]",
    options: &[
        Flag::switch("t", "only the kernel's taint"),
        Flag::switch("c", "the table of system calls, or those with this name or number"),
    ],
    rules: &[Rule::OneOf(&["t", "c"]), Rule::WordsNeed(&["c"]), Rule::Words(1)],
    words: Words::Mixed,
    run,
};

/// What a kernel's `MemTotal` would round to is told in these units.
const UNITS: [(u64, &str); 3] = [(30, "GB"), (20, "MB"), (10, "KB")];

#[derive(Debug, Serialize)]
struct Sys {
    kernel: Option<String>,
    taint: Option<String>,
    dumpfile: String,
    partial: bool,
    complete: bool,
    /// Those that were up.
    cpus: Option<usize>,
    /// Those that were there and offline.
    offline: Option<usize>,
    /// Seconds since 1970.
    date: Option<i64>,
    uptime_seconds: Option<u64>,
    load_average: Option<[String; 3]>,
    tasks: Option<usize>,
    nodename: Option<String>,
    release: Option<String>,
    version: Option<String>,
    machine: Option<String>,
    megahertz: Option<u64>,
    memory_bytes: Option<u64>,
    panic: Option<String>,
}

#[derive(Debug, Serialize)]
struct Taint {
    mask: String,
    letters: String,
}

impl Text for Taint {
    fn text(&self) -> String {
        let line = format!("TAINTED_MASK: {}  {}", self.mask, self.letters);
        format!("{}\n", line.trim_end())
    }
}

fn run(session: &mut Session<'_, '_>, arguments: &Arguments) -> Result<Reply, CommandError> {
    let kernel = session.kernel();
    if arguments.has("t") {
        let mask = format!("{:x}", kernel.taint()?);
        return Ok(Reply::new(Taint { mask, letters: kernel.taint_letters()? }));
    }
    if arguments.has("c") {
        return calls(session, arguments.words.first().map(String::as_str));
    }
    Ok(Reply::new(sys(session, kernel)))
}

/// System calls that are listed at most.
const MAX_CALLS: u64 = 4096;

#[derive(Debug, Serialize)]
struct Calls {
    calls: Vec<Call>,
}

#[derive(Debug, Serialize)]
struct Call {
    number: u64,
    address: String,
    function: String,
}

/// The functions of the table of system calls.
fn calls(session: &Session<'_, '_>, wanted: Option<&str>) -> Result<Reply, CommandError> {
    use analyzer::printer::CodeNames as _;
    use kernel::VirtualMemory as _;
    let kernel = session.kernel();
    let table = kernel.symbol("sys_call_table")?;
    let symbol = kernel.image().and_then(|image| image.symbol("sys_call_table"));
    let count = symbol.map_or(MAX_CALLS, |symbol| symbol.size / 8).min(MAX_CALLS);
    let mut calls = Vec::new();
    for number in 0..count {
        let address = kernel.read_u64(table.wrapping_add(number * 8))?;
        // Without a size, the table ends where no code is pointed to.
        if !kernel.is_text(address) {
            break;
        }
        let function = session.machine().code_name(address).map(|name| name.symbol);
        let function = function.unwrap_or_else(|| "?".to_owned());
        let matches = match wanted {
            None => true,
            Some(text) => match text.parse::<u64>() {
                Ok(wanted) => number == wanted,
                Err(_) => function.contains(text),
            },
        };
        if matches {
            calls.push(Call { number, address: format!("{address:x}"), function });
        }
    }
    Ok(Reply::new(Calls { calls }))
}

impl Text for Calls {
    fn text(&self) -> String {
        let mut out = String::from("NUM  SYSTEM CALL\n");
        for call in &self.calls {
            out.push_str(&format!("{:>3}  {} ({})\n", call.number, call.function, call.address));
        }
        out
    }
}

fn sys(session: &Session<'_, '_>, kernel: &Kernel<'_>) -> Sys {
    let uts = kernel.uts().ok();
    let said = |read: fn(&Uts) -> &String| uts.as_ref().map(|uts| read(uts).clone());
    let info = kernel.vmcore().info();
    let headline = kernel.crash().oops.as_ref().map(|oops| oops.headline.clone());
    Sys {
        kernel: session.files().vmlinux.clone().filter(|_| kernel.image().is_some()),
        taint: kernel.taint_letters().ok().filter(|letters| !letters.is_empty()),
        dumpfile: session.files().vmcore.clone(),
        partial: info.dump_level.is_some_and(|level| level != 0),
        complete: info.complete,
        cpus: kernel.up_cpus().ok().map(|cpus| cpus.len()),
        offline: kernel.offline_cpus().ok().map(|cpus| cpus.len()),
        date: kernel.time_of_day().ok(),
        uptime_seconds: kernel.uptime_seconds().ok(),
        load_average: kernel.load_average().ok(),
        tasks: kernel.tasks().ok().map(|tasks| tasks.items.len()),
        nodename: said(|uts| &uts.nodename),
        release: said(|uts| &uts.release),
        version: said(|uts| &uts.version),
        machine: said(|uts| &uts.machine),
        megahertz: kernel.megahertz().ok(),
        memory_bytes: kernel.memory_bytes().ok(),
        panic: headline,
    }
}

impl Text for Sys {
    fn text(&self) -> String {
        let marks = [(self.partial, "  [PARTIAL DUMP]"), (!self.complete, "  [INCOMPLETE]")];
        let marks = marks.iter().filter(|(set, _)| *set).map(|(_, mark)| *mark);
        let taint = self.taint.as_ref().map(|letters| format!("  [TAINTED {letters}]"));
        let kernel = self.kernel.as_deref().unwrap_or("(no vmlinux)");
        let speed = self.megahertz.map(|speed| format!("  ({speed} Mhz)")).unwrap_or_default();
        let rows = [
            ("KERNEL", Some(format!("{kernel}{}", taint.unwrap_or_default()))),
            ("DUMPFILE", Some(format!("{}{}", self.dumpfile, marks.collect::<String>()))),
            ("CPUS", self.cpus.map(|up| cpus(up, self.offline.unwrap_or(0)))),
            ("DATE", self.date.map(super::date::text)),
            ("UPTIME", self.uptime_seconds.map(uptime)),
            ("LOAD AVERAGE", self.load_average.as_ref().map(|load| load.join(", "))),
            ("TASKS", self.tasks.map(|count| count.to_string())),
            ("NODENAME", self.nodename.clone()),
            ("RELEASE", self.release.clone()),
            ("VERSION", self.version.clone()),
            ("MACHINE", self.machine.as_ref().map(|machine| format!("{machine}{speed}"))),
            ("MEMORY", self.memory_bytes.map(size)),
            ("PANIC", self.panic.as_ref().map(|line| format!("\"{line}\""))),
        ];
        let unknown = || "(unknown)".to_owned();
        let row = |(label, value): (&str, Option<String>)| {
            format!("{label:>12}: {}\n", value.unwrap_or_else(unknown))
        };
        rows.into_iter().map(row).collect()
    }
}

/// All CPUs that were there, and how many of them were offline: `4 [OFFLINE: 1]`.
fn cpus(up: usize, offline: usize) -> String {
    match offline {
        0 => up.to_string(),
        _ => format!("{} [OFFLINE: {offline}]", up.saturating_add(offline)),
    }
}

/// `3 days, 04:05:06`.
fn uptime(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let clock = format!("{:02}:{:02}:{:02}", rest / 3600, rest / 60 % 60, rest % 60);
    if days == 0 { clock } else { format!("{days} days, {clock}") }
}

/// Bytes in the largest unit of which there is one: `1.5 GB`.
pub(super) fn size(bytes: u64) -> String {
    let unit = UNITS.iter().find(|(shift, _)| bytes >> shift != 0);
    let Some((shift, name)) = unit else { return format!("{bytes} bytes") };
    let tenths = (u128::from(bytes) * 10) >> shift;
    match tenths % 10 {
        0 => format!("{} {name}", tenths / 10),
        tenth => format!("{}.{tenth} {name}", tenths / 10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times_read_as_crash_prints_them() {
        assert_eq!(size(512 << 20), "512 MB");
        assert_eq!(size((1 << 30) + (1 << 29)), "1.5 GB");
        assert_eq!(size(12), "12 bytes");
        assert_eq!(uptime(3), "00:00:03");
        assert_eq!((cpus(4, 0), cpus(3, 1)), ("4".to_owned(), "4 [OFFLINE: 1]".to_owned()));
        assert_eq!(uptime(3 * 86_400 + 4 * 3600 + 5 * 60 + 6), "3 days, 04:05:06");
    }
}
