// SPDX-License-Identifier: MIT OR Apache-2.0
//! What machine a report is of, by the registers that its kernel prints.

/// A machine that Linux runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Machine {
    /// x86-64.
    X86_64,
    /// 32-bit x86.
    X86,
    /// 64-bit ARM.
    Arm64,
    /// 32-bit ARM.
    Arm,
    /// POWER and PowerPC.
    PowerPc,
    /// IBM Z.
    S390,
    /// MIPS.
    Mips,
    /// RISC-V.
    RiscV,
    /// LoongArch.
    LoongArch,
    /// SPARC.
    Sparc,
}

/// How lines begin that only one machine's `show_regs()` prints (`arch/*/kernel/process*.c`,
/// `traps.c`).
const MARKS: [(&str, Machine); 20] = [
    ("RIP: ", Machine::X86_64),
    ("RAX: ", Machine::X86_64),
    ("EIP: ", Machine::X86),
    ("EAX: ", Machine::X86),
    ("pstate: ", Machine::Arm64),
    ("Internal error: Oops: 0000000096", Machine::Arm64),
    ("Internal error: Oops: 96", Machine::Arm64),
    ("pc : [<", Machine::Arm),
    ("PC is at ", Machine::Arm),
    ("NIP: ", Machine::PowerPc),
    ("NIP [", Machine::PowerPc),
    ("Krnl PSW : ", Machine::S390),
    ("Krnl GPRS: ", Machine::S390),
    ("epc   : ", Machine::Mips),
    ("$ 0   : ", Machine::Mips),
    ("epc : ", Machine::RiscV),
    ("[<ffffffe0", Machine::RiscV),
    ("ERA: ", Machine::LoongArch),
    ("era   : ", Machine::LoongArch),
    ("TSTATE: ", Machine::Sparc),
];

/// Which bytes those begin with.
#[expect(clippy::indexing_slicing, reason = "it is computed when the program is built")]
const BEGINS: [bool; 128] = {
    let mut begins = [false; 128];
    let mut at = 0;
    while at < MARKS.len() {
        begins[MARKS[at].0.as_bytes()[0] as usize] = true;
        at += 1;
    }
    begins
};

/// The machine that a line tells.
#[must_use]
pub fn machine(text: &str) -> Option<Machine> {
    let text = text.trim_start();
    let first = *text.as_bytes().first()?;
    if !BEGINS.get(usize::from(first)).copied().unwrap_or_default() {
        return None;
    }
    let (_, machine) = MARKS.iter().find(|(start, _)| text.starts_with(start))?;
    Some(*machine)
}

impl std::fmt::Display for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::X86_64 => "x86-64",
            Self::X86 => "32-bit x86",
            Self::Arm64 => "arm64",
            Self::Arm => "32-bit ARM",
            Self::PowerPc => "POWER",
            Self::S390 => "s390",
            Self::Mips => "MIPS",
            Self::RiscV => "RISC-V",
            Self::LoongArch => "LoongArch",
            Self::Sparc => "SPARC",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registers_tell_the_machine() {
        assert_eq!(machine("RIP: 0010:f+0x1/0x2"), Some(Machine::X86_64));
        assert_eq!(machine("pstate: 60400009 (nZCv daif +PAN -UAO)"), Some(Machine::Arm64));
        assert_eq!(machine("NIP:  c000000000012345 LR: c0"), Some(Machine::PowerPc));
        assert_eq!(machine("epc   : 80123456 f+0x1/0x2"), Some(Machine::Mips));
        assert_eq!(machine("epc : ffffffff80123456 ra : 0"), Some(Machine::RiscV));
        assert_eq!(machine("hello"), None);
    }
}
