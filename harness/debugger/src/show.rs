// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the commands that show typed values have in common.

use serde::{Serialize, Serializer};

use super::{Arguments, CommandError, Flag, Text};
use analyzer::values::{Error, Node, Radix, Style, Tree};

/// Option for hexadecimal numbers.
pub(super) const HEXADECIMAL: Flag = Flag::switch("x", "numbers are printed as hexadecimal");
/// Option for decimal numbers.
pub(super) const DECIMAL: Flag = Flag::switch("d", "numbers are printed as decimal (default)");

impl From<Error> for CommandError {
    fn from(error: Error) -> Self {
        match error {
            Error::Syntax { .. } | Error::TooMuch(_) => Self::usage(error.to_string()),
            other => Self::nothing(other.to_string()),
        }
    }
}

/// The style that the options ask for.
pub(super) fn style(arguments: &Arguments) -> Style {
    let radix = if arguments.has("x") { Radix::Hexadecimal } else { Radix::Decimal };
    Style { radix, ..Style::default() }
}

/// A line of text that was made already.
#[derive(Debug, Serialize)]
pub(super) struct Line {
    pub(super) text: String,
}

impl Text for Line {
    fn text(&self) -> String {
        format!("{}\n", self.text)
    }
}

/// A value and how to print it.
#[derive(Debug)]
pub(super) struct Shown {
    /// What stands before it.
    pub(super) head: String,
    pub(super) tree: Tree,
    pub(super) style: Style,
    /// Whether a pointer tells its type.
    pub(super) alone: bool,
}

impl Serialize for Shown {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.tree.serialize(serializer)
    }
}

impl Text for Shown {
    fn text(&self) -> String {
        let value =
            if self.alone { self.tree.text(self.style) } else { self.tree.node.text(self.style) };
        format!("{}{value}\n", self.head)
    }
}

/// Members of one structure, by the path that was typed.
#[derive(Debug)]
pub(super) struct Members {
    pub(super) address: u64,
    pub(super) list: Vec<(String, Node)>,
    pub(super) style: Style,
}

impl Serialize for Members {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("address", &format!("{:#x}", self.address))?;
        for (name, node) in &self.list {
            map.serialize_entry(name, node)?;
        }
        map.end()
    }
}

impl Text for Members {
    fn text(&self) -> String {
        let style = Style { level: 1, ..self.style };
        let line = |(name, node): &(String, Node)| format!("  {name} = {},\n", node.text(style));
        self.list.iter().map(line).collect()
    }
}
