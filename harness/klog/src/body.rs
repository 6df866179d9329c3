// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a line of a report says.

use crate::code::{self, CodeBytes};
use crate::cpu::{CpuLine, cpu_line, state_line};
use crate::modules::{self, Modules};
use crate::place::{Frame, Place};
use crate::registers::{self, Register};
use crate::tags;

/// What a line of a report says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// `CPU: 1 PID: 2227 Comm: bash …`.
    Cpu(CpuLine),
    /// `Not tainted 6.1.0 #1`, by itself below a hung task: no CPU, no task.
    Kernel(CpuLine),
    /// `RIP: 0010:f+0x1/0x2`, `IP: [<…>] f+0x1/0x2`.
    Rip {
        /// Where; no name for an address that is no code.
        place: Place,
        /// Whether that is code of user space, by its segment.
        user: bool,
    },
    /// `Code: …` with bytes.
    Code(CodeBytes),
    /// `Code: Bad RIP value.`: there were none to print.
    NoCode,
    /// `RAX: … RBX: …`.
    Registers(Vec<(Register, u64)>),
    /// `Call Trace:`, and what other reports print before one.
    Trace,
    /// One line of a trace.
    Frame(Frame),
    /// A mark behind which the trace goes on with what was interrupted.
    Interrupted(Option<Frame>),
    /// `Modules linked in: …`.
    Modules(Modules),
    /// Words of the stack (`Stack:` and the lines below it, up to 4.9), lowest address first.
    Words(Vec<u64>),
    /// `Oops: 0010 [#1]`, `invalid opcode: 0000 [#1]`.
    Die {
        /// The error code that the processor gave.
        error_code: u64,
        /// Number of the oops since boot.
        count: u32,
    },
    /// `Kernel Offset: 0x1ec00000 from 0xffffffff81000000 …`: what KASLR added.
    KernelOffset(u64),
    /// `---[ end trace … ]---`, `---[ end Kernel panic … ]---`.
    End,
    /// Anything else.
    Other,
}

impl Body {
    /// Reads a line without what stands before the kernel's words.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let (is_interrupted, rest) = tags::without(text);
        if is_interrupted {
            return Self::Interrupted(Frame::parse(rest));
        }
        Self::labelled(rest)
            .or_else(|| die_line(rest).map(|(error_code, count)| Self::Die { error_code, count }))
            .or_else(|| words(rest).map(Self::Words))
            .or_else(|| Frame::parse(rest).map(Self::Frame))
            .unwrap_or(Self::Other)
    }

    /// A line that says by its first words what it is.
    fn labelled(text: &str) -> Option<Self> {
        let rip = || text.strip_prefix("RIP: ").or_else(|| text.strip_prefix("RIP  "));
        if let Some(rest) = rip().or_else(|| text.strip_prefix("IP: ")) {
            return rip_line(rest);
        }
        if text.starts_with("---[ end ") {
            return Some(Self::End);
        }
        if ["Call Trace:", "stack backtrace:", "Backtrace:"].iter().any(|it| text.starts_with(it)) {
            let behind = text.split_once(':').map_or("", |(_, behind)| behind);
            // In some logs the first line of the trace stands on the same line.
            return Some(match tags::without(behind) {
                (true, rest) => Self::Interrupted(Frame::parse(rest)),
                (false, _) => Self::Trace,
            });
        }
        if let Some(rest) = text.strip_prefix("Kernel Offset: ") {
            let word = rest.split(' ').next()?.strip_prefix("0x")?;
            return u64::from_str_radix(word, 16).ok().map(Self::KernelOffset);
        }
        if let Some(rest) = text.strip_prefix("Stack:") {
            return words(rest).map(Self::Words);
        }
        modules::parse(text)
            .map(Self::Modules)
            .or_else(|| code::parse(text).map(Self::Code))
            .or_else(|| text.starts_with("Code:").then_some(Self::NoCode))
            .or_else(|| state_line(text).map(Self::Kernel))
            .or_else(|| cpu_line(text).map(Self::Cpu))
            .or_else(|| registers::parse(text).map(Self::Registers))
    }
}

