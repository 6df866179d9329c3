// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tells whether an address may be one that a call instruction pushed.

use crate::{Memory, Tables};

/// Longest call instruction without prefixes: `ff /2` with a scaled index and 32 displacement bits.
const LONGEST_CALL: usize = 7;

/// Whether the instruction before `address` may be a call; `None` if the bytes cannot be read.
///
/// Instructions have no mark at their end, so this looks for each form of a call that would end
/// there (Intel SDM volume 2, CALL: `e8 rel32` and `ff /2`). Prefixes in front do not matter.
pub(crate) fn is_after_call(
    memory: &dyn Memory,
    tables: &dyn Tables,
    address: u64,
) -> Option<bool> {
    let mut bytes = [0; LONGEST_CALL];
    memory.read_bytes(address.checked_sub(7)?, &mut bytes)?;
    if bytes[2] == 0xe8 {
        let displacement = i32::from_le_bytes([bytes[3], bytes[4], bytes[5], bytes[6]]);
        if tables.is_text(address.wrapping_add_signed(i64::from(displacement))) {
            return Some(true);
        }
    }
    Some((2..=LONGEST_CALL).any(|length| is_indirect_call(&bytes[LONGEST_CALL - length..])))
}

/// Whether `bytes` are exactly one `ff /2` instruction (indirect near call).
fn is_indirect_call(bytes: &[u8]) -> bool {
    let [0xff, modrm, operands @ ..] = bytes else { return false };
    if (modrm >> 3) & 7 != 2 {
        return false;
    }
    let (mode, rm) = (modrm >> 6, modrm & 7);
    if mode == 3 {
        return operands.is_empty();
    }
    let sib = (rm == 4).then(|| operands.first().copied());
    let base = match sib {
        None => rm,
        Some(Some(sib)) => sib & 7,
        Some(None) => return false,
    };
    let displacement = match (mode, base) {
        (0, 5) | (2, _) => 4,
        (0, _) => 0,
        _ => 1,
    };
    operands.len() == usize::from(sib.is_some()) + displacement
}
