// SPDX-License-Identifier: MIT OR Apache-2.0
//! Boolean dependencies, `(a >= 1 or b)`, as RPM's manual describes them under that name.

use super::capability::{Capability, Relation};
use super::version::Evr;

/// Deepest nesting; packages have two or three.
const MAX_DEPTH: u32 = 16;

/// What a package requires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Need {
    One(Capability),
    /// All of them.
    And(Vec<Self>),
    /// Any of them.
    Or(Vec<Self>),
    /// One package that is all of them.
    With(Vec<Self>),
    /// A package that is the first and not the second.
    Without(Box<[Self; 2]>),
    /// The first where the second is installed, else the third.
    If(Box<Self>, Box<Self>, Option<Box<Self>>),
    /// The first where the second is not installed, else the third.
    Unless(Box<Self>, Box<Self>, Option<Box<Self>>),
}

impl Need {
    /// From a requirement as metadata has it, where a boolean one is the name of a capability.
    pub(super) fn of(required: &Capability) -> Option<Self> {
        if !required.name.starts_with('(') {
            return Some(Self::One(required.clone()));
        }
        let mut parser = Parser { rest: &required.name };
        let need = parser.need(0)?;
        parser.rest.trim().is_empty().then_some(need)
    }
}

struct Parser<'t> {
    rest: &'t str,
}

impl Parser<'_> {
    /// A group in parentheses, or a capability.
    fn need(&mut self, depth: u32) -> Option<Need> {
        self.rest = self.rest.trim_start();
        if depth > MAX_DEPTH {
            return None;
        }
        match self.rest.strip_prefix('(') {
            Some(rest) => {
                self.rest = rest;
                self.group(depth + 1)
            }
            None => Some(Need::One(self.capability()?)),
        }
    }

    /// What is between two parentheses, and the closing one.
    fn group(&mut self, depth: u32) -> Option<Need> {
        let first = self.need(depth)?;
        let mut parts = vec![first];
        let mut kind: Option<String> = None;
        let mut otherwise = None;
        loop {
            self.rest = self.rest.trim_start();
            if let Some(rest) = self.rest.strip_prefix(')') {
                self.rest = rest;
                return combined(kind.as_deref(), parts, otherwise);
            }
            let word = self.word()?;
            let next = self.need(depth)?;
            match word.as_str() {
                "else" => otherwise = Some(Box::new(next)),
                _ if kind.as_ref().is_none_or(|kind| *kind == word) => {
                    kind = Some(word);
                    parts.push(next);
                }
                _ => return None,
            }
        }
    }

    fn capability(&mut self) -> Option<Capability> {
        let name = self.word()?;
        let before = self.rest;
        let relation = self.word().and_then(|word| Relation::signed(&word));
        let Some(relation) = relation else {
            self.rest = before;
            return Some(Capability { name, bound: None });
        };
        Some(Capability { name, bound: Some((relation, Evr::parse(&self.word()?))) })
    }

    /// The next word; names have parentheses of their own (`libc.so.6(64bit)`).
    fn word(&mut self) -> Option<String> {
        self.rest = self.rest.trim_start();
        let mut open = 0_u32;
        let end = self.rest.find(|c: char| match c {
            '(' => {
                open += 1;
                false
            }
            ')' if open == 0 => true,
            ')' => {
                open -= 1;
                false
            }
            _ => c.is_whitespace(),
        });
        let (word, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        (!word.is_empty()).then(|| word.to_owned())
    }
}

fn combined(kind: Option<&str>, parts: Vec<Need>, otherwise: Option<Box<Need>>) -> Option<Need> {
    let pair = |parts: Vec<Need>| <[Need; 2]>::try_from(parts).ok();
    match kind {
        None => parts.into_iter().next(),
        Some("and") => Some(Need::And(parts)),
        Some("or") => Some(Need::Or(parts)),
        Some("with") => Some(Need::With(parts)),
        Some("without") => Some(Need::Without(Box::new(pair(parts)?))),
        Some("if") => {
            let [then, condition] = pair(parts)?;
            Some(Need::If(Box::new(then), Box::new(condition), otherwise))
        }
        Some("unless") => {
            let [then, condition] = pair(parts)?;
            Some(Need::Unless(Box::new(then), Box::new(condition), otherwise))
        }
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn need(text: &str) -> Option<Need> {
        Need::of(&Capability { name: text.to_owned(), bound: None })
    }

    fn one(name: &str) -> Need {
        Need::One(Capability { name: name.to_owned(), bound: None })
    }

    #[test]
    fn groups_are_read_with_names_that_have_parentheses() {
        assert_eq!(
            need("(a or libc.so.6(GLIBC_2.4)(64bit) or (c and d))").unwrap(),
            Need::Or(vec![
                one("a"),
                one("libc.so.6(GLIBC_2.4)(64bit)"),
                Need::And(vec![one("c"), one("d")])
            ])
        );
        let bound = Some((Relation::GreaterOrEqual, Evr::parse("1.2-3")));
        let versioned = Need::One(Capability { name: "a".into(), bound });
        assert_eq!(
            need("(a >= 1.2-3 if b else c)").unwrap(),
            Need::If(Box::new(versioned), Box::new(one("b")), Some(Box::new(one("c"))))
        );
        assert_eq!(need("(a without b)").unwrap(), Need::Without(Box::new([one("a"), one("b")])));
    }

    #[test]
    fn what_is_no_dependency_is_none() {
        for text in ["(", "()", "(a", "(a or", "(a or b and c)", "(a b c)", "(a if b if c)", "(a))"]
        {
            assert_eq!(need(text), None, "{text}");
        }
        assert_eq!(need(&"(".repeat(10_000)), None);
    }
}
