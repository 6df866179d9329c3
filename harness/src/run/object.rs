// SPDX-License-Identifier: MIT OR Apache-2.0
//! The object that held the bad value, as gdb prints it.

use analyzer::machine::Machine;
use analyzer::values::{Evaluator, Limits, Style, Tree};

use crate::run::outcome::Object;

/// Longer objects are cut around the bad member.
const MOST_LINES: usize = 60;

/// The object that an expression's last member is in, and where it lies. Expressions over locals
/// have none: a frame that is gone cannot be asked.
pub(super) fn of(machine: &Machine<'_>, expression: &str) -> Option<(Object, Option<u64>)> {
    let (object, member) = split(expression)?;
    let value = Evaluator::new(machine).evaluate(&object).ok()?;
    let tree = Tree::read(machine, &value, Limits::default());
    let bad = tree.line_of(member)?;
    // The bad member is marked by who shows it: marks of others beside it would say that they are bad.
    let text = format!("{object} = {}", tree.text(Style { unmarked: true, ..Style::default() }));
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let from = bad.saturating_sub(MOST_LINES / 2);
    let lines: Vec<String> = lines.into_iter().skip(from).take(MOST_LINES).collect();
    let bad = u32::try_from(bad - from).ok()?;
    Some((Object { expression: object, lines, bad }, value.address()))
}

/// `a->b->c` is the member `c` of `*a->b`, `a.b` the member `b` of `a`.
fn split(expression: &str) -> Option<(String, &str)> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_->.".contains(c);
    if !expression.chars().all(plain)
        || !expression.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
    {
        return None;
    }
    let arrow = expression.rfind("->").map(|at| (at, 2, "*"));
    let dot = expression.rfind('.').map(|at| (at, 1, ""));
    let (at, length, star) = arrow.max(dot)?;
    let (object, member) = (expression.get(..at)?, expression.get(at + length..)?);
    (!object.is_empty() && !member.is_empty()).then(|| (format!("{star}{object}"), member))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_member_is_the_bad_one() {
        assert_eq!(split("ops->get"), Some(("*ops".into(), "get")));
        assert_eq!(split("a->b.c"), Some(("a->b".into(), "c")));
        assert_eq!(split("a.b->c"), Some(("*a.b".into(), "c")));
        for without in ["ops", "0", "*(u64 *)x->y", "f(x)->y", "->x"] {
            assert_eq!(split(without), None, "{without}");
        }
    }
}
