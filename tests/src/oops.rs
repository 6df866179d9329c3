// SPDX-License-Identifier: MIT OR Apache-2.0
//! The kernel's own account of a crash: the last oops in its log, as `show_regs()` and
//! `show_trace_log_lvl()` print it (arch/x86/kernel/dumpstack.c).

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};

/// What the kernel said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Oops {
    /// The line that says what happened.
    pub headline: String,
    /// Process id of the task.
    pub pid: Option<i32>,
    /// Name of the task.
    pub comm: Option<String>,
    /// The CPU.
    pub cpu: Option<u32>,
    /// Taint letters without blanks.
    pub taint: Option<String>,
    /// The kernel's release.
    pub release: Option<String>,
    /// Registers at the fault by the kernel's names (`RAX`, `R08`, `EFLAGS`).
    pub registers: BTreeMap<String, u64>,
    /// Where the fault happened, then the calls that led there; the kernel's guesses (`?`) are
    /// left out.
    pub trace: Vec<Code>,
    /// Program counter in user space, where the trace ends there.
    pub user: Option<u64>,
    /// `Modules linked in`, youngest first.
    pub modules: Vec<Loaded>,
}

/// A place in code as the kernel prints it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Code {
    /// `symbol+0x1/0x2 [module]`.
    Symbol {
        /// Name.
        symbol: String,
        /// Distance from its start.
        offset: u64,
        /// Size.
        size: u64,
        /// Module.
        module: Option<String>,
    },
    /// An address without a name.
    Address(u64),
}

/// A module with its taint letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// Name.
    pub name: String,
    /// Taint letters.
    pub taint: Option<String>,
}

impl Code {
    fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_whitespace();
        let place = words.next()?;
        let module = words.next().and_then(|word| word.strip_prefix('[')?.strip_suffix(']'));
        if let Some(address) = number(place) {
            return Some(Self::Address(address));
        }
        let (symbol, rest) = place.split_once('+')?;
        let (offset, size) = rest.split_once('/')?;
        Some(Self::Symbol {
            symbol: symbol.to_owned(),
            offset: number(offset)?,
            size: number(size)?,
            module: module.map(str::to_owned),
        })
    }
}

/// A number with 0x before it.
fn number(text: &str) -> Option<u64> {
    u64::from_str_radix(text.strip_prefix("0x")?, 16).ok()
}

impl Oops {
    /// Reads the last oops of a log with times.
    ///
    /// # Errors
    /// There is none.
    pub fn last(log: &str) -> Result<Self> {
        let lines: Vec<&str> = log.lines().map(without_time).collect();
        let at = |starts: &str| lines.iter().rposition(|line| line.starts_with(starts));
        // The numbered line comes after the headline and names no cause; some oopses have no
        // other line.
        let numbered = at("Oops: ").or_else(|| at("invalid opcode: ")).context("no oops")?;
        let headline = lines[..numbered].iter().rposition(|line| line.starts_with("BUG: "));
        let mut oops =
            Self { headline: lines[headline.unwrap_or(numbered)].to_owned(), ..Self::default() };
        for line in &lines[numbered..] {
            oops.line(line);
        }
        Ok(oops)
    }

    fn line(&mut self, line: &str) {
        if let Some(rest) = line.strip_prefix("CPU: ") {
            self.task(rest);
        } else if let Some(rest) = line.strip_prefix("RIP: ") {
            self.rip(rest);
        } else if let Some(list) = line.strip_prefix("Modules linked in: ") {
            self.modules = list.split_whitespace().filter_map(loaded).collect();
        } else if line.starts_with(' ') && !line.trim_start().starts_with(['?', '<']) {
            self.trace.extend(Code::parse(line));
        } else if self.trace.len() == 1 {
            // Registers of frames further out are printed in the same way.
            self.registers(line);
        }
    }

    /// `0 PID: 95 Comm: sh Kdump: loaded Tainted: G           OE      6.1.0-1-amd64 #1  Debian …`
    fn task(&mut self, rest: &str) {
        let after = |label: &str| rest.split_once(label).map(|(_, after)| after.trim_start());
        let word = |label: &str| after(label)?.split_whitespace().next();
        self.cpu = rest.split_whitespace().next().and_then(|cpu| cpu.parse().ok());
        self.pid = word("PID: ").and_then(|pid| pid.parse().ok());
        self.comm = word("Comm: ").map(str::to_owned);
        // Letters stand in columns, blanks between them; the release begins with a digit. G is
        // there when P is not, and tells of no taint.
        let tail: Vec<&str> = rest.split(" #").next().unwrap_or(rest).split_whitespace().collect();
        self.release = tail.last().map(|&release| release.to_owned());
        self.taint = after("Tainted: ").map(|letters| {
            let letters = letters.chars().take_while(|c| c.is_ascii_uppercase() || *c == ' ');
            letters.filter(|&c| c.is_ascii_uppercase() && c != 'G').collect()
        });
    }

