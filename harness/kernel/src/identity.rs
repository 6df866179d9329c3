// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether a `vmlinux` is the one of the dump.
//!
//! The build-id decides: VMCOREINFO has it since 5.9, and the `.notes` section lies in the
//! kernel's memory in every version. Kernels without one are told by `linux_banner`, the text
//! with release, compiler, build number and date.

use debuginfo::{Files, Image};
use vmcore::VmcoreInfo;

use super::memory::{VirtualMemory, text};
use super::space::AddressSpace;
use super::usual_offset::usual_offset;

/// Longest `.notes` section that is compared.
const MAX_NOTES: usize = 64 << 10;
/// Longest banner that is compared.
pub(super) const MAX_BANNER: usize = 1024;

/// What became of the `vmlinux` given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VmlinuxState {
    /// None was given.
    Absent,
    /// It is the dump's, and this is what says so.
    Matches {
        /// What was compared: `build-id`, `linux_banner`.
        by: &'static str,
    },
    /// It is used, but nothing in the dump could confirm that it is the right one.
    Unconfirmed,
    /// It is of another kernel and is not used.
    Wrong(WrongVmlinux),
    /// It is the dump's, or may be, and has neither symbols nor debug information: the dump tells more.
    Stripped,
    /// It is no file that can be used.
    Unusable(debuginfo::Error),
}

/// A `vmlinux` of another kernel than the dump's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the vmlinux given is of another kernel: the dump has {what} {ours}, the file {theirs}")]
pub struct WrongVmlinux {
    /// What was compared: `build-id`, `linux_banner`, the address of `_stext`.
    pub what: &'static str,
    /// The dump's value.
    pub ours: String,
    /// The file's value.
    pub theirs: String,
}

/// Result of the check.
pub(super) struct Checked<'a> {
    pub(super) image: Option<Image<'a>>,
    pub(super) state: VmlinuxState,
    pub(super) kaslr: Option<u64>,
}

/// Opens `file` as the kernel's image if it is the dump's.
pub(super) fn check<'a>(
    space: &AddressSpace<'_>,
    info: &VmcoreInfo,
    files: Option<Files<'a>>,
) -> Checked<'a> {
    let said = info.kaslr_offset();
    let Some(files) = files else {
        let kaslr = usual_offset(info);
        return Checked { image: None, state: VmlinuxState::Absent, kaslr };
    };
    let opened = match said {
        Some(bias) => Image::kernel(files, bias).map(|image| (image, bias)),
        None => open_by_stext(files, info),
    };
    let (image, bias) = match opened {
        Ok(opened) => opened,
        Err(error) => {
            return Checked { image: None, state: VmlinuxState::Unusable(error), kaslr: said };
        }
    };
    let state = compare(space, info, &image);
    let usable = matches!(state, VmlinuxState::Matches { .. } | VmlinuxState::Unconfirmed);
    if usable && image.is_stripped() {
        let kaslr = said.or_else(|| usual_offset(info));
        return Checked { image: None, state: VmlinuxState::Stripped, kaslr };
    }
    Checked { image: usable.then_some(image), state, kaslr: said.or(usable.then_some(bias)) }
}

/// Finds the KASLR offset by `_stext`, for dumps that do not say it.
fn open_by_stext<'a>(
    files: Files<'a>,
    info: &VmcoreInfo,
) -> Result<(Image<'a>, u64), debuginfo::Error> {
    let linked = Image::kernel(files, 0)?;
    let offset = info
        .symbol("_stext")
        .and_then(|ran| ran.checked_sub(linked.symbol("_stext")?.address))
        .unwrap_or(0);
    if offset == 0 {
        return Ok((linked, 0));
    }
    Ok((Image::kernel(files, offset)?, offset))
}

