// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a report lacks, in words, with the line that gets it.

use std::path::PathBuf;

use guest::hex;

use super::distribution::Distribution;
use super::missing::{Lack, LackingModule, Missing, Why};
use crate::report::Lacking;

/// What else could be done about it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ways {
    /// The guest whose repositories have such kernels, where they were not asked.
    pub(crate) guest: Option<String>,
    /// The servers that were asked by build-id.
    pub(crate) servers: Option<String>,
    /// The folder of modules that was named.
    pub(crate) module_dir: Option<PathBuf>,
    /// Whether nothing may be fetched.
    pub(crate) offline: bool,
    /// The command that was given, as it is typed.
    pub(crate) command: String,
}

/// Each file that is lacking, and the lines that get it.
pub(crate) fn words(missing: &Missing, ways: &Ways) -> Vec<Lacking> {
    let mut lacking = Vec::new();
    let release = missing.release();
    let named = release.unwrap_or("an unknown release");
    if let Some(lack) = &missing.kernel {
        let what = format!("vmlinux of {named}{}", of_build(lack));
        let why = match lack.why {
            Why::Absent => "",
            Why::Wrong => ", the one found is of another build",
            Why::Bare => ", the one found has no debug information",
        };
        let mut lines = of_release(release, ways);
        lines.extend(of_servers(lack, ways));
        if Distribution::of(named).is_none() {
            lines.push("the vmlinux that its build made: --vmlinux PATH".to_owned());
        }
        lacking.push(Lacking { what: what + why, lines });
    }
    let told = missing.modules.iter().filter(|module| module.is_on_stack);
    lacking.extend(told.map(|module| of_module(module, missing, ways)));
    lacking
}

fn of_module(module: &LackingModule, missing: &Missing, ways: &Ways) -> Lacking {
    let LackingModule { name, is_from_outside, lack, .. } = module;
    let what = format!("debug information of module {name}{}", of_build(lack));
    let why = match lack.why {
        Why::Absent => "",
        Why::Wrong => ", the file found is of another build",
        Why::Bare => ", the file found has none",
    };
    let mut lines = Vec::new();
    if *is_from_outside {
        let built = "its .ko as it was built (not stripped)";
        lines.push(match &ways.module_dir {
            Some(folder) => format!("{built}: {} has none of this build", folder.display()),
            None => format!("{built}, in a folder: {} --module-dir DIR", ways.command),
        });
    } else if missing.kernel.is_none() {
        // Where the kernel's is lacking too, the same package has both.
        lines.extend(of_release(missing.release(), ways));
    }
    let of_tree = !*is_from_outside && missing.kernel.is_none();
    lines.extend(of_servers(lack, ways).filter(|_| of_tree || ways.servers.is_some()));
    Lacking { what: what + why, lines }
}

fn of_build(lack: &Lack) -> String {
    lack.build_id.as_deref().map(|id| format!(" (build-id {})", hex(id))).unwrap_or_default()
}

/// The lines of whose kernel it is.
fn of_release(release: Option<&str>, ways: &Ways) -> Vec<String> {
    let mut lines = Vec::new();
    let Some(release) = release else { return lines };
    if let Some(guest) = &ways.guest {
        lines.push(format!("from the repositories of {guest}: {} --fetch", ways.command));
    }
    if let Some(whose) = Distribution::of(release)
        && let Some(line) = whose.line(release)
    {
        lines.push(format!("on {}: {line}", whose.name()));
    }
    lines
}

/// The debuginfod server that asks those of the distributions.
const ALL_SERVERS: &str = "https://debuginfod.elfutils.org";

/// What of servers is worth trying.
fn of_servers(lack: &Lack, ways: &Ways) -> Option<String> {
    lack.build_id.as_ref()?;
    match &ways.servers {
        Some(servers) => Some(format!("{servers} did not give it")),
        None if ways.offline => None,
        None => {
            let command = &ways.command;
            Some(format!("from a debuginfod server: DEBUGINFOD_URLS={ALL_SERVERS} {command}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lack(why: Why) -> Lack {
        Lack { build_id: Some(vec![0xab, 0xcd]), why }
    }

    fn module(name: &str, is_from_outside: bool) -> LackingModule {
        LackingModule {
            name: name.to_owned(),
            is_from_outside,
            is_on_stack: true,
            lack: lack(Why::Absent),
        }
    }

    #[test]
    fn a_kernel_is_named_with_the_lines_of_its_distribution() {
        let missing = Missing {
            release: Some("3.10.0-1160.el7.x86_64".to_owned()),
            kernel: Some(lack(Why::Wrong)),
            modules: vec![module("process", true), module("xfs", false)],
        };
        let command = "repro analyze vmcore".to_owned();
        let ways = Ways { guest: Some("some-guest".to_owned()), command, ..Ways::default() };
        let words = words(&missing, &ways);
        let whats: Vec<&str> = words.iter().map(|it| it.what.as_str()).collect();
        assert_eq!(
            whats,
            [
                "vmlinux of 3.10.0-1160.el7.x86_64 (build-id abcd), the one found is of another build",
                "debug information of module process (build-id abcd)",
                "debug information of module xfs (build-id abcd)",
            ]
        );
        let [kernel, process, xfs] = &words[..] else { panic!("{words:?}") };
        let fetch = "from the repositories of some-guest: repro analyze vmcore --fetch";
        assert_eq!(kernel.lines[0], fetch);
        assert!(kernel.lines[1].ends_with("debuginfo-install kernel-3.10.0-1160.el7.x86_64"));
        assert!(kernel.lines[2].contains(": DEBUGINFOD_URLS=https://"), "{kernel:?}");
        assert!(kernel.lines[2].ends_with(" repro analyze vmcore"), "{kernel:?}");
        // The package of the kernel has those of its modules, and none has the user's.
        assert!(process.lines[0].contains("--module-dir") && process.lines.len() == 1);
        assert!(xfs.lines.is_empty());
    }

    #[test]
    fn nothing_that_was_tried_is_advised_again() {
        let missing = Missing {
            release: Some("6.9.0-custom".to_owned()),
            kernel: Some(lack(Why::Absent)),
            modules: Vec::new(),
        };
        let lines = |ways: &Ways| words(&missing, ways).remove(0).lines;
        let own = "the vmlinux that its build made: --vmlinux PATH".to_owned();
        let servers = Some("http://one".to_owned());
        let told = lines(&Ways { servers, ..Ways::default() });
        assert_eq!(told, ["http://one did not give it".to_owned(), own.clone()]);
        assert_eq!(lines(&Ways { offline: true, ..Ways::default() }), [own]);
    }
}
