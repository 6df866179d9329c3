// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the kernel's own first line of an oops says.
//!
//! Written from `show_fault_oops()` (`arch/x86/mm/fault.c`), `die_addr()` and the callers of
//! `die()` in `arch/x86/kernel/traps.c`, and `panic()`, from 3.10 to 6.12.

use crate::claim::{Addresses, Claim};
use crate::report::CrashKind;

/// The kind that the line alone tells; `None` for faults on memory, which the code tells better.
pub fn kind(headline: &str) -> Option<CrashKind> {
    use CrashKind as K;
    // More special lines first.
    const KINDS: [(&str, CrashKind); 35] = [
        ("sysrq triggered crash", K::Sysrq),
        ("SysRq : Trigger a crash", K::Sysrq),
        ("stack guard page was hit", K::DoubleFault),
        ("kernel stack overflow", K::StackOverflow),
        ("corrupted stack end detected", K::StackOverflow),
        ("stack-protector: Kernel stack is corrupted", K::StackProtector),
        ("softlockup: hung tasks", K::SoftLockup),
        ("ard LOCKUP", K::HardLockup),
        ("hung_task: blocked tasks", K::HungTask),
        ("RCU Stall", K::RcuStall),
        ("cheduling while atomic", K::SleepingInAtomic),
        ("sleeping function called from invalid context", K::SleepingInAtomic),
        ("Out of memory", K::OutOfMemory),
        ("out of memory", K::OutOfMemory),
        ("deadlocked on memory", K::OutOfMemory),
        ("panic_on_warn set", K::Warn),
        ("machine check", K::MachineCheck),
        ("Machine check", K::MachineCheck),
        ("NMI: Not continuing", K::Nmi),
        ("NMI IOCK error", K::Nmi),
        ("NMI: IOCK error", K::Nmi),
        ("NMI for hypervisor", K::Nmi),
        ("detected buffer overflow in", K::Fortify),
        ("kernel BUG at mm/usercopy.c", K::Fortify),
        ("kernel BUG at lib/list_debug.c", K::ListCorruption),
        ("UBSAN: ", K::UndefinedBehavior),
        ("CFI failure", K::UndefinedBehavior),
        ("kernel tried to execute NX-protected page", K::ExecOfNonExecutable),
        ("double fault", K::DoubleFault),
        ("divide error", K::DivideError),
        ("kernel BUG at", K::Bug),
        ("invalid opcode", K::InvalidOpcode),
        ("Kernel panic", K::Panic),
        ("general protection fault", K::GeneralProtection),
        ("Kernel stack is corrupted", K::StackProtector),
    ];
    KINDS.iter().find(|(text, _)| headline.contains(text)).map(|(_, kind)| *kind)
}

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
            | K::MachineCheck
    )
}

/// The address of the access that the line names; `(null)` up to 4.x is 0.
pub fn address(headline: &str) -> Option<u64> {
    // Printed with `%p` (`handle_stack_overflow`), which has been a hash of the address since 4.15.
    if headline.contains("guard page was hit") {
        return None;
    }
    let (_, after) = headline
        .rsplit_once("address: ")
        .or_else(|| headline.rsplit_once("address "))
        .or_else(|| headline.rsplit_once(" at "))?;
    let word = after.trim_start().split([' ', ':']).next()?;
    if word == "(null)" {
        return Some(0);
    }
    u64::from_str_radix(word.trim_start_matches("0x"), 16).ok()
}

/// The line with its addresses as `addresses` prints them: words of at least eight hexadecimal
/// digits.
pub fn printed(headline: &str, addresses: &mut dyn Addresses) -> String {
    if !addresses.is_stable() {
        return headline.to_owned();
    }
    let words = headline.split(' ').map(|word| {
        let digits = word.trim_start_matches("0x");
        match u64::from_str_radix(digits, 16) {
            Ok(value) if digits.len() >= 8 => addresses.data(value),
            _ => word.to_owned(),
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// The line as a claim, its addresses (eight or more hexadecimal digits) kept apart from the words.
pub fn quoted(mut claim: Claim, line: &str) -> Claim {
    // Which CPU and task warned differs between boots, and an update moves the place.
    if line.starts_with("WARNING: ") {
        return claim.volatile(line);
    }
    let is_digit = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    let mut rest = line;
    while let Some(start) = rest.find(is_digit) {
        let run = &rest[start..];
        let length = run.find(|c| !is_digit(c)).unwrap_or(run.len());
        let (digits, after) = run.split_at(length);
        claim = match u64::from_str_radix(digits, 16).ok().filter(|_| length >= 8) {
            Some(value) => claim.text(&rest[..start]).data(value),
            None => claim.text(&rest[..start + length]),
        };
        rest = after;
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
    }

    /// First lines as these kernels print them (log of a dump, and the sources named above).
    #[test]
    fn the_address_is_found_in_each_generation() {
        let lines = [
            ("BUG: kernel NULL pointer dereference, address: 0000000000000018", Some(0x18)),
            (
                "BUG: unable to handle page fault for address: ffffc90000123000",
                Some(0xffff_c900_0012_3000),
            ),
            ("BUG: unable to handle kernel NULL pointer dereference at           (null)", Some(0)),
            (
                "BUG: unable to handle kernel paging request at ffffc90000123000",
                Some(0xffff_c900_0012_3000),
            ),
            (
                "general protection fault, probably for non-canonical address 0xdead000000000108: 0000 [#1] SMP",
                Some(0xdead_0000_0000_0108),
            ),
            (
                "BUG: TASK stack guard page was hit at 000000004e66dca5 (stack is 00000000e9c5e954..00000000d3dc610c)",
                None,
            ),
            ("divide error: 0000 [#1] SMP", None),
            ("Kernel panic - not syncing: sysrq triggered crash", None),
        ];
        for (line, expected) in lines {
            assert_eq!(address(line), expected, "{line}");
        }
    }

    #[test]
    fn faults_on_memory_are_left_to_the_code() {
        assert_eq!(kind("BUG: kernel NULL pointer dereference, address: 0000000000000018"), None);
        assert_eq!(
            kind("Kernel panic - not syncing: sysrq triggered crash"),
            Some(CrashKind::Sysrq)
        );
        assert_eq!(kind("divide error: 0000 [#1] PREEMPT SMP NOPTI"), Some(CrashKind::DivideError));
    }
}
