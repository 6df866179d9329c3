// SPDX-License-Identifier: MIT OR Apache-2.0
//! The files of a dump, as the user names them: a dump, all files of a split one, or the
//! description of raw RAM.

mod description;

use std::error::Error;
use std::path::Path;

use kernel::find_info;
use vmcore::{Ram, ReadAt, ReadError, Vmcore};

use crate::error::Failure;
use crate::exit::Exit;
use crate::map::Map;
use crate::opened::Opened;
use description::Description;

/// A dump's files, mapped.
#[derive(Debug)]
pub(crate) struct Dump {
    /// As the user named them; of raw RAM, the file of the description with the bytes of the RAM.
    files: Vec<Opened>,
    /// What a file of raw RAM does not say about itself.
    ram: Option<Ram>,
}

impl Dump {
    /// A dump, the files of a split one, or the file of RAM that a description names.
    pub(crate) fn of(files: Vec<Opened>) -> Result<Self, Failure> {
        match files.as_slice() {
            [file] if Description::is_one(&file.bytes) => Self::described(&file.path, &file.bytes),
            _ => Ok(Self { files, ram: None }),
        }
    }

    fn described(path: &Path, text: &[u8]) -> Result<Self, Failure> {
        let wrong = |error: &(dyn Error + 'static)| {
            Failure::new(Exit::AnalysisFailed, format!("cannot read {}", path.display()))
                .caused_by(error)
                .hint("docs/raw-ram.md describes the form of this file")
        };
        let description = Description::parse(text).map_err(|error| wrong(&error))?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let ram = Opened::open(&folder.join(&description.ram))?;
        let layout = description.layout(folder, ram.bytes.len()).map_err(|error| wrong(&error))?;
        Ok(Self { files: vec![Opened { path: path.to_owned(), ..ram }], ram: Some(layout) })
    }

    /// The files.
    pub(crate) fn files(&self) -> &[Opened] {
        &self.files
    }

    /// Reads its headers and notes, and finds VMCOREINFO in its memory if it is not among them.
    pub(crate) fn vmcore(&self) -> Result<Vmcore<'_>, Failure> {
        let mut vmcore = self.headers()?;
        if vmcore.vmcoreinfo().is_empty()
            && let Some(found) = find_info(&vmcore)
        {
            vmcore.adopt_vmcoreinfo(found.address, &found.text);
        }
        Ok(vmcore)
    }

    fn headers(&self) -> Result<Vmcore<'_>, Failure> {
        let refused = |error: vmcore::Error| with(error.way_out(), self.failure(&error));
        match (self.files.as_slice(), &self.ram) {
            ([file], Some(ram)) => Vmcore::from_ram(&file.bytes, ram).map_err(refused),
            ([file], None) => Vmcore::open(&file.bytes).map_err(refused),
            (files, _) => {
                let readers: Vec<&dyn ReadAt> =
                    files.iter().map(|file| &file.bytes as &dyn ReadAt).collect();
                Vmcore::open_set(&readers)
                    .map_err(|error| with(error.way_out(), self.failure_of(error.file(), &error)))
            }
        }
    }

    /// The files' names, as the user gave them.
    pub(crate) fn name(&self) -> String {
        let names: Vec<String> =
            self.files.iter().map(|file| file.path.display().to_string()).collect();
        names.join(" ")
    }

    /// That the dump cannot be analyzed, and why.
    pub(crate) fn failure(&self, error: &(dyn Error + 'static)) -> Failure {
        self.failure_of(0, error)
    }

    fn failure_of(&self, file: usize, error: &(dyn Error + 'static)) -> Failure {
        let path = self.files.get(file).map_or(Path::new(""), |file| &file.path);
        Failure::new(Exit::AnalysisFailed, format!("cannot analyze {}", path.display()))
            .caused_by(error)
    }
}

/// The failure with its way out, if there is one.
fn with(way_out: Option<&str>, failure: Failure) -> Failure {
    match way_out {
        Some(way_out) => failure.hint(way_out),
        None => failure,
    }
}

impl ReadAt for Map {
    fn len(&self) -> u64 {
        ReadAt::len(&**self)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), ReadError> {
        (**self).read_at(offset, buffer)
    }

    fn bytes(&self, offset: u64, length: usize) -> Option<&[u8]> {
        (**self).bytes(offset, length)
    }
}
