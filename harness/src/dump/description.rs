// SPDX-License-Identifier: MIT OR Apache-2.0
//! The description of a file of raw RAM: JSON, as docs/raw-ram.md has it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer};
use vmcore::{PhysAddr, Place, Ram, RamRange};

/// Where QEMU begins the hole below 4 GiB at the lowest (`hw/i386/pc_q35.c`): memory that is no
/// larger is one range from 0 on in every machine type.
const LOWEST_HOLE: u64 = 0x8000_0000;
/// Longest description, and longest file of notes, that is read.
const LONGEST: usize = 64 << 20;

/// What a person or a program writes down about a file of raw RAM.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Description {
    /// The file, beside the description unless the path is absolute.
    pub(super) ram: PathBuf,
    #[serde(default)]
    ranges: Vec<Range>,
    #[serde(default)]
    notes: Vec<Source>,
    vmcoreinfo: Option<Source>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Range {
    #[serde(deserialize_with = "number")]
    start: u64,
    #[serde(deserialize_with = "number")]
    size: u64,
    #[serde(deserialize_with = "number")]
    offset: u64,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Source {
    File(InFile),
    Memory(InMemory),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct InFile {
    file: PathBuf,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct InMemory {
    #[serde(deserialize_with = "number")]
    start: u64,
    #[serde(deserialize_with = "number")]
    size: u64,
}

impl Description {
    /// Whether a file is a description: no dump starts with a brace.
    pub(super) fn is_one(file: &[u8]) -> bool {
        let mut text = file.iter().take(LONGEST).skip_while(|byte| byte.is_ascii_whitespace());
        text.next() == Some(&b'{')
    }

    pub(super) fn parse(file: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(file)
    }

    /// The layout of a file of `length` bytes. Other files are beside the description in `folder`.
    pub(super) fn layout(self, folder: &Path, length: u64) -> io::Result<Ram> {
        let place = |source: Source| source.place(folder);
        let notes = self.notes.into_iter().map(place).collect::<io::Result<_>>()?;
        let vmcoreinfo = self.vmcoreinfo.map(place).transpose()?;
        if !self.ranges.is_empty() {
            let ranges = self.ranges.into_iter().map(Range::range).collect();
            return Ok(Ram { ranges, notes, vmcoreinfo });
        }
        if length > LOWEST_HOLE {
            let why = "it has no `ranges`, and more than 2 GiB of RAM are not in one piece";
            return Err(io::Error::new(io::ErrorKind::InvalidData, why));
        }
        Ok(Ram { notes, vmcoreinfo, ..Ram::flat(length) })
    }
}

impl Range {
    const fn range(self) -> RamRange {
        RamRange { start: PhysAddr(self.start), size: self.size, offset: self.offset }
    }
}

impl Source {
    fn place(self, folder: &Path) -> io::Result<Place> {
        match self {
            Self::Memory(InMemory { start, size }) => {
                Ok(Place::Memory { start: PhysAddr(start), size })
            }
            Self::File(InFile { file }) => {
                let path = folder.join(file);
                let named = |error: io::Error| {
                    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
                };
                fs::read(&path).map(Place::Bytes).map_err(named)
            }
        }
    }
}

/// A number, or a string with one in hexadecimal: JSON itself has no hexadecimal.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Number(u64),
        Text(String),
    }

    match Written::deserialize(deserializer)? {
        Written::Number(number) => Ok(number),
        Written::Text(text) => {
            let digits = text.strip_prefix("0x").filter(|digits| {
                !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
            });
            digits.and_then(|digits| u64::from_str_radix(digits, 16).ok()).ok_or_else(|| {
                serde::de::Error::custom(format!("`{text}` is no number and no \"0x…\""))
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(text: &str, length: u64) -> Result<Ram, String> {
        let text = text.as_bytes();
        assert!(Description::is_one(text));
        let description = Description::parse(text).map_err(|error| error.to_string())?;
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        description.layout(folder, length).map_err(|error| error.to_string())
    }

    #[test]
    fn example_of_the_documentation_is_understood() {
        let page = include_str!("../../../docs/raw-ram.md");
        let example = page.split("```").find_map(|part| part.strip_prefix("json\n")).unwrap();
        let ram = layout(&example.replace("cpu1.note", "Cargo.toml"), 1 << 32).unwrap();
        let range = |start, size, offset| RamRange { start: PhysAddr(start), size, offset };
        let ranges = [range(0, 0x8000_0000, 0), range(1 << 32, 0x8000_0000, 0x8000_0000)];
        assert_eq!(ram.ranges, ranges);
        let memory = |start, size| Place::Memory { start: PhysAddr(start), size };
        let file = include_bytes!("../../Cargo.toml").to_vec();
        assert_eq!(ram.notes, [memory(0x1_7fc0_1a00, 368), Place::Bytes(file)]);
        assert_eq!(ram.vmcoreinfo, Some(memory(0x1_0415_b000, 4096)));
    }

    #[test]
    fn a_small_machine_needs_no_ranges() {
        let ram = layout(r#" {"ram": "guest.ram"}"#, 0x4000_0000).unwrap();
        assert_eq!(ram, Ram::flat(0x4000_0000));
        let error = layout(r#"{"ram": "guest.ram"}"#, 0x8000_1000).unwrap_err();
        assert!(error.contains("`ranges`"), "{error}");
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, word) in [
            (r#"{"ranges": []}"#, "`ram`"),
            (r#"{"ram": "a", "range": []}"#, "`range`"),
            (r#"{"ram": "a", "ranges": [{"start": "12", "size": 1, "offset": 0}]}"#, "`12`"),
            (r#"{"ram": "a", "ranges": [{"start": "0x", "size": 1, "offset": 0}]}"#, "`0x`"),
            (r#"{"ram": "a", "vmcoreinfo": {"file": "no/such"}}"#, "no/such"),
        ] {
            let error = layout(text, 4096).unwrap_err();
            assert!(error.contains(word), "{error}");
        }
    }
}
