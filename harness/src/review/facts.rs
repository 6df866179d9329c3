// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a change of the form cannot change: what the kernel and the dump say of the crash, and
//! whom the verdict names. Two reports in which all of this is the same are of the same crash.
//!
//! Read from the data as it was written, not by way of the report's own type: a report of another
//! form may have other fields and other kinds. docs/your-module.md has the table.

use std::fmt;

use analyzer::report::Trust;
use serde::{Deserialize, Serialize};

use super::Form;
use super::frames::{self, Frame};
use super::line::Line;

/// One thing that two reports of the same crash have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fact {
    /// The kind of machine, and the kernel's taint.
    Kernel,
    /// Whether the dump is complete.
    Dump,
    /// The kernel's own words.
    Message,
    /// The task that crashed.
    Task,
    /// Modules from outside of the kernel's tree, with state and taint, in their order.
    Modules,
    /// The verdict's kind.
    Kind,
    /// Whom the verdict names: function, what it was inlined into, module, file and line.
    Culprit,
    /// What had the bad value.
    Expression,
    /// The stack from the fault on.
    FaultStack,
    /// The stack from where the capture kernel was entered.
    PanicStack,
}

impl Fact {
    /// All of them, the gravest first.
    pub const ALL: [Self; 10] = [
        Self::Kind,
        Self::Culprit,
        Self::Expression,
        Self::Message,
        Self::Task,
        Self::FaultStack,
        Self::PanicStack,
        Self::Modules,
        Self::Kernel,
        Self::Dump,
    ];

    /// What it is called in words and in docs/your-module.md.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kernel => "machine and taint",
            Self::Dump => "completeness of the dump",
            Self::Message => "the kernel's message",
            Self::Task => "the crashed task",
            Self::Modules => "the modules",
            Self::Kind => "the kind",
            Self::Culprit => "the culprit",
            Self::Expression => "the bad expression",
            Self::FaultStack => "the stack of the fault",
            Self::PanicStack => "the panic path",
        }
    }
}

/// A fact that is another one now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// Which.
    pub fact: Fact,
    /// What the reviewed report has, as its data has it.
    pub old: String,
    /// What the new one has.
    pub new: String,
}

impl fmt::Display for Moved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} is now {}", self.fact.name(), self.old, self.new)
    }
}

/// The facts of a report.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Facts {
    kernel: Kernel,
    dump: Dump,
    panic: Panic,
    task: Option<Task>,
    verdict: Verdict,
    backtraces: Backtraces,
    modules: Vec<Module>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
