// SPDX-License-Identifier: MIT OR Apache-2.0
//! The report beside `addr2line`'s word.

use analyzer::report::{Frame, Report, Trust};
use anyhow::{Context as _, Result, ensure};

use super::{Count, number};
use crate::dump::Dump;
use crate::peers::addr2line::{self, Place};
use crate::symbols::Symbols;

/// Compares functions, inlined ones too, and lines of every frame that is code.
///
/// # Errors
/// They differ, or `addr2line` cannot be had.
pub fn all(dump: &Dump, report: &Report, compared: &mut Count) -> Result<()> {
    let slide = report.kernel.kaslr_offset.as_deref().and_then(number);
    let slide = slide.context("the report has no KASLR offset")?;
    for frames in report.backtraces.fault.split_inclusive(|frame| !frame.inlined) {
        let last = frames.last().context("no frame")?;
        if last.symbol.is_some() {
            places(frames, &ask(dump, last, slide)?, compared)?;
        }
    }
    ensure!(compared.total() > 0, "no frame could be compared");
    Ok(())
}

/// Asks about the code of a frame.
///
/// A return address lies behind its call, and what is there may be another line or another
/// function; so one less is asked for, but not where code was interrupted.
fn ask(dump: &Dump, frame: &Frame, slide: u64) -> Result<Vec<Place>> {
    let back = u64::from(frame.trust != Trust::Exact);
    let field = |value: &Option<String>| value.as_deref().and_then(number).context("no number");
    let Some(module) = &frame.module else {
        let address = field(&frame.address)?.wrapping_sub(slide).wrapping_sub(back);
        return addr2line::ask(&dump.vmlinux, None, address);
    };
    let file = dump.modules.join(format!("{module}.ko"));
    let symbol = frame.symbol.as_deref().context("a frame without a symbol")?;
    let place = Symbols::read(&file)?.only(symbol)?;
    let address = place.address.wrapping_add(field(&frame.offset)?).wrapping_sub(back);
    addr2line::ask(&file, Some(&place.section), address)
}

fn places(frames: &[Frame], theirs: &[Place], compared: &mut Count) -> Result<()> {
    compared.same("functions at one address", &frames.len(), &theirs.len())?;
    for (frame, place) in frames.iter().zip(theirs) {
        let name = frame.function.as_deref().unwrap_or_default();
        let what = format!("addr2line, frame {} {name}", frame.index);
        compared.same(&what, &name, &place.function.as_str())?;
        compared.same(&what, &frame.line, &place.line)?;
        let file = frame.file.as_deref().unwrap_or_default();
        // It puts the folder of the compilation before a relative name: of `fs/exec.c`, compiled
        // in `debian/build/…`, it says `debian/build/…/fs/exec.c`.
        let same = place.file == file || place.file.ends_with(&format!("/{file}"));
        compared.same(&format!("{what}: {file} or {}", place.file), &same, &true)?;
    }
    Ok(())
}
