// SPDX-License-Identifier: MIT OR Apache-2.0
//! The instructions of one function and who comes before whom.

use std::collections::{BTreeMap, BTreeSet};

use iced_x86::{Code as Opcode, Decoder, DecoderOptions, FlowControl, Instruction, Mnemonic};

/// Longest function that is decoded, in bytes; the largest of a distribution's kernel are below.
pub const MAX_CODE_BYTES: u64 = 256 * 1024;

/// The decoded instructions of one function, which may lie in several ranges (`.cold`).
#[derive(Debug, Clone, Default)]
pub struct Code {
    instructions: Vec<Instruction>,
    index: BTreeMap<u64, usize>,
    predecessors: Vec<Vec<usize>>,
    /// Positions of the last instruction of each range, behind which another one lies, and of calls that do
    /// not return.
    ends: BTreeSet<usize>,
    entry: u64,
}

impl Code {
    /// Decodes the ranges of a function: run-time addresses and the bytes found there in the
    /// dump. The first range starts with the function's entry.
    pub fn decode(ranges: &[(u64, &[u8])]) -> Self {
        let mut code = Self { entry: ranges.first().map_or(0, |r| r.0), ..Self::default() };
        for &(address, bytes) in ranges {
            let mut decoder = Decoder::with_ip(64, bytes, address, DecoderOptions::NONE);
            while decoder.can_decode() {
                let instruction = decoder.decode();
                // Padding and data after the last instruction of a truncated read end here.
                if instruction.code() == Opcode::INVALID {
                    break;
                }
                code.index.insert(instruction.ip(), code.instructions.len());
                code.instructions.push(instruction);
            }
            code.ends.extend(code.instructions.len().checked_sub(1));
        }
        code.link();
        code
    }

    /// Cuts the ways behind calls of functions that do not return: a compiler puts other code there.
    ///
    /// Example: `call __stack_chk_fail` is the last of a function's first way out, and what a branch leads to
    /// follows it.
    #[must_use]
    pub fn without_returns(mut self, is_final: impl Fn(u64) -> bool) -> Self {
        let does_not_return = |at: &usize| {
            let instruction = self.instruction(*at);
            // Where nothing else leads, the code behind is that of the same way.
            let is_shared = |next: usize| self.predecessors(next).len() > 1;
            instruction.flow_control() == FlowControl::Call
                && self.at(instruction.next_ip()).is_some_and(is_shared)
                && is_final(instruction.near_branch_target())
        };
        let found: Vec<usize> = (0..self.instructions.len()).filter(does_not_return).collect();
        if !found.is_empty() {
            self.ends.extend(found);
            self.link();
        }
        self
    }

    /// Address of the function's first instruction.
    pub fn entry(&self) -> u64 {
        self.entry
    }

    /// All instructions, in the order of the ranges.
    pub fn instructions(&self) -> &[Instruction] {
        &self.instructions
    }

    /// The instruction at a position that this code gave.
    #[expect(
        clippy::indexing_slicing,
        reason = "a position is one of its instructions, however it was found"
    )]
    pub fn instruction(&self, position: usize) -> &Instruction {
        &self.instructions[position]
    }

    /// Position of the instruction at the address.
    pub fn at(&self, address: u64) -> Option<usize> {
        self.index.get(&address).copied()
    }

    /// Position of the instruction that ends at the address: the call of a return address.
    pub fn before(&self, address: u64) -> Option<usize> {
        let (_, &position) = self.index.range(..address).next_back()?;
        (self.instruction(position).next_ip() == address).then_some(position)
    }

    /// Positions from which control reaches this one.
    pub fn predecessors(&self, position: usize) -> &[usize] {
        self.predecessors.get(position).map_or(&[], Vec::as_slice)
    }

    /// Positions that control reaches from this one, within the function.
    pub fn successors(&self, position: usize) -> Vec<usize> {
        let instruction = self.instruction(position);
        let mut next = Vec::new();
        // A call that does not return may be the last of a range, and another range lie behind it.
        if falls_through(instruction) && !self.ends.contains(&position) {
            next.extend(self.at(instruction.next_ip()));
        }
        if let Some(target) = branch_target(instruction) {
            next.extend(self.at(target));
        }
        next
    }

    fn link(&mut self) {
        self.predecessors = vec![Vec::new(); self.instructions.len()];
        for position in 0..self.instructions.len() {
            for next in self.successors(position) {
                let before = self.predecessors.get_mut(next);
                if let Some(before) = before.filter(|before| !before.contains(&position)) {
                    before.push(position);
                }
            }
        }
    }
}

/// Whether the instruction after this one may run next.
fn falls_through(instruction: &Instruction) -> bool {
    match instruction.flow_control() {
        FlowControl::Next
        | FlowControl::ConditionalBranch
        | FlowControl::Call
        | FlowControl::IndirectCall
        | FlowControl::XbeginXabortXend => true,
        // `ud2` of a WARN is stepped over by the kernel; BUG's is not, but then nothing that
        // follows is reached by it and the edge does no harm.
        FlowControl::Exception => instruction.mnemonic() == Mnemonic::Ud2,
        FlowControl::Interrupt => instruction.mnemonic() == Mnemonic::Int3,
        FlowControl::UnconditionalBranch | FlowControl::IndirectBranch | FlowControl::Return => {
            false
        }
    }
}

/// Target of a direct jump.
fn branch_target(instruction: &Instruction) -> Option<u64> {
    let direct = matches!(
        instruction.flow_control(),
        FlowControl::ConditionalBranch | FlowControl::UnconditionalBranch
    );
    direct.then(|| instruction.near_branch_target())
}
