// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a timer, work item or the like is a part of: a variable that has a name, or the structure
//! that its callback makes of its argument.

use debuginfo::{Image, Type, TypeId};

use super::Session;
use analyzer::express::Names as _;
use analyzer::machine::Machine;
use analyzer::printer::CodeNames as _;

impl Session<'_, '_> {
    /// An address of code with its symbol.
    pub(super) fn code(&self, address: u64) -> String {
        match self.machine().code_name(address) {
            Some(name) => {
                let offset = match name.offset {
                    0 => String::new(),
                    offset => format!("+{offset}"),
                };
                let module = name.module.map(|module| format!(" [{module}]")).unwrap_or_default();
                format!("{address:x}  <{}{offset}>{module}", name.symbol)
            }
            None => format!("{address:x}"),
        }
    }

    /// The variable that an address is in, and the distance from its start.
    pub(super) fn embedding(&self, address: u64) -> Option<String> {
        let (name, offset) = self.machine().symbol_at(address)?;
        Some(match offset {
            0 => name,
            offset => format!("{name}+{offset}"),
        })
    }

    /// The structure that a callback makes of its argument: its one local variable that points to
    /// a structure with exactly one member of the argument's type.
    pub(super) fn container(&self, function: u64, address: u64, embedded: &str) -> Option<String> {
        let image = self.machine().image_at(function)?;
        let mut found: Option<(String, String, u64)> = None;
        for local in image.locals(function).found()? {
            let Some((tag, id)) = local.ty.and_then(|ty| target(image, ty)) else { continue };
            let Some((member, offset)) = only_member(image, id, embedded) else { continue };
            match &found {
                Some((known, ..)) if *known != tag => return None,
                _ => found = Some((tag, member, offset)),
            }
        }
        let (tag, member, offset) = found?;
        Some(format!("struct {tag} at {:x}, its {member}", address.wrapping_sub(offset)))
    }
}

/// Name of the slab cache that an address in the mapping of all memory belongs to.
pub(super) fn slab_cache(machine: &Machine<'_>, address: u64) -> Option<String> {
    let kernel = machine.kernel();
    if address >> 63 == 0 || kernel.is_text(address) {
        return None;
    }
    let physical = kernel.space().physical(address).ok()?;
    Some(kernel.slab_at(physical).ok()??.cache.name)
}

/// The structure that a type points to.
fn target(image: &Image<'_>, ty: TypeId) -> Option<(String, TypeId)> {
    let (_, pointer) = image.resolve(ty).found()?;
    let Type::Pointer { target } = pointer else { return None };
    let (id, structure) = image.resolve(target?).found()?;
    match structure {
        Type::Struct { name: Some(name), union: false, .. } => Some((name, id)),
        _ => None,
    }
}

/// Name and offset of the member of a type by tag, if there is exactly one.
fn only_member(image: &Image<'_>, id: TypeId, embedded: &str) -> Option<(String, u64)> {
    let Type::Struct { members, .. } = image.type_of(id).found()? else { return None };
    let mut found = None;
    for member in members {
        let Some((_, ty)) = image.resolve(member.ty).found() else { continue };
        let Type::Struct { name: Some(name), .. } = ty else { continue };
        if name != embedded {
            continue;
        }
        if found.is_some() {
            return None;
        }
        found = Some((member.name?, member.offset));
    }
    found
}
