// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reading of the TOML manifests: strict keys, errors that say where and what was meant.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::de::{DeserializeOwned, Deserializer, Error as _, Visitor};

/// Manifests are written by hand; a file above this is not one.
const MAX_BYTES: u64 = 1 << 20;

/// Why a manifest cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// The file cannot be read.
    #[error("cannot read {path}")]
    Read {
        /// The manifest.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The file is larger than any manifest.
    #[error("{path} has {bytes} bytes, more than any manifest")]
    TooLarge {
        /// The manifest.
        path: PathBuf,
        /// Its size.
        bytes: u64,
    },
    /// The content is not what a manifest may hold.
    #[error("{path}{at}: {message}{hint}", at = Position(*line), hint = Hint(suggestion.as_deref()))]
    Content {
        /// The manifest.
        path: PathBuf,
        /// Line, from 1, where it is known.
        line: Option<usize>,
        /// What is wrong, with the key's path.
        message: String,
        /// The known key that the unknown one resembles.
        suggestion: Option<String>,
    },
}

struct Position(Option<usize>);

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |line| write!(f, ":{line}"))
    }
}

struct Hint<'a>(Option<&'a str>);

impl fmt::Display for Hint<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |known| write!(f, "; did you mean `{known}`?"))
    }
}

/// Reads and checks one manifest.
pub fn load<T: DeserializeOwned>(path: &Path) -> Result<T, ManifestError> {
    let read = |source| ManifestError::Read { path: path.to_owned(), source };
    let bytes = fs::metadata(path).map_err(read)?.len();
    if bytes > MAX_BYTES {
        return Err(ManifestError::TooLarge { path: path.to_owned(), bytes });
    }
    parse(path, &fs::read_to_string(path).map_err(read)?)
}

/// Checks the text of one manifest; `path` is only for messages.
pub fn parse<T: DeserializeOwned>(path: &Path, text: &str) -> Result<T, ManifestError> {
    let content = |line, message, suggestion| ManifestError::Content {
        path: path.to_owned(),
        line,
        message,
        suggestion,
    };
    let line_of = |error: &toml::de::Error| {
        let before = text.get(..error.span()?.start)?;
        Some(before.matches('\n').count() + 1)
    };
    let deserializer = toml::Deserializer::parse(text)
        .map_err(|error| content(line_of(&error), error.message().to_owned(), None))?;
    serde_path_to_error::deserialize(deserializer).map_err(|error| {
        let inner = error.inner();
        let message = match error.path().to_string().as_str() {
            "." => inner.message().to_owned(),
            key => format!("{key}: {}", inner.message()),
        };
        content(line_of(inner), message, suggestion(inner.message()))
    })
}

/// The known name that resembles the unknown one in serde's own message
/// (``unknown field `x`, expected one of `a`, `b` ``); serde gives the names nowhere else.
fn suggestion(message: &str) -> Option<String> {
    if !message.starts_with("unknown field") && !message.starts_with("unknown variant") {
        return None;
    }
    let mut quoted = message.split('`').skip(1).step_by(2);
    let unknown = quoted.next()?;
    let limit = 1 + unknown.chars().count() / 3;
    quoted
        .map(|known| (distance(unknown, known), known))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, known)| known.to_owned())
}

/// Number of characters to insert, delete or replace to turn `a` into `b`.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

/// A span of time written as `30s`, `2m`, `1m 30s`.
pub fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = deserializer.deserialize_str(Text("a time such as \"30s\""))?;
    let parsed: jiff::SignedDuration = text
        .parse()
        .map_err(|_| D::Error::custom(format!("`{text}` is no time such as \"30s\" or \"2m\"")))?;
    Duration::try_from(parsed)
        .ok()
        .filter(|duration| !duration.is_zero())
        .ok_or_else(|| D::Error::custom(format!("`{text}` is not above zero")))
}

/// The same where the key may be absent.
pub fn some_duration<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Duration>, D::Error> {
    duration(deserializer).map(Some)
}

/// A number of bytes written as `512MiB`, `1GiB`.
pub fn bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let text = deserializer.deserialize_str(Text("a size such as \"1GiB\""))?;
    parse_bytes(&text)
        .ok_or_else(|| D::Error::custom(format!("`{text}` is no size such as \"512MiB\"")))
}

fn parse_bytes(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let unit: u64 = match text.get(digits.len()..)?.trim() {
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(unit).filter(|bytes| *bytes > 0)
}

/// Takes a string and says in words what was expected instead of anything else.
struct Text(&'static str);

impl Visitor<'_> for Text {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typing_error_is_near_and_a_foreign_word_is_not() {
        let message = "unknown field `sumary`, expected one of `summary`, `arch`";
        assert_eq!(suggestion(message).as_deref(), Some("summary"));
        let message = "unknown field `colour`, expected one of `summary`, `arch`";
        assert_eq!(suggestion(message), None);
    }

    #[test]
    fn sizes_need_a_binary_unit() {
        assert_eq!(parse_bytes("1GiB"), Some(1_073_741_824));
        assert_eq!(parse_bytes("512 MiB"), Some(536_870_912));
        for bad in ["", "1", "1GB", "0MiB", "GiB", "-1MiB", "99999999999GiB"] {
            assert_eq!(parse_bytes(bad), None, "{bad}");
        }
    }
}
