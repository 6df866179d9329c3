// SPDX-License-Identifier: MIT OR Apache-2.0
//! Quotients that do not fit: a division by what is not 0 fails, too.
//!
//! Example: `gain / div` of `INT_MIN` and -1, whose quotient no `int` has.

use iced_x86::{Instruction, Mnemonic};

use crate::claim::Claim;
use crate::flow::held;

/// Numbers of the registers that a division takes the lower and the upper half of the dividend from.
const LOWER: u8 = 0;
const UPPER: u8 = 2;

/// That the quotient of what the registers hold does not fit; `None` if it does, or if they do not tell. `size` is the
/// bytes of the divisor.
pub(super) fn overflows(
    instruction: &Instruction,
    registers: &[Option<u64>; 16],
    (divisor, size): (u64, usize),
) -> Option<Claim> {
    let (upper, lower) = (held(registers, UPPER)?, held(registers, LOWER)?);
    let (names, bits) = match size {
        4 => ("edx:eax", 32),
        8 => ("rdx:rax", 64),
        _ => return None,
    };
    let half = |value: u64| u128::from(value) & ((1 << bits) - 1);
    let dividend = half(upper) << bits | half(lower);
    let (dividend, by, fits) = match instruction.mnemonic() {
        Mnemonic::Idiv => {
            let signed =
                |value: u128, bits: u32| (value << (128 - bits)).cast_signed() >> (128 - bits);
            let (dividend, by) = (signed(dividend, 2 * bits), signed(half(divisor), bits));
            let limit = 1_i128 << (bits - 1);
            let quotient = dividend.checked_div(by);
            let fits = quotient.is_some_and(|it| (-limit..limit).contains(&it));
            (dividend.to_string(), by.to_string(), fits)
        }
        _ => {
            let by = half(divisor);
            let fits = dividend.checked_div(by).is_some_and(|it| it >> bits == 0);
            (dividend.to_string(), by.to_string(), fits)
        }
    };
    let words =
        format!("the quotient of {dividend}, in {names}, by {by} does not fit into {bits} bits");
    (divisor != 0 && !fits).then(|| Claim::new(Some(true)).text(words))
}

#[cfg(test)]
mod tests {
    use iced_x86::{Decoder, DecoderOptions};

    use super::*;

    fn fails(code: &[u8], (upper, lower): (u64, u64), divisor: u64, size: usize) -> bool {
        let instruction = Decoder::with_ip(64, code, 0, DecoderOptions::NONE).decode();
        let mut registers = [None; 16];
        registers[0] = Some(lower);
        registers[2] = Some(upper);
        overflows(&instruction, &registers, (divisor, size)).is_some()
    }

    #[test]
    fn a_quotient_has_to_fit_into_half_of_the_dividend() {
        // idiv %ecx; div %ecx; div %rcx
        let (signed, unsigned, long) = ([0xf7, 0xf9], [0xf7, 0xf1], [0x48, 0xf7, 0xf1]);
        let minus_one = 0xffff_ffff;
        assert!(fails(&signed, (minus_one, 0x8000_0000), minus_one, 4));
        assert!(!fails(&signed, (minus_one, 0x8000_0001), minus_one, 4));
        assert!(!fails(&signed, (0, 7), 2, 4));
        assert!(fails(&unsigned, (3, 0), 3, 4));
        assert!(!fails(&unsigned, (2, 0), 3, 4));
        assert!(fails(&long, (4, 0), 3, 8));
        assert!(!fails(&long, (0, u64::MAX), 1, 8));
        assert!(!fails(&long, (0, 1), 0, 8));
    }
}
