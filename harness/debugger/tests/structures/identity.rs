// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether a `vmlinux` is the dump's.

use kernel::VmlinuxState;

use crate::world::{BANNER, NOTES, World, say, with_kernel};

fn state(world: &World) -> VmlinuxState {
    let mut state = VmlinuxState::Absent;
    with_kernel(world, |kernel| state = kernel.vmlinux().clone());
    state
}

fn kernel_with_notes(id: &[u8]) -> World {
    let mut world = World::new();
    world.build_id(&[0xab; 20]);
    world.put(NOTES, &synth::notes::note("GNU", 3, id));
    world
}

#[test]
fn the_build_id_of_vmcoreinfo_confirms() {
    let mut world = kernel_with_notes(&[0; 20]);
    say(&mut world, &format!("BUILD-ID={}", "ab".repeat(20)));
    assert_eq!(state(&world), VmlinuxState::Matches { by: "build-id" });
}

/// Kernels such as 6.1.113 write a wrong BUILD-ID, their notes are right.
#[test]
fn the_notes_in_memory_overrule_a_wrong_build_id_of_vmcoreinfo() {
    let mut world = kernel_with_notes(&[0xab; 20]);
    say(&mut world, &format!("BUILD-ID={}", "00".repeat(20)));
    assert_eq!(state(&world), VmlinuxState::Matches { by: "build-id" });
}

#[test]
fn another_build_id_is_named_with_both_values_and_the_file_is_not_used() {
    let mut world = kernel_with_notes(&[0xcd; 20]);
    say(&mut world, &format!("BUILD-ID={}", "cd".repeat(20)));
    world.symbol("init_task", 0xffff_ffff_8160_0000);
    let VmlinuxState::Wrong(wrong) = state(&world) else { panic!("{:?}", state(&world)) };
    assert_eq!(
        wrong.to_string(),
        format!(
            "the vmlinux given is of another kernel: the dump has build-id {}, the file {}",
            "cd".repeat(20),
            "ab".repeat(20)
        )
    );
    with_kernel(&world, |kernel| {
        assert!(kernel.image().is_none());
        assert!(kernel.symbol("init_task").is_err());
    });
}

/// VMCOREINFO of 3.10 has no build-id, and a kernel may have been built without one.
#[test]
fn the_banner_decides_where_there_is_no_build_id() {
    let mut world = World::new();
    world.put(BANNER, b"Linux version 6.1.0 (nobody@nowhere) #1\0");
    assert_eq!(state(&world), VmlinuxState::Matches { by: "linux_banner" });
    world.put(BANNER, b"Linux version 6.1.0 (nobody@nowhere) #2\0");
    let VmlinuxState::Wrong(wrong) = state(&world) else { panic!("{:?}", state(&world)) };
    assert_eq!(wrong.ours, "Linux version 6.1.0 (nobody@nowhere) #2");
    assert_eq!(wrong.theirs, "Linux version 6.1.0 (nobody@nowhere) #1");
}

#[test]
fn without_a_banner_in_the_dump_the_release_can_only_refuse() {
    let mut world = World::new();
    assert_eq!(state(&world), VmlinuxState::Unconfirmed);
    world.banner("Linux version 6.2.0 (nobody@nowhere) #1");
    assert!(matches!(state(&world), VmlinuxState::Wrong(_)));
}

#[test]
fn a_file_that_is_no_kernel_is_unusable() {
    let dump = World::new().dump();
    let bytes = dump.as_slice();
    let core = vmcore::Vmcore::open(&bytes).unwrap();
    let kernel = kernel::Kernel::open(&core, Some(b"no ELF".into())).unwrap();
    assert!(matches!(kernel.vmlinux(), VmlinuxState::Unusable(_)));
}

#[test]
fn a_dump_without_vmcoreinfo_is_refused() {
    let mut elf = synth::Elf::of(&World::new().memory, 0);
    elf.notes = synth::notes::prstatus(1, &[0; 27]);
    let file = elf.write();
    let bytes = file.as_slice();
    let core = vmcore::Vmcore::open(&bytes).unwrap();
    assert!(kernel::Kernel::open(&core, None).is_err());
}