    /// `0010:process_bprm_put+0x192/0xf00 [process]`, `0033:0x461857`.
    fn rip(&mut self, rest: &str) {
        let Some((segment, place)) = rest.split_once(':') else { return };
        // The two lowest bits are the privilege level.
        let is_user = u64::from_str_radix(segment, 16).is_ok_and(|segment| segment & 3 == 3);
        match (Code::parse(place), is_user) {
            (Some(Code::Address(pc)), true) => self.user = Some(pc),
            (Some(code), false) => self.trace.push(code),
            _ => {}
        }
    }

    /// `RSP: 0018:ff65107f403e2ab8 EFLAGS: 00000246`, `RAX: 0000000000000000 RBX: …`.
    fn registers(&mut self, line: &str) {
        let words: Vec<&str> = line.split_whitespace().collect();
        for pair in words.chunks(2) {
            let [name, value] = pair else { continue };
            let Some(name) = name.strip_suffix(':') else { continue };
            let value = value.rsplit(':').next().unwrap_or(value);
            if let Ok(value) = u64::from_str_radix(value, 16) {
                self.registers.entry(name.to_owned()).or_insert(value);
            }
        }
    }
}

/// The text of a line of the log: `[    3.761092] text`.
#[must_use]
pub fn without_time(line: &str) -> &str {
    let text = line.strip_prefix('[').and_then(|rest| rest.split_once("] "));
    text.map_or(line, |(_, text)| text)
}

/// `process(OE)`, `ext4`, and for the one loaded or unloaded last, `process(OE+)`.
fn loaded(word: &str) -> Option<Loaded> {
    let (name, taint) = match word.split_once('(') {
        Some((name, taint)) => (name, Some(taint.trim_end_matches([')', '+', '-']).to_owned())),
        None => (word, None),
    };
    let is_name = !name.is_empty() && !name.starts_with('[');
    is_name.then(|| Loaded { name: name.to_owned(), taint: taint.filter(|t| !t.is_empty()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An oops of a Debian 12 kernel, shortened.
    const LOG: &str = "\
[    3.761092] BUG: kernel NULL pointer dereference, address: 0000000000000000
[    3.761492] #PF: error_code(0x0010) - not-present page
[    3.761850] Oops: 0010 [#1] PREEMPT SMP NOPTI
[    3.761997] CPU: 0 PID: 95 Comm: sh Kdump: loaded Tainted: G           OE      6.1.0-56-cloud-amd64 #1  Debian 6.1.192-2
[    3.762414] RIP: 0010:0x0
[    3.763053] Code: Unable to access opcode bytes at 0xffffffffffffffd6.
[    3.763171] RSP: 0018:ff65107f403e2ab8 EFLAGS: 00000246
[    3.763263] RAX: 0000000000000000 RBX: ff3aedc8fe66a0c0 RCX: ff65107f403e321b
[    3.763299] CS:  0010 DS: 0000 ES: 0000 CR0: 0000000080050033
[    3.763299] Call Trace:
[    3.763299]  <TASK>
[    3.763299]  process_bprm_put+0x192/0xf00 [process]
[    3.763299]  do_syscall_64+0x5d/0x90
[    3.763299]  ? release_pages+0x159/0x470
[    3.763299] RIP: 0033:0x461857
[    3.763299] RAX: ffffffffffffffda RBX: 0000000025e54ae0 RCX: 0000000000461857
[    3.763299]  </TASK>
[    3.763299] Modules linked in: process(OE) akfs(OE)
";

    #[test]
    fn the_fault_and_the_trace_are_told_from_guesses_and_user_space() {
        let oops = Oops::last(LOG).unwrap();
        assert!(oops.headline.starts_with("BUG: kernel NULL pointer"));
        assert_eq!((oops.pid, oops.comm.as_deref(), oops.cpu), (Some(95), Some("sh"), Some(0)));
        assert_eq!(oops.taint.as_deref(), Some("OE"));
        assert_eq!(oops.release.as_deref(), Some("6.1.0-56-cloud-amd64"));
        assert_eq!(oops.registers["RBX"], 0xff3a_edc8_fe66_a0c0);
        assert_eq!(oops.registers["RSP"], 0xff65_107f_403e_2ab8);
        assert_eq!(oops.user, Some(0x46_1857));
        let code = |symbol: &str, offset, size, module: Option<&str>| Code::Symbol {
            symbol: symbol.to_owned(),
            offset,
            size,
            module: module.map(str::to_owned),
        };
        let trace = [
            Code::Address(0),
            code("process_bprm_put", 0x192, 0xf00, Some("process")),
            code("do_syscall_64", 0x5d, 0x90, None),
        ];
        assert_eq!(oops.trace, trace);
        let module = |name: &str| Loaded { name: name.into(), taint: Some("OE".into()) };
        assert_eq!(oops.modules, [module("process"), module("akfs")]);
    }
}
