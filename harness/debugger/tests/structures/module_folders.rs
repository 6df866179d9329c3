// SPDX-License-Identifier: MIT OR Apache-2.0
//! Modules that the kernel's list does not lead to, found by their folders in sysfs.

use kernel::Kernel;
use kernel::modules::{FoundBy, Module, ModuleState, Region, RegionKind};
use synth::Page;

use crate::cpus::log;
use crate::world::{KERNEL_MAP, Kind, World, padded, with_kernel};

const HEAD: u64 = 0xffff_ffff_8140_0000;
const MODULE: u64 = 0xffff_ffff_8160_0000;
const CORE: u64 = 0xffff_ffff_a000_0000;
const FREED: u64 = 0xffff_ffff_a010_0000;
const NODES: u64 = 0xffff_ffff_8180_0000;
const NAMES: u64 = 0xffff_ffff_8181_0000;
const ATTRIBUTES: u64 = 0xffff_ffff_8182_0000;

const SECTIONS: [(&str, u64); 4] = [
    (".data", CORE + 0x2000),
    (".gnu.linkonce.this_module", MODULE),
    (".init.text", FREED),
    (".text", CORE),
];

fn layouts(world: &mut World) {
    let word = Kind::Number(8);
    world.structure("list_head", 16, &[("next", 0, word)]);
    world.structure("rb_node", 24, &[("rb_right", 8, word), ("rb_left", 16, word)]);
    world.structure("rb_root", 8, &[("rb_node", 0, word)]);
    world.structure("kernfs_elem_dir", 24, &[("children", 8, Kind::One("rb_root"))]);
    let members = [
        ("name", 16, word),
        ("rb", 24, Kind::One("rb_node")),
        ("dir", 64, Kind::One("kernfs_elem_dir")),
        ("priv", 96, word),
    ];
    world.structure("kernfs_node", 128, &members);
    world.structure("kobject", 64, &[("sd", 48, word)]);
    world.structure("kset", 96, &[("kobj", 24, Kind::One("kobject"))]);
    world.structure("bin_attribute", 72, &[("private", 24, word)]);
    let members = [("battr", 0, Kind::One("bin_attribute")), ("address", 72, word)];
    world.structure("module_sect_attr", 80, &members);
    let members = [
        ("state", 0, Kind::Number(4)),
        ("list", 8, Kind::One("list_head")),
        ("name", 24, Kind::Text(56)),
        ("taints", 88, word),
        ("module_core", 128, word),
        ("module_init", 136, word),
        ("core_size", 144, Kind::Number(4)),
        ("core_text_size", 148, Kind::Number(4)),
        ("init_size", 152, Kind::Number(4)),
        ("init_text_size", 156, Kind::Number(4)),
    ];
    world.structure("module", 256, &members);
}

/// Writes an entry of a folder; `right` is the one behind it in the same folder.
fn entry(world: &mut World, number: u64, name: &str, right: u64, children: u64, attribute: u64) {
    let (node, text) = (NODES + number * 128, NAMES + number * 64);
    let link = |number: u64| if number == 0 { 0 } else { NODES + number * 128 + 24 };
    world.put(text, &padded(name, 64));
    world.put(node, &[0; 128]);
    world.put_u64(node + 16, text);
    world.put_u64(node + 24 + 8, link(right));
    world.put_u64(node + 64 + 8, link(children));
    world.put_u64(node + 96, attribute);
}

/// A kernel with one module, and a folder for code of its own that could be a module.
fn world() -> World {
    let mut world = World::new();
    layouts(&mut world);
    world.symbol("modules", HEAD);
    for (at, to) in
        [(HEAD, MODULE + 8), (HEAD + 8, MODULE + 8), (MODULE + 8, HEAD), (MODULE + 16, HEAD)]
    {
        world.put_u64(at, to);
    }
    world.put(MODULE, &[0; 8]);
    world.put(MODULE + 24, &padded("ours", 56));
    world.put(MODULE + 80, &[0; 176]);
    world.put_u64(MODULE + 88, 0x3000);
    world.put_u64(MODULE + 128, CORE);
    world.put_u32(MODULE + 144, 0x3000);
    world.put_u32(MODULE + 148, 0x1800);
    world.symbol("module_kset", HEAD + 0x1000);
    world.put_u64(HEAD + 0x1000, ATTRIBUTES + 0x800);
    world.put_u64(ATTRIBUTES + 0x800 + 24 + 48, NODES);
    entry(&mut world, 0, "module", 0, 1, 0);
    entry(&mut world, 1, "kernel", 2, 0, 0);
    entry(&mut world, 2, "ours", 0, 3, 0);
    entry(&mut world, 3, "sections", 0, 4, 0);
    for (number, (name, address)) in (4..).zip(SECTIONS) {
        let attribute = ATTRIBUTES + (number - 4) * 80;
        let next = if number == 7 { 0 } else { number + 1 };
        entry(&mut world, number, name, next, 0, attribute);
        world.put_u64(attribute + 72, address);
    }
    log(&mut world, &["Oops: 0002 [#1] SMP", "Modules linked in: ours(OE) ext4"]);
    world
}

fn without(world: &mut World, address: u64) {
    world.memory.set((address - KERNEL_MAP) / 4096, Page::Excluded);
}

fn only(world: &World, look: impl FnOnce(&Kernel<'_>, &Module, usize)) {
    with_kernel(world, |kernel| {
        let modules = kernel.modules().expect("modules");
        assert_eq!(modules.items.len(), 1);
        look(kernel, &modules.items[0], modules.damage.len());
    });
}

#[test]
fn a_list_that_is_whole_is_believed() {
    only(&world(), |_, module, damage| {
        assert_eq!((module.name.as_str(), module.found, damage), ("ours", FoundBy::List, 0));
    });
}

#[test]
fn without_the_head_of_the_list_a_module_is_found_by_its_folder() {
    let mut world = world();
    without(&mut world, HEAD);
    only(&world, |_, module, damage| {
        assert_eq!((module.name.as_str(), module.found), ("ours", FoundBy::FolderOnly));
        assert_eq!((module.address, module.base(), module.size()), (MODULE, Some(CORE), 0x3000));
        assert_eq!(module.state, ModuleState::Live);
        assert!(damage > 0);
    });
}

#[test]
fn without_its_structure_a_module_has_its_name_its_sections_and_the_taint_of_the_log() {
    let mut world = world();
    without(&mut world, MODULE);
    only(&world, |kernel, module, damage| {
        assert_eq!((module.name.as_str(), module.found), ("ours", FoundBy::Folder));
        assert_eq!((module.state, module.taint_letters().as_str()), (ModuleState::NotRead, "OE"));
        let region = |kind, start| Region { kind, init: false, start, size: 0x1000 };
        // No more than the page that a section begins in, where nothing tells how far it reaches.
        let expected = [region(RegionKind::Text, CORE), region(RegionKind::Data, CORE + 0x2000)];
        assert_eq!(module.regions, expected);
        let sections = kernel.module_sections(module).expect("sections");
        let names: Vec<&str> = sections.keys().map(String::as_str).collect();
        assert_eq!(names, [".data", ".text"]);
        assert!(kernel.is_text(CORE + 0x100) && !kernel.is_text(CORE + 0x2000));
        assert!(damage > 0);
    });
}

/// What is in the area for modules and of none that is known may be of one that is not.
#[test]
fn with_a_damaged_list_no_code_is_said_to_be_gone() {
    let mut world = world();
    without(&mut world, HEAD);
    with_kernel(&world, |kernel| assert_eq!(kernel.gone_text(FREED + 0x10_0000), None));
}
