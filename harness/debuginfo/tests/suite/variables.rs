// SPDX-License-Identifier: MIT OR Apache-2.0
//! Variables with static storage.

use std::collections::BTreeMap;

use debuginfo::Image;

use crate::tools::{KERNEL, Workshop, symbols};

fn check(image: &Image<'_>, address_of: impl Fn(&str) -> u64) {
    for (name, ty) in [
        ("table", "struct operations *"),
        ("counter", "long int"),
        ("initialised", "int"),
        ("banner", "const char [8]"),
    ] {
        let variable = image.variable(name).found().unwrap_or_else(|| panic!("{name}"));
        assert_eq!((variable.name.as_str(), variable.address), (name, address_of(name)));
        assert_eq!(image.type_name(Some(variable.ty)), ty);
        let size = image.type_size(variable.ty).found().unwrap();
        let at = image.variable_at(variable.address + size - 1, None).found().unwrap();
        assert_eq!(at, variable);
        assert!(declaration(image, variable.address).contains(name));
    }
    assert!(!image.variable("nowhere").is_found());
    // A variable inside a function: the symbol has a suffix, the source has not.
    let calls = image.variable_at(address_of("calls."), None).found().unwrap();
    assert_eq!(
        (calls.name.as_str(), image.type_name(Some(calls.ty)).as_str()),
        ("calls", "long int")
    );
}

/// The line of the source that has the variable at the address.
fn declaration(image: &Image<'_>, address: u64) -> &'static str {
    let declared = image.declared_at(address).found().unwrap();
    assert_eq!(declared.file.rsplit('/').next(), Some("code.c"));
    let line = usize::try_from(declared.line).unwrap() - 1;
    include_str!("../fixtures/code.c").lines().nth(line).unwrap()
}

#[test]
fn variables_of_a_kernel_are_found_through_their_neighbours() {
    let shop = Workshop::new();
    let file = shop.kernel("kernel", &[]);
    let all = symbols(&file, "bBdDrR");
    let bytes = std::fs::read(&file).unwrap();
    let image = Image::kernel(&bytes, 0x20_0000).unwrap();
    check(&image, |name| {
        let (_, (address, _)) = all.iter().find(|(symbol, _)| symbol.starts_with(name)).unwrap();
        address + 0x20_0000
    });
}

#[test]
fn variables_of_a_module_are_where_its_sections_are() {
    let shop = Workshop::new();
    let file = shop.compile("code.c", "module.o", &[KERNEL, &["-c"]].concat());
    let bytes = std::fs::read(&file).unwrap();
    let bases = [
        (".text", 0xc000_0000),
        (".data", 0xc010_0000),
        (".bss", 0xc020_0000),
        (".rodata", 0xc030_0000),
    ];
    let sections: BTreeMap<String, u64> =
        bases.map(|(name, low)| (name.to_owned(), 0xffff_ffff_0000_0000 + low)).into();
    let image = Image::module(&bytes, &sections).unwrap();
    let in_section = |types: &str, base: &str| {
        let base = sections[base];
        symbols(&file, types).into_iter().map(move |(name, (value, _))| (name, base + value))
    };
    let all: BTreeMap<String, u64> = in_section("bB", ".bss")
        .chain(in_section("dD", ".data"))
        .chain(in_section("rR", ".rodata"))
        .collect();
    check(&image, |name| *all.iter().find(|(symbol, _)| symbol.starts_with(name)).unwrap().1);
    let calls = all.iter().find(|(symbol, _)| symbol.starts_with("calls.")).unwrap().1;
    assert_eq!(declaration(&image, *calls).trim(), "static long calls;");
}
