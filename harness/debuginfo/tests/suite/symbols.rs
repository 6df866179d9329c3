// SPDX-License-Identifier: MIT OR Apache-2.0
//! Symbols, notes, `.modinfo` and ORC bytes.

use std::collections::BTreeMap;
use std::process::Command;

use debuginfo::{Error, Image, Symbol, SymbolKind};

use crate::tools::{TEXT, Workshop, fixture, run};

const TEXT_AT: u64 = 0xffff_ffff_c012_3000;
const OTHER_AT: u64 = 0xffff_ffff_c012_9000;
const IP_AT: u64 = 0xffff_ffff_c010_0000;

fn module() -> (Workshop, Vec<u8>) {
    let shop = Workshop::new();
    let file = shop.compile("symbols.S", "symbols.o", &["-c"]);
    let bytes = std::fs::read(file).unwrap();
    (shop, bytes)
}

fn sections(extra: &[(&str, u64)]) -> BTreeMap<String, u64> {
    let known = [(".text", TEXT_AT), (".text.other", OTHER_AT)];
    known.iter().chain(extra).map(|&(name, address)| (name.to_owned(), address)).collect()
}

fn name_at(image: &Image<'_>, address: u64) -> Option<(String, u64)> {
    image.symbol_at(address).map(|symbol| (symbol.name, address - symbol.address))
}

#[test]
fn nearest_symbol_wins_even_if_it_is_a_label() {
    let (_shop, bytes) = module();
    let image = Image::module(&bytes, &sections(&[])).unwrap();
    assert_eq!(name_at(&image, TEXT_AT + 1), Some(("plain".to_owned(), 1)));
    assert_eq!(name_at(&image, TEXT_AT + 3), Some(("inner_label".to_owned(), 1)));
    // Padding belongs to what precedes it, as in the kernel's own `+0x9/0xe`.
    assert_eq!(name_at(&image, TEXT_AT + 15), Some(("inner_label".to_owned(), 13)));
    let label = image.symbol("inner_label").unwrap();
    assert_eq!(
        label,
        Symbol {
            name: "inner_label".to_owned(),
            address: TEXT_AT + 2,
            size: 14,
            extent: 14,
            kind: SymbolKind::Label,
            global: true,
        }
    );
    let plain = image.symbol("plain").unwrap();
    assert_eq!((plain.size, plain.extent, plain.kind), (4, 2, SymbolKind::Function));
}

/// The kernel puts `.data..percpu` of a module at its offset in every CPU's memory.
#[test]
fn per_cpu_variables_of_a_module_lie_apart_from_its_other_symbols() {
    let (_shop, bytes) = module();
    let image = Image::module(&bytes, &sections(&[(".data..percpu", 0x3_6000)])).unwrap();
    let found = image.per_cpu_symbol_at(0x3_6009).map(|symbol| (symbol.name, symbol.address));
    assert_eq!(found, Some(("per_cpu_counter".to_owned(), 0x3_6008)));
    assert_eq!(name_at(&image, TEXT_AT + 1), Some(("plain".to_owned(), 1)));
    assert_eq!(name_at(&image, 0x3_6009), None);
}

#[test]
fn among_aliases_the_global_sized_name_without_underscores_wins() {
    let (_shop, bytes) = module();
    let image = Image::module(&bytes, &sections(&[])).unwrap();
    for offset in [16, 17] {
        let found = name_at(&image, TEXT_AT + offset);
        assert_eq!(found, Some(("alias_global".to_owned(), offset - 16)));
    }
    for name in ["alias_weak", "__alias_underscored", "alias_local", "alias_label"] {
        assert_eq!(image.symbol(name).unwrap().address, TEXT_AT + 16, "{name}");
    }
    assert!(!image.symbol("alias_local").unwrap().global);
}

