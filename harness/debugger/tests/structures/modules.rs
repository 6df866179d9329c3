// SPDX-License-Identifier: MIT OR Apache-2.0
//! Modules in the three layouts of `struct module` and of its section addresses.

use analyzer::machine::Machine;
use debugger::{Files, Output, Session};
use std::collections::BTreeMap;

use kernel::modules::{Module, ModuleState, Region, RegionKind};

use crate::world::{Kind, World, padded, with_kernel};

const HEAD: u64 = 0xffff_ffff_8140_0000;
const MODULE: u64 = 0xffff_ffff_8160_0000;
const CORE: u64 = 0xffff_ffff_a000_0000;
const DATA: u64 = 0xffff_ffff_a010_0000;
const TABLES: u64 = 0xffff_ffff_8170_0000;

/// Which members `struct module` has.
#[derive(Clone, Copy)]
enum Layout {
    /// To 4.4.
    Flat,
    /// 4.5 to 6.3.
    Areas,
    /// 6.4 and later.
    Mem,
}

fn world(layout: Layout) -> World {
    let mut world = World::new();
    world.structure("list_head", 16, &[("next", 0, Kind::Number(8))]);
    let mut members = vec![
        ("state", 0, Kind::Number(4)),
        ("list", 8, Kind::One("list_head")),
        ("name", 24, Kind::Text(56)),
        ("srcversion", 80, Kind::Number(8)),
        ("taints", 88, Kind::Number(8)),
        ("sect_attrs", 96, Kind::Number(8)),
        ("symtab", 104, Kind::Number(8)),
        ("num_symtab", 112, Kind::Number(4)),
        ("strtab", 120, Kind::Number(8)),
    ];
    let numbers = |names: &[&'static str], size: u32| -> Vec<(&'static str, u32, Kind)> {
        (0..).zip(names).map(|(slot, name)| (*name, slot * size, Kind::Number(size))).collect()
    };
    match layout {
        Layout::Flat => {
            let pointers = [("module_core", 128), ("module_init", 136)];
            members.extend(pointers.map(|(name, at)| (name, at, Kind::Number(8))));
            let sizes = [
                ("core_size", 144),
                ("core_text_size", 148),
                ("core_ro_size", 152),
                ("init_size", 156),
                ("init_text_size", 160),
                ("init_ro_size", 164),
            ];
            members.extend(sizes.map(|(name, at)| (name, at, Kind::Number(4))));
        }
        Layout::Areas => {
            let mut parts = vec![("base", 0, Kind::Number(8))];
            let sizes = ["size", "text_size", "ro_size", "ro_after_init_size"];
            parts.extend(
                numbers(&sizes, 4).into_iter().map(|(name, at, kind)| (name, at + 8, kind)),
            );
            world.structure("module_layout", 32, &parts);
            members.push(("core_layout", 128, Kind::One("module_layout")));
            members.push(("init_layout", 160, Kind::One("module_layout")));
        }
        Layout::Mem => {
            let parts = [("base", 0, Kind::Number(8)), ("size", 8, Kind::Number(4))];
            world.structure("module_memory", 16, &parts);
            members.push(("mem", 128, Kind::Many("module_memory", 7)));
        }
    }
    world.structure("module", 256, &members);
    world.symbol("modules", HEAD);
    world.ring(&[HEAD, MODULE + 8]);
    world.put(MODULE, &[0; 8]);
    world.put(MODULE + 24, &padded("process", 56));
    world.put_u64(MODULE + 80, TABLES);
    world.put(TABLES, b"A1B2C3\0");
    world.put(MODULE + 88, &[0; 168]);
    world.put_u64(MODULE + 88, 0x3000);
    world
}

fn put_layout(world: &mut World, layout: Layout) {
    match layout {
        Layout::Flat => {
            world.put_u64(MODULE + 128, CORE);
            for (at, size) in [(144, 0x4000), (148, 0x1800), (152, 0x2400)] {
                world.put_u32(MODULE + at, size);
            }
        }
        Layout::Areas => {
            world.put_u64(MODULE + 128, CORE);
            for (at, size) in [(136, 0x4000), (140, 0x1800), (144, 0x2400), (148, 0x2400)] {
                world.put_u32(MODULE + at, size);
            }
        }
        Layout::Mem => {
            for (slot, base, size) in
                [(0, CORE, 0x1800), (1, DATA, 0x1c00), (2, DATA + 0x8000, 0xc00)]
            {
                world.put_u64(MODULE + 128 + slot * 16, base);
                world.put_u32(MODULE + 136 + slot * 16, size);
            }
        }
    }
}

fn region(kind: RegionKind, start: u64, size: u64) -> Region {
    Region { kind, init: false, start, size }
}

