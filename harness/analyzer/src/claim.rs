// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sentences about addresses, written once and printed in two ways.
//!
//! A report for people shows addresses as they are; one for snapshots must be the same after
//! another boot. So a claim keeps its addresses apart from its words until it is printed.

use crate::report::{Culprit, Evidence};
use crate::source_line::SourceLine;

/// A piece of a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Words.
    Text(String),
    /// An address of code.
    Code(u64),
    /// An address of data, or a value that may be one.
    Data(u64),
    /// A line of a module's source.
    Line(SourceLine),
    /// Words that another boot changes: the stable form does not have them.
    Volatile(String),
}

/// A sentence about the dump and whether the dump bears it out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The sentence.
    pub parts: Vec<Part>,
    /// Whether the dump confirms it; `None` where it cannot be checked.
    pub confirmed: Option<bool>,
}

impl Claim {
    /// A claim without words yet.
    pub fn new(confirmed: Option<bool>) -> Self {
        Self { parts: Vec::new(), confirmed }
    }

    /// Adds words.
    #[must_use]
    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.parts.push(Part::Text(text.into()));
        self
    }

    /// Adds words that the stable form does not have.
    #[must_use]
    pub fn volatile(mut self, text: impl Into<String>) -> Self {
        self.parts.push(Part::Volatile(text.into()));
        self
    }

    /// Adds another claim, which this one is then as true as.
    #[must_use]
    pub fn with(mut self, other: &Self) -> Self {
        self.parts.extend(other.parts.iter().cloned());
        self.confirmed = match (self.confirmed, other.confirmed) {
            (Some(true), Some(true)) => Some(true),
            (Some(false), _) | (_, Some(false)) => Some(false),
            _ => None,
        };
        self
    }

    /// Adds an address of code.
    #[must_use]
    pub fn code(mut self, address: u64) -> Self {
        self.parts.push(Part::Code(address));
        self
    }

    /// Adds a line of a module's source.
    #[must_use]
    pub fn line(mut self, line: &SourceLine) -> Self {
        self.parts.push(Part::Line(line.clone()));
        self
    }

    /// Adds where it is in a module's source, if that is known.
    #[must_use]
    pub fn at(self, line: Option<&SourceLine>) -> Self {
        match line {
            Some(line) => self.text(" at `").line(line).text("`"),
            None => self,
        }
    }

    /// Adds an address of data or a value.
    #[must_use]
    pub fn data(mut self, value: u64) -> Self {
        self.parts.push(Part::Data(value));
        self
    }
}

/// Prints the addresses of a report.
pub trait Addresses {
    /// An address of code.
    fn code(&mut self, address: u64) -> String;
    /// An address of data, or a value that may be one.
    fn data(&mut self, value: u64) -> String;
    /// A program counter in a field of its own; `None` leaves the field null.
    fn field(&mut self, address: u64) -> Option<String>;
    /// Whether what differs between boots (times, pids, versions) is left out.
    fn is_stable(&self) -> bool;

    /// A line of a module's source.
    fn line(&self, line: &SourceLine) -> String {
        if self.is_stable() { line.quoted() } else { line.numbered() }
    }

    /// The code at fault; its line by what names it.
    fn culprit(&self, culprit: Culprit) -> Culprit {
        let line = culprit.line.filter(|_| !self.is_stable() || culprit.source.is_none());
        Culprit { line, ..culprit }
    }

    /// A claim as evidence.
    fn evidence(&mut self, claim: &Claim) -> Evidence {
        let mut text = String::new();
        for part in &claim.parts {
            match part {
                Part::Text(words) => text.push_str(words),
                Part::Code(address) => text.push_str(&self.code(*address)),
                Part::Data(value) => text.push_str(&self.data(*value)),
                Part::Line(line) => text.push_str(&self.line(line)),
                Part::Volatile(words) if !self.is_stable() => text.push_str(words),
                Part::Volatile(_) => {}
            }
        }
        Evidence { claim: text, confirmed: claim.confirmed }
    }
}
