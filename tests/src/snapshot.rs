// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where reviewed reports are kept: in the folder of the case, below the name of the guest.

use std::path::{Path, PathBuf};

use harness::run::select::Selected;

use crate::project;

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
    settings
}
