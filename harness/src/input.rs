// SPDX-License-Identifier: MIT OR Apache-2.0
//! What an analysis is of, opened once: a dump, or the text of a kernel's log.

use std::path::Path;

use crate::crash_folder;
use crate::dump::Dump;
use crate::error::Failure;
use crate::opened::Opened;
use crate::text::Text;

/// What an analysis is of.
pub(crate) enum Input {
    /// A dump.
    Dump(Dump),
    /// A text.
    Text(Text),
}

impl Input {
    /// Opens what is named: a file, all files of a split dump, a crash's folder, `-` for a text on standard input.
    ///
    /// # Errors
    /// It cannot be opened, or a folder has no crash in it.
    pub(crate) fn open(paths: &[impl AsRef<Path>]) -> Result<Self, Failure> {
        let paths = crash_folder::expanded(paths)?;
        if let [path] = paths.as_slice()
            && path == Path::new("-")
        {
            return Text::of_standard_input().map(Self::Text);
        }
        let mut files =
            paths.iter().map(|path| Opened::open(path)).collect::<Result<Vec<_>, Failure>>()?;
        if let [file] = files.as_slice()
            && Text::is_one(&file.bytes)
            && let Some(file) = files.pop()
        {
            return Ok(Self::Text(Text::of(file)));
        }
        Dump::of(files).map(Self::Dump)
    }

    /// What of it is damaged, though it can be read.
    pub(crate) fn damage(&self) -> impl Iterator<Item = &str> {
        let files = match self {
            Self::Dump(dump) => dump.files(),
            Self::Text(text) => std::slice::from_ref(text.file()),
        };
        files.iter().filter_map(|file| file.damage.as_deref())
    }
}
