// SPDX-License-Identifier: MIT OR Apache-2.0
//! Prints a [`Tree`] as gdb and `crash` do, and as JSON.

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::quoted::{escape, quoted};
use super::tree::{Node, Tree};

/// How numbers are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Radix {
    /// As decimal numbers.
    #[default]
    Decimal,
    /// As hexadecimal numbers.
    Hexadecimal,
}

/// How a tree is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Style {
    /// Radix of numbers; pointers are hexadecimal in either.
    pub radix: Radix,
    /// Levels that the first line is indented by already.
    pub level: usize,
    /// Whether missing functions are not pointed out: somebody else marks what is bad.
    pub unmarked: bool,
}

impl Tree {
    /// The value as gdb prints it.
    #[must_use]
    pub fn text(&self, style: Style) -> String {
        let mut out = String::new();
        // gdb and `crash` name the type of a pointer that stands alone.
        if let Node::Pointer { text: None, .. } = self.node {
            out.push_str(&format!("({}) ", self.ty));
        }
        self.node.write(&mut out, style);
        out
    }

    /// The line of the text, from 0, that a member of the value begins on. Members of an unnamed
    /// structure or union are its own, as in C.
    #[must_use]
    pub fn line_of(&self, member: &str) -> Option<usize> {
        self.node.line_of(member)
    }
}

impl Node {
    fn line_of(&self, member: &str) -> Option<usize> {
        let Self::Struct(members) = self else { return None };
        let mut line = 1;
        for (name, node) in members {
            match name {
                Some(name) if name == member => return Some(line),
                Some(_) => {}
                None => {
                    if let Some(inside) = node.line_of(member) {
                        return Some(line + inside);
                    }
                }
            }
            line += 1 + node.text(Style::default()).matches('\n').count();
        }
        None
    }

    /// The value as gdb prints it as a member.
    #[must_use]
    pub fn text(&self, style: Style) -> String {
        let mut out = String::new();
        self.write(&mut out, style);
        out
    }

    fn write(&self, out: &mut String, style: Style) {
        match self {
            Self::Number { value, size, signed } => {
                out.push_str(&number(*value, *size, *signed, style.radix));
            }
            Self::Wide(value) => out.push_str(&format!("{value:#x}")),
            Self::Character(value) => out.push_str(&character(*value, style.radix)),
            Self::Byte(value) => out.push_str(&format!("{value:#04x}")),
            Self::Bool(0) => out.push_str("false"),
            Self::Bool(1) => out.push_str("true"),
            Self::Bool(value) => out.push_str(&value.to_string()),
            Self::Enum(_, Some(name)) => out.push_str(name),
            Self::Enum(value, None) => out.push_str(&value.to_string()),
            Self::Pointer { address, symbol, text, missing } => {
                out.push_str(&format!("{address:#x}"));
                match (text, symbol) {
                    (Some(text), _) => out.push_str(&format!(" {text}")),
                    (None, Some(symbol)) => out.push_str(&format!(" {}", named(symbol))),
                    (None, None) => {}
                }
                if *missing && !style.unmarked {
                    out.push_str("  <-- NULL");
                }
            }
            Self::Text(bytes, more) => out.push_str(&quoted(bytes, *more)),
            Self::Struct(members) => structure(out, members, style),
            Self::Array(elements, more) => array(out, elements, *more, style),
            Self::Function(address, symbol) => {
                out.push_str(&format!("{{text}} {address:#x}"));
                if let Some(symbol) = symbol {
                    out.push_str(&format!(" {}", named(symbol)));
                }
            }
            Self::Lost(why) => out.push_str(&format!("<{why}>")),
        }
    }
}

fn structure(out: &mut String, members: &[(Option<String>, Node)], style: Style) {
    let inside = Style { level: style.level.saturating_add(1), ..style };
    let indent = "  ".repeat(inside.level);
    out.push('{');
    for (index, (name, node)) in members.iter().enumerate() {
        out.push_str(if index == 0 { "\n" } else { ",\n" });
        out.push_str(&indent);
        if let Some(name) = name {
            out.push_str(&format!("{name} = "));
        }
        node.write(out, inside);
    }
    out.push('\n');
    out.push_str(&"  ".repeat(style.level));
    out.push('}');
}

