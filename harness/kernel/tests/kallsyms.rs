// SPDX-License-Identifier: MIT OR Apache-2.0
//! kallsyms tables of all forms, built byte by byte.

mod memory;

use kernel::Unavailable;
use kernel::kallsyms::Kallsyms;
use memory::Memory;
use vmcore::VmcoreInfo;

const BASE: u64 = 0xffff_ffff_9e40_0000;
const STEXT: u64 = BASE;
const NAMES: u64 = BASE + 0x1000;
const COUNT: u64 = BASE + 0x3000;
const TOKENS: u64 = BASE + 0x3800;
const INDEX: u64 = BASE + 0x4000;
const TABLE: u64 = BASE + 0x5000;
const RELATIVE: u64 = BASE + 0x6000;

/// Tokens: each byte stands for itself, but 1 for `do_`.
fn tables(names: &[Vec<u8>]) -> Memory {
    let mut memory = Memory::new(BASE, 0x8000);
    let mut table = Vec::new();
    for byte in 0..=255_u8 {
        let at = u16::try_from(table.len()).expect("short");
        memory.put(INDEX + u64::from(byte) * 2, &at.to_le_bytes());
        match byte {
            0 => {}
            1 => table.extend(b"do_"),
            other => table.push(other),
        }
        table.push(0);
    }
    memory.put(TOKENS, &table);
    memory.put(NAMES, &names.concat());
    memory.put(COUNT, &u32::try_from(names.len()).expect("few").to_le_bytes());
    memory
}

fn short(name: &[u8]) -> Vec<u8> {
    [&[u8::try_from(name.len()).expect("short")], name].concat()
}

/// `A __per_cpu_start` at 0x20, `T _stext`, `t do_work`, `D jiffies`.
fn usual() -> Memory {
    tables(&[
        short(b"A__per_cpu_start"),
        short(b"T_stext"),
        short(b"t\x01work"),
        short(b"Djiffies"),
    ])
}

fn read(memory: &Memory, forms: &str) -> Result<Kallsyms, Unavailable> {
    let info = format!(
        "SYMBOL(_stext)={STEXT:x}\nSYMBOL(kallsyms_names)={NAMES:x}\n\
         SYMBOL(kallsyms_num_syms)={COUNT:x}\nSYMBOL(kallsyms_token_table)={TOKENS:x}\n\
         SYMBOL(kallsyms_token_index)={INDEX:x}\n{forms}"
    );
    Kallsyms::read(memory, &VmcoreInfo::parse(info.as_bytes()))
}

fn check(kallsyms: &Kallsyms) {
    assert_eq!(kallsyms.len(), 4);
    let work = kallsyms.by_name("do_work").expect("do_work");
    assert_eq!((work.address, work.letter, work.extent), (STEXT + 0x40, 't', Some(0xc0)));
    assert_eq!(kallsyms.at(STEXT + 0x41).map(|symbol| symbol.name), Some("do_work"));
    assert_eq!(kallsyms.by_name("jiffies").map(|symbol| symbol.address), Some(STEXT + 0x100));
    assert_eq!(kallsyms.at(0x10), None);
}

fn offsets(memory: &mut Memory, values: [i64; 4]) {
    for (index, value) in (0_u64..).zip(values) {
        memory.put(TABLE + index * 4, &value.to_le_bytes()[..4]);
    }
}

#[test]
fn offsets_with_absolute_per_cpu_symbols() {
    let mut memory = usual();
    memory.put(RELATIVE, &STEXT.to_le_bytes());
    offsets(&mut memory, [0x20, -1, -1 - 0x40, -1 - 0x100]);
    let forms = format!(
        "SYMBOL(kallsyms_offsets)={TABLE:x}\nSYMBOL(kallsyms_relative_base)={RELATIVE:x}\n"
    );
    let kallsyms = read(&memory, &forms).unwrap();
    check(&kallsyms);
    assert_eq!(kallsyms.by_name("__per_cpu_start").map(|symbol| symbol.address), Some(0x20));
}

#[test]
fn offsets_from_a_base() {
    let mut memory = usual();
    memory.put(RELATIVE, &(STEXT - 0x1000).to_le_bytes());
    offsets(&mut memory, [0, 0x1000, 0x1040, 0x1100]);
    let forms = format!(
        "SYMBOL(kallsyms_offsets)={TABLE:x}\nSYMBOL(kallsyms_relative_base)={RELATIVE:x}\n"
    );
    check(&read(&memory, &forms).unwrap());
}

#[test]
fn offsets_from_their_own_place() {
    let mut memory = usual();
    // The table lies 0x5000 behind `_stext`, element n another 4n.
    offsets(&mut memory, [-0x5010, -0x5004, -0x5008 + 0x40, -0x500c + 0x100]);
    check(&read(&memory, &format!("SYMBOL(kallsyms_offsets)={TABLE:x}\n")).unwrap());
}

#[test]
fn plain_addresses() {
    let mut memory = usual();
    for (index, value) in (0_u64..).zip([0x20, STEXT, STEXT + 0x40, STEXT + 0x100]) {
        memory.put(TABLE + index * 8, &value.to_le_bytes());
    }
    check(&read(&memory, &format!("SYMBOL(kallsyms_addresses)={TABLE:x}\n")).unwrap());
}

#[test]
fn a_name_of_more_than_127_tokens_has_two_length_bytes() {
    let long = [b"t".as_slice(), &[b'x'; 299]].concat();
    // 300 = 2 * 128 + 44.
    let packed = [&[128 + 44, 2], long.as_slice()].concat();
    let mut memory = tables(&[short(b"T_stext"), packed]);
    for (index, value) in (0_u64..).zip([STEXT, STEXT + 8]) {
        memory.put(TABLE + index * 8, &value.to_le_bytes());
    }
    let kallsyms = read(&memory, &format!("SYMBOL(kallsyms_addresses)={TABLE:x}\n")).unwrap();
    assert_eq!(kallsyms.at(STEXT + 8).map(|symbol| symbol.name), Some("x".repeat(299).as_str()));
}

