// SPDX-License-Identifier: MIT OR Apache-2.0
//! A dump of CentOS 7's 3.10 without its `vmlinux`: no BTF, and no place of the symbol table.

use kernel::Kernel;
use kernel::modules::{Region, RegionKind};
use vmcore::Vmcore;

use crate::world::{KERNEL_MAP, World, padded, say};
use synth::kallsyms::tables;

const TEXT: u64 = KERNEL_MAP + 0x100_0000;
const TABLES: u64 = TEXT + 0x10_0040;
const DATA: u64 = TEXT + 0x12_0000;
const INIT: u64 = DATA + 0x1_0000;
const TASK: u64 = DATA + 0x2_0000;
const STACKS: u64 = DATA + 0x4_0000;
const MODULE: u64 = DATA + 0x8_0000;
const AREA: u64 = DATA + 0x10_0000;
const CORE: u64 = 0xffff_ffff_c047_2000;

/// Two tasks and a module, laid out as in CentOS 7's kernel.
fn world() -> World {
    let mut world = World::new();
    world.info = "OSRELEASE=3.10.0-1160.el7.x86_64\nNUMBER(phys_base)=0\nKERNELOFFSET=0\n".into();
    say(&mut world, &format!("SYMBOL(_stext)={TEXT:x}\nSYMBOL(init_uts_ns)={DATA:x}"));
    let symbols = [
        ("Dcurrent_task", 0xff80),
        ("drunqueues", 0x1_9540),
        ("T_stext", TEXT),
        ("T_etext", TEXT + 0x10_0000),
        ("Dinit_task", INIT),
        ("dmodules", MODULE - 0x100),
        ("D__per_cpu_offset", DATA + 0x1000),
        ("Dcpu_possible_bits", DATA + 0x2000),
        ("Dcpu_online_bits", DATA + 0x2000),
    ];
    let head: Vec<u8> = symbols.iter().flat_map(|symbol| symbol.1.to_le_bytes()).collect();
    let names: Vec<Vec<u8>> = symbols
        .iter()
        .map(|(name, _)| [&[u8::try_from(name.len()).expect("short")], name.as_bytes()].concat())
        .collect();
    world.put(TABLES & !0xfff, &[0x90; 0x3000]);
    world.put(TABLES, &tables(&head, &names, 8));
    let tasks = [INIT, INIT + 0x1000, INIT + 0x2000, TASK, TASK + 0x1000, TASK + 0x2000];
    let percpu = [AREA + 0xf000, AREA + 0x1_9000, AREA + 0x1_a000];
    let others = [DATA + 0x1000, DATA + 0x2000, STACKS, STACKS + 0x4000, MODULE - 0x1000, MODULE];
    for page in tasks.into_iter().chain(percpu).chain(others) {
        world.put(page, &[0; 0x1000]);
    }
    world.put_u64(DATA + 0x1000, AREA);
    world.put(DATA + 0x2000, &[1]);
    for (task, number, comm) in [(INIT, 0, "swapper/0"), (TASK, 1, "init")] {
        let stack = STACKS + u64::from(number) * 0x4000;
        world.put_u64(task + 8, stack);
        world.put_u64(stack, task);
        world.put_u32(task + 1180, number);
        world.put_u32(task + 1184, number);
        world.put(task + 1648, &padded(comm, 16));
        world.put_u64(task + 1888, task + 0x2000);
        world.ring(&[task + 0x2000 + 16, task + 1376]);
    }
    world.ring(&[INIT + 1064, TASK + 1064]);
    world.put_u64(TASK + 1064 + 8, INIT + 1064);
    world.put_u64(AREA + 0x1_9540 + 2216, INIT);
    world.put_u64(AREA + 0xff80, TASK);
    world.ring(&[MODULE - 0x100, MODULE + 8]);
    world.put(MODULE + 24, b"akfs");
    world.put_u64(MODULE + 312, CORE);
    for (offset, size) in [(324, 0x5000), (332, 0x2000), (340, 0x3000), (344, 0x3000)] {
        world.put_u32(MODULE + offset, size);
    }
    world
}

fn look(world: &World, look: impl FnOnce(&Kernel<'_>)) {
    let dump = world.dump();
    let bytes = dump.as_slice();
    let core = Vmcore::open(&bytes).expect("a dump");
    look(&Kernel::open(&core, None).expect("a kernel"));
}

#[test]
fn tasks_and_modules_of_centos_7_without_vmlinux() {
    look(&world(), |kernel| {
        let tasks = kernel.tasks().expect("tasks");
        let found: Vec<(i32, &str)> =
            tasks.items.iter().map(|task| (task.pid, task.comm.as_str())).collect();
        assert_eq!((found, tasks.damage.len()), (vec![(0, "swapper/0"), (1, "init")], 0));
        assert_eq!(kernel.current_task(0).expect("a task").stack, STACKS + 0x4000);
        assert_eq!(kernel.thread_size(), 0x4000);
        let modules = kernel.modules().expect("modules");
        let module = &modules.items[0];
        assert_eq!((module.name.as_str(), module.taint_letters().as_str()), ("akfs", "OE"));
        let text = Region { kind: RegionKind::Text, init: false, start: CORE, size: 0x2000 };
        assert_eq!(module.regions[0], text);
        assert!(kernel.is_text(CORE + 0x1fff) && !kernel.is_text(CORE + 0x2000));
        assert!(kernel.has_known_layouts() && kernel.types().is_err());
    });
}

/// Layouts are known of one family of kernels, and are not believed where they do not fit.
#[test]
fn layouts_that_do_not_fit_are_not_used() {
    let mut other = world();
    other.info = other.info.replace("3.10.0-1160.el7.x86_64", "3.10.108-custom");
    look(&other, |kernel| assert!(kernel.tasks().is_err()));
    for place in [AREA + 0x1_9540 + 2216, STACKS, INIT + 1648, MODULE + 312] {
        let mut broken = world();
        broken.put_u64(place, 0xffff_8800_0000_1234);
        look(&broken, |kernel| {
            assert!(kernel.tasks().is_err() && kernel.modules().is_err(), "{place:x}");
        });
    }
}