fn array(out: &mut String, elements: &[(Node, u64)], more: bool, style: Style) {
    let inside = Style { level: style.level.saturating_add(1), ..style };
    out.push('{');
    for (index, (node, repeats)) in elements.iter().enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        node.write(out, inside);
        if *repeats > 1 {
            out.push_str(&format!(" <repeats {repeats} times>"));
        }
    }
    if more {
        out.push_str("...");
    }
    out.push('}');
}

fn named((symbol, offset): &(String, u64)) -> String {
    match offset {
        0 => format!("<{symbol}>"),
        _ => format!("<{symbol}+{offset}>"),
    }
}

fn number(value: u64, size: u64, signed: bool, radix: Radix) -> String {
    match (radix, signed) {
        (Radix::Decimal, true) => value.cast_signed().to_string(),
        (Radix::Decimal, false) => value.to_string(),
        // A negative number in as many digits as its type has.
        (Radix::Hexadecimal, _) => format!("{:#x}", super::scalar::extend(value, size, false)),
    }
}

/// A character as its number and itself.
fn character(value: i64, radix: Radix) -> String {
    let byte = value.to_le_bytes()[0];
    let number = match radix {
        Radix::Decimal => value.to_string(),
        Radix::Hexadecimal => format!("{byte:#x}"),
    };
    let mut text = String::new();
    escape(&mut text, byte, '\'');
    format!("{number} '{text}'")
}

impl Serialize for Tree {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("type", &self.ty)?;
        map.serialize_entry("value", &self.node)?;
        map.end()
    }
}

/// Numbers are numbers, addresses `"0x…"`; an array lists all its elements but counts repeated
/// ones once, as `{"repeats": n, "element": …}`; what is not shown is `{"lost": why}`.
impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Number { value, signed: true, .. } => {
                serializer.serialize_i64(value.cast_signed())
            }
            Self::Number { value, .. } => serializer.serialize_u64(*value),
            Self::Wide(value) => serializer.serialize_str(&format!("{value:#x}")),
            Self::Character(value) => serializer.serialize_i64(*value),
            Self::Byte(value) => serializer.serialize_u8(*value),
            Self::Bool(value) => serializer.serialize_bool(*value != 0),
            Self::Enum(_, Some(name)) => serializer.serialize_str(name),
            Self::Enum(value, None) => serializer.serialize_i64(*value),
            Self::Pointer { address, symbol, text, missing } => {
                let mut map = serializer.serialize_map(None)?;
                map.serialize_entry("address", &format!("{address:#x}"))?;
                if let Some(symbol) = symbol {
                    map.serialize_entry("symbol", &plain(symbol))?;
                }
                if let Some(text) = text {
                    map.serialize_entry("string", text)?;
                }
                if *missing {
                    map.serialize_entry("missing_function", missing)?;
                }
                map.end()
            }
            Self::Text(bytes, _) => serializer.serialize_str(&String::from_utf8_lossy(bytes)),
            Self::Struct(members) => {
                let mut map = serializer.serialize_map(None)?;
                for (index, (name, node)) in members.iter().enumerate() {
                    match name {
                        Some(name) => map.serialize_entry(name, node)?,
                        None => map.serialize_entry(&format!("#{index}"), node)?,
                    }
                }
                map.end()
            }
            Self::Array(elements, more) => {
                let end = more.then_some(Element::More);
                serializer.collect_seq(elements.iter().map(Element::Of).chain(end))
            }
            Self::Function(address, symbol) => {
                let mut map = serializer.serialize_map(None)?;
                map.serialize_entry("address", &format!("{address:#x}"))?;
                if let Some(symbol) = symbol {
                    map.serialize_entry("symbol", &plain(symbol))?;
                }
                map.end()
            }
            Self::Lost(why) => lost(serializer, why),
        }
    }
}

/// An element of an array in JSON.
enum Element<'a> {
    Of(&'a (Node, u64)),
    More,
}

impl Serialize for Element<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Of((node, 1)) => node.serialize(serializer),
            Self::Of((node, repeats)) => {
                let mut map = serializer.serialize_map(Some(2))?;
                map.serialize_entry("repeats", repeats)?;
                map.serialize_entry("element", node)?;
                map.end()
            }
            Self::More => lost(serializer, "more than is shown"),
        }
    }
}

fn lost<S: Serializer>(serializer: S, why: &str) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(1))?;
    map.serialize_entry("lost", why)?;
    map.end()
}

fn plain((symbol, offset): &(String, u64)) -> String {
    match offset {
        0 => symbol.clone(),
        _ => format!("{symbol}+{offset}"),
    }
}
