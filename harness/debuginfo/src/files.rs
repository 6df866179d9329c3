// SPDX-License-Identifier: MIT OR Apache-2.0
//! The files that describe one kernel or module: one, or two if the debug information was split
//! off (`objcopy --only-keep-debug`, `eu-strip -f`; distributions' debug packages).

use object::elf;

use crate::elf::Elf;
use crate::{Error, Ledger, SourceTexts, notes};

/// The files of one image.
#[derive(Clone, Copy)]
pub struct Files<'d> {
    /// The kernel or module itself, stripped or not; or its debug file alone.
    pub image: &'d [u8],
    /// Its separate debug file.
    pub debug: Option<&'d [u8]>,
    /// The supplementary file that its debug information refers to, made by `dwz`.
    pub supplementary: Option<&'d [u8]>,
    /// Where questions and answers are written down, or where they come from in the place of the
    /// files.
    pub ledger: Option<&'d Ledger>,
    /// Who has the sources.
    pub texts: Option<&'d dyn SourceTexts>,
}

impl std::fmt::Debug for Files<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Files")
            .field("image", &self.image.len())
            .field("debug", &self.debug.map(<[u8]>::len))
            .field("supplementary", &self.supplementary.map(<[u8]>::len))
            .finish()
    }
}

impl<'d, B: AsRef<[u8]> + ?Sized> From<&'d B> for Files<'d> {
    fn from(image: &'d B) -> Self {
        Self { image: image.as_ref(), debug: None, supplementary: None, ledger: None, texts: None }
    }
}

/// Puts the debug file's symbols and debug information together with the bytes that only the
/// image has.
///
/// The debug file keeps all section headers and the symbol table, so that it leads: its numbers of
/// sections are those that its symbols and relocations mean. A debug file without symbols (of an
/// image that was only stripped of its debug information) follows instead.
pub(crate) fn join<'d>(image: Elf<'d>, debug: Elf<'d>) -> Elf<'d> {
    let (mut first, second) =
        if debug.symbols.is_empty() { (image, debug) } else { (debug, image) };
    for section in second.sections {
        // These speak of the other file's numbers of sections and symbols.
        if matches!(section.kind, elf::SHT_RELA | elf::SHT_SYMTAB | elf::SHT_STRTAB) {
            continue;
        }
        if section.data.is_empty() || section.name.is_empty() {
            continue;
        }
        match first.sections.iter_mut().find(|known| known.name == section.name) {
            Some(known) if known.data.is_empty() => {
                known.data = section.data;
                known.kind = section.kind;
                known.compression = section.compression;
                known.uncompressed = section.uncompressed;
            }
            Some(_) => {}
            None => first.sections.push(section),
        }
    }
    first
}

/// Whether the debug file can be of another build than the image.
pub(crate) fn check(image: &Elf<'_>, debug: &Elf<'_>) -> Result<(), Error> {
    match (notes::build_id(image), notes::build_id(debug)) {
        (Some(ours), Some(theirs)) if ours != theirs => {
            Err(Error::OtherDebugFile { image: hex(&ours), debug: hex(&theirs) })
        }
        _ => Ok(()),
    }
}

/// Adds the supplementary file that the debug information of an image refers to.
pub(crate) fn add_supplementary<'d>(
    image: &mut Elf<'d>,
    file: Option<&'d [u8]>,
) -> Result<(), Error> {
    let Some(link) = notes::supplementary(image) else { return Ok(()) };
    let file = file.ok_or_else(|| Error::NoSupplementaryFile(link.name.to_owned()))?;
    let supplementary = Elf::supplementary(file)?;
    let found = notes::supplementary_id(&supplementary).unwrap_or_default();
    // Two files without an identity are not the same for that.
    if found != link.build_id || found.is_empty() {
        let (wanted, found) = (hex(link.build_id), hex(&found));
        return Err(Error::OtherSupplementaryFile { wanted, found });
    }
    image.supplementary = Some(Box::new(supplementary));
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
