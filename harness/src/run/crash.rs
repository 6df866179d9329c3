// SPDX-License-Identifier: MIT OR Apache-2.0
//! Recognises a crash by what the kernel prints.

/// With these words `panic()` begins.
const PANIC: &str = "Kernel panic - not syncing";

/// First words of the first line of an oops or a panic, as the kernel writes them: a module whose
/// name is `bug` begins its own lines with `bug: `. Written from the message texts in the kernel's
/// sources (3.10 – 6.12): `arch/x86/mm/fault.c`, `arch/x86/kernel/{traps,dumpstack,nmi}.c`,
/// `kernel/{panic,watchdog}.c`, `lib/bug.c`, `mm/{slub,usercopy}.c`, `lib/list_debug.c`.
const SIGNS: [&str; 22] = [
    "BUG: ",
    "kernel BUG at ",
    "Oops: ",
    "general protection fault",
    "stack segment: ",
    "divide error: ",
    "invalid opcode: ",
    "double fault: ",
    "PANIC: ",
    "traps: PANIC: ",
    PANIC,
    "Unable to handle kernel ",
    "int3: ",
    "alignment check: ",
    "kernel stack overflow ",
    "Kernel stack overflow ",
    "CFI failure at ",
    "NMI watchdog: BUG: ",
    "watchdog: BUG: ",
    // The hard lockup detector's words, of newer and of older kernels.
    "watchdog: Watchdog detected hard LOCKUP ",
    "NMI watchdog: Watchdog detected hard LOCKUP ",
    "Watchdog detected hard LOCKUP ",
];

/// Lines that name what was wrong, before the line with the number of the oops (`die()`).
const HEADLINES: [&str; 10] = [
    "BUG: kernel NULL pointer dereference",
    "BUG: unable to handle ",
    "BUG: TASK stack guard page was hit",
    "BUG: IRQ stack guard page was hit",
    "kernel BUG at ",
    "NMI watchdog: BUG: soft lockup ",
    "watchdog: BUG: soft lockup ",
    "NMI watchdog: Watchdog detected hard LOCKUP ",
    "watchdog: Watchdog detected hard LOCKUP ",
    "Watchdog detected hard LOCKUP ",
];
/// Lines of a kernel that ends or restarts because it was told to (`kernel/reboot.c`,
/// `drivers/tty/sysrq.c`).
const LEAVES: [&str; 5] = [
    "reboot: Restarting system",
    "reboot: Power down",
    "reboot: System halted",
    "sysrq: Resetting",
    "SysRq : Resetting",
];

/// Digits of a second's fraction that printk prints.
const FRACTION: usize = 6;

/// The text of a console line without the time and the caller that printk puts before it:
/// `[    3.141592][  T226] BUG: …`. `None` when the line has no time, so that it is not the kernel's
/// (firmware, the decompressor, a program in the guest).
///
/// A program may have printed the beginning of the line (`progress 50%`), which the kernel does not
/// know of.
pub(crate) fn printk_text(line: &str) -> Option<&str> {
    line.match_indices('[').find_map(|(at, _)| behind_time(line.get(at..)?, at > 0))
}

/// What is behind a time; inside of a line only the form that printk gives it counts.
fn behind_time(line: &str, inside: bool) -> Option<&str> {
    let (time, rest) = line.strip_prefix('[')?.split_once(']')?;
    let (seconds, fraction) = time.trim_start().split_once('.')?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(seconds) || !digits(fraction) || (inside && fraction.len() != FRACTION) {
        return None;
    }
    let caller = rest.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    Some(caller.map_or(rest, |(_, text)| text).trim_start())
}

/// The line of several that says what ended the kernel. A module may have printed its own before the
/// kernel's; of several oopses the first tells.
pub(crate) fn telling<'m>(messages: &[&'m str]) -> Option<&'m str> {
    let is_headline = |message: &str| HEADLINES.iter().any(|sign| message.starts_with(sign));
    let ends = |message: &str| message.contains(" [#") || message.starts_with(PANIC);
    let end = messages.iter().position(|message| ends(message));
    let before = messages.get(..end.unwrap_or(messages.len()))?;
    let headline = before.iter().rev().find(|message| is_headline(message));
    headline.or_else(|| messages.get(end?)).or_else(|| messages.first()).copied()
}

/// Whether the kernel prints with this line that it gave up.
pub(crate) fn is_panic(message: &str) -> bool {
    message.starts_with(PANIC)
}

/// Whether the kernel says with this line that it ends or restarts because it was told to.
pub(crate) fn leaves(line: &str) -> bool {
    printk_text(line).is_some_and(|text| LEAVES.iter().any(|words| text.starts_with(words)))
}

/// Whether a kernel begins to speak with this line. A module may print the words, but not at the time
/// when there is no clock yet.
pub(crate) fn starts_a_kernel(line: &str) -> bool {
    let words = printk_text(line).is_some_and(|text| text.starts_with("Linux version "));
    words && line.contains(" 0.000000]")
}

