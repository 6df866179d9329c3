// SPDX-License-Identifier: MIT OR Apache-2.0
//! The six bytes of an entry (`struct orc_entry`, `arch/x86/include/asm/orc_types.h`):
//! `i16 sp_offset`, `i16 bp_offset`, then sixteen bits of fields, lowest bit first:
//!
//! | version | fields |
//! |---|---|
//! | 1 | `sp_reg:4 bp_reg:4 type:2 end:1` |
//! | 2 | `sp_reg:4 bp_reg:4 type:2 signal:1 end:1` |
//! | 3, 4 | `sp_reg:4 bp_reg:4 type:3 signal:1` |

use super::{Bp, Cfa, Kind, OrcEntry, Version};
use crate::Register;

/// Size of an entry.
pub(super) const ENTRY_BYTES: usize = 6;

/// A register field, by meaning.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Base {
    Undefined,
    PreviousSp,
    Value(Register),
    SpIndirect,
    BpIndirect,
    Invalid,
}

pub(super) fn decode(bytes: [u8; ENTRY_BYTES], version: Version) -> OrcEntry {
    let sp_offset = i64::from(i16::from_le_bytes([bytes[0], bytes[1]]));
    let bp_offset = i64::from(i16::from_le_bytes([bytes[2], bytes[3]]));
    let bits = u16::from_le_bytes([bytes[4], bytes[5]]);
    let sp = base(bits & 15, version);
    let bp = base((bits >> 4) & 15, version);
    let (kind, signal) = kind(bits, sp, version);
    OrcEntry { kind, cfa: cfa(sp, sp_offset, version), bp: bp_rule(bp, bp_offset), signal }
}

fn kind(bits: u16, sp: Base, version: Version) -> (Kind, bool) {
    let bit = |number: u16| bits >> number & 1 == 1;
    match version {
        Version::V1AddFirst | Version::V1 => {
            let kind = old_kind(bits, sp, bit(10));
            // No bit of its own: what was saved by an exception was interrupted.
            (kind, matches!(kind, Kind::Regs | Kind::RegsPartial))
        }
        Version::V2 => (old_kind(bits, sp, bit(11)), bit(10)),
        Version::V3 | Version::V4 => {
            let kind = match (bits >> 8) & 7 {
                1 => Kind::EndOfStack,
                2 => Kind::Call,
                3 => Kind::Regs,
                4 => Kind::RegsPartial,
                _ => Kind::Undefined,
            };
            (kind, bit(11))
        }
    }
}

fn old_kind(bits: u16, sp: Base, end: bool) -> Kind {
    match (bits >> 8) & 3 {
        _ if end => Kind::EndOfStack,
        _ if sp == Base::Undefined => Kind::Undefined,
        0 => Kind::Call,
        1 => Kind::Regs,
        2 => Kind::RegsPartial,
        _ => Kind::Undefined,
    }
}

fn base(number: u16, version: Version) -> Base {
    if version == Version::V4 {
        match number {
            0 => Base::Undefined,
            1 => Base::Value(Register::Rax),
            2 => Base::Value(Register::Rdx),
            3 => Base::Value(Register::Rsp),
            4 => Base::Value(Register::Rbp),
            5 => Base::Value(Register::Rdi),
            6 => Base::Value(Register::R10),
            7 => Base::Value(Register::R13),
            8 => Base::PreviousSp,
            9 => Base::SpIndirect,
            10 => Base::BpIndirect,
            _ => Base::Invalid,
        }
    } else {
        match number {
            0 => Base::Undefined,
            1 => Base::PreviousSp,
            2 => Base::Value(Register::Rdx),
            3 => Base::Value(Register::Rdi),
            4 => Base::Value(Register::Rbp),
            5 => Base::Value(Register::Rsp),
            6 => Base::Value(Register::R10),
            7 => Base::Value(Register::R13),
            8 => Base::BpIndirect,
            9 => Base::SpIndirect,
            10 => Base::Value(Register::Rax),
            _ => Base::Invalid,
        }
    }
}

fn cfa(base: Base, offset: i64, version: Version) -> Cfa {
    match base {
        Base::Undefined | Base::PreviousSp | Base::Invalid => Cfa::Undefined,
        // The kernel's own unwinder ignores the offset of registers other than rsp and rbp. There is
        // one entry where this matters: `asm_exc_nmi` from user mode has pushed rdx before it
        // changes stacks (`UNWIND_HINT_IRET_REGS base=%rdx offset=8`), and the offset is right.
        Base::Value(base) => Cfa::Register { base, offset },
        Base::SpIndirect if version == Version::V1AddFirst => {
            Cfa::Indirect { base: Register::Rsp, offset, add: 0 }
        }
        Base::SpIndirect => Cfa::Indirect { base: Register::Rsp, offset: 0, add: offset },
        Base::BpIndirect => Cfa::Indirect { base: Register::Rbp, offset, add: 0 },
    }
}

fn bp_rule(base: Base, offset: i64) -> Bp {
    match base {
        Base::Undefined => Bp::Same,
        Base::PreviousSp => Bp::AtCfa(offset),
        Base::Value(Register::Rbp) => Bp::AtBp(offset),
        _ => Bp::Unknown,
    }
}
