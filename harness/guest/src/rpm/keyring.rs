// SPDX-License-Identifier: MIT OR Apache-2.0
//! The keys that a repository's packages and metadata may be signed with.
//!
//! Whoever names a key file trusts all keys in it: there is no web of trust to ask, and packages
//! outlive the dates in keys (an old release's key has expired, its packages have not).

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::super::store::hex;
use super::openpgp::{self, Key, Signature, shown};

/// Why a key file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// It cannot be read.
    #[error("cannot read the keys in {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It is no file of OpenPGP public keys.
    #[error("cannot use the keys in {path}: {why}")]
    NoKeys {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
}

/// What a signature is worth.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// A trusted key made it for this data.
    Good,
    /// It is by a key of this id, which is not trusted.
    OtherKey(String),
    /// It is by a trusted key for other data, or cannot be used.
    Wrong(String),
}

/// Trusted keys.
#[derive(Debug, Default)]
pub(super) struct Keyring {
    keys: Vec<Key>,
}

impl Keyring {
    /// Reads key files, armoured or binary.
    pub(super) fn open(files: &[PathBuf]) -> Result<Self, KeyError> {
        let mut keys = Vec::new();
        for path in files {
            keys.extend(read(path)?);
        }
        Ok(Self { keys })
    }

    /// Whether it has no key.
    pub(super) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The fingerprints of the keys, in a fixed order.
    pub(super) fn names(&self) -> String {
        let mut names: Vec<String> = self.keys.iter().map(|key| hex(&key.fingerprint)).collect();
        names.sort();
        names.dedup();
        names.join(" ")
    }

    /// What a signature, armoured or binary, is worth for `data`.
    pub(super) fn verify(&self, signature: &[u8], data: impl Read) -> Verdict {
        let signature = match Signature::read(signature) {
            Ok(signature) => signature,
            Err(why) => return Verdict::Wrong(why),
        };
        let Some(id) = signature.issuer else {
            return Verdict::OtherKey("without a name".to_owned());
        };
        match self.keys.iter().find(|key| key.id() == id) {
            Some(key) => {
                key.verify(&signature, data).map_or_else(Verdict::Wrong, |()| Verdict::Good)
            }
            None => Verdict::OtherKey(shown(&id)),
        }
    }
}

fn read(path: &Path) -> Result<Vec<Key>, KeyError> {
    let bytes =
        fs::read(path).map_err(|source| KeyError::Read { path: path.to_owned(), source })?;
    openpgp::keys(&bytes).map_err(|why| KeyError::NoKeys { path: path.to_owned(), why })
}
