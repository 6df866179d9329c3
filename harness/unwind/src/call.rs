// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tells whether an address may be one that a call instruction pushed.

use crate::{Memory, Tables};

/// Longest call instruction without prefixes: `ff /2` with a scaled index and 32 displacement bits.
const LONGEST_CALL: usize = 7;

/// Whether the instruction before `address` may be a call; `None` if the bytes cannot be read.
///
/// Instructions have no mark at their end, so this looks for each form of a call that would end
/// there (Intel SDM volume 2, CALL: `e8 rel32` and `ff /2`). Prefixes in front do not matter.
pub fn is_after_call(memory: &dyn Memory, tables: &dyn Tables, address: u64) -> Option<bool> {
    let mut bytes = [0; LONGEST_CALL];
    memory.read_bytes(address.checked_sub(7)?, &mut bytes)?;
    if bytes[2] == 0xe8 {
        let displacement = i32::from_le_bytes([bytes[3], bytes[4], bytes[5], bytes[6]]);
        if tables.is_text(address.wrapping_add_signed(i64::from(displacement))) {
            return Some(true);
        }
    }
    let ends = (2..=LONGEST_CALL).filter_map(|length| bytes.get(LONGEST_CALL - length..));
    Some(ends.into_iter().any(is_indirect_call))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::orc::OrcEntry;

    const RETURN: u64 = 0xffff_ffff_8100_0100;

    /// Code that ends at [`RETURN`]; kernel code is everything from 0xffffffff81000000 on.
    struct Code(Vec<u8>);

    impl Memory for Code {
        fn read_u64(&self, address: u64) -> Option<u64> {
            let mut bytes = [0; 8];
            self.read_bytes(address, &mut bytes)?;
            Some(u64::from_le_bytes(bytes))
        }

        fn read_bytes(&self, address: u64, buffer: &mut [u8]) -> Option<()> {
            let from_end = usize::try_from(RETURN.checked_sub(address)?).ok()?;
            let from = self.0.len().checked_sub(from_end)?;
            buffer.copy_from_slice(self.0.get(from..from.checked_add(buffer.len())?)?);
            Some(())
        }
    }

    impl Tables for Code {
        fn orc(&self, _pc: u64) -> Option<OrcEntry> {
            None
        }

        fn is_text(&self, address: u64) -> bool {
            address >= 0xffff_ffff_8100_0000
        }
    }

    fn after(instruction: &[u8]) -> Option<bool> {
        let code = Code([&[0x90; 7], instruction].concat());
        is_after_call(&code, &code, RETURN)
    }

    /// Encodings as the GNU assembler makes them from the text in the comment.
    #[test]
    fn forms_of_call() {
        let calls: [&[u8]; 12] = [
            &[0xe8, 0xfb, 0xff, 0xff, 0xff],             // call .
            &[0x2e, 0xe8, 0x00, 0x01, 0x00, 0x00], // the same with a cs prefix in front, as patched calls have
            &[0xff, 0xd0],                         // call *%rax
            &[0x41, 0xff, 0xd3],                   // call *%r11
            &[0xff, 0x10],                         // call *(%rax)
            &[0xff, 0x14, 0x24],                   // call *(%rsp)
            &[0xff, 0x50, 0x70],                   // call *0x70(%rax)
            &[0xff, 0x54, 0x24, 0x10],             // call *0x10(%rsp)
            &[0xff, 0x93, 0x70, 0x01, 0x00, 0x00], // call *0x170(%rbx)
            &[0xff, 0x15, 0x10, 0x20, 0x30, 0x01], // call *0x1302010(%rip)
            &[0xff, 0x14, 0xc5, 0x00, 0x10, 0x20, 0x82], // call *-0x7ddff000(,%rax,8)
            &[0xff, 0x94, 0xcb, 0x00, 0x01, 0x00, 0x00], // call *0x100(%rbx,%rcx,8)
        ];
        for call in calls {
            assert_eq!(after(call), Some(true), "{call:02x?}");
        }
    }

    #[test]
    fn other_instructions() {
        let others: [&[u8]; 6] = [
            &[0xe9, 0xfb, 0xff, 0xff, 0xff], // jmp .
            &[0xff, 0xe0],                   // jmp *%rax
            &[0xff, 0x60, 0x70],             // jmp *0x70(%rax)
            &[0xff, 0x30],                   // push (%rax)
            &[0x55],                         // push %rbp
            &[0xe8, 0x00, 0x00, 0x00, 0x80], // call .-0x7ffffffb: no kernel code there
        ];
        for other in others {
            assert_eq!(after(other), Some(false), "{other:02x?}");
        }
    }

    #[test]
    fn unreadable_code_is_unknown() {
        let code = Code(vec![0xff, 0xd0]);
        assert_eq!(is_after_call(&code, &code, RETURN), None);
        assert_eq!(is_after_call(&code, &code, 3), None);
    }
}
