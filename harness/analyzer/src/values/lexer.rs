// SPDX-License-Identifier: MIT OR Apache-2.0
//! Splits an expression into words and operators.

use super::{Error, number};

/// Characters of an expression; nobody types more.
const MAX_LENGTH: usize = 4096;
/// Words and operators of an expression. Bounds the recursion of everything behind.
const MAX_TOKENS: usize = 200;

/// Operators and brackets, longer ones before those they begin with.
const OPERATORS: [&str; 29] = [
    "->", "<<", ">>", "<=", ">=", "==", "!=", "&&", "||", "(", ")", "[", "]", ".", "+", "-", "*",
    "/", "%", "&", "|", "^", "~", "!", "<", ">", ":", "@", ",",
];

/// A word or operator, and its column from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) column: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// Value, size and sign of a number.
    Number(u64, u64, bool),
    Word(String),
    Operator(&'static str),
}

/// Splits the text.
pub(super) fn split(text: &str) -> Result<Vec<Token>, Error> {
    if text.len() > MAX_LENGTH {
        return Err(Error::TooMuch("long"));
    }
    let mut tokens = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        let place = text.len().saturating_sub(rest.len());
        let column = text.get(..place).map_or(0, |before| before.chars().count()).saturating_add(1);
        let syntax = |message: &str| Error::Syntax {
            message: message.to_owned(),
            column,
            text: text.to_owned(),
        };
        let Some(first) = rest.chars().next() else { return Ok(tokens) };
        let (kind, after) = if first.is_ascii_digit() || first == '_' || first.is_alphabetic() {
            let (word, after) = word(rest);
            (of_word(word, first).ok_or_else(|| syntax("this is no number"))?, after)
        } else if let Some(inner) = rest.strip_prefix('\'') {
            let (value, after) = character(inner).ok_or_else(|| syntax("this is no character"))?;
            (Kind::Number(value, 4, true), after)
        } else {
            let operator = OPERATORS.iter().find(|operator| rest.starts_with(**operator));
            let operator =
                operator.ok_or_else(|| syntax("this character means nothing in an expression"))?;
            (Kind::Operator(operator), rest.get(operator.len()..).unwrap_or_default())
        };
        if tokens.len() == MAX_TOKENS {
            return Err(Error::TooMuch("long"));
        }
        tokens.push(Token { kind, column });
        rest = after;
    }
}

fn word(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| c != '_' && !c.is_alphanumeric()).unwrap_or(text.len());
    text.split_at(end)
}

fn of_word(word: &str, first: char) -> Option<Kind> {
    if !first.is_ascii_digit() {
        return Some(Kind::Word(word.to_owned()));
    }
    let (value, size, signed) = number::literal(word)?;
    Some(Kind::Number(value, size, signed))
}

/// The character before the closing quote, and what follows it.
fn character(text: &str) -> Option<(u64, &str)> {
    let mut characters = text.chars();
    let value = match characters.next()? {
        '\\' => match characters.next()? {
            'n' => 10,
            't' => 9,
            'r' => 13,
            '0' => 0,
            other => u64::from(u32::from(other)),
        },
        '\'' => return None,
        other => u64::from(u32::from(other)),
    };
    Some((value, characters.as_str().strip_prefix('\'')?))
}
