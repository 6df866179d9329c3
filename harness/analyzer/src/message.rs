// SPDX-License-Identifier: MIT OR Apache-2.0
//! Lines of the kernel's log as parts of a report.

use crate::claim::{Addresses, Claim};
use crate::kind::CrashKind;

/// Whether such a crash may come from memory that something overwrote before: faults and failed
/// checks, not what was asked for and not what time ran out for.
pub fn may_be_a_consequence(kind: CrashKind) -> bool {
    use CrashKind as K;
    !matches!(
        kind,
        K::Sysrq
            | K::SoftLockup
            | K::HardLockup
            | K::HungTask
            | K::RcuStall
            | K::OutOfMemory
            | K::Warn
            | K::Nmi
            | K::Running
            | K::MachineCheck
    )
}

/// The line with its addresses as `addresses` prints them: words of at least eight hexadecimal
/// digits.
pub fn printed(headline: &str, addresses: &mut dyn Addresses) -> String {
    if !addresses.is_stable() {
        return headline.to_owned();
    }
    let mut line = String::new();
    let ends = |c: char| " ().".contains(c);
    for part in headline.split_inclusive(ends) {
        let word = part.trim_end_matches(ends);
        let digits = word.trim_start_matches("0x");
        match u64::from_str_radix(digits, 16) {
            Ok(value) if digits.len() >= 8 => line.push_str(&addresses.data(value)),
            _ => line.push_str(word),
        }
        line.push_str(&part[word.len()..]);
    }
    line
}

/// The line as a claim, its addresses (eight or more hexadecimal digits) kept apart from the words.
pub fn quoted(mut claim: Claim, line: &str) -> Claim {
    // Which CPU and task warned differs between boots, and an update moves the place.
    if line.starts_with("WARNING: ") {
        return claim.volatile(line);
    }
    /// Below, it is a number that has leading zeros, as a count of preemptions has.
    const LEAST: u64 = 1 << 16;
    let is_digit = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    let mut rest = line;
    while let Some(start) = rest.find(is_digit) {
        let run = &rest[start..];
        let prefix = if run.starts_with("0x") { 2 } else { 0 };
        let digits = &run[prefix..];
        let length = digits.find(|c| !is_digit(c)).unwrap_or(digits.len());
        let value = u64::from_str_radix(&digits[..length], 16).ok();
        claim = match value.filter(|value| length >= 8 && *value >= LEAST) {
            Some(value) => claim.text(&rest[..start]).data(value),
            None => claim.text(&rest[..start + prefix + length]),
        };
        rest = &digits[length..];
    }
    claim.text(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_inside_of_a_line_are_kept_apart() {
        use crate::claim::Part;
        let claim = quoted(Claim::new(None), "corruption, ff235af5e7e98540->next is bad");
        assert_eq!(claim.parts.iter().filter(|part| matches!(part, Part::Data(_))).count(), 1);
        assert!(claim.parts.contains(&Part::Data(0xff23_5af5_e7e9_8540)));
        let prefixed = quoted(Claim::new(None), "bad page state at 0xff235af5e7e98540");
        assert!(prefixed.parts.contains(&Part::Data(0xff23_5af5_e7e9_8540)));
        assert!(
            !prefixed
                .parts
                .iter()
                .any(|part| matches!(part, Part::Text(text) if text.contains("0x")))
        );
        struct Hidden;
        impl Addresses for Hidden {
            fn code(&mut self, _: u64) -> String {
                String::new()
            }
            fn data(&mut self, _: u64) -> String {
                "<data>".to_owned()
            }
            fn field(&mut self, _: u64) -> Option<String> {
                None
            }
            fn is_stable(&self) -> bool {
                true
            }
        }
        // Both are hashed, and so others after each boot.
        let stack = "at ff235af5e7e98540 (stack is 00000000d7691613..00000000090f7056)";
        assert_eq!(printed(stack, &mut Hidden), "at <data> (stack is <data>..<data>)");
        let count = quoted(Claim::new(None), "BUG: scheduling while atomic: u/96/0x00000003");
        assert!(!count.parts.iter().any(|part| matches!(part, Part::Data(_))));
    }
}
