// SPDX-License-Identifier: MIT OR Apache-2.0
//! What `list` and `tree` have in common: addresses of entries, and what is shown of each.

use serde::Serialize;

use super::show::{Members, Shown, style};
use super::{Arguments, CommandError, Reply, Session, Text};
use analyzer::values::{Evaluator, Limits, Style, Tree, Ty, Value, World};

/// Offsets within an entry are smaller: a larger number is an address.
const MAX_OFFSET: u64 = 1 << 20;

/// Addresses of entries.
#[derive(Debug, Default)]
pub(super) struct Entries {
    pub(super) addresses: Vec<u64>,
    /// What is said of each besides its address (`index: 3`).
    pub(super) notes: Vec<String>,
    pub(super) damage: Vec<String>,
}

/// What is shown of each entry.
pub(super) struct Show<'w> {
    what: Vec<(String, Ty<'w>, Vec<String>)>,
    /// What is subtracted of an entry's address to get the structure.
    back: u64,
    style: Style,
}

impl<'w> Show<'w> {
    /// What the options `-s`, `-S`, `-l`, `-x` and `-d` ask for.
    pub(super) fn new(
        session: &Session<'w, '_>,
        arguments: &Arguments,
    ) -> Result<Self, CommandError> {
        let world: &'w dyn World = session.machine();
        let evaluator = Evaluator::new(world);
        let mut what = Vec::new();
        for text in arguments.values("s").chain(arguments.values("S")) {
            let (name, members) = text.split_once('.').unwrap_or((text, ""));
            let tagged = evaluator.type_named(&format!("struct {name}"));
            let ty = match tagged.or_else(|_| evaluator.type_named(&format!("union {name}"))) {
                Ok(ty) => ty,
                Err(_) => evaluator.type_named(name)?,
            };
            let members = members.split(',').filter(|path| !path.is_empty());
            what.push((name.to_owned(), ty, members.map(ToOwned::to_owned).collect()));
        }
        let back = match arguments.value("l") {
            Some(text) => offset(session, text)?,
            None => 0,
        };
        Ok(Self { what, back, style: style(arguments) })
    }
}

/// Entries as they are shown.
#[derive(Debug, Serialize)]
struct List {
    entries: Vec<Entry>,
    damage: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Entry {
    address: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    note: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    members: Vec<Members>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    structures: Vec<Shown>,
}

/// A number of bytes, or `TYPE.MEMBER`.
pub(super) fn offset(session: &Session<'_, '_>, text: &str) -> Result<u64, CommandError> {
    let text = text.strip_prefix("struct ").unwrap_or(text);
    match text.split_once('.') {
        Some((name, path)) => Ok(session.member_offset(name, path)?),
        None => super::resolve::count(text),
    }
}

/// Which of two words is an offset, and which says where to start: they may stand in either order. A small number is
/// an offset, and so is what names a member of a type.
pub(super) fn offset_and_start<'w>(
    session: &Session<'_, '_>,
    one: &'w str,
    other: &'w str,
) -> Result<(u64, &'w str), CommandError> {
    let found = |text| offset(session, text).ok().filter(|bytes| *bytes < MAX_OFFSET);
    if let Some(bytes) = found(one) {
        return Ok((bytes, other));
    }
    if let Some(bytes) = found(other) {
        return Ok((bytes, one));
    }
    let words = format!("neither `{one}` nor `{other}` is an offset: bytes or TYPE.MEMBER");
    Err(CommandError::usage(words))
}

/// An address, a symbol or an expression.
pub(super) fn address(session: &Session<'_, '_>, text: &str) -> Result<u64, CommandError> {
    if let Ok(address) = session.address(text) {
        return Ok(address.value);
    }
    let world: &dyn World = session.machine();
    let evaluator = Evaluator::new(world);
    let value = evaluator.evaluate(text)?;
    Ok(evaluator.location(&value)?)
}

impl Session<'_, '_> {
    /// Offset of a member, of the kernel's types or of a module's.
    fn member_offset(&self, name: &str, path: &str) -> Result<u64, CommandError> {
        if let Ok(field) = self.kernel().field(name, path) {
            return Ok(field.offset);
        }
        let world: &dyn World = self.machine();
        let evaluator = Evaluator::new(world);
        let tagged = evaluator.type_named(&format!("struct {name}"));
        let ty = tagged.or_else(|_| evaluator.type_named(name))?;
        let member = evaluator.member_path(&Value::at(0, ty), path)?;
        let none = || CommandError::nothing(format!("`{name}.{path}` has no offset in bytes"));
        member.address().ok_or_else(none)
    }
}

/// The answer for entries.
pub(super) fn reply(
    session: &Session<'_, '_>,
    found: Entries,
    show: &Show<'_>,
) -> Result<Reply, CommandError> {
    let world: &dyn World = session.machine();
    let mut entries = Vec::new();
    for (index, address) in found.addresses.iter().enumerate() {
        let mut entry = Entry {
            address: format!("{address:x}"),
            note: found.notes.get(index).cloned().unwrap_or_default(),
            members: Vec::new(),
            structures: Vec::new(),
        };
        for (name, ty, paths) in &show.what {
            let start = address.wrapping_sub(show.back);
            if paths.is_empty() {
                entry.structures.push(Shown {
                    head: format!("struct {name} "),
                    tree: Tree::read(world, &Value::at(start, ty.clone()), Limits::default()),
                    style: show.style,
                    alone: false,
                });
            } else {
                entry.members.push(members(world, ty, start, paths, show.style)?);
            }
        }
        entries.push(entry);
    }
    Ok(Reply::new(List { entries, damage: found.damage }))
}

fn members<'w>(
    world: &'w dyn World,
    ty: &Ty<'w>,
    start: u64,
    paths: &[String],
    style: Style,
) -> Result<Members, CommandError> {
    let evaluator = Evaluator::new(world);
    let base = Value::at(start, ty.clone());
    let mut list = Vec::new();
    for path in paths {
        let value = evaluator.member_path(&base, path)?;
        list.push((path.clone(), Tree::read(world, &value, Limits::default()).node));
    }
    Ok(Members { address: start, list, style })
}

impl Text for List {
    fn text(&self) -> String {
        let mut out = String::new();
        for entry in &self.entries {
            out.push_str(&entry.address);
            if !entry.note.is_empty() {
                out.push_str(&format!("  {}", entry.note));
            }
            out.push('\n');
            for members in &entry.members {
                out.push_str(&members.text());
            }
            for structure in &entry.structures {
                out.push_str(&structure.text());
            }
        }
        if self.entries.is_empty() {
            out.push_str("(empty)\n");
        }
        for damage in &self.damage {
            out.push_str(&format!("(not whole: {damage})\n"));
        }
        out
    }
}
