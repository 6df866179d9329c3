// SPDX-License-Identifier: MIT OR Apache-2.0
//! A value read out of memory with all that is inside of it, ready to be printed.
//!
//! What cannot be read is one node that says why; the rest of the structure is shown. Depth, the
//! number of nodes and the elements of an array are bounded, since types and memory may be
//! hostile: a structure may claim a million elements.

use debuginfo::{Encoding, Enumerator};

use super::quoted::quoted;
use super::scalar::load;
use super::ty::Structure;
use super::{Error, Place, Shape, Ty, Value, World};

/// Equal elements in a row from which on they are printed once, with their number (as gdb does).
const REPEATS: u64 = 10;
/// Bytes that are read of a string behind a pointer at once; divides a page.
const CHUNK: usize = 64;

/// How much is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Elements of an array, and characters of a string.
    pub elements: usize,
    /// Structures and arrays inside of each other.
    pub depth: usize,
    /// Members and elements altogether.
    pub nodes: usize,
    /// Whether the string behind a `char *` is read.
    pub strings: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self { elements: 200, depth: 24, nodes: 50_000, strings: true }
    }
}

/// A value with its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tree {
    /// What it is.
    pub node: Node,
    /// Spelling of its type.
    pub ty: String,
}

/// A value or a part of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// A number.
    Number {
        /// Extended to 64 bits by its sign.
        value: u64,
        /// Bytes.
        size: u64,
        /// Whether it has a sign.
        signed: bool,
    },
    /// A number of 16 bytes, without its sign.
    Wide(u128),
    /// One character.
    Character(i64),
    /// One byte of an array that is no text.
    Byte(u8),
    /// `_Bool`.
    Bool(u64),
    /// An enumeration's value, by name if it has one.
    Enum(i64, Option<String>),
    /// A pointer.
    Pointer {
        /// Where it points.
        address: u64,
        /// Symbol there, with the distance from its start.
        symbol: Option<(String, u64)>,
        /// String there.
        text: Option<String>,
        /// NULL where a table of functions has an entry.
        missing: bool,
    },
    /// An array of characters, without the zero bytes at its end; and whether more follows.
    Text(Vec<u8>, bool),
    /// Members; those without a name belong to the outer structure.
    Struct(Vec<(Option<String>, Self)>),
    /// Elements, each with how often it is repeated; and whether more follow.
    Array(Vec<(Self, u64)>, bool),
    /// A function's address and symbol.
    Function(u64, Option<(String, u64)>),
    /// Not shown, and why.
    Lost(String),
}

impl Tree {
    /// Reads a value.
    #[must_use]
    pub fn read<'w>(world: &'w dyn World, value: &Value<'w>, limits: Limits) -> Self {
        let mut reader = Reader { world, limits, left: limits.nodes };
        Self { node: reader.node(value, 0), ty: value.ty.spell("") }
    }
}

struct Reader<'w> {
    world: &'w dyn World,
    limits: Limits,
    left: usize,
}

impl<'w> Reader<'w> {
    fn node(&mut self, value: &Value<'w>, depth: usize) -> Node {
        if depth >= self.limits.depth {
            return Node::Lost("deeper than is shown".to_owned());
        }
        let Some(left) = self.left.checked_sub(1) else {
            return Node::Lost("more than is shown".to_owned());
        };
        self.left = left;
        self.try_node(value, depth).unwrap_or_else(|error| {
            Node::Lost(match error {
                Error::Memory { why, .. } => why,
                other => other.to_string(),
            })
        })
    }

