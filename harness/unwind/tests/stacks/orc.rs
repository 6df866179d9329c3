// SPDX-License-Identifier: MIT OR Apache-2.0
//! ORC tables from bytes; what they mean is in the kernel's `arch/x86/include/asm/orc_types.h`.

use crate::machine::section;
use unwind::Register;
use unwind::orc::{Bp, Cfa, Error, Kind, OrcEntry, Table, Version};

const IP: u64 = 0xffff_ffff_8200_0000;
const CODE: u64 = 0xffff_ffff_8100_0000;

/// `.orc_unwind_ip` for these code addresses: each word is the distance from itself.
fn ips(addresses: &[u64]) -> Vec<u8> {
    let mut bytes = section();
    for (place, address) in (IP..).step_by(4).zip(addresses) {
        bytes = bytes.append_bytes(&address.wrapping_sub(place).to_le_bytes()[..4]);
    }
    bytes.get_contents().expect("no labels")
}

/// One entry: `sp_offset`, `bp_offset`, bit fields.
fn entry(sp_offset: i16, bp_offset: i16, bits: u16) -> Vec<u8> {
    section()
        .append_bytes(&sp_offset.to_le_bytes())
        .append_bytes(&bp_offset.to_le_bytes())
        .D16(bits)
        .get_contents()
        .expect("no labels")
}

fn decode(version: Version, bytes: &[u8]) -> OrcEntry {
    let ip = ips(&[CODE]);
    let table = Table::sorted(IP, &ip, bytes, version).expect("one entry each");
    table.lookup(CODE).expect("covered")
}

fn rsp(offset: i64) -> Cfa {
    Cfa::Register { base: Register::Rsp, offset }
}

/// Bytes of Debian's 6.1.0-56-cloud-amd64 for `kimage_alloc_pages`, whose code begins (objdump):
/// `call __fentry__; push %r12; mov %edi,%r12d; push %rbp`.
#[test]
fn entries_of_a_real_prologue() {
    let at_entry = decode(Version::V1, &[0x08, 0, 0, 0, 0x05, 0]);
    let call = OrcEntry { kind: Kind::Call, cfa: rsp(8), bp: Bp::Same, signal: false };
    assert_eq!(at_entry, call);
    let one_pushed = decode(Version::V1, &[0x10, 0, 0, 0, 0x05, 0]);
    assert_eq!(one_pushed, OrcEntry { cfa: rsp(16), ..call });
    let rbp_pushed = decode(Version::V1, &[0x18, 0, 0xe8, 0xff, 0x15, 0]);
    assert_eq!(rbp_pushed, OrcEntry { cfa: rsp(24), bp: Bp::AtCfa(-24), ..call });
}

/// Bit fields, the lowest first, as (value, width).
fn fields(fields: &[(u16, u32)]) -> u16 {
    let packed = fields.iter().rev().fold(0, |bits, (value, width)| bits << width | value);
    assert!(packed < 1 << 12, "the kernel uses at most twelve bits");
    packed
}

fn kind(version: Version, bits: u16) -> (Kind, bool) {
    let entry = decode(version, &entry(0, 0, bits));
    (entry.kind, entry.signal)
}

#[test]
fn version_1_has_types_0_to_2_and_an_end_bit() {
    let kind = |sp, ty, end| kind(Version::V1, fields(&[(sp, 4), (0, 4), (ty, 2), (end, 1)]));
    assert_eq!(kind(5, 0, 0), (Kind::Call, false));
    assert_eq!(kind(5, 1, 0), (Kind::Regs, true));
    assert_eq!(kind(5, 2, 0), (Kind::RegsPartial, true));
    assert_eq!(kind(5, 3, 0), (Kind::Undefined, false));
    assert_eq!(kind(0, 0, 1), (Kind::EndOfStack, false));
    assert_eq!(kind(0, 0, 0), (Kind::Undefined, false));
}

