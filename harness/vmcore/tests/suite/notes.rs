// SPDX-License-Identifier: MIT OR Apache-2.0
//! Notes: CPU registers, VMCOREINFO, QEMU's CPU state, and dumps that lack them.

use synth::notes::{Registers, note, prstatus, qemu_cpu, vmcoreinfo};
use synth::{Elf, Kdump};
use vmcore::{Problem, PtRegs, Vmcore};

use crate::sample::small_memory;

/// Dumps in both formats with these notes.
fn dumps(notes: &[u8]) -> [Vec<u8>; 2] {
    let notes = notes.to_vec();
    let elf = Elf { notes: notes.clone(), ..Elf::of(&small_memory(), 0) };
    [elf.write(), Kdump { notes, ..Kdump::default() }.write(&small_memory())]
}

/// The order is that of `struct user_regs_struct`, which ptrace(2) and gdb know too.
#[test]
fn registers_by_name() {
    let registers: Registers = std::array::from_fn(|n| 0x1000 + n as u64);
    for file in dumps(&prstatus(2227, &registers)) {
        let vmcore = Vmcore::open(&file).unwrap();
        let [cpu] = vmcore.cpus() else { panic!("{:?}", vmcore.cpus()) };
        assert_eq!((cpu.index, cpu.pid, cpu.qemu), (0, 2227, None));
        let expected = PtRegs {
            r15: 0x1000,
            r14: 0x1001,
            r13: 0x1002,
            r12: 0x1003,
            bp: 0x1004,
            bx: 0x1005,
            r11: 0x1006,
            r10: 0x1007,
            r9: 0x1008,
            r8: 0x1009,
            ax: 0x100a,
            cx: 0x100b,
            dx: 0x100c,
            si: 0x100d,
            di: 0x100e,
            orig_ax: 0x100f,
            ip: 0x1010,
            cs: 0x1011,
            flags: 0x1012,
            sp: 0x1013,
            ss: 0x1014,
            fs_base: 0x1015,
            gs_base: 0x1016,
        };
        assert_eq!(cpu.registers, expected);
    }
}

/// QEMU writes the notes of all CPUs first and then its own for each.
#[test]
fn qemu_notes_go_with_their_cpu() {
    let mut notes = prstatus(1, &[1; 27]);
    notes.extend(prstatus(2, &[2; 27]));
    notes.extend(qemu_cpu([0x8005_0033, 0, 0xdead, 0x2000, 0x6f0], 0xffff_8880_0001, 5));
    notes.extend(qemu_cpu([0x8005_0033, 0, 0xbeef, 0x3000, 0x6f0], 0xffff_8880_0002, 6));
    for file in dumps(&notes) {
        let vmcore = Vmcore::open(&file).unwrap();
        let qemu: Vec<_> = vmcore.cpus().iter().map(|cpu| cpu.qemu.unwrap()).collect();
        let facts: Vec<_> = qemu.iter().map(|cpu| (cpu.cr[2], cpu.cr[3], cpu.gs_base)).collect();
        assert_eq!(facts, [(0xdead, 0x2000, 0xffff_8880_0001), (0xbeef, 0x3000, 0xffff_8880_0002)]);
        assert_eq!(qemu[1].kernel_gs_base, Some(6));
    }
}

#[test]
fn unknown_notes_are_skipped() {
    let mut notes = note("CORE", 3, &[1; 13]);
    notes.extend(note("VMCOREINFO_XEN", 0, b"OSRELEASE=xen\n"));
    notes.extend(note("Xen", 0x100_0002, &[9; 40]));
    notes.extend(prstatus(7, &[0; 27]));
    notes.extend(vmcoreinfo("OSRELEASE=real\n"));
    for file in dumps(&notes) {
        let vmcore = Vmcore::open(&file).unwrap();
        assert_eq!(vmcore.problems(), []);
        assert_eq!(vmcore.cpus()[0].pid, 7);
        assert_eq!(vmcore.vmcoreinfo().os_release(), Some("real"));
    }
}

/// An empty note ends a section: the kernel pads them with zeros up to a page.
#[test]
fn zeros_end_the_notes() {
    let mut notes = prstatus(7, &[0; 27]);
    notes.extend(vmcoreinfo("OSRELEASE=a\n"));
    notes.resize(notes.len() + 12 * 40, 0);
    notes.extend(prstatus(8, &[0; 27]));
    for file in dumps(&notes) {
        let vmcore = Vmcore::open(&file).unwrap();
        assert_eq!((vmcore.cpus().len(), vmcore.problems()), (1, &[][..]));
    }
}

#[test]
fn missing_notes_are_said() {
    for file in dumps(&[]) {
        let vmcore = Vmcore::open(&file).unwrap();
        assert_eq!(vmcore.problems(), [Problem::NoVmcoreinfo, Problem::NoCpuNotes]);
        assert!(vmcore.vmcoreinfo().is_empty() && vmcore.cpus().is_empty());
        // The memory is all there.
        assert!(vmcore.info().complete);
    }
}

#[test]
fn notes_before_a_malformed_one_are_kept() {
    let good = [prstatus(7, &[0; 27]), vmcoreinfo("OSRELEASE=a\n")].concat();
    let at = good.len() as u64;
    let mut name_too_long = good.clone();
    name_too_long.extend([0xff, 0xff, 0xff, 0xff, 4, 0, 0, 0, 1, 0, 0, 0]);
    let mut content_too_long = good.clone();
    content_too_long.extend([5, 0, 0, 0, 0xf0, 0xff, 0xff, 0xff, 1, 0, 0, 0]);
    content_too_long.extend(b"CORE\0\0\0\0");
    let mut registers_too_short = good.clone();
    registers_too_short.extend(note("CORE", 1, &[0; 200]));
    for notes in [name_too_long, content_too_long, registers_too_short] {
        for file in dumps(&notes) {
            let vmcore = Vmcore::open(&file).unwrap();
            assert_eq!(vmcore.problems(), [Problem::BadNote { at }]);
            assert_eq!((vmcore.cpus().len(), vmcore.vmcoreinfo().is_empty()), (1, false));
        }
    }
}
