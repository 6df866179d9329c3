// SPDX-License-Identifier: MIT OR Apache-2.0
//! A file of a dump or of a log, as a person names it: mapped, and unpacked if it came compressed.

use std::env;
use std::io;
use std::path::{Path, PathBuf};

use crate::error::Failure;
use crate::exit::Exit;
use crate::map::Map;
use crate::packed::{Failed, Packing, Room, Unpacked};

/// Bytes that a dump may unpack to: 16 TiB. The disk has less.
const MOST: u64 = 16 << 40;
/// Where large files go that need not survive a boot (hier(7)); /tmp is often memory.
const LARGE_FILES: &str = "/var/tmp";

/// A file and its bytes.
#[derive(Debug)]
pub(crate) struct Opened {
    /// As the user named it.
    pub(crate) path: PathBuf,
    /// What is in it.
    pub(crate) bytes: Map,
    /// That what was packed is damaged, with what came out before.
    pub(crate) damage: Option<String>,
}

impl Opened {
    /// Maps a file. An empty one cannot be mapped, and tells nothing either.
    ///
    /// # Errors
    /// It cannot be read, or nothing of it can be unpacked.
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        let bytes = Map::open(path).map_err(|error| {
            let failure = failed("read", path).caused_by(&error);
            match error.kind() {
                io::ErrorKind::PermissionDenied => failure
                    .hint("dumps are often root's alone: run this as root, or copy it as root"),
                io::ErrorKind::InvalidInput => {
                    failure.hint("`-` reads a text from standard input; a dump has to be a file")
                }
                _ => failure,
            }
        })?;
        Self::of(path.to_owned(), bytes)
    }

    /// The same of a file that is mapped.
    pub(crate) fn of(path: PathBuf, bytes: Map) -> Result<Self, Failure> {
        let Some(packing) = Packing::of(&bytes) else {
            return Ok(Self { path, bytes, damage: None });
        };
        let folder = folder();
        let room = Room { most: MOST, folder: Some(folder.clone()) };
        match packing.unpack(&bytes, &room) {
            Ok(Unpacked { content, damage }) => {
                let damage = damage.map(|why| words(&path, &content, &why));
                Ok(Self { path, bytes: content, damage })
            }
            Err(Failed::Damaged(error)) => Err(failed("unpack", &path).caused_by(&error)),
            Err(Failed::TooLarge) => Err(failed("unpack", &path).caused_by(&io::Error::new(
                io::ErrorKind::FileTooLarge,
                "it unpacks to more than 16 TiB",
            ))),
            Err(Failed::Write(error)) => {
                let hint = "make room there, or name another folder with TMPDIR";
                let place = format!("it is unpacked in {}: {hint}", folder.display());
                Err(failed("unpack", &path).caused_by(&error).hint(place))
            }
        }
    }
}

fn failed(what: &str, path: &Path) -> Failure {
    Failure::new(Exit::AnalysisFailed, format!("cannot {what} {}", path.display()))
}

fn words(path: &Path, content: &Map, why: &io::Error) -> String {
    let length = content.len();
    format!("{} is damaged after {length} bytes of what is packed in it: {why}", path.display())
}

/// The folder for what is unpacked.
fn folder() -> PathBuf {
    let named = env::var_os("TMPDIR").filter(|folder| !folder.is_empty()).map(PathBuf::from);
    let large = || Some(PathBuf::from(LARGE_FILES)).filter(|folder| folder.is_dir());
    named.or_else(large).unwrap_or_else(env::temp_dir)
}
