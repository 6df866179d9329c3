// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a trigger of ways to execute programs needs in its guest: `guests/exec-paths`, and modules
//! of the kernel that some of its steps load.

use super::{CaseContent, CaseFile, InitramfsError};
use crate::module_disk::ModuleDisk;

/// The program, a static x86-64 one.
static PROGRAM: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/exec-paths.bin"));

/// Where it is.
pub const EXEC_PATHS: &str = "/bin/exec-paths";
/// Folder with a folder for each module: its file and those of what it depends on, named in the
/// order of loading.
pub const EXEC_MODULES: &str = "/lib/repro/exec-paths";

/// The modules; a step says by itself where a kernel lacks one.
const MODULES: [&str; 2] = ["binfmt_misc", "overlay"];

/// The program and the modules of a guest's kernel.
///
/// # Errors
/// A module cannot be read.
pub fn exec_paths(disk: &ModuleDisk) -> Result<Vec<CaseFile>, InitramfsError> {
    let file = |name: String, bytes: Vec<u8>| CaseFile { name, content: CaseContent::Bytes(bytes) };
    let mut files = vec![file(EXEC_PATHS.to_owned(), PROGRAM.to_vec())];
    for module in MODULES {
        let order = disk.index().order(module).unwrap_or_default();
        for (number, name) in order.into_iter().enumerate() {
            let Some(content) = disk.module(name)? else { continue };
            files.push(file(format!("{EXEC_MODULES}/{module}/{number:02}-{name}.ko"), content));
        }
    }
    Ok(files)
}
