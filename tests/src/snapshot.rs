// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where reviewed reports are kept: in the folder of the case, below the name of the guest.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use analyzer::report::STABLE_FORM;
use harness::run::select::Selected;

use crate::project;

/// What is noted of a report beside its words.
#[derive(serde::Serialize)]
struct Info {
    form: u32,
}

/// The folder of the snapshots of a case on a guest.
#[must_use]
pub fn folder(selected: &Selected) -> PathBuf {
    let case = project::root().join("modules").join(&selected.case.name);
    case.join("snapshots").join(&selected.guest.name)
}

/// Whether somebody reviewed the report of this case on this guest: it is held to every word then.
#[must_use]
pub fn is_reviewed(selected: &Selected) -> bool {
    folder(selected).is_dir()
}

/// Settings for the snapshots of a case on a guest. `cargo insta review` finds what is pending
/// there because `modules/` is a package.
#[must_use]
pub fn settings(selected: &Selected) -> insta::Settings {
    settings_in(selected, &folder(selected))
}

/// Settings for snapshots of a case that lie in another folder, such as those of recordings.
#[must_use]
pub fn settings_in(selected: &Selected, folder: &Path) -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(folder);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.set_description(&selected.case.manifest.summary);
    // `repro review --upgrade` reads it there; what was reviewed before it had a number is form 1.
    settings.set_info(&Info { form: STABLE_FORM });
    settings
}

/// Where one of two snapshots of a report waits for review, lets the other wait too, which says the
/// same as before: text and data are reviewed together and of one form.
///
/// # Errors
/// A file cannot be read or written.
pub fn wait_together(folder: &Path, snapshots: [(&str, &str); 2]) -> io::Result<()> {
    let path = |name: &str| folder.join(format!("{name}.snap.new"));
    let [text, data] = snapshots;
    for ((waits, _), (other, words)) in [(text, data), (data, text)] {
        if path(waits).is_file() && !path(other).is_file() {
            let file = fs::read_to_string(path(waits))?;
            let head = file.split("\n---\n").next().unwrap_or_default();
            fs::write(path(other), format!("{head}\n---\n{}\n", words.trim_end()))?;
        }
    }
    Ok(())
}
