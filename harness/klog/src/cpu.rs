// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who ran: `dump_stack_print_info()` of `lib/dump_stack.c`, `sched_show_task()` and the lines of
//! watchdogs.

/// What a line says of the task and the kernel.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CpuLine {
    /// The CPU.
    pub cpu: Option<u32>,
    /// Id of the thread.
    pub pid: Option<i32>,
    /// Its command name; it may hold blanks.
    pub comm: Option<String>,
    /// Taint letters without blanks and without `G`, which tells of none; empty if not tainted.
    /// Not known if the line was cut before the letters.
    pub taint: Option<String>,
    /// The kernel's release.
    pub release: Option<String>,
    /// What stands behind the release: `#1 Debian 6.1.192-3`.
    pub version: Option<String>,
}

/// Reads `CPU: 1 PID: 2227 Comm: bash Kdump: loaded Tainted: G OE 6.1.0-1-amd64 #1 …`, and of kernels
/// before 3.9 `Pid: 2227, comm: bash Tainted: …`. Since 6.12 `UID: 0` stands behind the CPU.
#[must_use]
pub fn cpu_line(text: &str) -> Option<CpuLine> {
    let mut found = CpuLine::default();
    let rest = match text.strip_prefix("CPU: ") {
        Some(rest) => {
            let (cpu, rest) = rest.split_once(' ')?;
            found.cpu = Some(cpu.parse().ok()?);
            let (pid, rest) = rest.split_once("PID: ")?.1.split_once(' ')?;
            found.pid = Some(pid.parse().ok()?);
            rest.trim_start().strip_prefix("Comm: ")?
        }
        None => {
            let (pid, rest) = text.strip_prefix("Pid: ")?.split_once(", ")?;
            found.pid = Some(pid.parse().ok()?);
            rest.trim_start().strip_prefix("comm: ")?
        }
    };
    const AFTER: [&str; 3] = [" Kdump: loaded", " Not tainted", " Tainted:"];
    let end = AFTER.iter().filter_map(|words| rest.find(words)).min().unwrap_or(rest.len());
    let (comm, state) = rest.split_at_checked(end)?;
    found.comm = Some(comm.trim_end().to_owned());
    found.state(state.trim_start().trim_start_matches("Kdump: loaded").trim_start());
    Some(found)
}

/// Reads `Not tainted 6.1.0 #1 …` and `Tainted: G OE 6.1.0 #1 …`.
pub(crate) fn state_line(text: &str) -> Option<CpuLine> {
    if !text.starts_with("Not tainted ") && !text.starts_with("Tainted: ") {
        return None;
    }
    let mut found = CpuLine::default();
    found.state(text);
    found.release.is_some().then_some(found)
}

impl CpuLine {
    /// `Not tainted 6.1.0 #1 Debian`, `Tainted: G           OE      6.1.0-1-amd64 #1  Debian …`.
    fn state(&mut self, text: &str) {
        let rest = if let Some(rest) = text.strip_prefix("Not tainted") {
            self.taint = Some(String::new());
            rest
        } else if let Some(rest) = text.strip_prefix("Tainted:") {
            let is_release = |word: &&str| word.starts_with(|c: char| c.is_ascii_digit());
            let end = rest.split(' ').find(is_release).and_then(|word| rest.find(word));
            let (letters, rest) =
                rest.split_at_checked(end.unwrap_or(rest.len())).unwrap_or((rest, ""));
            self.taint = Some(taint_letters(letters)).filter(|letters| !letters.is_empty());
            rest
        } else {
            text
        };
        let rest = rest.trim();
        let (release, version) = rest.split_once(' ').unwrap_or((rest, ""));
        self.release = Some(release.to_owned()).filter(|release| is_release(release));
        self.version =
            Some(version.trim().to_owned()).filter(|it| !it.is_empty() && self.release.is_some());
    }
}

