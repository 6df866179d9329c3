// SPDX-License-Identifier: MIT OR Apache-2.0
//! A fault as a case, in a folder like any other.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use protocol::kernel_name;

use super::{Fault, PackageTools};
use crate::json;

/// Name of the file with the changes.
const CHANGES: &str = "changes.json";

/// What a fault needs to become a case.
#[derive(Debug, Clone, Copy)]
pub struct Around<'a> {
    /// The version of its package that is to be had.
    pub version: &'a str,
    /// The modules that its package has.
    pub own: &'a [String],
    /// What it takes to use them.
    pub tools: &'a PackageTools,
    /// Static programs that the triggers use, by their names in `/case`.
    pub programs: &'a [PathBuf],
    /// The guest's name.
    pub guest: &'a str,
}

/// Writes the folder of the case, which is made.
///
/// # Errors
/// A file cannot be written.
pub fn write_case(fault: &Fault, around: Around<'_>, folder: &Path) -> io::Result<()> {
    let tools = around.tools;
    fs::create_dir_all(folder)?;
    fs::write(folder.join("case.toml"), manifest(fault, around))?;
    if !fault.changes.is_empty() {
        fs::write(folder.join(CHANGES), json::text(&fault.changes))?;
    }
    let end = if tools.before.is_empty() || tools.before.ends_with('\n') { "" } else { "\n" };
    fs::write(folder.join("trigger.sh"), format!("{}{end}{}", tools.before, fault.trigger))?;
    around.programs.iter().try_for_each(|program| {
        let name = program.file_name().unwrap_or_default();
        fs::copy(program, folder.join(name)).map(|_| ())
    })
}

fn manifest(fault: &Fault, around: Around<'_>) -> String {
    let Around { version, own, tools, guest, programs } = around;
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let list =
        |words: &[String]| words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(", ");
    let Fault { package, operator, .. } = fault;
    let mut text = format!("summary = {}\n", quoted(&format!("{operator} in {package}")));
    let _ = writeln!(text, "guests = [{}]", quoted(guest));
    let _ = writeln!(text, "\n[build]\ndkms = {}", quoted(&format!("{package}={version}")));
    if !fault.changes.is_empty() {
        let _ = writeln!(text, "changes = {}", quoted(CHANGES));
    }
    text.push_str("\n[setup]\n");
    let packages: Vec<String> = tools.packages.iter().cloned().map(String::from).collect();
    let _ = writeln!(text, "packages = [{}]", list(&packages));
    let _ = writeln!(text, "command-line = [{}]", list(&fault.kernel_command_line));
    let names = programs.iter().filter_map(|program| program.file_name()?.to_str());
    let names: Vec<String> = names.map(str::to_owned).collect();
    let _ = writeln!(text, "files = [{}]", list(&names));
    for (name, value) in fault.sysctls.iter().flatten() {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let _ = writeln!(text, "sysctls.{} = {}", quoted(name), quoted(&value));
    }
    for module in &fault.load_in_order {
        let mut words = module.split_whitespace();
        let name = words.next().unwrap_or_default();
        let _ = writeln!(text, "\n[[module]]\nname = {}", quoted(name));
        if !own.iter().any(|own| kernel_name(own) == kernel_name(name)) {
            text.push_str("in-tree = true\n");
        }
        for (key, value) in words.filter_map(|word| word.split_once('=')) {
            let _ = writeln!(text, "parameters.{key} = {}", quoted(value));
        }
    }
    text.push_str("\n[trigger]\nrun = \"trigger.sh\"\n");
    if let Some(timeout) = &fault.trigger_timeout {
        let _ = writeln!(text, "timeout = {}", quoted(timeout));
    }
    if fault.changes.is_empty() {
        text.push_str("settle = \"2s\"\n\n[expect]\noutcome = \"none\"\n");
    } else {
        // What the crash has to be is judged by the truth.
        text.push_str("settle = \"5s\"\n\n[expect]\noutcome = \"crash\"\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::{BuildSection, Case, DkmsSource, Origin, Outcome};

    #[test]
    fn a_fault_becomes_a_case_that_can_be_read() {
        let fault: Fault = serde_json::from_value(serde_json::json!({
            "id": "x-1", "package": "vpoll-dkms", "version": "0.1-2", "operator": "off-by-one",
            "changes": [{"file": "vpoll-0.1/vpoll.c", "sha256": "00",
                "edits": [{"delete_lines": [39, 39]}]}],
            "kernel_command_line": ["slub_debug=FZPU"], "sysctls": {"kernel.panic_on_warn": 1},
            "load_in_order": ["dm_mod", "rapiddisk-cache x=1"],
            "trigger": "true\n", "trigger_timeout": "30s", "truth": null
        }))
        .unwrap();
        let folder = tempfile::tempdir().unwrap();
        let programs = [folder.path().join("t")];
        fs::write(&programs[0], "t").unwrap();
        let tools = PackageTools { before: "ln -s a b".into(), ..PackageTools::default() };
        let own = ["rapiddisk_cache".to_owned()];
        let around = Around {
            version: "0.1-3",
            own: &own,
            tools: &tools,
            programs: &programs,
            guest: "a-guest",
        };
        let case = folder.path().join("x-1");
        write_case(&fault, around, &case).unwrap();
        let case = Case::load(&case).unwrap().manifest;
        let BuildSection { dkms: Some(DkmsSource::Package(package)), .. } = case.build else {
            panic!("{:?}", case.build)
        };
        assert_eq!(String::from(package), "vpoll-dkms=0.1-3");
        let origins: Vec<_> = case.module.iter().map(|module| module.origin()).collect();
        assert_eq!(origins, [Origin::InTree, Origin::Built]);
        assert_eq!(case.module[1].parameter_line(), "x=1");
        assert_eq!(case.setup.sysctls["kernel.panic_on_warn"].0, "1");
        assert_eq!(case.expect.outcome, Outcome::Crash);
        assert_eq!(case.setup.files, [Path::new("t")]);
        let script = fs::read_to_string(folder.path().join("x-1/trigger.sh")).unwrap();
        assert_eq!(script, "ln -s a b\ntrue\n");
    }
}
