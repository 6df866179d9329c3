// SPDX-License-Identifier: MIT OR Apache-2.0
//! The host's QEMU and its version.

use std::path::{Path, PathBuf};

use process::helper;

/// The program that runs the guests.
pub(super) const PROGRAM: &str = "qemu-system-x86_64";
/// Firmware of its PC machines, from SeaBIOS.
pub(super) const FIRMWARE: &str = "bios-256k.bin";
/// QEMU 7.2's emulation makes one boot in four of a 6.12 kernel crash by itself (18 of 78; none of
/// 32 with 10.0.2). 5.10 and 6.1 run on both.
const FAITHFUL: (u32, u32) = (8, 0);

/// A QEMU.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Qemu {
    /// The program.
    pub path: PathBuf,
    /// Major and minor version.
    pub version: (u32, u32),
    /// What it prints about its version, with the distribution's own.
    pub text: String,
}

impl Qemu {
    /// What to expect of a version that is too old for the newest kernels.
    #[must_use]
    pub fn note(&self) -> Option<String> {
        (self.version < FAITHFUL).then(|| {
            let (major, minor) = self.version;
            format!(
                "without KVM, QEMU {major}.{minor} makes kernels from 6.12 on crash by themselves"
            )
        })
    }
}

/// The host's QEMU; none where it is absent or does not even tell its version.
#[must_use]
pub fn qemu() -> Option<Qemu> {
    let path = helper::find(PROGRAM)?;
    let answer = helper::answer(&path, "--version")?;
    let (version, text) = parse(&answer)?;
    Some(Qemu { path, version, text })
}

/// Reads `QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7)`.
fn parse(answer: &str) -> Option<((u32, u32), String)> {
    let (_, text) = answer.lines().next()?.split_once(" version ")?;
    let mut numbers = text.split([' ', '.']).map_while(|part| part.parse().ok());
    Some(((numbers.next()?, numbers.next()?), text.trim().to_owned()))
}

/// Whether QEMU has its firmware for a PC.
pub(super) fn has_firmware(qemu: &Path) -> bool {
    let folders = helper::tied(qemu, ["-L", "help"]).stderr_null().read().unwrap_or_default();
    folders.lines().any(|folder| Path::new(folder.trim()).join(FIRMWARE).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_and_old_ones_noted() {
        let debian = "QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18+b3)\nCopyright";
        let (version, text) = parse(debian).unwrap();
        assert_eq!(version, (7, 2));
        assert_eq!(text, "7.2.22 (Debian 1:7.2+dfsg-7+deb12u18+b3)");
        let qemu = Qemu { path: "q".into(), version, text };
        assert!(qemu.note().unwrap().contains("QEMU 7.2"));
        let (version, text) = parse("QEMU emulator version 10.0.2").unwrap();
        assert_eq!(Qemu { path: "q".into(), version, text }.note(), None);
        assert_eq!(parse(""), None);
        assert_eq!(parse("QEMU emulator version x"), None);
    }
}