#[test]
fn addresses_outside_of_sections_have_no_symbol() {
    let (_shop, bytes) = module();
    let image = Image::module(&bytes, &sections(&[])).unwrap();
    for address in [0, 8, 0x1234, TEXT_AT - 1, TEXT_AT + 18, OTHER_AT + 1, u64::MAX] {
        assert_eq!(image.symbol_at(address), None, "{address:#x}");
    }
    assert!(image.is_text(TEXT_AT) && image.is_text(OTHER_AT));
    assert!(!image.is_text(OTHER_AT + 1) && !image.is_text(0));
}

#[test]
fn per_cpu_and_absolute_symbols_are_no_addresses() {
    let (shop, bytes) = module();
    let image = Image::module(&bytes, &sections(&[])).unwrap();
    assert_eq!(image.symbol("per_cpu_counter"), None, "its section has no address");
    assert_eq!(image.symbol("absolute_number").unwrap().kind, SymbolKind::Absolute);
    // Linked as a kernel up to 6.14 is: the per-CPU section at address 0.
    let object = shop.path("symbols.o");
    let file = shop.path("kernel");
    run(Command::new("ld")
        .args(["-static", "-e", "plain", "-T"])
        .arg(fixture("kernel.lds"))
        .arg("-o")
        .arg(&file)
        .arg(object));
    let bytes = std::fs::read(file).unwrap();
    let image = Image::kernel(&bytes, 0x1d40_0000).unwrap();
    let per_cpu = image.symbol("per_cpu_counter").unwrap();
    assert_eq!((per_cpu.address, per_cpu.kind), (8, SymbolKind::PerCpu));
    assert_eq!(image.symbol_at(8), None);
    assert_eq!(image.symbol("absolute_number").unwrap().address, 0x1234);
    assert_eq!(image.symbol("plain").unwrap().address, TEXT + 0x1d40_0000);
}

#[test]
fn identity_is_read_from_notes_and_modinfo() {
    let (_shop, bytes) = module();
    let image = Image::module(&bytes, &sections(&[])).unwrap();
    assert_eq!(image.build_id(), Some((1..=20).collect()));
    assert_eq!(image.modinfo("srcversion").as_deref(), Some("0123456789ABCDEF"));
    assert_eq!(image.modinfo("parm").as_deref(), Some("first:one"));
    assert_eq!(image.modinfo("version"), None);
}

/// Entries name their functions at run time, whether or not the table's own address is known.
#[test]
fn orc_of_a_module_is_relocated() {
    let (_shop, bytes) = module();
    for extra in [&[(".orc_unwind_ip", IP_AT)][..], &[]] {
        let image = Image::module(&bytes, &sections(extra)).unwrap();
        let orc = image.orc().unwrap();
        let (base, ip) = orc.ip;
        let targets: Vec<u64> = (0_u64..)
            .step_by(4)
            .zip(ip.chunks_exact(4))
            .map(|(offset, bytes)| {
                let distance = i32::from_le_bytes(bytes.try_into().unwrap());
                (base + offset).wrapping_add_signed(distance.into())
            })
            .collect();
        assert_eq!(targets, [TEXT_AT, OTHER_AT]);
        assert_eq!(orc.entries.len(), 12);
        assert_eq!(orc.header, Some(&[0x5a; 20][..]));
    }
}

#[test]
fn wrong_files_are_refused_in_words() {
    let (_shop, bytes) = module();
    let error = Image::kernel(&bytes, 0).unwrap_err();
    assert_eq!(error.to_string(), "ELF file type 1 is not an executable (2 or 3)");
    assert_eq!(Image::module(b"\x7fELF", &sections(&[])).unwrap_err(), Error::NotElf);
    let mut other = bytes.clone();
    other[18] = 3;
    assert_eq!(Image::module(&other, &sections(&[])).unwrap_err(), Error::Machine(3));
    let cut = &bytes[..bytes.len() / 2];
    assert_eq!(
        Image::module(cut, &sections(&[])).unwrap_err().to_string(),
        "section table of the ELF file is damaged or cut off"
    );
}
