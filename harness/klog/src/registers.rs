// SPDX-License-Identifier: MIT OR Apache-2.0
//! Registers as `__show_regs()` prints them (`arch/x86/kernel/process_64.c`).

use crate::words::{parted, words};

/// A register of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Register {
    /// One of the sixteen, by its number in instructions (`rax` 0, `rcx` 1, `rdx` 2, `rbx` 3, `rsp` 4 …).
    General(u8),
    /// `EFLAGS`.
    Flags,
    /// The address of a page fault.
    Cr2,
    /// Another one.
    Other,
}

/// The number in instructions of one of the sixteen.
fn number(name: &str) -> Option<u8> {
    Some(match name {
        "RAX" => 0,
        "RCX" => 1,
        "RDX" => 2,
        "RBX" => 3,
        "RSP" => 4,
        "RBP" => 5,
        "RSI" => 6,
        "RDI" => 7,
        "R08" => 8,
        "R09" => 9,
        "R10" => 10,
        "R11" => 11,
        "R12" => 12,
        "R13" => 13,
        "R14" => 14,
        "R15" => 15,
        _ => return None,
    })
}

const OTHERS: [&str; 18] = [
    "CS", "DS", "ES", "SS", "FS", "GS", "knlGS", "CR0", "CR3", "CR4", "ORIG_RAX", "DR0", "DR1",
    "DR2", "DR3", "DR6", "DR7", "PKRU",
];

/// The registers of a report, as far as it has them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Registers {
    /// The sixteen, by their numbers in instructions.
    pub general: [Option<u64>; 16],
    /// `EFLAGS`.
    pub flags: Option<u64>,
    /// The address of a page fault.
    pub cr2: Option<u64>,
}

impl Registers {
    /// Takes what a line has. What is known stays: registers of frames further out are printed in
    /// the same way.
    pub fn take(&mut self, line: &[(Register, u64)]) {
        for (register, value) in line {
            let place = match register {
                Register::General(number) => self.general.get_mut(usize::from(*number)),
                Register::Flags => Some(&mut self.flags),
                Register::Cr2 => Some(&mut self.cr2),
                Register::Other => None,
            };
            if let Some(place) = place {
                place.get_or_insert(*value);
            }
        }
    }

    /// Whether none is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Reads `RAX: 0000000000000000 RBX: …`; `None` if the line is none of registers.
pub(crate) fn parse(line: &str) -> Option<Vec<(Register, u64)>> {
    let mut found = Vec::new();
    let mut words = words(line);
    while let Some(word) = words.next() {
        // `FS:  0000000000000000(0000) GS:ffff…(0000)` has no blank behind some colons.
        let (name, glued) = parted(word, b':')?;
        let Some(register) = named(name) else { return (!found.is_empty()).then_some(found) };
        let value = if glued.is_empty() { words.next()? } else { glued };
        // `RSP: 0018:ffff…`, `FS: 0000…(0000)`.
        let behind = value.bytes().rposition(|it| it == b':').map_or(0, |colon| colon + 1);
        let value = value.get(behind..)?;
        let value = parted(value, b'(').map_or(value, |(value, _)| value);
        let Ok(value) = u64::from_str_radix(value, 16) else {
            return (!found.is_empty()).then_some(found);
        };
        found.push((register, value));
    }
    (!found.is_empty()).then_some(found)
}

fn named(name: &str) -> Option<Register> {
    if let Some(number) = number(name) {
        return Some(Register::General(number));
    }
    match name {
        "EFLAGS" => Some(Register::Flags),
        "CR2" => Some(Register::Cr2),
        _ => OTHERS.contains(&name).then_some(Register::Other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str]) -> Registers {
        let mut registers = Registers::default();
        for line in lines {
            registers.take(&parse(line).unwrap_or_else(|| panic!("{line}")));
        }
        registers
    }

    #[test]
    fn the_first_value_of_each_counts() {
        let registers = read(&[
            "RSP: 0018:ffffbb1f8018fd90 EFLAGS: 00010287",
            "RAX: ffff9c7c7fefee40 RBX: dead000000000100 RCX: 0000000000000000",
            "R13: dead000000000122 R14: dead000000000100 R15: ffff9c7c7feb8260",
            "FS:  00000000187e3340(0000) GS:ffff9c7c7f900000(0000) knlGS:0000000000000000",
            "CS:  0010 DS: 0000 ES: 0000 CR0: 0000000080050033",
            "CR2: dead000000000110 CR3: 00000000022ca000 CR4: 0000000000750ea0",
            "RSP: 002b:00007ffee3ad1238 EFLAGS: 00000246 ORIG_RAX: 0000000000000001",
        ]);
        assert_eq!(registers.general[4], Some(0xffff_bb1f_8018_fd90));
        assert_eq!(registers.general[3], Some(0xdead_0000_0000_0100));
        assert_eq!(registers.general[15], Some(0xffff_9c7c_7feb_8260));
        assert_eq!((registers.flags, registers.cr2), (Some(0x10287), Some(0xdead_0000_0000_0110)));
    }

    #[test]
    fn other_lines_are_none() {
        for line in ["CPU: 1 PID: 2", "hello: world", "", "Code: 00 01", "RIP: 0010:f+0x1/0x2"] {
            assert_eq!(parse(line), None, "{line}");
        }
    }
}
