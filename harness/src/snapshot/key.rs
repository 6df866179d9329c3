// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a guest is made from, as one name.

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use guest::store::hex;

/// Changes when snapshots are made in another way.
const FORM: &str = "repro snapshot 1";

/// Name of a snapshot: the hash of all that the guest is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key(String);

impl Key {
    /// The key of a guest that is made from these files and words.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn of(files: &[&Path], initrd: &[u8], words: &[&str]) -> io::Result<Self> {
        let mut all = Sha256::new();
        let mut add = |bytes: &[u8]| {
            // Of fixed length each, so that nothing can slip from one to the next.
            all.update(Sha256::digest(bytes));
        };
        add(FORM.as_bytes());
        for file in files {
            add(&fs::read(file)?);
        }
        add(initrd);
        words.iter().for_each(|word| add(word.as_bytes()));
        Ok(Self(hex(all.finalize().get(..16).unwrap_or_default())))
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_a_guest_is_made_from_changes_its_key() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (folder.path().join("one"), folder.path().join("other"));
        fs::write(&one, "kernel").unwrap();
        fs::write(&other, "another kernel").unwrap();
        let key = Key::of(&[&one], b"initrd", &["-m 1G", "0"]).unwrap();
        assert_eq!(key, Key::of(&[&one], b"initrd", &["-m 1G", "0"]).unwrap());
        for changed in [
            Key::of(&[&other], b"initrd", &["-m 1G", "0"]),
            Key::of(&[&one], b"initrd 2", &["-m 1G", "0"]),
            Key::of(&[&one], b"initrd", &["-m 2G", "0"]),
            Key::of(&[&one], b"initrd", &["-m 1G", "1"]),
            Key::of(&[&one], b"initrd", &["-m 1G0"]),
        ] {
            assert_ne!(key, changed.unwrap());
        }
        assert!(Key::of(&[&folder.path().join("none")], b"", &[]).is_err());
    }
}
