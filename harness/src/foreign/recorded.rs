// SPDX-License-Identifier: MIT OR Apache-2.0
//! The recorded crash of a fault, analyzed again.

use std::error::Error;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{Fault, ForeignRow};
use crate::recording::{EXTENSION, Recording};

/// Folder of the recordings, below that of the faults.
const FOLDER: &str = "recordings";

/// Where the recording of a fault is, below the folder of the faults.
#[must_use]
pub fn recording_of(fault: &Fault, faults: &Path) -> PathBuf {
    faults.join(FOLDER).join(format!("{}.{EXTENSION}", fault.id))
}

/// What is said of the recorded crash now; one that was not recorded did not crash.
///
/// # Errors
/// The recording is damaged, or lacks what the analyzer looks at.
pub fn recorded(fault: &Fault, faults: &Path) -> Result<ForeignRow, Box<dyn Error + Send + Sync>> {
    let bytes = match fs::read(recording_of(fault, faults)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Ok(ForeignRow::new(fault));
        }
        bytes => bytes?,
    };
    let (_, analysis) = Recording::from_bytes(&bytes)?.replay()?;
    Ok(ForeignRow::judged(fault, &analysis.report))
}
