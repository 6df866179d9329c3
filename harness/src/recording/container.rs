// SPDX-License-Identifier: MIT OR Apache-2.0
//! The file of a recording: a line that names the form, then, compressed as xz, the length of a
//! JSON text (8 bytes, little-endian), that text, and the bytes of all stretches it names: first
//! those of the dump's file, then those of the memory.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};

use debuginfo::Answers;
use lzma_rust2::{XzOptions, XzReader, XzWriter};
use serde::{Deserialize, Serialize};

use super::spans::Spans;
use super::{About, Recording};

/// The first line.
const FORM: &[u8] = b"repro recording 1\n";
/// Bytes that a recording may unpack to; they have less than 4 MiB.
const MAX_UNPACKED: u64 = 64 << 20;
/// xz's level: the slowest. Recordings are written once.
const LEVEL: u32 = 9;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    about: About,
    file_length: u64,
    /// Offset and length.
    file: Vec<(u64, usize)>,
    /// Physical address and length.
    memory: Vec<(u64, usize)>,
    vmlinux: Answers,
    modules: BTreeMap<String, Answers>,
}

/// Why bytes are no recording.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The first line is another one.
    #[error("it is no recording of this form")]
    Form,
    /// It cannot be unpacked.
    #[error("it is damaged")]
    Packed(#[from] io::Error),
    /// Its text is of another form.
    #[error("its text cannot be read")]
    Text(#[from] serde_json::Error),
    /// It ends before its last stretch.
    #[error("it is cut off")]
    Cut,
}

impl Recording {
    /// The bytes of its file.
    ///
    /// # Errors
    /// The compressor fails.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        let places = |spans: &Spans| spans.iter().map(|(at, bytes)| (at, bytes.len())).collect();
        let text = serde_json::to_vec(&Table {
            about: self.about.clone(),
            file_length: self.file_length,
            file: places(&self.file),
            memory: places(&self.memory),
            vmlinux: self.vmlinux.clone(),
            modules: self.modules.clone(),
        })?;
        let mut writer = XzWriter::new(FORM.to_vec(), XzOptions::with_preset(LEVEL))?;
        writer.write_all(&u64::try_from(text.len()).unwrap_or(u64::MAX).to_le_bytes())?;
        writer.write_all(&text)?;
        for (_, bytes) in self.file.iter().chain(self.memory.iter()) {
            writer.write_all(bytes)?;
        }
        Ok(writer.finish()?)
    }

    /// Reads a recording.
    ///
    /// # Errors
    /// The bytes are none, or are damaged.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let packed = bytes.strip_prefix(FORM).ok_or(Error::Form)?;
        let mut unpacked = Vec::new();
        XzReader::new(packed, false).take(MAX_UNPACKED).read_to_end(&mut unpacked)?;
        let (length, rest) = unpacked.split_first_chunk::<8>().ok_or(Error::Cut)?;
        let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|_| Error::Cut)?;
        let (text, mut rest) = rest.split_at_checked(length).ok_or(Error::Cut)?;
        let table: Table = serde_json::from_slice(text)?;
        let mut take = |places: &[(u64, usize)]| {
            let mut spans = Spans::default();
            for (at, length) in places {
                let (bytes, after) = rest.split_at_checked(*length).ok_or(Error::Cut)?;
                spans.insert(*at, bytes);
                rest = after;
            }
            Ok::<_, Error>(spans)
        };
        let (file, memory) = (take(&table.file)?, take(&table.memory)?);
        let Table { about, file_length, vmlinux, modules, .. } = table;
        Ok(Self { about, file_length, file, memory, vmlinux, modules })
    }
}