/// The letters behind `Tainted:`. Since 6.12 what they mean is printed as well, with the letters in
/// it: `[O]=OOT_MODULE, [E]=UNSIGNED_MODULE`.
fn taint_letters(text: &str) -> String {
    let (letters, meanings) = text.split_at(text.find('[').unwrap_or(text.len()));
    let is_taint = |c: &char| c.is_ascii_uppercase() && *c != 'G';
    let alone: String = letters.chars().filter(is_taint).collect();
    if !alone.is_empty() {
        return alone;
    }
    let parts = meanings.split('[').filter_map(|part| part.split_once("]=")?.0.chars().next());
    parts.filter(is_taint).collect()
}

fn is_release(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_digit()) && word.contains('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_every_age_are_read() {
        let new = cpu_line(
            "CPU: 1 UID: 0 PID: 82 Comm: sh a b Kdump: loaded Tainted: G           OE      6.12.9-cloud-amd64 #1 Debian 6.12.9-1",
        )
        .unwrap();
        assert_eq!((new.cpu, new.pid, new.comm.as_deref()), (Some(1), Some(82), Some("sh a b")));
        assert_eq!(
            (new.taint.as_deref(), new.release.as_deref()),
            (Some("OE"), Some("6.12.9-cloud-amd64"))
        );
        assert_eq!(new.version.as_deref(), Some("#1 Debian 6.12.9-1"));
        let el7 = cpu_line(
            "CPU: 1 PID: 2227 Comm: bash Kdump: loaded Tainted: P           OE  ------------   3.10.0-1160.el7.x86_64 #1",
        )
        .unwrap();
        assert_eq!(
            (el7.taint.as_deref(), el7.release.as_deref()),
            (Some("POE"), Some("3.10.0-1160.el7.x86_64"))
        );
        let clean = cpu_line("CPU: 0 PID: 1 Comm: init Not tainted 4.19.0 #5").unwrap();
        assert_eq!(clean.taint.as_deref(), Some(""));
        let old = cpu_line("Pid: 2227, comm: bash Not tainted 2.6.32-71.el6.x86_64 #1 X8").unwrap();
        assert_eq!((old.pid, old.release.as_deref()), (Some(2227), Some("2.6.32-71.el6.x86_64")));
        let dict = cpu_line(
            "CPU: 1 UID: 0 PID: 82 Comm: sh Tainted: G           OE      [O]=OOT_MODULE, [E]=UNSIGNED_MODULE 6.13.1",
        );
        assert!(dict.is_some_and(|line| line.taint.as_deref() == Some("OE")));
    }

    /// A line that is cut behind its label, or has no letter that means anything, tells nothing; it
    /// does not say that the kernel is not tainted.
    #[test]
    fn a_taint_without_letters_is_not_known() {
        for text in ["Tainted:", "Tainted: ", "Tainted: G", "Tainted: G               6.1.0 #1"] {
            let line = cpu_line(&format!("CPU: 1 PID: 82 Comm: sh {text}")).unwrap();
            assert_eq!((line.comm.as_deref(), line.taint), (Some("sh"), None), "{text}");
        }
        let bare = cpu_line("CPU: 1 PID: 82 Comm: sh Not tainted").unwrap();
        assert_eq!((bare.taint.as_deref(), bare.release), (Some(""), None));
    }

    /// `print_tainted_verbose()` of 6.12's `kernel/panic.c`.
    #[test]
    fn letters_that_stand_only_in_their_meanings_are_read() {
        let line = cpu_line(
            "CPU: 0 UID: 0 PID: 9 Comm: sh Tainted: [W]=WARN, [O]=OOT_MODULE, [E]=UNSIGNED_MODULE",
        )
        .unwrap();
        assert_eq!(line.taint.as_deref(), Some("WOE"));
        // By itself it is no line of the kernel's release.
        assert_eq!(state_line("Tainted: [O]=OOT_MODULE, [E]=UNSIGNED_MODULE"), None);
    }

    #[test]
    fn other_lines_are_none() {
        assert_eq!(cpu_line("CPU: Intel"), None);
        assert_eq!(cpu_line("CPU: 1 stuck"), None);
    }
}
