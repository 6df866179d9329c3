// SPDX-License-Identifier: MIT OR Apache-2.0
//! Kernels that are not where their dump says.

use analyzer::{Inputs, ModuleFiles, analyze};
use kernel::{Kernel, Misplaced, Place, VirtualMemory as _, VmlinuxState};
use vmcore::Vmcore;

use crate::world::{BANNER, KERNEL_MAP, World, padded, say};

/// Where the kernel's text, its top page table, its names and a word of its data are, in memory too.
const TEXT: u64 = KERNEL_MAP + 0x100_0000;
const ROOT: u64 = KERNEL_MAP + 0x1a0_0000;
const NAMES: u64 = KERNEL_MAP + 0x150_0000;
const WORD: u64 = KERNEL_MAP + 0x160_0000;
/// Present, writable, large.
const LARGE: u64 = 0x83;
/// Present, writable.
const TABLE: u64 = 3;

/// A kernel whose image is at its start in physical memory (`phys_base` is 0) and is mapped where it was linked.
fn machine() -> World {
    let mut world = World::new();
    let root = ROOT - KERNEL_MAP;
    world.put(ROOT, &[0; 3 * 4096]);
    world.put_u64(ROOT + 8 * 511, (root + 0x1000) | TABLE);
    world.put_u64(ROOT + 0x1000 + 8 * 510, (root + 0x2000) | TABLE);
    for large in 8..14 {
        world.put_u64(ROOT + 0x2000 + 8 * large, (large << 21) | LARGE);
    }
    for (index, name) in ["Linux", "host", "6.1.0", "#1 SMP", "x86_64", "(none)"].iter().enumerate()
    {
        world.put(NAMES + 4 + 65 * index as u64, &padded(name, 65));
    }
    world.put(BANNER, b"Linux version 6.1.0 (nobody@nowhere) #1\0");
    world.put_u64(WORD, 0x1234_5678);
    for (name, address) in [("_stext", TEXT), ("init_top_pgt", ROOT), ("word", WORD)] {
        world.symbol(name, address);
    }
    world.info = "OSRELEASE=6.1.0\n".to_owned();
    world
}

/// What VMCOREINFO says, of a kernel whose symbols are `shift` bytes further up.
fn says(world: &mut World, phys_base: i64, kaslr_offset: u64, shift: u64) {
    for (name, address) in [("_stext", TEXT), ("swapper_pg_dir", ROOT), ("init_uts_ns", NAMES)] {
        say(world, &format!("SYMBOL({name})={:x}", address + shift));
    }
    say(world, &format!("NUMBER(phys_base)={phys_base}"));
    say(world, &format!("KERNELOFFSET={kaslr_offset:x}"));
}

