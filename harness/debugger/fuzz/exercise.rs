// SPDX-License-Identifier: MIT OR Apache-2.0
//! Everything that can be asked of a dump, for fuzzing and for tests on damaged dumps.

use analyzer::{Files, Inputs, ModuleFiles, analyze, render};
use debugger::{ALL, Files as Names, with_session};
use kernel::find_info;
use vmcore::Vmcore;

/// No files of modules.
struct NoModules;

impl ModuleFiles for NoModules {
    fn module(&self, _name: &str, _: Option<&[u8]>) -> Option<Files<'_>> {
        None
    }
}

/// Makes the report and runs each command without arguments, and ignores what they say: what
/// counts is that each returns. Gives whether there was a report.
pub(crate) fn exercise(dump: &[u8], vmlinux: Option<&[u8]>) -> bool {
    let Ok(mut vmcore) = Vmcore::open(&dump) else { return false };
    if vmcore.vmcoreinfo().is_empty()
        && let Some(found) = find_info(&vmcore)
    {
        vmcore.adopt_vmcoreinfo(found.address, &found.text);
    }
    let vmlinux = vmlinux.map(Files::from);
    let inputs = Inputs { vmcore: &vmcore, vmlinux, modules: &NoModules };
    let Ok(analysis) = analyze(&inputs) else { return false };
    let _ = (render::text(&analysis.report), render::json(&analysis.stable));
    let _ = with_session(&inputs, &Names::default, |session| {
        for command in ALL {
            for output in session.run(command.name) {
                let _ = (output.text(), output.json());
            }
        }
    });
    true
}
