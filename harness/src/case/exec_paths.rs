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
    /// Which.
    pub wanted: WantedPaths,
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
        wanted: WantedPaths,
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
        matches!(&self.wanted, WantedPaths::Listed(paths) if paths.contains(&ExecPath::ModuleUnload))
    }
}

/// For people: the names, or how many.
impl fmt::Display for ExecPaths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = match &self.wanted {
            WantedPaths::All => "all".to_owned(),
            WantedPaths::Listed(paths) => {
                paths.iter().map(|path| path.name()).collect::<Vec<_>>().join(", ")
            }
        };
        write!(f, "exec-paths: {names}")?;
        self.seed.map_or(Ok(()), |seed| write!(f, ", seed {seed}"))?;
        if self.rounds > 1 { write!(f, ", {} rounds", self.rounds) } else { Ok(()) }
    }
}

/// Which ways are wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum WantedPaths {
    /// Every one but those that have to be named.
    All,
    /// These; never none.
    Listed(Vec<ExecPath>),
}

impl WantedPaths {
    /// The words by which the program in the guest takes them.
    #[must_use]
    pub fn words(&self) -> Vec<&'static str> {
        match self {
            Self::All => vec!["all"],
            Self::Listed(paths) => paths.iter().map(|path| path.name()).collect(),
        }
    }
}

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

    fn visit_str<E: Error>(self, text: &str) -> Result<WantedPaths, E> {
        match text {
            "all" => Ok(WantedPaths::All),
            _ => Err(E::custom(format!(
                "`{text}` is not \"all\"; a list has brackets: [\"{text}\"]"
            ))),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<WantedPaths, A::Error> {
        let mut paths = Vec::new();
        while let Some(path) = list.next_element()? {
            paths.push(path);
        }
        if paths.is_empty() {
            return Err(A::Error::custom("the list is empty"));
        }
        Ok(WantedPaths::Listed(paths))
    }
}