/// The message if this line of the console is the first line of an oops or a panic.
pub(crate) fn crash_message(line: &str) -> Option<&str> {
    let text = printk_text(line)?;
    SIGNS.iter().any(|sign| text.starts_with(sign)).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_lines_of_oopses_and_panics_of_several_kernels_are_recognised() {
        for (line, message) in [
            (
                "[    3.141592] BUG: kernel NULL pointer dereference, address: 0000000000000000",
                "BUG: kernel NULL pointer dereference, address: 0000000000000000",
            ),
            (
                "[   12.000001] BUG: unable to handle kernel NULL pointer dereference at           (null)",
                "BUG: unable to handle kernel NULL pointer dereference at           (null)",
            ),
            (
                "[    4.2][  T226] general protection fault, probably for non-canonical address 0xdead: 0000 [#1] SMP",
                "general protection fault, probably for non-canonical address 0xdead: 0000 [#1] SMP",
            ),
            (
                "[    4.2] Kernel panic - not syncing: sysrq triggered crash",
                "Kernel panic - not syncing: sysrq triggered crash",
            ),
            ("[    4.2] kernel BUG at mm/slub.c:435!", "kernel BUG at mm/slub.c:435!"),
            (
                "[   30.1] watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [sh:1]",
                "watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [sh:1]",
            ),
            (
                "[   30.1] NMI watchdog: Watchdog detected hard LOCKUP on cpu 0",
                "NMI watchdog: Watchdog detected hard LOCKUP on cpu 0",
            ),
        ] {
            assert_eq!(crash_message(line), Some(message));
        }
    }

    #[test]
    fn what_is_no_crash_is_not_taken_for_one() {
        for line in [
            "BUG: printed by a program in the guest",
            "[    0.000000] Linux version 6.1.0",
            "[    2.0] process: loading out-of-tree module taints kernel.",
            "[    2.0] Kernel command line: oops=panic panic=-1",
            "[    2.0] WARNING: CPU: 0 PID: 1 at kernel/rcu/tree.c:1",
            "[    2.0] bug: loading out-of-tree module taints kernel.",
            "[    2.0] oops: registered",
            "[    2.0] frob: detected hard lockup of the device",
            "[not a time] BUG: x",
            "[1] BUG: x",
            "",
            "[",
        ] {
            assert_eq!(crash_message(line), None, "{line}");
        }
    }

    #[test]
    fn a_kernel_starts_at_time_zero() {
        assert!(starts_a_kernel("[    0.000000] Linux version 6.1.0 (cc) #1 SMP"));
        assert!(starts_a_kernel("[    0.000000][    T0] Linux version 6.1.0 (cc) #1 SMP"));
        assert!(!starts_a_kernel("[    7.312440] Linux version 6.1.0 is what I was made for"));
        assert!(!starts_a_kernel("Linux version 6.1.0"));
        assert!(!starts_a_kernel("[    0.000000] Command line: quiet"));
    }

    #[test]
    fn a_line_that_a_program_began_is_still_the_kernels() {
        let line = "progress 50%[    3.141592] BUG: kernel NULL pointer dereference, address: 0";
        assert_eq!(crash_message(line), Some("BUG: kernel NULL pointer dereference, address: 0"));
        assert_eq!(crash_message("step [1.5] BUG: x"), None, "printk has six digits");
        assert_eq!(
            crash_message("a[b] c[    3.141592][  T7] Oops: 0002 [#1]"),
            Some("Oops: 0002 [#1]")
        );
    }

    #[test]
    fn the_kernels_own_headline_tells_and_not_a_modules_line_before_it() {
        let frob = "BUG: frob: full";
        let null = "BUG: kernel NULL pointer dereference, address: 0000000000000030";
        let panic = "Kernel panic - not syncing: Fatal exception";
        for (lines, wanted) in [
            (&[frob, null, "Oops: 0002 [#1] PREEMPT SMP", panic][..], null),
            (
                &[frob, "kernel BUG at x.c:7!", "invalid opcode: 0000 [#1] SMP", panic],
                "kernel BUG at x.c:7!",
            ),
            (
                &[frob, "general protection fault: 0000 [#1] SMP", panic],
                "general protection fault: 0000 [#1] SMP",
            ),
            (
                &[frob, "Kernel panic - not syncing: sysrq triggered crash"],
                "Kernel panic - not syncing: sysrq triggered crash",
            ),
            (
                &[
                    null,
                    "Oops: 0000 [#1] SMP",
                    "kernel BUG at y.c:1!",
                    "invalid opcode: 0000 [#2] SMP",
                ],
                null,
            ),
            (
                &[
                    "watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [sh:1]",
                    "Kernel panic - not syncing: softlockup: hung tasks",
                ],
                "watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [sh:1]",
            ),
            (&[frob], frob),
        ] {
            assert_eq!(telling(lines), Some(wanted));
        }
        assert_eq!(telling(&[]), None);
    }

    #[test]
    fn only_the_kernels_own_lines_have_a_time() {
        assert_eq!(printk_text("[    0.000000] Linux version"), Some("Linux version"));
        for line in
            ["early console in extract_kernel", "Booting the kernel.", "[  ok  ] x", "[.1] x"]
        {
            assert_eq!(printk_text(line), None, "{line}");
        }
    }
}
