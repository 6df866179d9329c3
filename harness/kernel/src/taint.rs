// SPDX-License-Identifier: MIT OR Apache-2.0
//! Taint flags as letters (`TAINT_*` of `include/linux/panic.h`, the table `taint_flags` of
//! `kernel/panic.c`).

/// Letters of bits 0 to 19 when set. Bit 18 is of 5.5, bit 19 of 6.15; none was ever reused.
const LETTERS: [char; 20] = [
    'P', 'F', 'S', 'R', 'M', 'B', 'U', 'D', 'A', 'W', 'C', 'I', 'O', 'E', 'L', 'K', 'X', 'T', 'N',
    'J',
];

/// Letters of RHEL's own bits: unsupported hardware and technology preview (RHEL 7's `tnts`).
const RHEL: [(u32, char); 2] = [(28, 'H'), (29, 'T')];

/// The letters of the flags set in `mask`, in the kernel's order; empty if there are none.
///
/// The kernel prints `G` where `P` is not set, and blanks for other flags that are not; those are
/// left out.
#[must_use]
pub fn letters(mask: u64) -> String {
    let table = (0..).zip(LETTERS).chain(RHEL);
    table.filter(|(bit, _)| mask >> bit & 1 == 1).map(|(_, letter)| letter).collect()
}

/// The flags whose letters are in `letters`, as far as a module may have them (bits 0 to 19).
#[must_use]
pub fn mask(letters: &str) -> u64 {
    let table = (0_u32..).zip(LETTERS);
    table
        .filter(|(_, letter)| letters.contains(*letter))
        .fold(0_u64, |mask, (bit, _)| mask | 1 << bit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_those_the_kernel_prints() {
        // "Tainted: G           OE" of an out-of-tree, unsigned module; module->taints 0x3000.
        assert_eq!(letters(0x3000), "OE");
        // "Tainted: G      D W  O": died before, warned, out-of-tree (bits 7, 9, 12).
        assert_eq!(letters(1 << 7 | 1 << 9 | 1 << 12), "DWO");
        assert_eq!(letters(1), "P");
        assert_eq!(letters(0), "");
    }

    #[test]
    fn a_mask_is_that_of_its_letters() {
        assert_eq!(mask("OE"), 0x3000);
        assert_eq!(mask(""), 0);
        assert_eq!(letters(mask("POEX")), "POEX");
    }

    #[test]
    fn flags_that_no_kernel_has_say_nothing() {
        assert_eq!(letters(1 << 63 | 1 << 27), "");
    }
}