/// Compares what identifies the dump's kernel and the file.
///
/// Several stable kernels wrote a wrong BUILD-ID into VMCOREINFO (6.1.113 to 6.1.118 among
/// them), so that one that differs is believed only if the kernel's own notes differ too.
fn compare(space: &AddressSpace<'_>, info: &VmcoreInfo, image: &Image<'_>) -> VmlinuxState {
    let theirs = image.build_id();
    let said = info.build_id();
    if said.is_some() && said == theirs {
        return VmlinuxState::Matches { by: "build-id" };
    }
    match same_notes(space, image) {
        Some(true) if theirs.is_some() => return VmlinuxState::Matches { by: "build-id" },
        _ => {}
    }
    if let (Some(ours), Some(theirs)) = (&said, &theirs) {
        return VmlinuxState::Wrong(WrongVmlinux {
            what: "build-id",
            ours: hex(ours),
            theirs: hex(theirs),
        });
    }
    compare_banners(space, info, image)
}

/// Whether the kernel's `.notes` in memory are those of the file; none if they cannot be read.
fn same_notes(space: &AddressSpace<'_>, image: &Image<'_>) -> Option<bool> {
    let (address, bytes) = image.section(".notes")?;
    let bytes = bytes.get(..MAX_NOTES.min(bytes.len())).filter(|bytes| !bytes.is_empty())?;
    Some(space.read_bytes(address, bytes.len()).ok()? == bytes)
}

/// Compares `linux_banner`.
///
/// At the address that a wrong file names, the dump may have something else than a banner; the
/// release then decides, which can only tell that a file is wrong.
fn compare_banners(space: &AddressSpace<'_>, info: &VmcoreInfo, image: &Image<'_>) -> VmlinuxState {
    let Some((address, theirs)) = file_banner(image) else { return compare_text(info, image) };
    let found = space.read_string(address, MAX_BANNER).unwrap_or_default();
    if found == theirs {
        return VmlinuxState::Matches { by: "linux_banner" };
    }
    let release = format!("Linux version {}", info.os_release().unwrap_or_default());
    let is_banner = found.starts_with("Linux version ");
    if !is_banner && theirs.starts_with(&format!("{release} ")) {
        return compare_text(info, image);
    }
    let ours = if is_banner { found } else { release };
    let trimmed = |banner: &str| banner.trim_end().to_owned();
    VmlinuxState::Wrong(WrongVmlinux {
        what: "linux_banner",
        ours: trimmed(&ours),
        theirs: trimmed(&theirs),
    })
}

/// Compares where the text begins, which can only tell that a file is wrong, or is to be used at another KASLR
/// offset than the dump says: it would give wrong names then.
fn compare_text(info: &VmcoreInfo, image: &Image<'_>) -> VmlinuxState {
    let theirs = image.symbol("_stext").map(|symbol| symbol.address);
    match (info.symbol("_stext"), theirs) {
        (Some(ours), Some(theirs)) if ours != theirs => VmlinuxState::Wrong(WrongVmlinux {
            what: "_stext at",
            ours: format!("{ours:#x}"),
            theirs: format!("{theirs:#x}"),
        }),
        _ => VmlinuxState::Unconfirmed,
    }
}

/// The release of the kernel that a file is of, by its `linux_banner`.
#[must_use]
pub fn release_of(image: &Image<'_>) -> Option<String> {
    let (_, banner) = file_banner(image)?;
    Some(banner.strip_prefix("Linux version ")?.split(' ').next()?.to_owned())
}

/// Run-time address and text of the file's `linux_banner`.
pub(super) fn file_banner(image: &Image<'_>) -> Option<(u64, String)> {
    let address = image.symbol("linux_banner")?.address;
    let (start, bytes) = image.section(".rodata")?;
    let offset = usize::try_from(address.checked_sub(start)?).ok()?;
    let rest = bytes.get(offset..)?;
    Some((address, text(rest.get(..MAX_BANNER).unwrap_or(rest))))
}

/// Bytes as hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;

    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string does not fail");
        text
    })
}
