// SPDX-License-Identifier: MIT OR Apache-2.0
//! Registers of the current task as `$NAME`, as gdb spells them: those of the fault, if it crashed by one, else of
//! frame #0 of its `bt`.

use analyzer::stacks::{Origin, TaskWalk};
use unwind::{Frame, Registers, StopReason};

use super::bt_form::named;
use super::{CommandError, Session};

/// Other names of registers: gdb's and those of 32 bits.
const ALIASES: [(&str, &str); 4] =
    [("pc", "rip"), ("sp", "rsp"), ("fp", "rbp"), ("eflags", "rflags")];

/// The registers that are meant: the way from a fault to the capture kernel, which comes before it, is nobody's
/// question.
fn meant(walked: &TaskWalk) -> Option<&Registers> {
    let TaskWalk { origin, walk } = walked;
    let is_fault = |frame: &&Frame| *origin == Origin::Crash && frame.exception.is_some();
    let frame = walk.frames.iter().find(is_fault).or_else(|| walk.frames.first());
    match (frame, &walk.stop) {
        (Some(frame), _) => Some(&frame.registers),
        (None, StopReason::User(registers)) => Some(registers),
        (None, _) => None,
    }
}

impl Session<'_, '_> {
    /// The value of a register, by its name without the `$`.
    pub(super) fn register(&self, name: &str) -> Result<u64, CommandError> {
        let known =
            ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name, |(_, known)| known);
        let task = self.context()?;
        let walked = self.machine().backtrace_of(task);
        let walked = walked.map_err(|why| CommandError::nothing(why.to_string()))?;
        let none = || CommandError::nothing("the task's stack has no frame");
        let registers = meant(&walked).ok_or_else(none)?;
        let shown =
            named(registers).into_iter().find(|(shown, _)| shown.eq_ignore_ascii_case(known));
        let (_, value) =
            shown.ok_or_else(|| CommandError::usage(format!("`${name}` is no register")))?;
        let unknown = || CommandError::nothing(format!("the dump does not tell `${name}`"));
        u64::from_str_radix(&value, 16).map_err(|_| unknown())
    }

    /// A C expression with numbers for its registers; one alone is a pointer, so that what it points to is named.
    pub(super) fn with_registers(&self, expression: &str) -> Result<String, CommandError> {
        let mut pieces = expression.split('$');
        let mut out = pieces.next().unwrap_or_default().to_owned();
        for piece in pieces {
            let end = piece.find(|letter: char| !letter.is_alphanumeric() && letter != '_');
            let (name, rest) = piece.split_at(end.unwrap_or(piece.len()));
            let value = self.register(name)?;
            let is_alone = out.is_empty() && rest.is_empty() && piece.len() + 1 == expression.len();
            match is_alone {
                true => out.push_str(&format!("(void *){value:#x}")),
                false => out.push_str(&format!("{value:#x}UL{rest}")),
            }
        }
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use unwind::{ExceptionFrame, Pc, Trust, Walk};

    use super::*;

    fn frame(rip: u64, exception: Option<ExceptionFrame>) -> Frame {
        let registers = Registers::at(rip, 0);
        let (pc, trust) = (Pc::Interrupted(rip), Trust::Exact);
        Frame { pc, sp: 0, cfa: None, registers, trust, stack: None, exception }
    }

    #[test]
    fn of_a_task_that_crashed_the_registers_of_the_fault_are_meant() {
        let fault = ExceptionFrame { address: 0, full: true };
        let frames = || vec![frame(1, None), frame(2, Some(fault)), frame(3, Some(fault))];
        let rip = |origin, frames, stop| {
            let walked = TaskWalk { origin, walk: Walk { frames, stop } };
            meant(&walked).map(|registers| registers.rip)
        };
        assert_eq!(rip(Origin::Crash, frames(), StopReason::Root), Some(2));
        assert_eq!(rip(Origin::Crash, vec![frame(1, None)], StopReason::Root), Some(1));
        assert_eq!(rip(Origin::Sleeping, frames(), StopReason::Root), Some(1));
        assert_eq!(rip(Origin::Running { cpu: 0 }, frames(), StopReason::Root), Some(1));
        let user = StopReason::User(Box::new(Registers::at(4, 0)));
        assert_eq!(rip(Origin::Sleeping, vec![], user), Some(4));
        assert_eq!(rip(Origin::Sleeping, vec![], StopReason::Root), None);
    }
}