/// `__per_cpu_start` at 0x20 is the last of the small numbers, `jiffies` the last of all.
#[test]
fn neither_per_cpu_symbols_nor_the_last_one_cover_the_rest_of_memory() {
    let mut memory = usual();
    for (index, value) in (0_u64..).zip([0x20, STEXT, STEXT + 0x40, STEXT + 0x100]) {
        memory.put(TABLE + index * 8, &value.to_le_bytes());
    }
    let kallsyms = read(&memory, &format!("SYMBOL(kallsyms_addresses)={TABLE:x}\n")).unwrap();
    let name = |address| kallsyms.at(address).map(|symbol| symbol.name);
    assert_eq!(name(0x20), Some("__per_cpu_start"));
    assert_eq!(name(0xff49_e48d_3ffa_e880), None, "an object of a slab");
    assert_eq!(name(STEXT + 0xff), Some("do_work"));
    assert_eq!(name(STEXT + 0x100), Some("jiffies"));
    assert_eq!(name(STEXT + 0x2200_0000), None, "a module's text");
}

#[test]
fn no_form_that_fits_is_an_error() {
    let memory = usual();
    let error = read(&memory, &format!("SYMBOL(kallsyms_addresses)={TABLE:x}\n")).unwrap_err();
    assert_eq!(error.to_string(), "kallsyms stores addresses in an unknown form");
}

#[test]
fn a_count_beyond_reason_is_refused() {
    let mut memory = usual();
    memory.put(COUNT, &u32::MAX.to_le_bytes());
    let error = read(&memory, "").unwrap_err();
    assert_eq!(error.to_string(), "kallsyms claims 4294967295 symbols");
}

/// The tables one behind the other, at a place that nothing names.
fn image(head: &[u8], names: &[Vec<u8>], width: usize) -> Memory {
    let tables = synth::kallsyms::tables(head, names, width);
    let mut memory = Memory::new(BASE, 0x1238 + tables.len() + 0x2000);
    memory.put(BASE, &[0x90; 0x1238]);
    memory.put(BASE + 0x1238, &tables);
    memory
}

/// [`usual`] and many functions more.
fn many(count: u64) -> (Vec<Vec<u8>>, Vec<u64>) {
    let mut names = vec![
        short(b"A__per_cpu_start"),
        short(b"T_stext"),
        short(b"t\x01work"),
        short(b"Djiffies"),
    ];
    let mut addresses = vec![0x20, STEXT, STEXT + 0x40, STEXT + 0x100];
    for number in 0..count {
        names.push(short(format!("tf{number}").as_bytes()));
        addresses.push(STEXT + 0x200 + number * 16);
    }
    (names, addresses)
}

fn found(memory: &Memory) -> Result<Kallsyms, Unavailable> {
    let info = format!("SYMBOL(_stext)={STEXT:x}\n");
    Kallsyms::read(memory, &VmcoreInfo::parse(info.as_bytes()))
}

/// CentOS 7's 3.10: whole addresses, a number and markers of eight bytes.
#[test]
fn tables_of_3_10_that_vmcoreinfo_does_not_name() {
    for count in [0, 252, 253, 1500] {
        let (names, addresses) = many(count);
        let head: Vec<u8> = addresses.iter().flat_map(|address| address.to_le_bytes()).collect();
        let kallsyms = found(&image(&head, &names, 8)).unwrap();
        assert_eq!(kallsyms.len(), names.len());
        assert_eq!(kallsyms.by_name("do_work").map(|it| it.address), Some(STEXT + 0x40));
        let last = addresses.last().copied().unwrap();
        assert_eq!(
            kallsyms.at(last).map(|it| it.name.as_bytes()),
            Some(&names.last().unwrap()[2..])
        );
    }
}

/// Debian 11's 5.10: offsets from a base, a number and markers of four bytes.
#[test]
fn tables_of_5_10_that_vmcoreinfo_does_not_name() {
    for count in [0, 252, 253, 600, 1100] {
        let (names, addresses) = many(count);
        let offset = |address: &u64| match address.checked_sub(STEXT) {
            Some(offset) => u32::MAX - u32::try_from(offset).expect("near"),
            None => u32::try_from(*address).expect("a per-CPU offset"),
        };
        let mut head: Vec<u8> =
            addresses.iter().flat_map(|address| offset(address).to_le_bytes()).collect();
        head.resize(head.len().next_multiple_of(8), 0);
        head.extend(STEXT.to_le_bytes());
        let kallsyms = found(&image(&head, &names, 4)).unwrap();
        assert_eq!(kallsyms.len(), names.len());
        assert_eq!(kallsyms.by_name("__per_cpu_start").map(|it| it.address), Some(0x20));
        assert_eq!(kallsyms.by_name("do_work").map(|it| it.address), Some(STEXT + 0x40));
    }
}

/// One byte of a name's length is damaged: no marker behind it fits, and nothing is made up.
#[test]
fn tables_that_contradict_each_other_are_not_found() {
    let (names, addresses) = many(600);
    let head: Vec<u8> = addresses.iter().flat_map(|address| address.to_le_bytes()).collect();
    let mut memory = image(&head, &names, 8);
    memory.put(BASE + 0x1238 + head.len() as u64 + 8, &[7]);
    let error = found(&memory).unwrap_err().to_string();
    assert!(error.ends_with("symbol table, and it was not found"), "{error}");
}
