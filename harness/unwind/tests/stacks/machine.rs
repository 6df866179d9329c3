// SPDX-License-Identifier: MIT OR Apache-2.0
//! A machine to unwind on: memory, stacks, code and tables as a test lays them out.

use std::collections::BTreeMap;
use std::ops::Range;

use test_assembler::{Endian, Section};
use unwind::orc::{Bp, Cfa, Kind, OrcEntry};
use unwind::{
    CfiRow, Expression, Memory, Register, Registers, ReturnTrampoline, Stack, StackKind, Stacks,
    Start, Tables, Walk, walk,
};

/// Lowest address of the task's stack; it has 16 KiB.
pub(crate) const TASK: u64 = 0xffff_c900_0010_0000;
/// Lowest address of the IRQ stack.
pub(crate) const IRQ: u64 = 0xffff_c900_0020_0000;
/// Lowest address of the NMI stack.
pub(crate) const NMI: u64 = 0xffff_fe00_0001_0000;
pub(crate) const STACK_BYTES: u64 = 0x4000;
/// Kernel code: 64 KiB. Tests give each function a page.
pub(crate) const TEXT: u64 = 0xffff_ffff_8100_0000;
pub(crate) const TEXT_BYTES: u64 = 0x1_0000;

pub(crate) const FUNCTION_A: u64 = TEXT + 0x1000;
pub(crate) const FUNCTION_B: u64 = TEXT + 0x2000;
pub(crate) const FUNCTION_C: u64 = TEXT + 0x3000;
pub(crate) const ENTRY: u64 = TEXT + 0x4000;
/// Code that no table covers.
pub(crate) const BARE: u64 = TEXT + 0x8000;

pub(crate) const KERNEL_CS: u64 = 0x10;
pub(crate) const USER_CS: u64 = 0x33;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Machine {
    memory: BTreeMap<u64, Vec<u8>>,
    stacks: Vec<Stack>,
    text: Vec<Range<u64>>,
    /// Code that is gone.
    pub(crate) gone: Vec<Range<u64>>,
    orc: Vec<(Range<u64>, OrcEntry)>,
    cfi: Vec<(Range<u64>, CfiRow)>,
    pub(crate) trampoline: Option<u64>,
    pub(crate) real_returns: Vec<u64>,
}

impl Machine {
    /// With the three stacks and the kernel's code, nothing in memory.
    pub(crate) fn new() -> Self {
        let stack = |kind, low| Stack { kind, low, high: low + STACK_BYTES };
        Self {
            stacks: vec![
                stack(StackKind::Task, TASK),
                stack(StackKind::Irq, IRQ),
                stack(StackKind::Nmi, NMI),
            ],
            text: std::iter::once(TEXT..TEXT + TEXT_BYTES).collect(),
            ..Self::default()
        }
    }

    /// Puts a section (little endian, its start set) into memory.
    pub(crate) fn with(mut self, address: u64, section: Section) -> Self {
        let bytes = section.get_contents().expect("all labels of the section are set");
        self.memory.insert(address, bytes);
        self
    }

    /// The whole page of a function is covered by one ORC entry.
    pub(crate) fn orc_entry(mut self, function: u64, entry: OrcEntry) -> Self {
        self.orc.push((function..function + 0x1000, entry));
        self
    }

    /// The whole page of a function is covered by one CFI row.
    pub(crate) fn cfi_row(mut self, function: u64, row: CfiRow) -> Self {
        self.cfi.push((function..function + 0x1000, row));
        self
    }

    /// A five-byte `call` (to the start of the code) that returns to `address`.
    pub(crate) fn call_before(self, address: u64) -> Self {
        let distance = TEXT.wrapping_sub(address).to_le_bytes();
        let code = section().append_bytes(&[0x90; 3]).D8(0xe8).append_bytes(&distance[..4]);
        self.with(address - 8, code)
    }

    pub(crate) fn walk(&self, start: Start) -> Walk {
        walk(self, self, self, start, 100)
    }

    pub(crate) fn walk_from(&self, registers: Registers) -> Walk {
        self.walk(Start::interrupted(registers))
    }
}

