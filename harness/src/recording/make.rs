// SPDX-License-Identifier: MIT OR Apache-2.0
//! Records an analysis: made once to see what it reads of the memory, once more to see what it then
//! still reads of the dump's file, and a third time from the recording, which must say the same.

use std::collections::BTreeMap;
use std::path::Path;

use analyzer::{Analysis, Files, Inputs, ModuleFiles};
use debuginfo::{Image, Ledger};
use vmcore::{ReadAt as _, Vmcore, Witness};

use super::kept::{Noted, Seen};
use super::spans::Spans;
use super::{About, Made, Recording, container, replay};
use crate::analysis::{Symbols, wanted};
use crate::map::Map;
use crate::symbols::{Found, Modules};

/// Where the kernel's text is mapped from physical address 0 on (`__START_KERNEL_map`).
const TEXT_MAP: u64 = 0xffff_ffff_8000_0000;
const PAGE: u64 = 4096;

/// Why an analysis cannot be recorded.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be opened.
    #[error("{0}")]
    Files(crate::error::Failure),
    /// The dump cannot be read.
    #[error("the dump cannot be opened")]
    Dump(#[from] vmcore::Error),
    /// It can be mapped by nobody.
    #[error("the dump cannot be mapped")]
    Map(#[from] std::io::Error),
    /// The kernel cannot be found in it.
    #[error(transparent)]
    Analysis(#[from] analyzer::Error),
    /// There is no `vmlinux`.
    #[error("there is no vmlinux; an analysis without one is not recorded")]
    NoVmlinux,
    /// So much of the kernel's text was read that it would be copied.
    #[error("the analysis read a whole page of the kernel's text at {0:#x}")]
    Text(u64),
    /// It has more bytes than one may have.
    #[error("the recording has {0} bytes; the limit is {limit}", limit = super::MAX_BYTES)]
    TooLarge(usize),
    /// The replay fails.
    #[error(transparent)]
    Replay(#[from] replay::Error),
    /// It cannot be written or read back.
    #[error(transparent)]
    Container(#[from] container::Error),
    /// The replay says something else.
    #[error("the recording gives another report than the dump")]
    Differs,
}

/// The bytes of the recording of an analysis, and what the analysis says.
///
/// # Errors
/// The analysis cannot be made, or not be recorded within the limits.
pub fn make(about: About, vmcore: &Path, symbols: &Symbols) -> Result<(Vec<u8>, Analysis), Error> {
    let map = Map::open(vmcore)?;
    let said = wanted(&Vmcore::open(&map)?);
    let vmlinux = symbols.kernel(&said).map_err(Error::Files)?.ok_or(Error::NoVmlinux)?;
    let modules = symbols.modules(&said).map_err(Error::Files)?;
    let kernel = Ledger::default();
    let modules = Written::new(&modules);
    let first = Source { vmlinux: &vmlinux, kernel: &kernel, modules: &modules };
    let seen = Seen::default();
    let analysis = first.analyze(&mut Vmcore::open(&map)?, &seen)?;
    let memory = seen.into_spans();
    let noted = Noted::new(&map, &memory);
    first.analyze(&mut Vmcore::open(&noted)?, &noted)?;
    let file = noted.into_spans();
    check_text(&memory, &Vmcore::open(&map)?, vmlinux.files())?;
    let about = About { made: Some(Made::of(&analysis.stable)), ..about };
    let recording = Recording {
        about,
        file_length: map.len(),
        file,
        memory,
        vmlinux: kernel.into_answers(),
        modules: modules.into_answers(),
    };
    let bytes = recording.to_bytes()?;
    if bytes.len() > super::MAX_BYTES {
        return Err(Error::TooLarge(bytes.len()));
    }
    let (_, again) = Recording::from_bytes(&bytes)?.replay()?;
    if again == analysis { Ok((bytes, analysis)) } else { Err(Error::Differs) }
}

/// Files whose questions are written down.
struct Source<'s> {
    vmlinux: &'s Found,
    kernel: &'s Ledger,
    modules: &'s Written<'s>,
}

impl<'s> Source<'s> {
    fn analyze<'d>(
        &self,
        vmcore: &'s mut Vmcore<'d>,
        witness: &'d dyn Witness,
    ) -> Result<Analysis, analyzer::Error>
    where
        's: 'd,
    {
        vmcore.attend(witness);
        let vmlinux = Files { ledger: Some(self.kernel), ..self.vmlinux.files() };
        analyzer::analyze(&Inputs { vmcore, vmlinux: Some(vmlinux), modules: self.modules })
    }
}

/// Modules whose questions are written down.
struct Written<'m> {
    files: &'m Modules,
    ledgers: BTreeMap<String, Ledger>,
}

impl<'m> Written<'m> {
    fn new(files: &'m Modules) -> Self {
        let ledgers = files.names().into_iter().map(|name| (name, Ledger::default()));
        Self { files, ledgers: ledgers.collect() }
    }

    fn into_answers(self) -> BTreeMap<String, debuginfo::Answers> {
        let answers = self.ledgers.into_iter().map(|(name, ledger)| (name, ledger.into_answers()));
        answers.filter(|(_, answers)| !answers.is_empty()).collect()
    }
}

impl ModuleFiles for Written<'_> {
    fn module(&self, name: &str, build_id: Option<&[u8]>) -> Option<Files<'_>> {
        Some(Files { ledger: self.ledgers.get(name), ..self.files.module(name, build_id)? })
    }

    fn names(&self) -> Vec<String> {
        self.files.names()
    }
}

/// A recording is no copy of the kernel.
fn check_text(memory: &Spans, vmcore: &Vmcore<'_>, vmlinux: Files<'_>) -> Result<(), Error> {
    let info = vmcore.vmcoreinfo();
    let image = info.kaslr_offset().and_then(|bias| Image::kernel(vmlinux, bias).ok());
    let place = |name: &str| {
        let address = image.as_ref()?.symbol(name)?.address;
        address.checked_sub(TEXT_MAP)?.checked_add_signed(vmcore.phys_base()?)
    };
    let (Some(start), Some(end)) = (place("_stext"), place("_etext")) else { return Ok(()) };
    for (first, bytes) in memory.iter() {
        let last = first.saturating_add(bytes.len().try_into().unwrap_or(u64::MAX));
        let page = first.max(start).next_multiple_of(PAGE);
        if page.saturating_add(PAGE) <= last.min(end) {
            return Err(Error::Text(page.wrapping_add(TEXT_MAP)));
        }
    }
    Ok(())
}