struct Kernel {
    machine: Option<String>,
    taint: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Dump {
    complete: Option<bool>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Panic {
    message: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Task {
    comm: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Verdict {
    kind: String,
    culprit: Option<Culprit>,
    expression: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Culprit {
    function: Option<String>,
    inlined_into: Vec<String>,
    module: Option<String>,
    file: Option<String>,
    #[serde(flatten)]
    line: Line,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Module {
    name: String,
    taint: Option<String>,
    state: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Backtraces {
    fault: Vec<Frame>,
    panic: Vec<Frame>,
}

impl Facts {
    /// Those of a report's data.
    pub(super) fn read(json: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(json)
    }

    /// What is not the same in a report of a later form, of which `self` is of the form `from`.
    pub(super) fn moved(&self, new: &Self, from: Form) -> Vec<Moved> {
        let moved = Fact::ALL.into_iter().filter_map(|fact| {
            let (old, new) = self.words(new, fact, from)?;
            Some(Moved { fact, old, new })
        });
        moved.collect()
    }

    /// Both values of a fact in words; `None` where they are the same.
    fn words(&self, new: &Self, fact: Fact, from: Form) -> Option<(String, String)> {
        match fact {
            Fact::Kernel => differing(&self.kernel, &new.kernel),
            Fact::Dump => differing(&self.dump.complete, &new.dump.complete),
            Fact::Message => differing(&self.panic.message, &new.panic.message),
            Fact::Task => differing(&self.comm(), &new.comm()),
            Fact::Modules => {
                let words = |facts: &Self| match facts.modules.as_slice() {
                    [] => nothing(),
                    all => all.iter().map(Module::words).collect::<Vec<_>>().join(", "),
                };
                (self.modules != new.modules).then(|| (words(self), words(new)))
            }
            Fact::Kind => differing(&self.verdict.kind, &new.verdict.kind),
            Fact::Culprit => {
                let (old, new) = (&self.verdict.culprit, &new.verdict.culprit);
                let words = |it: &Option<Culprit>| it.as_ref().map_or_else(nothing, Culprit::words);
                let same = match (old, new) {
                    (Some(old), Some(new)) => old.may_be(new),
                    (old, new) => old == new,
                };
                (!same).then(|| (words(old), words(new)))
            }
            Fact::Expression => differing(&self.verdict.expression, &new.verdict.expression),
            Fact::FaultStack => {
                frames::departure(&self.backtraces.fault, &new.backtraces.fault, is_later(from))
            }
            Fact::PanicStack => {
                frames::departure(&self.backtraces.panic, &new.backtraces.panic, is_later(from))
            }
        }
    }

    /// No task and a task without a name are two things.
    fn comm(&self) -> Option<Option<&str>> {
        self.task.as_ref().map(|task| task.comm.as_deref())
    }
}

impl Culprit {
    /// Whether it may be the same one in a report of a later form.
    fn may_be(&self, new: &Self) -> bool {
        let same_line = self.line == new.line || self.line != Line::default();
        same_line
            && self.line.may_be(&new.line)
            && Self { line: Line::default(), ..self.clone() }
                == Self { line: Line::default(), ..new.clone() }
    }

    /// As in `a [m] at m.c:7, inlined into b`.
    fn words(&self) -> String {
        let some = |part: &Option<String>| part.clone().unwrap_or_else(|| "?".to_owned());
        let module = self.module.as_ref().map(|module| format!(" [{module}]")).unwrap_or_default();
        let mut words = format!("`{}{module}` at {}", some(&self.function), some(&self.file));
        words.extend(self.line.words());
        words.extend(self.inlined_into.iter().map(|into| format!(", inlined into `{into}`")));
        words
    }
}

impl Module {
    /// As in `m (live, OE)`.
    fn words(&self) -> String {
        let known = [&self.state, &self.taint].into_iter().flatten().cloned();
        format!("{} ({})", self.name, known.collect::<Vec<_>>().join(", "))
    }
}

/// Whether frames of a trust came only after a form.
fn is_later(from: Form) -> impl Fn(Trust) -> bool {
    move |trust| Form(trust.since()) > from
}

fn differing<T: PartialEq + Serialize>(old: &T, new: &T) -> Option<(String, String)> {
    (old != new).then(|| (word(old), word(new)))
}

/// A value as the data has it.
fn word<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::Null) | Err(_) => nothing(),
        Ok(value) => value.to_string(),
    }
}

fn nothing() -> String {
    "nothing".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::review::sample;
    use serde_json::{Value, json};

    fn moved(old: &Value, new: &Value) -> Vec<Fact> {
        let facts = |value: &Value| Facts::read(&value.to_string()).unwrap();
        let moved = facts(old).moved(&facts(new), Form::FIRST);
        moved.into_iter().map(|moved| moved.fact).collect()
    }

    /// Which fact the value at a place of the data belongs to.
    fn fact_at(path: &str) -> Option<Fact> {
        let parts: Vec<&str> = path.split('/').skip(1).collect();
        match parts[..] {
            ["kernel", "machine" | "taint"] => Some(Fact::Kernel),
            ["dump", "complete"] => Some(Fact::Dump),
            ["panic", "message"] => Some(Fact::Message),
            ["task", "comm"] => Some(Fact::Task),
            ["modules", _, "name" | "taint" | "state"] => Some(Fact::Modules),
            ["verdict", "kind"] => Some(Fact::Kind),
            ["verdict", "culprit", ..] => Some(Fact::Culprit),
            ["verdict", "expression"] => Some(Fact::Expression),
            ["backtraces", stack, _, "function" | "symbol" | "address" | "module" | "file"]
            | ["backtraces", stack, _, "line" | "source" | "inlined"]
            | ["backtraces", stack, _, "repeats", "frames"] => {
                Some(if stack == "fault" { Fact::FaultStack } else { Fact::PanicStack })
            }
            _ => None,
        }
    }

    /// The places of all values that hold no others.
    fn leaves(value: &Value, path: &str, all: &mut Vec<String>) {
        match value {
            Value::Object(map) if !map.is_empty() => {
                map.iter().for_each(|(key, value)| leaves(value, &format!("{path}/{key}"), all));
            }
            Value::Array(list) if !list.is_empty() => {
                let numbered = list.iter().enumerate();
                numbered.for_each(|(at, value)| leaves(value, &format!("{path}/{at}"), all));
            }
            _ => all.push(path.to_owned()),
        }
    }

    fn other(value: &Value) -> Value {
        match value {
            Value::String(text) => json!(format!("{text}x")),
            Value::Number(number) => json!(number.as_u64().unwrap() + 1),
            Value::Bool(is) => json!(!is),
            other => panic!("the sample has a value of each field: {other}"),
        }
    }

    /// Each value of a whole report is changed, and where there may be none, taken away.
    #[test]
    fn each_fact_that_is_another_makes_it_another_crash_and_nothing_else_does() {
        let old = sample::report();
        let mut paths = Vec::new();
        leaves(&old, "", &mut paths);
        let mut seen = Vec::new();
        for path in &paths {
            let expected: Vec<Fact> = fact_at(path).into_iter().collect();
            let mut new = old.clone();
            *new.pointer_mut(path).unwrap() = other(old.pointer(path).unwrap());
            assert_eq!(moved(&old, &new), expected, "{path} is another");
            *new.pointer_mut(path).unwrap() = Value::Null;
            let nothing = |report: &Value| Facts::read(&report.to_string()).ok();
            if let Some((facts, was)) = nothing(&new).zip(nothing(&old)) {
                let gone: Vec<Fact> =
                    was.moved(&facts, Form::FIRST).iter().map(|moved| moved.fact).collect();
                assert_eq!(gone, expected, "{path} is gone");
            }
            seen.extend(expected);
        }
        for fact in Fact::ALL {
            assert!(seen.contains(&fact), "{fact:?} is in no field of the sample");
        }
    }

    #[test]
    fn what_came_or_went_as_a_whole_makes_it_another_crash() {
        let report = sample::report();
        for (path, fact) in [
            ("/task", Fact::Task),
            ("/verdict/culprit", Fact::Culprit),
            ("/verdict/expression", Fact::Expression),
            ("/panic/message", Fact::Message),
        ] {
            let mut without = report.clone();
            *without.pointer_mut(path).unwrap() = Value::Null;
            assert_eq!(moved(&report, &without), [fact]);
            assert_eq!(moved(&without, &report), [fact], "an older form that did not know it");
        }
        let mut without = report.clone();
        without["modules"].as_array_mut().unwrap().clear();
        assert_eq!(moved(&report, &without), [Fact::Modules]);
        assert_eq!(moved(&without, &report), [Fact::Modules]);
    }

    #[test]
    fn what_is_no_report_has_no_facts() {
        for text in ["", "{}", "[]", "null", r#"{"kernel": {}, "dump": {}, "panic": {}}"#] {
            assert!(Facts::read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn fields_and_kinds_of_another_form_do_not_hinder() {
        let (mut old, mut new) = (sample::report(), sample::report());
        old["verdict"]["kind"] = json!("a-kind-that-is-gone");
        new["verdict"]["kind"] = json!("a-kind-that-is-gone");
        new["verdict"]["seen_by"] = json!(["a new field"]);
        assert_eq!(moved(&old, &new), []);
    }

    #[test]
    fn the_document_has_each_fact_in_this_order() {
        let document = include_str!("../../../docs/your-module.md");
        let (_, table) = document.split_once("| fact | the same means |\n|---|---|\n").unwrap();
        let rows = table.lines().take_while(|line| line.starts_with('|'));
        let names: Vec<_> = rows.filter_map(|row| row.split('|').nth(1)).map(str::trim).collect();
        assert_eq!(names, Fact::ALL.map(Fact::name));
    }

    #[test]
    fn a_moved_fact_is_told_with_both_values() {
        let mut new = sample::report();
        new["panic"]["message"] = Value::Null;
        new["verdict"]["culprit"]["line"] = json!(9);
        new["modules"] = json!([]);
        let facts = |value: &Value| Facts::read(&value.to_string()).unwrap();
        let moved = facts(&sample::report()).moved(&facts(&new), Form::FIRST);
        let words: Vec<String> = moved.iter().map(ToString::to_string).collect();
        assert_eq!(
            words,
            [
                "the culprit: `a [m]` at m.c:7, inlined into `b` is now `a [m]` at m.c:9, inlined \
                 into `b`",
                "the kernel's message: \"BUG: a message\" is now nothing",
                "the modules: m (live, OE) is now nothing",
            ]
        );
    }
}
