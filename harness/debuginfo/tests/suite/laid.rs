// SPDX-License-Identifier: MIT OR Apache-2.0
//! Modules that are laid where nobody knows where they were.

use debuginfo::lay;

use super::tools::{KERNEL, Workshop};

fn module() -> Vec<u8> {
    let workshop = Workshop::new();
    let object = workshop.compile("code.c", "module.ko", &[KERNEL, &["-c"]].concat());
    std::fs::read(object).unwrap()
}

/// Sections lie one behind the other, none where the next module is laid.
#[test]
fn what_is_laid_ends_before_the_next_module() {
    let bytes = module();
    let base = 0xffff_ffff_c000_0000;
    let (sections, end) = lay(&bytes, base).unwrap();
    assert_eq!(sections.get(".text"), Some(&base));
    assert!(sections.values().all(|start| (base..end).contains(start)), "{sections:x?}");
    let (next, _) = lay(&bytes, end.next_multiple_of(1 << 20)).unwrap();
    assert!(next.values().all(|start| *start >= end));
}

/// At the end of the address space nothing is laid that does not fit.
#[test]
fn what_does_not_fit_is_left_out() {
    let (sections, end) = lay(&module(), u64::MAX - 8).unwrap();
    assert!(sections.is_empty(), "{sections:x?}");
    assert_eq!(end, u64::MAX - 8);
}
