// SPDX-License-Identifier: MIT OR Apache-2.0
//! ELF notes: CPU registers, VMCOREINFO, QEMU's CPU state.

use crate::bytes::Bytes;

/// The 27 registers of a `prstatus` in their order: r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx
/// rdx rsi rdi orig_rax rip cs eflags rsp ss fs_base gs_base ds es fs gs.
pub type Registers = [u64; 27];

/// A note: name with its NUL, content, both padded to four bytes.
#[must_use]
pub fn note(name: &str, kind: u32, content: &[u8]) -> Vec<u8> {
    let size = |length: usize| u32::try_from(length).expect("a note is small");
    let mut note = Bytes::default();
    note.put_u32(0, size(name.len() + 1));
    note.put_u32(4, size(content.len()));
    note.put_u32(8, kind);
    note.put(12, name.as_bytes());
    note.put(12 + name.len(), &[0]);
    let at = note.align(4);
    note.put(at, content);
    note.align(4);
    note.0
}

/// The note of a CPU: 336 bytes, pid at 32, registers at 112.
#[must_use]
pub fn prstatus(pid: u32, registers: &Registers) -> Vec<u8> {
    let mut content = Bytes(vec![0; 336]);
    content.put_u32(32, pid);
    for (index, value) in registers.iter().enumerate() {
        content.put_u64(112 + 8 * index, *value);
    }
    note("CORE", 1, &content.0)
}

/// The note with VMCOREINFO's text.
#[must_use]
pub fn vmcoreinfo(text: &str) -> Vec<u8> {
    note("VMCOREINFO", 0, text.as_bytes())
}

/// QEMU's note of a CPU, 440 bytes in its version 1, with the fields that tests look at.
#[must_use]
pub fn qemu_cpu(cr: [u64; 5], gs_base: u64, kernel_gs_base: u64) -> Vec<u8> {
    let mut content = Bytes(vec![0; 440]);
    content.put_u32(0, 1);
    content.put_u32(4, 440);
    content.put_u64(152 + 4 * 24 + 16, gs_base);
    for (index, value) in cr.iter().enumerate() {
        content.put_u64(392 + 8 * index, *value);
    }
    content.put_u64(432, kernel_gs_base);
    note("QEMU", 0, &content.0)
}
