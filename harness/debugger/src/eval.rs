// SPDX-License-Identifier: MIT OR Apache-2.0
//! `eval`: a number in several notations.

use serde::Serialize;

use super::{Arguments, Command, CommandError, Flag, Reply, Session, Text, Words};

/// The command.
pub(super) const COMMAND: Command = Command {
    name: "eval",
    summary: "a number, or two with + - * / % & | ^ << >> between them, in several notations",
    usage: "[-b] [~]NUMBER|SYMBOL|$REGISTER [OPERATOR NUMBER|SYMBOL|$REGISTER]",
    options: &[Flag::switch("b", "with the numbers of the bits that are set")],
    rules: &[],
    words: Words::Expression,
    run,
};

/// Operators, longer ones first.
const OPERATORS: [&str; 10] = ["<<", ">>", "+", "-", "*", "/", "%", "&", "|", "^"];
/// Letters behind a number that multiply it.
const UNITS: [(char, u32); 3] = [('k', 10), ('m', 20), ('g', 30)];

#[derive(Debug, Serialize)]
struct Value {
    hexadecimal: String,
    decimal: u64,
    signed: i64,
    octal: String,
    binary: String,
    bits: Option<Vec<u32>>,
}

fn run(session: &mut Session<'_, '_>, arguments: &Arguments) -> Result<Reply, CommandError> {
    let text = arguments.rest.trim().trim_start_matches('(').trim_end_matches(')').trim();
    let named = |name: &str| match name.strip_prefix('$') {
        Some(register) => session.register(register).ok(),
        None => session.symbol(name),
    };
    let value = evaluate(text, &named)?;
    let bits = (0..64).rev().filter(|bit| value >> bit & 1 == 1).collect();
    Ok(Reply::new(Value {
        hexadecimal: format!("{value:x}"),
        decimal: value,
        signed: value.cast_signed(),
        octal: format!("{value:o}"),
        binary: format!("{value:064b}"),
        bits: arguments.has("b").then_some(bits),
    }))
}

fn evaluate(text: &str, symbols: &dyn Fn(&str) -> Option<u64>) -> Result<u64, CommandError> {
    // An operator stands behind the first operand, which may begin with a sign.
    let begin = text.char_indices().nth(1).map_or(text.len(), |(index, _)| index);
    for operator in OPERATORS {
        if let Some(place) = text[begin..].find(operator) {
            let (left, right) = text.split_at(begin + place);
            let left = operand(left.trim(), symbols)?;
            let right = operand(right[operator.len()..].trim(), symbols)?;
            return apply(left, operator, right);
        }
    }
    operand(text, symbols)
}

fn apply(left: u64, operator: &str, right: u64) -> Result<u64, CommandError> {
    let by_zero = || CommandError::nothing("division by zero");
    let shift = u32::try_from(right).unwrap_or(u32::MAX);
    Ok(match operator {
        "+" => left.wrapping_add(right),
        "-" => left.wrapping_sub(right),
        "*" => left.wrapping_mul(right),
        "/" => left.checked_div(right).ok_or_else(by_zero)?,
        "%" => left.checked_rem(right).ok_or_else(by_zero)?,
        "&" => left & right,
        "|" => left | right,
        "^" => left ^ right,
        "<<" => left.checked_shl(shift).unwrap_or(0),
        _ => left.checked_shr(shift).unwrap_or(0),
    })
}

/// A number is decimal unless it begins with `0x` or holds one of the letters a to f.
fn operand(text: &str, symbols: &dyn Fn(&str) -> Option<u64>) -> Result<u64, CommandError> {
    if let Some(rest) = text.strip_prefix('~') {
        return operand(rest.trim_start(), symbols).map(|value| !value);
    }
    if let Some(rest) = text.strip_prefix('-') {
        return operand(rest.trim_start(), symbols).map(u64::wrapping_neg);
    }
    let unit = UNITS.iter().find(|(letter, _)| text.to_ascii_lowercase().ends_with(*letter));
    if let Some((_, shift)) = unit
        && let Ok(value) = text[..text.len() - 1].parse::<u64>()
    {
        return Ok(value.saturating_mul(1 << shift));
    }
    let digits = text.strip_prefix("0x");
    let number = match digits {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    };
    number
        .or_else(|| symbols(text))
        .or_else(|| u64::from_str_radix(text, 16).ok())
        .ok_or_else(|| CommandError::usage(format!("`{text}` is no number and no symbol")))
}

impl Text for Value {
    fn text(&self) -> String {
        let Self { hexadecimal, decimal, octal, binary, signed, .. } = self;
        let sign = if *signed < 0 { format!("  ({signed})") } else { String::new() };
        let mut out = format!(
            "hexadecimal: {hexadecimal}\n    decimal: {decimal}{sign}\n      octal: {octal}\n     binary: {binary}\n"
        );
        if let Some(bits) = &self.bits {
            let bits: Vec<String> = bits.iter().map(ToString::to_string).collect();
            out.push_str(&format!("   bits set: {}\n", bits.join(" ")));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_operators_are_those_of_c() {
        let value = |text| evaluate(text, &|name| (name == "jiffies").then_some(7)).unwrap();
        assert_eq!(value("128m"), 128 << 20);
        assert_eq!(value("0x10 + 16"), 32);
        assert_eq!(value("1 << 12"), 4096);
        assert_eq!(value("-1"), u64::MAX);
        assert_eq!(value("~0"), u64::MAX);
        assert_eq!(value("ffffffff81000000 - ffffffff80000000"), 0x100_0000);
        assert_eq!(value("jiffies*2"), 14);
        assert!(evaluate("1/0", &|_| None).is_err());
        assert!(evaluate("nothing", &|_| None).is_err());
        assert!(evaluate("", &|_| None).is_err());
    }
}
