// SPDX-License-Identifier: MIT OR Apache-2.0
//! The loop: asks the strategies in order and lets through only what makes progress.

use crate::call::is_after_call;
use crate::strategy::{Caller, Context, LAST_RESORT, Refusal, STRATEGIES, Strategy, callee_saved};
use crate::{
    Frame, Memory, Pc, Register, ReturnTrampoline, Stack, Stacks, Start, StopReason, Tables, Trust,
    Walk,
};

/// Walks from `start` outwards; at most `limit` frames.
///
/// The first frame is always kept, even at an address that is no code: a call through a bad
/// pointer is what the reader looks for. Registers of user mode end the walk and are no frame.
pub fn walk(
    memory: &dyn Memory,
    tables: &dyn Tables,
    stacks: &dyn Stacks,
    start: Start,
    limit: usize,
) -> Walk {
    let mut frames = Vec::new();
    if start.registers.is_user() {
        return Walk { frames, stop: StopReason::User(Box::new(start.registers)) };
    }
    let context = Context { memory, tables, stacks };
    let sp = start.registers.get(Register::Rsp).unwrap_or(0);
    let stack = stacks.stack_of(sp);
    let mut frame = Frame {
        pc: start.pc,
        sp,
        cfa: None,
        registers: start.registers,
        trust: Trust::Exact,
        stack: stack.map(|stack| stack.kind),
        exception: None,
    };
    let mut walker = Walker::new(context, stack);
    let stop = loop {
        if frames.len() >= limit {
            break StopReason::Limit;
        }
        match walker.next(&mut frame) {
            Ok(next) => frames.push(std::mem::replace(&mut frame, next)),
            Err(stop) => {
                frames.push(frame);
                break stop;
            }
        }
    };
    Walk { frames, stop }
}

/// What a walk has to remember between frames.
struct Walker<'a> {
    context: Context<'a>,
    /// The stacks entered so far, by their lowest address; `None` stands for all memory that is
    /// no known stack. The last one is the current one.
    entered: Vec<Option<u64>>,
    /// Return trampolines met so far.
    trampolines: usize,
    /// Whether a frame was found by a scan: nothing after it is sure.
    scanned: bool,
    /// Whether the current frame is a return trampoline that hides its caller.
    in_trampoline: bool,
}

impl<'a> Walker<'a> {
    fn new(context: Context<'a>, stack: Option<Stack>) -> Self {
        let entered = vec![stack.map(|stack| stack.low)];
        Self { context, entered, trampolines: 0, scanned: false, in_trampoline: false }
    }

    /// The caller of `frame`, whose CFA is filled in.
    fn next(&mut self, frame: &mut Frame) -> Result<Frame, StopReason> {
        let mut failure = None;
        for strategy in self.strategies() {
            let refused = match strategy(&self.context, frame) {
                Ok(caller) if caller.registers.is_user() => {
                    return Err(StopReason::User(Box::new(caller.registers)));
                }
                Ok(mut caller) => match self.check(frame, &mut caller) {
                    Ok(checked) => {
                        frame.cfa = caller.cfa;
                        return Ok(self.accept(caller, checked));
                    }
                    Err(reason) => reason,
                },
                Err(Refusal::End(reason)) => return Err(reason),
                Err(Refusal::Failed(reason)) => reason,
                Err(Refusal::NotMine) => continue,
            };
            failure.get_or_insert(refused);
        }
        Err(failure.unwrap_or(if self.context.in_text(frame) {
            StopReason::NoRule { pc: frame.pc.for_lookup() }
        } else {
            StopReason::BadPc { pc: frame.pc.address() }
        }))
    }

    /// Nothing but a scan finds the way out of a trampoline: its tables describe it running, but
    /// here it is only what a function will return to.
    fn strategies(&self) -> &'static [Strategy] {
        if self.in_trampoline { &LAST_RESORT } else { &STRATEGIES }
    }

    /// Refuses a caller that is no code or leads in circles; looks behind return trampolines.
    fn check(&self, frame: &Frame, caller: &mut Caller) -> Result<Checked, StopReason> {
        let stack = self.check_progress(frame, caller.sp())?;
        let returns = match caller.pc {
            Pc::Return(address) => self.check_return(caller, address)?,
            Pc::Interrupted(_) => Returns::Straight,
        };
        if caller.trust == Trust::Orc {
            callee_saved(&self.context, frame, caller);
        }
        Ok(Checked { returns, stack })
    }

    /// The stack that `sp` is on, if it is allowed to lead there.
    fn check_progress(&self, frame: &Frame, sp: u64) -> Result<Option<Stack>, StopReason> {
        let stack = self.context.stacks.stack_of(sp);
        let low = stack.map(|stack| stack.low);
        let same = self.entered.last() == Some(&low);
        if (same && sp > frame.sp) || (!same && !self.entered.contains(&low)) {
            Ok(stack)
        } else {
            Err(StopReason::NoProgress { sp })
        }
    }

    fn check_return(&self, caller: &mut Caller, address: u64) -> Result<Returns, StopReason> {
        let Context { memory, tables, .. } = self.context;
        if !tables.is_return_trampoline(address) {
            let stale = self.scanned && is_after_call(memory, tables, address) == Some(false);
            let sure = !self.scanned && caller.trust != Trust::Scan;
            let lookup = caller.pc.for_lookup();
            let code = tables.is_text(lookup) || (sure && tables.is_gone_text(lookup));
            return if stale || !code {
                Err(StopReason::BadPc { pc: address })
            } else {
                Ok(Returns::Straight)
            };
        }
        let index = self.trampolines;
        let real = caller
            .slot
            .and_then(|slot| tables.real_return(ReturnTrampoline { address, slot, index }));
        if let Some(real) = real {
            caller.pc = Pc::Return(real);
            caller.registers.rip = real;
            return Ok(Returns::BehindTrampoline);
        }
        // Its first instruction is the next to run; the one before belongs to other code.
        caller.pc = Pc::Interrupted(address);
        Ok(Returns::IntoTrampoline)
    }

    fn accept(&mut self, caller: Caller, Checked { returns, stack }: Checked) -> Frame {
        let low = stack.map(|stack| stack.low);
        if self.entered.last() != Some(&low) {
            self.entered.push(low);
        }
        self.trampolines += usize::from(returns != Returns::Straight);
        self.in_trampoline = returns == Returns::IntoTrampoline;
        self.scanned |= caller.trust == Trust::Scan;
        Frame {
            pc: caller.pc,
            sp: caller.sp(),
            cfa: None,
            registers: caller.registers,
            trust: if self.scanned { Trust::Scan } else { caller.trust },
            stack: stack.map(|stack| stack.kind),
            exception: caller.exception,
        }
    }
}

/// What the checks of a caller found out about it.
struct Checked {
    returns: Returns,
    stack: Option<Stack>,
}

/// What a return address turned out to be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Returns {
    /// What it says.
    Straight,
    /// A trampoline's, and the real one is known.
    BehindTrampoline,
    /// A trampoline's, and the real one is not known.
    IntoTrampoline,
}
