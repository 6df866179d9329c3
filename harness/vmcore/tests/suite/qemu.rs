// SPDX-License-Identifier: MIT OR Apache-2.0
//! Dumps in QEMU's form of kdump-compressed: `dump-guest-memory -z`, `-l`, `-s` and libvirt's
//! `virsh dump --memory-only --format kdump-zlib`.

use synth::notes::{note, prstatus, qemu_cpu};
use synth::{Kdump, Memory, Packing, Page, flatten};
use vmcore::{Error, Vmcore, true_length};

use crate::sample::{assert_holds, assert_pages, memory};

const INFO: &str = "OSRELEASE=6.1.0-synth\nNUMBER(phys_base)=37748736\n";

/// QEMU leaves out nothing, and knows of no page that was not written.
fn whole() -> Memory {
    let mut memory = memory();
    memory.pages.retain(|_, page| *page != Page::Excluded);
    memory
}

fn kdump(packing: Packing) -> Kdump {
    let mut notes = prstatus(1, &[7; 27]);
    notes.extend(prstatus(2, &[9; 27]));
    notes.extend(qemu_cpu([0x8005_0033, 0, 0xdead, 0x2000, 0x6f0], 0xffff_8880_0001, 5));
    notes.extend(qemu_cpu([0x8005_0033, 0, 0xbeef, 0x3000, 0x6f0], 0xffff_8880_0002, 6));
    let vmcoreinfo = INFO.to_owned();
    Kdump { notes, vmcoreinfo, nr_cpus: 2, phys_base: 37_748_736, ..Kdump::by_qemu(packing) }
}

/// The names in the header are empty, its machine is `Unknown`: the notes tell that it is x86-64.
#[test]
fn a_header_that_does_not_know_its_machine_is_that_of_the_notes() {
    for packing in [Packing::Zlib, Packing::Lzo, Packing::Snappy] {
        let file = kdump(packing).write(&whole());
        for file in [flatten(&file, 4096), file] {
            assert_holds(&file, &whole());
            let vmcore = Vmcore::open(&file).unwrap();
            assert_eq!(vmcore.info().uts, None, "QEMU knows no names");
            assert_eq!(vmcore.vmcoreinfo().os_release(), Some("6.1.0-synth"));
            assert_eq!(vmcore.phys_base(), Some(37_748_736));
            let pages: Vec<_> = vmcore.cpus().iter().map(|cpu| cpu.qemu.unwrap().cr[3]).collect();
            assert_eq!(pages, [0x2000, 0x3000]);
        }
    }
    let file = kdump(Packing::Zlib).write(&whole());
    assert_eq!(true_length(&file).unwrap(), file.len() as u64);
}

/// One program for one machine, as QEMU was once: it names it.
#[test]
fn a_header_of_an_older_qemu_names_its_machine() {
    let file = Kdump { machine: "x86_64", ..kdump(Packing::Zlib) }.write(&whole());
    assert_holds(&file, &whole());
}

/// A guest without the device `vmcoreinfo` tells QEMU nothing: the header's 0 is no answer.
#[test]
fn without_vmcoreinfo_nothing_tells_where_the_kernel_is() {
    for machine in ["Unknown", "x86_64"] {
        let vmcoreinfo = String::new();
        let dump = Kdump { machine, vmcoreinfo, phys_base: 0, ..kdump(Packing::Zlib) };
        let file = dump.write(&whole());
        let vmcore = Vmcore::open(&file).unwrap();
        assert_eq!(vmcore.phys_base(), None);
        assert_pages(&vmcore, &whole());
    }
}

/// aarch64's `struct elf_prstatus` has 392 bytes, i386's 144; QEMU writes `Unknown` for each.
#[test]
fn the_notes_of_another_machine_are_refused() {
    let others = [392, 144].map(|size| note("CORE", 1, &vec![0; size]));
    for notes in others.into_iter().chain([Vec::new(), b"CORE".to_vec()]) {
        let file = Kdump { notes, vmcoreinfo: String::new(), ..kdump(Packing::Zlib) };
        let error = Vmcore::open(&file.write(&whole())).unwrap_err();
        assert_eq!(error, Error::UnknownMachine);
    }
    // A name in the header counts, whatever the notes are.
    let named = Kdump { machine: "aarch64", ..kdump(Packing::Zlib) }.write(&whole());
    assert!(matches!(Vmcore::open(&named), Err(Error::Machine { .. })));
}

#[test]
fn a_cut_dump_opens_or_says_why_not() {
    let file = kdump(Packing::Zlib).write(&whole());
    let opened = (0..file.len()).step_by(61).filter(|length| {
        let cut = &file[..*length];
        Vmcore::open(&cut).is_ok_and(|vmcore| !vmcore.info().complete)
    });
    assert!(opened.count() > 100);
}