    fn try_node(&mut self, value: &Value<'w>, depth: usize) -> Result<Node, Error> {
        let shape = value.ty.shape(self.world)?;
        let address = match value.place {
            Place::Memory { address, .. } => Some(address),
            Place::Number(_) => None,
        };
        match (&shape, address) {
            (Shape::Struct(structure), Some(address)) => {
                Ok(self.structure(structure, address, depth))
            }
            (Shape::Array(element, count), Some(address)) => {
                self.array(address, element, count.unwrap_or(0), depth)
            }
            (Shape::Function | Shape::Void, Some(address)) => {
                Ok(Node::Function(address, self.symbol(address)))
            }
            (Shape::Number(16, _), Some(address)) => {
                let mut bytes = [0; 16];
                self.read(address, &mut bytes)?;
                Ok(Node::Wide(u128::from_le_bytes(bytes)))
            }
            (Shape::Pointer(target), _) => {
                let address = load(self.world, value, &shape)?;
                Ok(self.pointer(address, target))
            }
            (Shape::Enum(_, enumerators), _) => {
                let number = load(self.world, value, &shape)?.cast_signed();
                Ok(Node::Enum(number, enumerator(enumerators, number)))
            }
            (Shape::Number(size, encoding), _) => {
                let number = load(self.world, value, &shape)?;
                let bit_field = matches!(value.place, Place::Memory { bits: Some(_), .. });
                Ok(scalar(number, *size, *encoding, bit_field))
            }
            _ => Err(Error::types(format!("`{}` has no value", value.ty.spell("")))),
        }
    }

    fn read(&self, address: u64, buffer: &mut [u8]) -> Result<(), Error> {
        let what = format!("{} bytes", buffer.len());
        self.world.read(address, buffer).map_err(|why| Error::Memory { what, why })
    }

    fn symbol(&self, address: u64) -> Option<(String, u64)> {
        self.world.symbol_at(address)
    }

    fn pointer(&self, address: u64, target: &Ty<'w>) -> Node {
        let shape = target.shape(self.world);
        let is_text = matches!(shape, Ok(Shape::Number(1, Encoding::SignedChar)));
        let text = (is_text && self.limits.strings).then(|| self.string(address)).flatten();
        let symbol = if text.is_some() { None } else { self.symbol(address) };
        Node::Pointer { address, symbol, text, missing: false }
    }

    /// The string at an address; none if it cannot be read to its first character.
    fn string(&self, address: u64) -> Option<String> {
        let mut text = Vec::new();
        let mut at = address;
        while text.len() < self.limits.elements {
            let skipped = usize::try_from(at % 64).ok()?;
            let mut bytes = vec![0; CHUNK.saturating_sub(skipped)];
            if self.world.read(at, &mut bytes).is_err() {
                break;
            }
            let end = bytes.iter().position(|&byte| byte == 0);
            text.extend_from_slice(bytes.get(..end.unwrap_or(bytes.len()))?);
            if end.is_some() {
                return Some(quoted(&text, false));
            }
            at = at.wrapping_add(bytes.len() as u64);
        }
        text.truncate(self.limits.elements);
        (!text.is_empty()).then(|| quoted(&text, true))
    }

    fn structure(&mut self, structure: &Structure<'w>, address: u64, depth: usize) -> Node {
        let mut members = Vec::new();
        let mut functions = 0_usize;
        for member in &structure.members {
            let ty = Ty::known(structure.image, member.ty);
            let place =
                Place::Memory { address: address.wrapping_add(member.offset), bits: member.bits };
            functions = functions.saturating_add(usize::from(self.points_to_function(&ty)));
            let node = self.node(&Value { ty, place }, depth.saturating_add(1));
            members.push((member.name.clone(), node));
            if self.left == 0 {
                break;
            }
        }
        // A table of functions: more than half of it, at least two, and not all of them NULL.
        if functions >= 2 && functions.saturating_mul(2) > members.len() {
            mark_missing(&mut members, |index| {
                let member = structure.members.get(index);
                member.is_some_and(|member| {
                    self.points_to_function(&Ty::known(structure.image, member.ty))
                })
            });
        }
        Node::Struct(members)
    }

    fn points_to_function(&self, ty: &Ty<'w>) -> bool {
        match ty.shape(self.world) {
            Ok(Shape::Pointer(target)) => matches!(target.shape(self.world), Ok(Shape::Function)),
            _ => false,
        }
    }

