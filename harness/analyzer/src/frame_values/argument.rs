// SPDX-License-Identifier: MIT OR Apache-2.0
//! Arguments on one line: `name=value`.

use debuginfo::{FrameValue, Origin};
use unwind::Walk;

use crate::claim::Addresses;
use crate::express::Names as _;
use crate::machine::Machine;
use crate::values::{Evaluator, Limits, Node, Shape, Tree, Ty, Value};

/// Begins the reason why a value was not kept.
pub(super) const OPTIMIZED_OUT: &str = "optimized out: ";
/// Characters of a string that are shown.
const STRING: usize = 64;
/// Numbers below this one are printed as decimal.
const SMALL: u64 = 0x1_0000;

/// An argument, its addresses not printed yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Argument {
    /// Name in the source.
    pub name: String,
    /// Inline depth of its function: 0 is the physical function.
    pub depth: u32,
    /// What is known of its value.
    pub shown: Shown,
    /// Whether it is what was passed, and the function may have assigned another value since.
    pub at_entry: bool,
}

/// What is known of the value of an argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
    /// Words that are the same in each boot: a name, NULL, a constant.
    Words(String),
    /// A number that another boot may change.
    Number(String),
    /// A pointer to data, and the string that it points to.
    Pointer(u64, Option<String>),
    /// A pointer to code or to a variable that has a name.
    Symbol(u64),
    /// Nothing, and why.
    Lost(String),
}

impl Machine<'_> {
    /// Arguments of all functions of a frame, outer before inner.
    #[must_use]
    pub fn arguments(&self, walk: &Walk, index: usize) -> Vec<Argument> {
        let values = self.frame_values(walk, index, false);
        let Some(frame) = walk.frames.get(index) else { return Vec::new() };
        let pc = frame.pc.for_lookup();
        let argument = |value: FrameValue| Argument {
            depth: value.depth,
            shown: self.shown(pc, &value),
            at_entry: value.origin == Origin::AtEntry,
            name: value.name,
        };
        values.into_iter().map(argument).collect()
    }

    fn shown(&self, pc: u64, value: &FrameValue) -> Shown {
        if let Err(why) = &value.value {
            return lost(why);
        }
        let Some(typed) = self.typed(pc, value) else {
            return Shown::Lost("a structure in registers".to_owned());
        };
        let evaluator = Evaluator::new(self);
        let shape = typed.ty.shape(self);
        match shape {
            Ok(Shape::Pointer(target)) => match evaluator.number(&typed) {
                Ok(address) => self.pointer(&typed, &target, address),
                Err(_) => Shown::Lost("its memory cannot be read".to_owned()),
            },
            Ok(Shape::Struct(structure)) => match typed.address() {
                Some(address) => Shown::Pointer(address, None),
                None => Shown::Lost(structure.name.unwrap_or_default()),
            },
            _ => {
                let limits = Limits { elements: STRING, depth: 2, nodes: 64, strings: false };
                number(Tree::read(self, &typed, limits).node, value.origin)
            }
        }
    }

    fn pointer(&self, typed: &Value<'_>, target: &Ty<'_>, address: u64) -> Shown {
        if address == 0 {
            return Shown::Words("NULL".to_owned());
        }
        let limits = Limits { elements: STRING, depth: 1, nodes: 8, strings: true };
        let text = match target.is_character().then(|| Tree::read(self, typed, limits).node) {
            Some(Node::Pointer { text, .. }) => text,
            _ => None,
        };
        match (text, self.symbol_at(address)) {
            (Some(text), _) => Shown::Pointer(address, Some(text)),
            (None, Some(_)) => Shown::Symbol(address),
            (None, None) => Shown::Pointer(address, None),
        }
    }
}

/// A value that the code did not keep.
pub(super) fn lost(why: &impl std::fmt::Display) -> Shown {
    Shown::Lost(format!("{OPTIMIZED_OUT}{why}"))
}

fn number(node: Node, origin: Origin) -> Shown {
    let words = match node {
        Node::Bool(value) => return Shown::Words(if value == 0 { "false" } else { "true" }.into()),
        Node::Enum(_, Some(name)) => return Shown::Words(name),
        Node::Enum(value, None) => value.to_string(),
        Node::Number { value, signed: true, .. } if value.cast_signed() < 0 => {
            value.cast_signed().to_string()
        }
        Node::Number { value, .. } if value < SMALL => value.to_string(),
        Node::Number { value, .. } => format!("{value:#x}"),
        Node::Character(value) => value.to_string(),
        Node::Wide(value) => format!("{value:#x}"),
        Node::Lost(why) => return Shown::Lost(why),
        _ => return Shown::Lost("not shown".to_owned()),
    };
    if origin == Origin::Constant { Shown::Words(words) } else { Shown::Number(words) }
}

impl Argument {
    /// As `name=value`.
    pub fn text(&self, addresses: &mut dyn Addresses) -> String {
        let stable = addresses.is_stable();
        let value = match &self.shown {
            Shown::Words(words) => words.clone(),
            // A pid, a count of bytes: another boot has another one.
            Shown::Number(_) if stable => "<number>".to_owned(),
            Shown::Number(words) => words.clone(),
            Shown::Pointer(address, None) => addresses.data(*address),
            Shown::Pointer(_, Some(text)) if stable => text.clone(),
            Shown::Pointer(address, Some(text)) => format!("{} {text}", addresses.data(*address)),
            Shown::Symbol(address) if stable => addresses.code(*address),
            Shown::Symbol(address) => {
                format!("{} <{}>", addresses.data(*address), addresses.code(*address))
            }
            Shown::Lost(why) => format!("<{why}>"),
        };
        let entry = if self.at_entry { "@entry" } else { "" };
        format!("{}{entry}={value}", self.name)
    }
}
