// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a task waits for that waits for no lock.

use iced_x86::Mnemonic;

use crate::express::{Expression, NamedPart};

/// What ends a wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Until {
    /// That somebody completes this completion.
    Completion(Expression),
    /// That nobody has a reference of a network device any more.
    Device {
        /// The device.
        name: Expression,
        /// Its usage count, as the kernel says.
        count: i64,
    },
    /// That a condition holds which the task looks at whenever it is woken.
    Condition(Condition),
}

/// A condition on memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// What is compared.
    pub left: Expression,
    /// The same, for who searches the code.
    pub part: Option<NamedPart>,
    /// How.
    pub relation: Relation,
    /// With what.
    pub right: Right,
    /// What it is in the dump.
    pub is: Option<i64>,
    /// Whether it holds in the dump.
    pub holds: Option<bool>,
    /// Whether nothing more is asked.
    pub is_whole: bool,
}

/// What a value is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Right {
    /// A number.
    Number(i64),
    /// Something else in memory, as C.
    Expression(Expression),
    /// With what it was before.
    Earlier,
}

/// How two numbers are to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// Equal.
    Is,
    /// Not equal.
    IsNot,
    /// Above.
    Above {
        /// As signed numbers.
        signed: bool,
    },
    /// Above or equal.
    AtLeast {
        /// As signed numbers.
        signed: bool,
    },
    /// Below.
    Below {
        /// As signed numbers.
        signed: bool,
    },
    /// Below or equal.
    AtMost {
        /// As signed numbers.
        signed: bool,
    },
    /// One of the bits is set.
    Has,
    /// None of the bits is set.
    HasNot,
}

impl Relation {
    /// That which makes a conditional jump go, or not go, to its target.
    pub(crate) const fn of(jump: Mnemonic, is_taken: bool) -> Option<Self> {
        use Mnemonic as M;
        let taken = match jump {
            M::Je => Self::Is,
            M::Jne => Self::IsNot,
            M::Ja => Self::Above { signed: false },
            M::Jae => Self::AtLeast { signed: false },
            M::Jb => Self::Below { signed: false },
            M::Jbe => Self::AtMost { signed: false },
            M::Jg => Self::Above { signed: true },
            M::Jge | M::Jns => Self::AtLeast { signed: true },
            M::Jl | M::Js => Self::Below { signed: true },
            M::Jle => Self::AtMost { signed: true },
            _ => return None,
        };
        Some(if is_taken { taken } else { taken.opposite() })
    }

    const fn opposite(self) -> Self {
        match self {
            Self::Is => Self::IsNot,
            Self::IsNot => Self::Is,
            Self::Above { signed } => Self::AtMost { signed },
            Self::AtLeast { signed } => Self::Below { signed },
            Self::Below { signed } => Self::AtLeast { signed },
            Self::AtMost { signed } => Self::Above { signed },
            Self::Has => Self::HasNot,
            Self::HasNot => Self::Has,
        }
    }

    /// The same of a test of bits.
    pub(crate) const fn of_bits(self) -> Option<Self> {
        match self {
            Self::Is => Some(Self::HasNot),
            Self::IsNot => Some(Self::Has),
            _ => None,
        }
    }

    /// Whether it holds between two numbers of so many bits.
    pub(crate) fn holds(self, left: i64, right: i64, bits: u32) -> Option<bool> {
        let mask = u64::MAX.checked_shr(64_u32.checked_sub(bits)?)?;
        let plain = |value: i64| value.cast_unsigned() & mask;
        let order = |signed: bool| match signed {
            true => left.cmp(&right),
            false => plain(left).cmp(&plain(right)),
        };
        Some(match self {
            Self::Is => left == right,
            Self::IsNot => left != right,
            Self::Above { signed } => order(signed).is_gt(),
            Self::AtLeast { signed } => order(signed).is_ge(),
            Self::Below { signed } => order(signed).is_lt(),
            Self::AtMost { signed } => order(signed).is_le(),
            Self::Has => left & right != 0,
            Self::HasNot => left & right == 0,
        })
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Is => "is",
            Self::IsNot => "is not",
            Self::Above { .. } => "is above",
            Self::AtLeast { .. } => "is at least",
            Self::Below { .. } => "is below",
            Self::AtMost { .. } => "is at most",
            Self::Has => "has one of the bits",
            Self::HasNot => "has none of the bits",
        }
    }
}

