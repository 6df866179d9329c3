// SPDX-License-Identifier: MIT OR Apache-2.0
//! How a trigger has to end.

use std::fmt;

use serde::de::{Deserializer, Visitor};
use serde::{Deserialize, Serialize};

/// How a trigger has to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WantedStatus {
    /// With this status, as a shell tells it: 128 and its number for a signal.
    Is(u8),
    /// In any way.
    Any,
}

impl Default for WantedStatus {
    fn default() -> Self {
        Self::Is(0)
    }
}

impl WantedStatus {
    /// Whether a trigger that ended with this status, where it is known, is what was wanted.
    #[must_use]
    pub fn admits(self, status: Option<i32>) -> bool {
        match self {
            Self::Is(wanted) => status == Some(i32::from(wanted)),
            Self::Any => true,
        }
    }
}

impl fmt::Display for WantedStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Is(status) => write!(f, "exit status {status}"),
            Self::Any => f.write_str("any status"),
        }
    }
}

impl Serialize for WantedStatus {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Is(status) => serializer.serialize_u8(*status),
            Self::Any => serializer.serialize_str("any"),
        }
    }
}

impl<'de> Deserialize<'de> for WantedStatus {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StatusVisitor)
    }
}

struct StatusVisitor;

impl Visitor<'_> for StatusVisitor {
    type Value = WantedStatus;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a status from 0 to 255, or \"any\"")
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<WantedStatus, E> {
        let status = u8::try_from(number);
        status.map(WantedStatus::Is).map_err(|_| E::custom(format!("{number} is no exit status")))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<WantedStatus, E> {
        if text == "any" {
            return Ok(WantedStatus::Any);
        }
        Err(E::custom(format!("`{text}` is neither a number nor \"any\"")))
    }
}
