// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who allocated and who freed the object that a crash is about, where the allocator noted that
//! (`slub_debug=U`, KFENCE).

use analyzer::express::Names as _;
use analyzer::identify::{Identity, identify};
use analyzer::machine::Machine;
use analyzer::printer::CodeNames as _;
use debuginfo::SourceFrame;
use kernel::mm::track::Track;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Who allocated and who freed an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ObjectUsers {
    /// Where it starts.
    pub address: String,
    /// The cache it is of.
    pub cache: String,
    /// Who allocated it last.
    pub allocated: Option<ObjectUser>,
    /// Who freed it last; of an object in use, before it was allocated again.
    pub freed: Option<ObjectUser>,
}

/// Who did something to an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ObjectUser {
    /// The thread.
    pub pid: i32,
    /// The CPU it ran on.
    pub cpu: i32,
    /// Who called whom, innermost first, with the functions that were inlined; the caller alone where the
    /// kernel keeps no stack.
    pub stack: Vec<CodePlace>,
}

/// A place in the code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CodePlace {
    /// The function, or the address where none is known.
    pub function: String,
    /// The module, or null for the kernel itself.
    pub module: Option<String>,
    /// The source file.
    pub file: Option<String>,
    /// The line in it.
    pub line: Option<u32>,
    /// Whether this function was inlined into the next one.
    pub inlined: bool,
}

/// Of the first of the addresses that is in an object whose users were noted; else of the first
/// register at the fault that leads into a free one, which nobody should have a pointer to.
pub(super) fn of(
    machine: &Machine<'_>,
    addresses: impl Iterator<Item = u64>,
    registers: impl Iterator<Item = u64>,
) -> Option<ObjectUsers> {
    let named = addresses.map(|address| identify(machine, address));
    let held = registers.map(|value| identify(machine, value)).filter(is_free);
    named.chain(held).find_map(|identity| noted(machine, &identity))
}

fn is_free(identity: &Identity) -> bool {
    let slab = identity.slab.as_ref().and_then(|object| object.state.is_free());
    identity.kfence.as_ref().map_or(slab == Some(true), |object| !object.allocated)
}

fn noted(machine: &Machine<'_>, identity: &Identity) -> Option<ObjectUsers> {
    let user = |track: &Track| user(machine, track);
    if let Some(object) = &identity.kfence {
        return Some(ObjectUsers {
            address: format!("{:#x}", object.start),
            cache: object.cache.clone(),
            allocated: Some(user(&object.allocated_by)),
            freed: object.freed_by.as_ref().map(user),
        });
    }
    let object = identity.slab.as_ref()?;
    let is_noted = object.allocated.is_some() || object.freed.is_some();
    is_noted.then(|| ObjectUsers {
        address: format!("{:#x}", object.start),
        cache: object.slab.cache.name.clone(),
        allocated: object.allocated.as_ref().map(user),
        freed: object.freed.as_ref().map(user),
    })
}

fn user(machine: &Machine<'_>, track: &Track) -> ObjectUser {
    let stack = whole(track).into_iter().flat_map(|address| places(machine, address)).collect();
    ObjectUser { pid: track.pid, cpu: track.cpu, stack }
}

/// The return addresses, innermost first. The kernel leaves out a fixed number of its own frames, and with them the
/// caller where the compiler made fewer of them: `kfree()` of 6.1 has its stack begin behind the function that freed.
fn whole(track: &Track) -> Vec<u64> {
    let has_caller = track.stack.contains(&track.caller);
    let caller = (!has_caller).then_some(track.caller);
    caller.into_iter().chain(track.stack.iter().copied()).collect()
}

/// Where a return address is from, the innermost of inlined functions first: the call is before it.
fn places(machine: &Machine<'_>, address: u64) -> Vec<CodePlace> {
    let call = address.wrapping_sub(1);
    let name = machine.code_name(call);
    let module = name.as_ref().and_then(|name| name.module.clone());
    let symbol = name.map_or_else(|| format!("{address:#x}"), |name| name.symbol);
    let source = machine.image_at(call).and_then(|image| image.source(call).found());
    let bare = CodePlace { function: symbol, module, file: None, line: None, inlined: false };
    let place = |frame: SourceFrame| CodePlace {
        function: frame.function.unwrap_or_else(|| bare.function.clone()),
        module: bare.module.clone(),
        file: frame.file,
        line: frame.line,
        inlined: frame.inlined,
    };
    let chain: Vec<CodePlace> = source.unwrap_or_default().into_iter().map(place).collect();
    if chain.is_empty() { vec![bare] } else { chain }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_called_the_allocator_is_on_the_stack_once() {
        let track = |stack: &[u64]| Track {
            caller: 0x10,
            stack: stack.to_vec(),
            pid: 1,
            cpu: 0,
            when: 0,
            no_stack: None,
        };
        assert_eq!(whole(&track(&[])), [0x10]);
        assert_eq!(whole(&track(&[0x20, 0x30])), [0x10, 0x20, 0x30]);
        assert_eq!(whole(&track(&[0x8, 0x10, 0x20])), [0x8, 0x10, 0x20]);
    }
}