#[test]
fn version_2_has_a_signal_bit_before_the_end_bit() {
    let kind = |sp, ty, signal, end| {
        kind(Version::V2, fields(&[(sp, 4), (0, 4), (ty, 2), (signal, 1), (end, 1)]))
    };
    assert_eq!(kind(5, 0, 0, 0), (Kind::Call, false));
    assert_eq!(kind(5, 0, 1, 0), (Kind::Call, true));
    assert_eq!(kind(5, 1, 1, 0), (Kind::Regs, true));
    assert_eq!(kind(5, 2, 0, 0), (Kind::RegsPartial, false));
    assert_eq!(kind(0, 0, 0, 1), (Kind::EndOfStack, false));
    assert_eq!(kind(0, 0, 0, 0), (Kind::Undefined, false));
}

#[test]
fn version_3_has_five_types_of_three_bits() {
    for version in [Version::V3, Version::V4] {
        let kind = |ty, signal| kind(version, fields(&[(5, 4), (0, 4), (ty, 3), (signal, 1)]));
        assert_eq!(kind(0, 0), (Kind::Undefined, false));
        assert_eq!(kind(1, 0), (Kind::EndOfStack, false));
        assert_eq!(kind(2, 0), (Kind::Call, false));
        assert_eq!(kind(2, 1), (Kind::Call, true));
        assert_eq!(kind(3, 1), (Kind::Regs, true));
        assert_eq!(kind(4, 1), (Kind::RegsPartial, true));
        assert_eq!(kind(7, 0), (Kind::Undefined, false));
    }
}

/// All sixteen numbers of the register field that the CFA starts from.
#[test]
fn cfa_registers_by_version() {
    let cfa = |version, number| decode(version, &entry(16, 0, fields(&[(number, 4)]))).cfa;
    let at = |base| Cfa::Register { base, offset: 16 };
    let none = Cfa::Undefined;
    let sp_indirect = Cfa::Indirect { base: Register::Rsp, offset: 0, add: 16 };
    let bp_indirect = Cfa::Indirect { base: Register::Rbp, offset: 16, add: 0 };
    use Register::{R10, R13, Rax, Rbp, Rdi, Rdx, Rsp};
    let old = [none, none, at(Rdx), at(Rdi), at(Rbp), at(Rsp), at(R10), at(R13)]
        .into_iter()
        .chain([bp_indirect, sp_indirect, at(Rax), none, none, none, none, none]);
    for (number, expected) in (0..).zip(old) {
        assert_eq!(cfa(Version::V3, number), expected, "version 3, register {number}");
        assert_eq!(cfa(Version::V1, number), expected, "version 1, register {number}");
    }
    let new = [none, at(Rax), at(Rdx), at(Rsp), at(Rbp), at(Rdi), at(R10), at(R13)]
        .into_iter()
        .chain([none, sp_indirect, bp_indirect, none, none, none, none, none]);
    for (number, expected) in (0..).zip(new) {
        assert_eq!(cfa(Version::V4, number), expected, "version 4, register {number}");
    }
}

/// Until 5.11 the offset of `SP_INDIRECT` was added before the load, then after it.
#[test]
fn sp_indirect_before_5_12_adds_first() {
    let cfa = |version| decode(version, &entry(8, 0, 9)).cfa;
    let before = Cfa::Indirect { base: Register::Rsp, offset: 8, add: 0 };
    assert_eq!(cfa(Version::V1AddFirst), before);
    assert_eq!(cfa(Version::V1), Cfa::Indirect { base: Register::Rsp, offset: 0, add: 8 });
}

#[test]
fn frame_pointer_rules() {
    let bp =
        |version, number: u16| decode(version, &entry(16, -16, fields(&[(5, 4), (number, 4)]))).bp;
    assert_eq!(bp(Version::V1, 0), Bp::Same);
    assert_eq!(bp(Version::V1, 1), Bp::AtCfa(-16));
    assert_eq!(bp(Version::V1, 4), Bp::AtBp(-16));
    assert_eq!(bp(Version::V1, 6), Bp::Unknown);
    assert_eq!(bp(Version::V4, 8), Bp::AtCfa(-16));
    assert_eq!(bp(Version::V4, 4), Bp::AtBp(-16));
    assert_eq!(bp(Version::V4, 1), Bp::Unknown);
}