impl Until {
    /// What it is about.
    #[must_use]
    pub const fn subject(&self) -> &Expression {
        match self {
            Self::Completion(completion) => completion,
            Self::Device { name, .. } => name,
            Self::Condition(condition) => &condition.left,
        }
    }

    /// What the task does, behind its name.
    #[must_use]
    pub fn words(&self) -> String {
        let condition = match self {
            Self::Completion(completion) => {
                return format!("waits for completion `{completion}`");
            }
            Self::Device { name, count } => {
                return match *count < 0 {
                    true => format!(
                        "waits for the usage count of net device `{name}` to be that of no reference; it is {count}, \
                         as the kernel says: more were given back than taken"
                    ),
                    false => format!(
                        "waits for the last reference of net device `{name}` to be given back; its usage count is \
                         {count}, as the kernel says"
                    ),
                };
            }
            Self::Condition(condition) => condition,
        };
        let waits = format!("waits until {condition}");
        match (condition.holds, condition.is) {
            (Some(true), _) if condition.is_whole => {
                format!("{waits} (it is by now: nobody woke it)")
            }
            (Some(false), Some(is)) => format!("{waits} (it is {})", number(is)),
            _ => waits,
        }
    }
}

impl std::fmt::Display for Condition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let relation = self.relation.words();
        match (&self.right, self.relation) {
            (Right::Earlier, Relation::IsNot) => write!(f, "`{}` changes", self.left),
            (Right::Earlier, _) => write!(f, "`{}` {relation} what it was", self.left),
            (Right::Number(value), _) => write!(f, "`{}` {relation} {}", self.left, number(*value)),
            (Right::Expression(right), _) => write!(f, "`{}` {relation} `{right}`", self.left),
        }
    }
}

/// A counter, or what looks like flags or an address.
fn number(value: i64) -> String {
    /// Counters are seldom larger.
    const LARGE: u64 = 1 << 24;
    if value.unsigned_abs() < LARGE { value.to_string() } else { format!("{value:#x}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jump_out_of_a_loop_says_what_ends_it() {
        // `test eax, eax; jne loop`: the way out is the one that is not taken.
        assert_eq!(Relation::of(Mnemonic::Jne, false), Some(Relation::Is));
        assert_eq!(Relation::of(Mnemonic::Je, true), Some(Relation::Is));
        assert_eq!(Relation::of(Mnemonic::Jl, false), Some(Relation::AtLeast { signed: true }));
        assert_eq!(Relation::of(Mnemonic::Jmp, true), None);
    }

    #[test]
    fn numbers_are_compared_as_the_jump_does() {
        let above = |signed| Relation::Above { signed }.holds(-1, 1, 32);
        assert_eq!((above(true), above(false)), (Some(false), Some(true)));
        assert_eq!(Relation::Has.holds(0x14, 0x10, 8), Some(true));
        assert_eq!(Relation::HasNot.holds(0x14, 0x10, 8), Some(false));
    }

    #[test]
    fn a_wait_is_said_with_what_the_dump_has() {
        let condition = |is, holds| {
            let left = Expression::name("jobs");
            let (relation, right) = (Relation::Is, Right::Number(0));
            let part = None;
            let condition = Condition { left, part, relation, right, is, holds, is_whole: true };
            Until::Condition(condition).words()
        };
        assert_eq!(condition(Some(-288), Some(false)), "waits until `jobs` is 0 (it is -288)");
        let woken = "waits until `jobs` is 0 (it is by now: nobody woke it)";
        assert_eq!(condition(Some(0), Some(true)), woken);
        assert_eq!(condition(None, None), "waits until `jobs` is 0");
        let done = Until::Completion(Expression::name("done")).words();
        assert_eq!(done, "waits for completion `done`");
    }
}
