// SPDX-License-Identifier: MIT OR Apache-2.0
//! Drawn faults that did not crash the kernel. They have no files of their own: the seed makes them
//! again.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::Path;

use serde::Deserialize;

/// The file, in the folder of the faults.
const FILE: &str = "calm.toml";

/// All that were drawn.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drawn {
    /// One draw after the other.
    #[serde(rename = "draw")]
    pub draws: Vec<Draw>,
}

/// All that were drawn by a seed, and those of them that did not crash the kernel.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Draw {
    /// The seed.
    pub seed: u64,
    /// How many were drawn.
    pub count: usize,
    /// Names of those that are faults of an earlier draw, too.
    #[serde(default)]
    pub known: BTreeSet<String>,
    /// Names of those that did not crash the kernel, by package.
    pub calm: BTreeMap<String, BTreeSet<String>>,
}

impl Drawn {
    /// Reads the file in the folder of the faults; without it nothing was drawn.
    ///
    /// # Errors
    /// The file cannot be read, or is none of drawn faults.
    pub fn load(faults: &Path) -> io::Result<Self> {
        match fs::read_to_string(faults.join(FILE)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            text => toml::from_str(&text?).map_err(io::Error::other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_file_nothing_was_drawn() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Drawn::load(folder.path()).unwrap(), Drawn::default());
        let text = "[[draw]]\nseed = 7\ncount = 3\n[draw.calm]\np-dkms = [\"p-101\", \"p-103\"]\n";
        fs::write(folder.path().join(FILE), text).unwrap();
        let drawn = Drawn::load(folder.path()).unwrap();
        let [draw] = drawn.draws.as_slice() else { panic!("{drawn:?}") };
        assert_eq!((draw.seed, draw.count, draw.calm["p-dkms"].len()), (7, 3, 2));
        fs::write(folder.path().join(FILE), "seed = \"x\"").unwrap();
        assert!(Drawn::load(folder.path()).is_err());
    }
}