/// `0010:f+0x1/0x2`, `0010:[<…>]  [<…>] f+0x1/0x2`, `[<…>] f+0x1/0x2`, `0033:0x47b7a0`.
fn rip_line(rest: &str) -> Option<Body> {
    let (segment, place) = match rest.split_once(':') {
        Some((segment, place)) if segment.len() == 4 => {
            (u16::from_str_radix(segment, 16).ok(), place)
        }
        _ => (None, rest),
    };
    let place = place.split(" RSP: ").next()?;
    // The two lowest bits are the privilege level.
    let user = segment.is_some_and(|segment| segment & 3 == 3);
    Some(Body::Rip { place: Place::parse(place)?, user })
}

/// Error code and count of a line that `__die()` printed: `Oops: 0010 [#1] PREEMPT SMP`,
/// `invalid opcode: 0000 [#1] SMP`, since 6.12 `Oops: divide error: 0000 [#1] SMP`.
#[must_use]
pub fn die_line(text: &str) -> Option<(u64, u32)> {
    // Few lines have the letter, and to look for it alone is quick.
    memchr::memchr(b'#', text.as_bytes())?;
    let (before, after) = text.split_once(" [#")?;
    let (_, code) = before.rsplit_once(": ")?;
    let is_code = code.len() >= 4 && code.bytes().all(|byte| byte.is_ascii_hexdigit());
    let (count, _) = after.split_once(']')?;
    Some((is_code.then(|| u64::from_str_radix(code, 16).ok())??, count.parse().ok()?))
}

/// ` ffff88003d9c7e58 ffffffff8a0d1c44 …`: words of a stack, at least two.
fn words(text: &str) -> Option<Vec<u64>> {
    let word = |word: &str| match word {
        "(null)" => Some(0),
        _ if word.len() == 16 => u64::from_str_radix(word, 16).ok(),
        _ => None,
    };
    let words = crate::words::words(text).map(word).collect::<Option<Vec<u64>>>()?;
    (words.len() > 1).then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_of_an_oops_are_told_apart() {
        let rip = |text| match Body::parse(text) {
            Body::Rip { place, user } => (place.symbol.map(|symbol| symbol.name), user),
            other => panic!("{other:?}"),
        };
        assert_eq!(rip("RIP: 0010:f+0x1/0x2 [m]"), (Some("f".to_owned()), false));
        assert_eq!(
            rip("RIP: 0010:[<ffffffff9e8a5a56>]  [<ffffffff9e8a5a56>] f+0x1/0x2").0.as_deref(),
            Some("f")
        );
        assert_eq!(rip("RIP  [<ffffffff9e8a5a56>] f+0x1/0x2").0.as_deref(), Some("f"));
        assert_eq!(rip("IP: [<          (null)>]           (null)"), (None, false));
        assert_eq!(rip("IP: f+0x1/0x2").0.as_deref(), Some("f"));
        assert_eq!(rip("RIP: 0033:0x47b7a0"), (None, true));
        assert_eq!(rip("RIP: 0010:0x0"), (None, false));
        assert_eq!(Body::parse("Call Trace:"), Body::Trace);
        assert_eq!(Body::parse(" <TASK>"), Body::Other);
        assert_eq!(Body::parse(" </IRQ>"), Body::Interrupted(None));
        assert!(matches!(Body::parse("Call Trace: <EOI> f+0x1/0x2"), Body::Interrupted(Some(_))));
        assert_eq!(Body::parse("---[ end trace 0000000000000000 ]---"), Body::End);
        assert_eq!(Body::parse("Oops: 0010 [#1] SMP "), Body::Die { error_code: 0x10, count: 1 });
        let offset = "Kernel Offset: 0x1ec00000 from 0xffffffff81000000 (relocation range: x)";
        assert_eq!(Body::parse(offset), Body::KernelOffset(0x1ec0_0000));
        let words = "Stack: ffff97c7df29ae28           (null) ffffffff9e8a5a56";
        assert_eq!(
            Body::parse(words),
            Body::Words(vec![0xffff_97c7_df29_ae28, 0, 0xffff_ffff_9e8a_5a56])
        );
        for other in ["PGD 0 P4D 0", "#PF: error_code(0x0010)", "Hardware name: QEMU", "", "Stack:"]
        {
            assert_eq!(Body::parse(other), Body::Other, "{other}");
        }
    }
}