impl Memory for Machine {
    fn read_u64(&self, address: u64) -> Option<u64> {
        let mut bytes = [0; 8];
        self.read_bytes(address, &mut bytes)?;
        Some(u64::from_le_bytes(bytes))
    }

    fn read_bytes(&self, address: u64, buffer: &mut [u8]) -> Option<()> {
        let (start, bytes) = self.memory.range(..=address).next_back()?;
        let from = usize::try_from(address - start).ok()?;
        buffer.copy_from_slice(bytes.get(from..from.checked_add(buffer.len())?)?);
        Some(())
    }
}

impl Tables for Machine {
    fn orc(&self, pc: u64) -> Option<OrcEntry> {
        self.orc.iter().find(|(range, _)| range.contains(&pc)).map(|(_, entry)| *entry)
    }

    fn cfi(&self, pc: u64) -> Option<CfiRow> {
        self.cfi.iter().find(|(range, _)| range.contains(&pc)).map(|(_, row)| row.clone())
    }

    /// Expression at offset `n`: rsp + n without an initial value, else initial - n.
    fn evaluate(
        &self,
        expression: Expression,
        registers: &Registers,
        _memory: &dyn Memory,
        initial: Option<u64>,
    ) -> Option<u64> {
        Some(match initial {
            None => registers.get(Register::Rsp)? + expression.offset,
            Some(initial) => initial - expression.offset,
        })
    }

    fn is_text(&self, address: u64) -> bool {
        self.text.iter().any(|range| range.contains(&address))
    }

    fn is_gone_text(&self, address: u64) -> bool {
        self.gone.iter().any(|range| range.contains(&address))
    }

    fn is_return_trampoline(&self, address: u64) -> bool {
        self.trampoline == Some(address)
    }

    fn real_return(&self, trampoline: ReturnTrampoline) -> Option<u64> {
        self.real_returns.get(trampoline.index).copied()
    }
}

impl Stacks for Machine {
    fn stack_of(&self, address: u64) -> Option<Stack> {
        self.stacks.iter().find(|stack| (stack.low..stack.high).contains(&address)).copied()
    }
}

pub(crate) fn section() -> Section {
    Section::with_endian(Endian::Little)
}

/// `cfa = rsp + offset`, a call, rbp unchanged.
pub(crate) fn call_entry(offset: i64) -> OrcEntry {
    OrcEntry {
        kind: Kind::Call,
        cfa: Cfa::Register { base: Register::Rsp, offset },
        bp: Bp::Same,
        signal: false,
    }
}

/// Saved registers at rsp.
pub(crate) fn regs_entry(kind: Kind) -> OrcEntry {
    OrcEntry {
        kind,
        cfa: Cfa::Register { base: Register::Rsp, offset: 0 },
        bp: Bp::Same,
        signal: true,
    }
}

/// Appends a `struct pt_regs` as `arch/x86/include/uapi/asm/ptrace.h` lists it: general registers
/// are the bytes 0x1f (r15), 0x1e (r14) … of their names, orig_rax is -1.
pub(crate) fn append_pt_regs(section: Section, rip: u64, cs: u64, rsp: u64) -> Section {
    section
        .D64(0x1f) // r15
        .D64(0x1e)
        .D64(0x1d)
        .D64(0x1c) // r12
        .D64(0xb9) // rbp
        .D64(0xb8) // rbx
        .D64(0x1b) // r11
        .D64(0x1a)
        .D64(0x19)
        .D64(0x18) // r8
        .D64(0xa8) // rax
        .D64(0xc8) // rcx
        .D64(0xd8) // rdx
        .D64(0x51) // rsi
        .D64(0xd1) // rdi
        .D64(u64::MAX)
        .D64(rip)
        .D64(cs)
        .D64(0x246)
        .D64(rsp)
        .D64(0x18)
}

/// Program counters of a walk, in order.
pub(crate) fn addresses(walk: &Walk) -> Vec<u64> {
    walk.frames.iter().map(|frame| frame.pc.address()).collect()
}

/// Trust of a walk's frames, in order.
pub(crate) fn trusts(walk: &Walk) -> Vec<unwind::Trust> {
    walk.frames.iter().map(|frame| frame.trust).collect()
}