fn only(world: &World, look: impl FnOnce(&kernel::Kernel<'_>, &Module)) {
    with_kernel(world, |kernel| {
        let modules = kernel.modules().expect("modules");
        assert_eq!((modules.items.len(), modules.damage.as_slice()), (1, [].as_slice()));
        look(kernel, &modules.items[0]);
    });
}

#[test]
fn one_area_to_6_3() {
    for layout in [Layout::Flat, Layout::Areas] {
        let mut world = world(layout);
        put_layout(&mut world, layout);
        only(&world, |kernel, module| {
            assert_eq!((module.name.as_str(), module.state), ("process", ModuleState::Live));
            assert_eq!(module.srcversion.as_deref(), Some("A1B2C3"));
            assert_eq!(module.taint_letters(), "OE");
            let expected = [
                region(RegionKind::Text, CORE, 0x1800),
                region(RegionKind::ReadOnly, CORE + 0x1800, 0xc00),
                region(RegionKind::Data, CORE + 0x2400, 0x1c00),
            ];
            assert_eq!(module.regions, expected);
            assert_eq!((module.base(), module.size()), (Some(CORE), 0x4000));
            assert!(kernel.is_text(CORE + 0x17ff));
            assert!(!kernel.is_text(CORE + 0x1800));
            assert_eq!(kernel.module_at(CORE + 0x3fff), Some(module));
            assert_eq!(kernel.module_at(CORE + 0x4000), None);
        });
    }
}

/// A module in its init function: both areas are there.
#[test]
fn the_initialisation_area_while_it_is_there() {
    let mut world = world(Layout::Flat);
    put_layout(&mut world, Layout::Flat);
    world.put_u32(MODULE, 1);
    world.put_u64(MODULE + 136, DATA);
    world.put_u32(MODULE + 156, 0x800);
    world.put_u32(MODULE + 160, 0x600);
    only(&world, |kernel, module| {
        assert_eq!(module.state, ModuleState::Coming);
        let init = Region { init: true, ..region(RegionKind::Text, DATA, 0x600) };
        assert!(module.regions.contains(&init), "{:x?}", module.regions);
        assert!(kernel.is_text(DATA + 0x100));
        assert_eq!(module.size(), 0x4000);
    });
}

#[test]
fn areas_that_lie_apart_since_6_4() {
    let mut world = world(Layout::Mem);
    put_layout(&mut world, Layout::Mem);
    only(&world, |kernel, module| {
        let expected = [
            region(RegionKind::Text, CORE, 0x1800),
            region(RegionKind::Data, DATA, 0x1c00),
            region(RegionKind::ReadOnly, DATA + 0x8000, 0xc00),
        ];
        assert_eq!(module.regions, expected);
        assert_eq!((module.base(), module.size()), (Some(CORE), 0x4000));
        assert!(!kernel.is_text(CORE + 0x1800));
        assert_eq!(kernel.module_at(DATA + 0x4000), None);
    });
}

/// `.text`, `.data`, and `.init.text` whose memory was given back.
const SECTIONS: [(&str, u64); 3] =
    [(".text", CORE), (".data", CORE + 0x2400), (".init.text", DATA)];

fn names(world: &mut World) {
    for (slot, (name, _)) in (0..).zip(SECTIONS) {
        world.put(TABLES + 0x800 + slot * 32, &padded(name, 32));
    }
}

fn expected() -> BTreeMap<String, u64> {
    SECTIONS[..2].iter().map(|(name, address)| ((*name).to_owned(), *address)).collect()
}

#[test]
fn section_addresses_to_6_13() {
    for (size, name_at, address_at, by_attribute) in [(72, 56, 64, false), (80, 8, 72, true)] {
        let mut world = world(Layout::Flat);
        put_layout(&mut world, Layout::Flat);
        if by_attribute {
            world.structure("attribute", 16, &[("name", 0, Kind::Number(8))]);
            world.structure("bin_attribute", 72, &[("attr", 8, Kind::One("attribute"))]);
            let battr = ("battr", 0, Kind::One("bin_attribute"));
            world.structure("module_sect_attr", size, &[battr, ("address", 72, Kind::Number(8))]);
        } else {
            let members = [("name", 56, Kind::Number(8)), ("address", 64, Kind::Number(8))];
            world.structure("module_sect_attr", size, &members);
        }
        let attrs = ("attrs", 48, Kind::Many("module_sect_attr", 0));
        world.structure("module_sect_attrs", 48, &[("nsections", 40, Kind::Number(4)), attrs]);
        let table = TABLES + 0x1000;
        world.put_u64(MODULE + 96, table);
        world.put_u32(table + 40, 3);
        names(&mut world);
        for (slot, (_, address)) in (0..).zip(SECTIONS) {
            let entry = table + 48 + slot * u64::from(size);
            world.put_u64(entry + name_at, TABLES + 0x800 + slot * 32);
            world.put_u64(entry + address_at, address);
        }
        only(&world, |kernel, module| {
            assert_eq!(kernel.module_sections(module), Ok(expected()));
        });
    }
}

#[test]
fn section_addresses_since_6_14() {
    let mut world = world(Layout::Flat);
    put_layout(&mut world, Layout::Flat);
    world.structure("attribute", 16, &[("name", 0, Kind::Number(8))]);
    let members = [("attr", 0, Kind::One("attribute")), ("private", 24, Kind::Number(8))];
    world.structure("bin_attribute", 72, &members);
    world.structure("attribute_group", 48, &[("bin_attrs", 32, Kind::Number(8))]);
    world.structure("module_sect_attrs", 48, &[("grp", 0, Kind::One("attribute_group"))]);
    let (table, pointers) = (TABLES + 0x1000, TABLES + 0x1800);
    world.put_u64(MODULE + 96, table);
    world.put_u64(table + 32, pointers);
    names(&mut world);
    for (slot, (_, address)) in (0..).zip(SECTIONS) {
        let entry = table + 48 + slot * 72;
        world.put_u64(pointers + slot * 8, entry);
        world.put_u64(entry, TABLES + 0x800 + slot * 32);
        world.put_u64(entry + 24, address);
    }
    world.put_u64(pointers + 24, 0);
    only(&world, |kernel, module| assert_eq!(kernel.module_sections(module), Ok(expected())));
}

#[test]
fn a_module_without_section_addresses_says_so() {
    let mut world = world(Layout::Flat);
    put_layout(&mut world, Layout::Flat);
    only(&world, |kernel, module| {
        let words = kernel.module_sections(module).unwrap_err().to_string();
        assert_eq!(words, "module process has no section addresses");
    });
}

/// 3.10 keeps the letters in `st_info`; the last function reaches to the end of the text.
#[test]
fn symbols_without_a_file() {
    let mut world = world(Layout::Flat);
    put_layout(&mut world, Layout::Flat);
    let (symbols, strings) = (TABLES + 0x2000, TABLES + 0x3000);
    world.put_u64(MODULE + 104, symbols);
    world.put_u32(MODULE + 112, 5);
    world.put_u64(MODULE + 120, strings);
    world.put(strings, b"\0process_bprm_put\0other\0printk\0__akfs_ops\0");
    world.put(symbols, &[0; 24]);
    for (slot, (name, letter, section, address, size)) in (1..).zip([
        (1_u32, b't', 1_u8, CORE + 0x100, 0x1bb_u64),
        (18, b'T', 1, CORE, 0x80),
        (24, b'U', 0, 0, 0),
        (31, b'b', 9, CORE + 0x2480, 8),
    ]) {
        let entry = symbols + slot * 24;
        world.put_u32(entry, name);
        world.put(entry + 4, &[letter, 0, section, 0]);
        world.put_u64(entry + 8, address);
        world.put_u64(entry + 16, size);
    }
    only(&world, |kernel, module| {
        let symbols = kernel.module_symbols(module).unwrap();
        let found: Vec<(&str, char, u64, u64)> = symbols
            .iter()
            .map(|symbol| (symbol.name.as_str(), symbol.letter, symbol.size, symbol.extent))
            .collect();
        let expected = [
            ("other", 'T', 0x80, 0x100),
            ("process_bprm_put", 't', 0x1bb, 0x1700),
            ("__akfs_ops", 'b', 8, 0x1b80),
        ];
        assert_eq!(found, expected);
        let at = |address| kernel.module_symbol_at(module, address).map(|symbol| symbol.name);
        assert_eq!(at(CORE + 0x292).as_deref(), Ok("process_bprm_put"));
        assert!(at(CORE + 0x1900).is_err());
    });
}

/// Where nothing taints, or no letter is known, there is no label with nothing behind it.
#[test]
fn a_taint_is_told_by_letters_by_its_number_or_as_none() {
    const MASK: u64 = 0xffff_ffff_8180_0000;
    for (taints, of_module, of_kernel) in [
        (0, "no tainted modules\n", "TAINTED_MASK: 0\n"),
        (0x3000, "NAME     TAINTS\nprocess  OE\n", "TAINTED_MASK: 3000  OE\n"),
        // A flag of a kernel that is not born yet.
        (1 << 27, "NAME     TAINTS\nprocess  0x8000000\n", "TAINTED_MASK: 8000000\n"),
    ] {
        let mut world = world(Layout::Mem);
        put_layout(&mut world, Layout::Mem);
        world.put_u64(MODULE + 88, taints);
        world.symbol("tainted_mask", MASK);
        world.put_u64(MASK, taints);
        with_kernel(&world, |kernel| {
            let machine = Machine::new(kernel);
            let mut session = Session::new(&machine, Files::default());
            let mut said =
                |line: &str| session.run(line).iter().map(Output::text).collect::<String>();
            assert_eq!(said("mod -t"), of_module);
            assert_eq!(said("sys -t"), of_kernel);
        });
    }
}