    fn array(
        &mut self,
        address: u64,
        element: &Ty<'w>,
        count: u64,
        depth: usize,
    ) -> Result<Node, Error> {
        if let Ok(Shape::Number(1, encoding)) = element.shape(self.world)
            && matches!(encoding, Encoding::SignedChar | Encoding::UnsignedChar)
            && let Some(text) = self.text(address, count, encoding)?
        {
            return Ok(text);
        }
        let size = element.size(self.world)?;
        let mut elements: Vec<(Node, u64)> = Vec::new();
        let mut runs = 0_usize;
        for index in 0..count {
            if self.left == 0 || runs >= self.limits.elements {
                return Ok(Node::Array(folded(elements), true));
            }
            let place = address.wrapping_add(index.wrapping_mul(size));
            let node = self.node(&Value::at(place, element.clone()), depth.saturating_add(1));
            let node = match node {
                Node::Character(value) => Node::Byte(value.to_le_bytes()[0]),
                other => other,
            };
            match elements.last_mut() {
                Some((last, repeats)) if *last == node => {
                    *repeats = repeats.saturating_add(1);
                    // Below that number each is printed.
                    runs = runs.saturating_add(usize::from(*repeats < REPEATS));
                }
                _ => {
                    elements.push((node, 1));
                    runs = runs.saturating_add(1);
                }
            }
        }
        Ok(Node::Array(folded(elements), false))
    }

    /// An array of bytes as text; none if they are bytes and no text.
    fn text(&self, address: u64, count: u64, encoding: Encoding) -> Result<Option<Node>, Error> {
        // To know where the text ends all of it must be read, within bounds.
        let most = self.limits.nodes;
        let length = usize::try_from(count).unwrap_or(most).min(most);
        let mut bytes = vec![0; length];
        self.read(address, &mut bytes)?;
        let end =
            bytes.iter().rposition(|&byte| byte != 0).map_or(0, |last| last.saturating_add(1));
        bytes.truncate(end);
        let printable = |byte: &u8| byte.is_ascii_graphic() || byte.is_ascii_whitespace();
        if encoding == Encoding::UnsignedChar && (end == 0 || !bytes.iter().all(printable)) {
            return Ok(None);
        }
        let more = end > self.limits.elements || (end == length && count > length as u64);
        bytes.truncate(self.limits.elements);
        Ok(Some(Node::Text(bytes, more)))
    }
}

/// Fewer equal elements than are folded stand each for itself.
fn folded(elements: Vec<(Node, u64)>) -> Vec<(Node, u64)> {
    let mut list = Vec::new();
    for (node, repeats) in elements {
        if repeats >= REPEATS {
            list.push((node, repeats));
        } else {
            list.extend((0..repeats).map(|_| (node.clone(), 1)));
        }
    }
    list
}

fn mark_missing(members: &mut [(Option<String>, Node)], is_function: impl Fn(usize) -> bool) {
    let is_set = |node: &Node| matches!(node, Node::Pointer { address, .. } if *address != 0);
    let set =
        members.iter().enumerate().any(|(index, (_, node))| is_function(index) && is_set(node));
    for (index, (_, node)) in members.iter_mut().enumerate() {
        if let Node::Pointer { address: 0, missing, .. } = node {
            *missing = set && is_function(index);
        }
    }
}

fn scalar(number: u64, size: u64, encoding: Encoding, bit_field: bool) -> Node {
    let signed = super::scalar::is_signed(encoding);
    match encoding {
        Encoding::Bool => Node::Bool(number),
        // `u8` as a member of one bit is a flag and no character.
        Encoding::SignedChar | Encoding::UnsignedChar if size == 1 && !bit_field => {
            Node::Character(number.cast_signed())
        }
        _ => Node::Number { value: number, size, signed },
    }
}

/// The name of a value, or the names of its bits.
fn enumerator(enumerators: &[Enumerator], number: i64) -> Option<String> {
    if let Some(exact) = enumerators.iter().find(|each| each.value == number) {
        return Some(exact.name.clone());
    }
    let flags = enumerators.iter().all(|each| each.value == 0 || each.value.count_ones() == 1);
    if !flags || number <= 0 {
        return None;
    }
    let mut rest = number;
    let mut names = Vec::new();
    for each in enumerators.iter().filter(|each| each.value != 0) {
        if rest & each.value != 0 {
            rest &= !each.value;
            names.push(each.name.as_str());
        }
    }
    (rest == 0).then(|| format!("({})", names.join(" | ")))
}
