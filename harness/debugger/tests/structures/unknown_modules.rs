// SPDX-License-Identifier: MIT OR Apache-2.0
//! A kernel whose list of modules nobody can read.

use kernel::Kernel;

use crate::world::{KERNEL_MAP, Kind, World, say, with_kernel};

/// Tables of four levels for the end of the address space, one page each.
const TABLES: u64 = KERNEL_MAP + 0x20_0000;
const CODE: u64 = 0xffff_ffff_c010_0000;
const NO_EXECUTE: u64 = 1 << 63;

/// A page that may be executed at [`CODE`] and one that may not behind it.
fn world() -> World {
    let mut world = World::new();
    say(&mut world, &format!("SYMBOL(init_level4_pgt)={TABLES:x}"));
    let physical = |level: u64| TABLES - KERNEL_MAP + level * 4096;
    for level in 0..4 {
        world.put(TABLES + level * 4096, &[0; 4096]);
    }
    for (level, slot) in [(0, 511), (1, 511), (2, 0)] {
        world.put_u64(TABLES + level * 4096 + slot * 8, physical(level + 1) | 3);
    }
    // The image itself, by a page of 1 GiB.
    world.put_u64(TABLES + 4096 + 510 * 8, 0x83);
    world.put_u64(TABLES + 3 * 4096 + 0x100 * 8, 0x30_0001);
    world.put_u64(TABLES + 3 * 4096 + 0x101 * 8, 0x30_0001 | NO_EXECUTE);
    world
}

fn code(kernel: &Kernel<'_>) -> [bool; 3] {
    [CODE, CODE + 0x1000, CODE + 0x2000].map(|address| kernel.is_text(address))
}

/// What the CPU may execute in the area of modules is some module's code, not a bad jump.
#[test]
fn executable_pages_are_code_where_the_list_of_modules_cannot_be_read() {
    with_kernel(&world(), |kernel| {
        assert!(kernel.modules().is_err());
        assert_eq!(code(kernel), [true, false, false]);
    });
}

#[test]
fn executable_pages_of_no_module_are_no_code_where_the_modules_are_known() {
    let mut world = world();
    let head = KERNEL_MAP + 0x28_0000;
    world.structure("list_head", 16, &[("next", 0, Kind::Number(8))]);
    let members = [("list", 8, Kind::One("list_head")), ("name", 24, Kind::Text(56))];
    world.structure("module", 256, &members);
    world.symbol("modules", head);
    world.ring(&[head]);
    with_kernel(&world, |kernel| {
        assert_eq!(kernel.modules(), Ok(&kernel::Listing::default()));
        assert_eq!(code(kernel), [false; 3]);
    });
}