fn with(world: &World, vmlinux: bool, look: impl FnOnce(&Kernel<'_>)) {
    let (dump, file) = (world.dump(), world.vmlinux());
    let bytes = dump.as_slice();
    let core = Vmcore::open(&bytes).expect("a dump");
    look(&Kernel::open(&core, vmlinux.then(|| (&file).into())).expect("a kernel"));
}

fn place(phys_base: i64, kaslr_offset: u64) -> Place {
    Place { phys_base, kaslr_offset: Some(kaslr_offset) }
}

#[test]
fn a_kernel_that_is_where_it_should_be_is_not_searched_for() {
    let mut world = machine();
    says(&mut world, 0, 0, 0);
    for vmlinux in [false, true] {
        with(&world, vmlinux, |kernel| assert_eq!(kernel.misplaced(), None));
    }
}

/// A header written by a program that guessed.
#[test]
fn a_wrong_phys_base_is_found_by_the_page_tables() {
    for wrong in [0x20_0000, -0x40_0000, 0x100_0000_0000] {
        let mut world = machine();
        says(&mut world, wrong, 0, 0);
        for vmlinux in [false, true] {
            with(&world, vmlinux, |kernel| {
                let misplaced = Misplaced { said: place(wrong, 0), found: place(0, 0) };
                assert_eq!(kernel.misplaced(), Some(&misplaced));
                assert_eq!(kernel.read_u64(WORD), Ok(0x1234_5678));
                assert_eq!(kernel.uts().map(|uts| uts.nodename), Ok("host".to_owned()));
            });
        }
    }
}

#[test]
fn a_wrong_kaslr_offset_is_found_by_the_text_and_the_banner_of_the_vmlinux() {
    let mut world = machine();
    says(&mut world, 0, 0x60_0000, 0);
    with(&world, true, |kernel| {
        let misplaced = kernel.misplaced().expect("it is misplaced");
        assert_eq!(*misplaced, Misplaced { said: place(0, 0x60_0000), found: place(0, 0) });
        assert_eq!(kernel.symbol("word"), Ok(WORD));
        assert_eq!(kernel.vmlinux(), &VmlinuxState::Matches { by: "linux_banner" });
        assert_eq!(
            misplaced.to_string(),
            "the dump says wrongly where its kernel is: the KASLR offset is 0x0 and not 0x600000; it was \
             found in memory, and what was found is used"
        );
    });
}

/// VMCOREINFO of another boot of the same kernel: all of it is wrong.
#[test]
fn what_another_boot_said_is_moved_to_where_the_vmlinux_is() {
    let mut world = machine();
    says(&mut world, -0x20_0000, 0x80_0000, 0x80_0000);
    with(&world, true, |kernel| {
        let misplaced = Misplaced { said: place(-0x20_0000, 0x80_0000), found: place(0, 0) };
        assert_eq!(kernel.misplaced(), Some(&misplaced));
        assert_eq!((kernel.symbol("_stext"), kernel.symbol("init_uts_ns")), (Ok(TEXT), Ok(NAMES)));
        assert_eq!(kernel.read_u64(WORD), Ok(0x1234_5678));
    });
}

#[test]
fn the_vmlinux_of_another_kernel_moves_nothing() {
    let mut world = machine();
    world.banner("Linux version 6.1.0 (nobody@nowhere) #2");
    says(&mut world, 0, 0x60_0000, 0);
    with(&world, true, |kernel| {
        assert_eq!(kernel.misplaced(), None);
        assert!(kernel.image().is_none(), "{:?}", kernel.vmlinux());
    });
}

/// The page of the names was left out of the dump.
#[test]
fn a_kernel_whose_names_are_not_in_the_dump_is_not_doubted() {
    let mut world = machine();
    world.memory.set((NAMES - KERNEL_MAP) / 4096, synth::Page::Excluded);
    says(&mut world, 0, 0, 0);
    with(&world, true, |kernel| {
        assert_eq!(kernel.misplaced(), None);
        assert_eq!(kernel.read_u64(WORD), Ok(0x1234_5678));
    });
}

struct NoModules;

impl ModuleFiles for NoModules {
    fn module(&self, _name: &str, _: Option<&[u8]>) -> Option<analyzer::Files<'_>> {
        None
    }
}

/// The file's headers arrived, its pages did not.
#[test]
fn a_dump_without_any_of_its_kernel_is_an_error() {
    let mut world = World::new();
    says(&mut world, 0, 0, 0);
    for vmlinux in [false, true] {
        let (dump, file) = (world.dump(), world.vmlinux());
        let bytes = dump.as_slice();
        let core = Vmcore::open(&bytes).expect("a dump");
        let vmlinux = vmlinux.then(|| (&file).into());
        let error = analyze(&Inputs { vmcore: &core, vmlinux, modules: &NoModules });
        let error = error.expect_err("there is no kernel in it");
        assert!(error.advice().is_some_and(|advice| advice.contains("copy it again")));
        let cause = std::error::Error::source(&error).expect("it says why").to_string();
        assert!(
            cause.starts_with("the dump has VMCOREINFO and no memory of the kernel"),
            "{cause}"
        );
    }
}

/// One line of its log is enough for a report.
#[test]
fn a_dump_with_a_log_alone_has_a_report() {
    let world = crate::cpus::with_log_alone(&["BUG: something"]);
    let dump = world.dump();
    let bytes = dump.as_slice();
    let core = Vmcore::open(&bytes).expect("a dump");
    let inputs = Inputs { vmcore: &core, vmlinux: None, modules: &NoModules };
    assert!(analyze(&inputs).is_ok());
}
