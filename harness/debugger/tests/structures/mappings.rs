// SPDX-License-Identifier: MIT OR Apache-2.0
//! `vtop`, `ptov` and `mach` with tables of four levels.

use crate::searches::{DIRECT, PAGE_OF_AREA, ROOT, VMALLOC, world};
use crate::world::said;

/// As Intel's manual has it: 9 bits of the address choose the entry of each level, of 8 bytes.
#[test]
fn each_entry_that_leads_to_a_page_is_shown() {
    let table = |number: u64| ROOT + number * 4096;
    let text = said(&world(), "vtop ffffc90000000020");
    let expected = [
        format!("   PGD: {:x} => {:x}\n", table(0) + 402 * 8, table(2) | 3),
        format!("   PUD: {:x} => {:x}\n", table(2), table(3) | 3),
        format!("   PMD: {:x} => {:x}\n", table(3), table(4) | 3),
        format!("   PTE: {:x} => {:x}\n", table(4), PAGE_OF_AREA | 3),
    ];
    let address = format!("{:x}  {:x}\n\n", VMALLOC + 0x20, PAGE_OF_AREA + 0x20);
    assert!(text.contains(&address), "{text}");
    assert!(text.contains(&expected.concat()), "{text}");
    // A page of 1 GiB ends the way one level below the top.
    let large = said(&world(), "vtop ffff888001400010");
    assert!(large.contains(&format!("   PUD: {:x} => 83\n\n", table(1))), "{large}");
    assert!(!large.contains("PMD"), "{large}");
}

#[test]
fn physical_memory_has_an_address_of_the_kernel() {
    let expected = format!("VIRTUAL           PHYSICAL\n{:x}  1000\n", DIRECT + 0x1000);
    assert_eq!(said(&world(), "ptov 0x1000"), expected);
    assert_eq!(said(&world(), "ptov x"), "ptov: `x` is no physical address\n");
}

#[test]
fn the_kernel_tells_where_it_has_its_memory() {
    let text = said(&world(), "mach");
    assert!(text.contains(&format!("KERNEL VIRTUAL BASE: {DIRECT:x}\n")), "{text}");
    assert!(text.contains("PAGE TABLE LEVELS: 4\n"), "{text}");
}