#[test]
fn lookup_takes_the_last_entry_at_or_below() {
    let ip = ips(&[CODE, CODE + 4, CODE + 9]);
    let entries = [entry(8, 0, 5), entry(16, 0, 5), entry(24, 0, 5)].concat();
    let table = Table::sorted(IP, &ip, &entries, Version::V1).expect("three entries each");
    assert_eq!(table.len(), 3);
    let cfa = |pc| table.lookup(pc).map(|entry| entry.cfa);
    assert_eq!(cfa(CODE - 1), None);
    assert_eq!(cfa(CODE), Some(rsp(8)));
    assert_eq!(cfa(CODE + 3), Some(rsp(8)));
    assert_eq!(cfa(CODE + 4), Some(rsp(16)));
    assert_eq!(cfa(CODE + 8), Some(rsp(16)));
    assert_eq!(cfa(u64::MAX), Some(rsp(24)));
}

/// A module's file has its sections one after the other, each closed by a terminator at the
/// address where the next one begins.
#[test]
fn unsorted_table_puts_terminators_before_real_entries() {
    let ip = ips(&[CODE + 0x20, CODE + 0x30, CODE, CODE + 0x20]);
    let entries = [entry(16, 0, 5), entry(0, 0, 0), entry(8, 0, 5), entry(0, 0, 0)].concat();
    let table = Table::unsorted(IP, &ip, &entries, Version::V1).expect("four entries each");
    let cfa = |pc| table.lookup(pc).map(|entry| entry.cfa);
    assert_eq!(cfa(CODE), Some(rsp(8)));
    assert_eq!(cfa(CODE + 0x20), Some(rsp(16)), "not the terminator of the section before");
    assert_eq!(cfa(CODE + 0x30), Some(Cfa::Undefined));
    assert_eq!(cfa(CODE - 1), None);
}

#[test]
fn sections_that_do_not_match_are_refused() {
    let cases = [(4, 12), (8, 6), (3, 6), (4, 5), (0, 6)];
    for (ip_bytes, entry_bytes) in cases {
        let (ip, entries) = (vec![0; ip_bytes], vec![0; entry_bytes]);
        let error = Table::sorted(IP, &ip, &entries, Version::V1).err();
        assert_eq!(error, Some(Error::LengthMismatch { ip_bytes, entry_bytes }));
    }
    let empty = Table::sorted(IP, &[], &[], Version::V1).expect("empty on both sides");
    assert!(empty.is_empty());
    assert_eq!(empty.lookup(CODE), None);
}

/// The hashes are those of `scripts/orc_hash.sh` over the headers of 6.3.10, 6.4 and 7.1.
#[test]
fn header_decides_before_the_release() {
    let header = [
        0xfe, 0x5d, 0x32, 0xbf, 0x58, 0x1b, 0xd6, 0x3b, 0x2c, 0xa9, 0xa5, 0xc6, 0x5b, 0xa5, 0xa6,
        0x25, 0xea, 0xb3, 0xfe, 0x24,
    ];
    assert_eq!(Version::detect(Some(&header), "6.1.0"), Ok(Version::V3));
    let unknown = Version::detect(Some(&[0xab; 20]), "6.12.0").expect_err("no known hash");
    assert_eq!(
        unknown.to_string(),
        format!(".orc_header has the unknown hash {}", "ab".repeat(20))
    );
    assert!(Version::detect(Some(&header[..19]), "6.12.0").is_err());
}

#[test]
fn release_tells_the_version_without_a_header() {
    let cases = [
        ("4.14.336", Version::V1AddFirst),
        ("5.10.0-30-amd64", Version::V1AddFirst),
        ("5.14.0-503.11.1.el9_5.x86_64", Version::V1),
        ("5.14.0-570.12.1.el9_6.x86_64", Version::V3),
        ("6.1.0-56-cloud-amd64", Version::V1),
        ("6.3.1", Version::V2),
        ("6.4-rc1", Version::V3),
        ("6.12.57+deb13-amd64", Version::V3),
        ("7.0.3", Version::V3),
        ("7.1.0", Version::V4),
    ];
    for (release, version) in cases {
        assert_eq!(Version::detect(None, release), Ok(version), "{release}");
    }
    for release in ["3.10.0-1160.el7.x86_64", "4.9.0", "", "six", "6", "6.x"] {
        let error = Error::UnknownRelease { release: release.to_owned() };
        assert_eq!(Version::detect(None, release), Err(error));
    }
}
