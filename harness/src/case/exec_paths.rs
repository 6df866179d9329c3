// SPDX-License-Identifier: MIT OR Apache-2.0
//! `trigger.exec-paths`: ways to execute programs that a trigger takes.

use std::fmt;

use protocol::ExecPath;
use serde::de::{Deserializer, Error, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

/// Most rounds; what takes longer is more runs.
const MOST_ROUNDS: u32 = 10_000;

/// Which ways, and in which order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ExecPaths {
    /// Which; never none.
    pub wanted: Vec<WantedPath>,
    /// What shuffles them, if something does.
    pub seed: Option<u64>,
    /// How often each is taken.
    pub rounds: u32,
}

impl ExecPaths {
    /// Of the keys of a manifest.
    ///
    /// # Errors
    /// In words: the number of rounds is none.
    pub(super) fn new(
        WantedPaths(wanted): WantedPaths,
        seed: Option<u64>,
        rounds: Option<u32>,
    ) -> Result<Self, String> {
        let rounds = rounds.unwrap_or(1);
        if !(1..=MOST_ROUNDS).contains(&rounds) {
            return Err(format!("`exec-rounds` is not between 1 and {MOST_ROUNDS}"));
        }
        Ok(Self { wanted, seed, rounds })
    }

    /// Whether the case's module is unloaded.
    pub(super) fn unloads(&self) -> bool {
        self.wanted.contains(&WantedPath::One(ExecPath::ModuleUnload))
    }
}

/// For people.
impl fmt::Display for ExecPaths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<_> = self.wanted.iter().map(|wanted| wanted.word()).collect();
        write!(f, "exec-paths: {}", words.join(", "))?;
        self.seed.map_or(Ok(()), |seed| write!(f, ", seed {seed}"))?;
        if self.rounds > 1 { write!(f, ", {} rounds", self.rounds) } else { Ok(()) }
    }
}

/// A word of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum WantedPath {
    /// Every one but those that have to be named.
    All,
    /// This one.
    One(ExecPath),
}

impl WantedPath {
    /// The word, by which the program in the guest takes it too.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::All => ExecPath::ALL,
            Self::One(path) => path.name(),
        }
    }

    fn read<E: Error>(word: &str) -> Result<Self, E> {
        match ExecPath::named(word) {
            Some(path) => Ok(Self::One(path)),
            None if word == ExecPath::ALL => Ok(Self::All),
            None => Err(E::unknown_variant(word, ExecPath::WORDS)),
        }
    }
}

/// The list, or the word that stands for it.
#[derive(Debug)]
pub(super) struct WantedPaths(Vec<WantedPath>);

impl<'de> Deserialize<'de> for WantedPaths {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WantedVisitor)
    }
}

struct WantedVisitor;

impl<'de> Visitor<'de> for WantedVisitor {
    type Value = WantedPaths;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"all\" or a list of names, which `repro exec-paths` prints")
    }

    fn visit_str<E: Error>(self, word: &str) -> Result<WantedPaths, E> {
        WantedPath::read(word).map(|wanted| WantedPaths(vec![wanted]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<WantedPaths, A::Error> {
        let mut paths = Vec::new();
        while let Some(word) = list.next_element::<String>()? {
            paths.push(WantedPath::read(&word)?);
        }
        if paths.is_empty() {
            return Err(A::Error::custom("the list is empty"));
        }
        Ok(WantedPaths(paths))
    }
}
