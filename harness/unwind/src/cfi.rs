// SPDX-License-Identifier: MIT OR Apache-2.0
//! One row of DWARF call frame information, as data. Whoever reads `.debug_frame` makes it.

use crate::Register;

/// Where a DWARF expression lies; evaluated by [`Tables::evaluate`](crate::Tables::evaluate).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expression {
    /// Any run-time address of the code whose table holds it: kernel and modules have one each.
    pub code: u64,
    /// Byte offset in that table.
    pub offset: u64,
    /// Bytes.
    pub length: u64,
}

/// How to compute the canonical frame address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CfaRule {
    /// `cfa = register + offset`
    RegisterOffset {
        /// Register of the frame.
        register: Register,
        /// Bytes.
        offset: i64,
    },
    /// `cfa = value of the expression`
    Expression(Expression),
}

/// How to find the caller's value of one register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegisterRule {
    /// It is lost. For the return address: there is no caller.
    Undefined,
    /// It is as in the frame.
    SameValue,
    /// `value = [cfa + offset]`
    Offset(i64),
    /// `value = cfa + offset`
    ValOffset(i64),
    /// `value = other register of the frame`
    Register(Register),
    /// `value = [value of the expression]`
    Expression(Expression),
    /// `value = value of the expression`
    ValExpression(Expression),
}

/// All rules that hold at one program counter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CfiRow {
    /// The canonical frame address.
    pub cfa: CfaRule,
    rules: [RegisterRule; 16],
    /// The return address (DWARF register 16).
    pub return_address: RegisterRule,
    /// Whether the code was entered by an exception (augmentation `S`): the return address is
    /// the interrupted instruction.
    pub signal: bool,
}

/// Where the words that the CPU pushes at an exception lie from each other, in bytes (Intel SDM
/// volume 3, "Exception- or Interrupt-Handler Procedures"): rip, cs, rflags, rsp, ss.
const RSP_AFTER_RIP: i64 = 24;

impl CfiRow {
    /// A row with the ABI's defaults: registers a function must preserve are unchanged, `rsp` is
    /// the CFA, the others are lost, the return address is below the CFA.
    #[expect(clippy::indexing_slicing, reason = "there are sixteen registers")]
    pub fn new(cfa: CfaRule) -> Self {
        let mut rules = [RegisterRule::Undefined; 16];
        for register in Register::CALLEE_SAVED {
            rules[register as usize] = RegisterRule::SameValue;
        }
        rules[Register::Rsp as usize] = RegisterRule::ValOffset(0);
        Self { cfa, rules, return_address: RegisterRule::Offset(-8), signal: false }
    }

    /// Offset from the CFA of the words that the CPU pushed at an exception, rip first, if the row
    /// says that they are there: no call saves rsp. No row tells of cs; it is the word after rip.
    ///
    /// Two situations of 3.10's `entry_64.S`: `stub_execve` is described like this, with the words
    /// of user mode, but lacks the augmentation `S`. `system_call` has it, but there the `syscall`
    /// instruction left the words of cs and rsp stale; the row says where rip is and nothing of
    /// rsp.
    pub(crate) fn hardware_words(&self) -> Option<i64> {
        let RegisterRule::Offset(rip) = self.return_address else { return None };
        let rsp = RegisterRule::Offset(rip.checked_add(RSP_AFTER_RIP)?);
        (self.rule(Register::Rsp) == rsp).then_some(rip)
    }

    /// The rule of a general register.
    #[expect(clippy::indexing_slicing, reason = "there are sixteen registers")]
    pub fn rule(&self, register: Register) -> RegisterRule {
        self.rules[register as usize]
    }

    /// Sets the rule of a general register.
    #[expect(clippy::indexing_slicing, reason = "there are sixteen registers")]
    pub fn set_rule(&mut self, register: Register, rule: RegisterRule) {
        self.rules[register as usize] = rule;
    }
}
