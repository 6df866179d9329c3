// SPDX-License-Identifier: MIT OR Apache-2.0
//! Values that modules and the kernel are given.

use std::fmt;

use serde::de::{Deserializer, Visitor};
use serde::{Deserialize, Serialize};

/// Value of a module's parameter; in the file a string, a number or a boolean.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Parameter(
    /// The value as text.
    pub String,
);

impl<'de> Deserialize<'de> for Parameter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ParameterVisitor)
    }
}

struct ParameterVisitor;

impl Visitor<'_> for ParameterVisitor {
    type Value = Parameter;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string, a number or a boolean")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Parameter, E> {
        // The kernel splits at blanks and knows quotes, but no way to escape one.
        if text.contains(['"', '\0', '\n']) {
            return Err(E::custom("a parameter cannot hold a quote or a line end"));
        }
        let quoted = text.contains(char::is_whitespace);
        Ok(Parameter(if quoted { format!("\"{text}\"") } else { text.to_owned() }))
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Parameter, E> {
        Ok(Parameter(number.to_string()))
    }

    fn visit_bool<E: serde::de::Error>(self, on: bool) -> Result<Parameter, E> {
        Ok(Parameter(if on { "Y" } else { "N" }.to_owned()))
    }
}
