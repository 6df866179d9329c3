// SPDX-License-Identifier: MIT OR Apache-2.0
//! `[expect]`: what a crash must be, in terms that survive a rebuild and a new boot.

use std::fmt;

use analyzer::report::{Confidence, CrashKind, Frame};
use protocol::ExecPath;
use serde::de::{Deserializer, Error as _};
use serde::{Deserialize, Serialize, Serializer};

/// What must happen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Expectation {
    /// How the run ends.
    pub outcome: Outcome,
    /// Kind of the verdict.
    pub kind: Option<CrashKind>,
    /// The C expression that held the bad value.
    pub expression: Option<String>,
    /// How sure the verdict is.
    pub confidence: Option<Confidence>,
    /// Title of the verdict.
    pub title: Option<String>,
    /// Words of the kernel's own message.
    pub message: Option<String>,
    /// Command name of the crashed task.
    pub comm: Option<String>,
    /// The way to execute a program that the trigger was at (`trigger.exec-paths`).
    pub exec_path: Option<ExecPath>,
    /// The code at fault.
    pub culprit: Option<CulpritExpectation>,
    /// Words of complaints that a kernel which survives may print.
    #[serde(default)]
    pub allow: Vec<String>,
    /// Whether the modules of a kernel that survives can be unloaded.
    #[serde(default = "yes")]
    pub unload: bool,
    /// How often repeated runs have to come out so, above 0 and at most 1, where it is not each time:
    /// their rate must not be provably below.
    #[serde(default, deserialize_with = "some_rate")]
    pub rate: Option<f64>,
    /// Whether the marked line is the one that the verdict has to name; not where nothing in a
    /// dump can tell it (the text of a module that was removed).
    #[serde(default = "yes")]
    pub marked_line: bool,
    /// The fault view, innermost frame first.
    #[serde(default)]
    pub frames: Vec<FramePattern>,
}

const fn yes() -> bool {
    true
}

fn some_rate<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    let rate = f64::deserialize(deserializer)?;
    if rate > 0.0 && rate <= 1.0 {
        return Ok(Some(rate));
    }
    Err(D::Error::custom(format!("`{rate}` is not above 0 and at most 1")))
}

/// Expectations of one guest; what is absent stays as it is for all guests.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PartialExpectation {
    /// See [`Expectation::outcome`].
    pub outcome: Option<Outcome>,
    /// See [`Expectation::kind`].
    pub kind: Option<CrashKind>,
    /// See [`Expectation::expression`].
    pub expression: Option<String>,
    /// See [`Expectation::confidence`].
    pub confidence: Option<Confidence>,
    /// See [`Expectation::title`].
    pub title: Option<String>,
    /// See [`Expectation::message`].
    pub message: Option<String>,
    /// See [`Expectation::comm`].
    pub comm: Option<String>,
    /// See [`Expectation::exec_path`].
    pub exec_path: Option<ExecPath>,
    /// See [`Expectation::culprit`].
    pub culprit: Option<CulpritExpectation>,
    /// See [`Expectation::allow`].
    pub allow: Option<Vec<String>>,
    /// See [`Expectation::unload`].
    pub unload: Option<bool>,
    /// See [`Expectation::rate`].
    #[serde(default, deserialize_with = "some_rate")]
    pub rate: Option<f64>,
    /// See [`Expectation::marked_line`].
    pub marked_line: Option<bool>,
    /// See [`Expectation::frames`].
    pub frames: Option<Vec<FramePattern>>,
}

impl Expectation {
    pub(super) fn overridden_by(&self, part: &PartialExpectation) -> Self {
        Self {
            outcome: part.outcome.unwrap_or(self.outcome),
            kind: part.kind.or(self.kind),
            expression: part.expression.clone().or_else(|| self.expression.clone()),
            confidence: part.confidence.or(self.confidence),
            title: part.title.clone().or_else(|| self.title.clone()),
            message: part.message.clone().or_else(|| self.message.clone()),
            comm: part.comm.clone().or_else(|| self.comm.clone()),
            exec_path: part.exec_path.or(self.exec_path),
            culprit: part.culprit.clone().or_else(|| self.culprit.clone()),
            allow: part.allow.clone().unwrap_or_else(|| self.allow.clone()),
            unload: part.unload.unwrap_or(self.unload),
            rate: part.rate.or(self.rate),
            marked_line: part.marked_line.unwrap_or(self.marked_line),
            frames: part.frames.clone().unwrap_or_else(|| self.frames.clone()),
        }
    }
}

/// How a run ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The kernel crashes and dumps.
    Panic,
    /// The kernel stops doing anything.
    Hang,
    /// The kernel ends in one of these two ways.
    Crash,
    /// The kernel goes on, and complains: a warning, a check of its own, a hang that it noticed.
    Complaint,
    /// Nothing happens to the kernel.
    None,
    /// The kernel does not load a module.
    Refused,
}

impl Outcome {
    /// Whether a kernel that ended in this way is what was expected.
    #[must_use]
    pub fn admits(self, got: Self) -> bool {
        self == got || (self == Self::Crash && matches!(got, Self::Panic | Self::Hang))
    }
}

/// The code at fault. The line is not written here: it is the one with the marker comment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CulpritExpectation {
    /// Function as written in the source.
    pub function: Option<String>,
    /// The function whose code it became part of.
    pub inlined_into: Option<String>,
    /// Module.
    pub module: Option<String>,
    /// Last part of the source file's path.
    pub file: Option<String>,
}

/// One entry of `frames`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FramePattern {
    /// `"..."`: any number of frames, or none.
    Gap,
    /// `"function"` of the kernel, `"function [module]"` of a module; `"0x0"` is a frame without
    /// a function at that address.
    Frame {
        /// Function, or an address where there is none.
        function: String,
        /// Module, or none for the kernel.
        module: Option<String>,
    },
}

impl FramePattern {
    fn parse(text: &str) -> Option<Self> {
        if text == "..." {
            return Some(Self::Gap);
        }
        let (function, module) = match text.split_once(" [") {
            Some((function, module)) => (function, Some(module.strip_suffix(']')?)),
            None => (text, None),
        };
        let word = |text: &str| !text.is_empty() && !text.contains([' ', '[', ']']);
        (word(function) && module.is_none_or(word)).then(|| Self::Frame {
            function: function.to_owned(),
            module: module.map(str::to_owned),
        })
    }

    fn is(&self, frame: &Frame) -> bool {
        match self {
            Self::Gap => false,
            Self::Frame { function, module } => {
                let name = frame.function.as_ref().or(frame.address.as_ref());
                let same = name.is_some_and(|name| same_name(name, function));
                same && frame.module == *module
            }
        }
    }

    /// Whether a backtrace is what the patterns say, from its first frame to its last.
    #[must_use]
    pub fn all_match(patterns: &[Self], frames: &[Frame]) -> bool {
        // Greedy with one point of return is enough: a gap never has to be stretched again once
        // the gap after it has been reached.
        let (mut pattern, mut frame) = (0, 0);
        let mut resume = None;
        while let Some(actual) = frames.get(frame) {
            match patterns.get(pattern) {
                Some(Self::Gap) => {
                    pattern += 1;
                    resume = Some((pattern, frame));
                }
                Some(wanted) if wanted.is(actual) => {
                    pattern += 1;
                    frame += 1;
                }
                _ => {
                    let Some((after_gap, skipped)) = resume else { return false };
                    resume = Some((after_gap, skipped + 1));
                    (pattern, frame) = (after_gap, skipped + 1);
                }
            }
        }
        patterns[pattern..].iter().all(|rest| *rest == Self::Gap)
    }
}

/// Addresses are written with and without leading zeros.
fn same_name(actual: &str, wanted: &str) -> bool {
    let number = |text: &str| u64::from_str_radix(text.strip_prefix("0x")?, 16).ok();
    match (number(actual), number(wanted)) {
        (Some(actual), Some(wanted)) => actual == wanted,
        _ => actual == wanted,
    }
}

impl fmt::Display for FramePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gap => f.write_str("..."),
            Self::Frame { function, module: None } => f.write_str(function),
            Self::Frame { function, module: Some(module) } => write!(f, "{function} [{module}]"),
        }
    }
}

impl Serialize for FramePattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for FramePattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            let forms = "`function`, `function [module]` or `...`";
            D::Error::custom(format!("`{text}` is no frame: write {forms}"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patterns(text: &[&str]) -> Vec<FramePattern> {
        text.iter().map(|text| FramePattern::parse(text).unwrap()).collect()
    }

    fn frames() -> Vec<Frame> {
        let frame = |function: Option<&str>, module: Option<&str>| Frame {
            function: function.map(str::to_owned),
            module: module.map(str::to_owned),
            address: Some("0x0000000000000000".into()),
            ..Frame::default()
        };
        vec![
            frame(None, None),
            frame(Some("inner"), Some("m")),
            frame(Some("outer"), Some("m")),
            frame(Some("do_exec"), None),
            frame(Some("outer"), Some("m")),
            frame(Some("entry"), None),
        ]
    }

    #[test]
    fn without_gaps_every_frame_must_be_named() {
        let all = ["0x0", "inner [m]", "outer [m]", "do_exec", "outer [m]", "entry"];
        assert!(FramePattern::all_match(&patterns(&all), &frames()));
        assert!(!FramePattern::all_match(&patterns(&all[..5]), &frames()));
        assert!(!FramePattern::all_match(&patterns(&all[1..]), &frames()));
    }

    #[test]
    fn a_gap_stretches_as_far_as_it_must() {
        assert!(FramePattern::all_match(&patterns(&["...", "outer [m]", "entry"]), &frames()));
        assert!(FramePattern::all_match(&patterns(&["0x0", "...", "do_exec", "..."]), &frames()));
        assert!(FramePattern::all_match(&patterns(&["..."]), &[]));
        assert!(!FramePattern::all_match(&patterns(&["...", "entry", "inner [m]"]), &frames()));
    }

    #[test]
    fn a_function_of_another_module_is_not_the_one() {
        assert!(!FramePattern::all_match(&patterns(&["0x0", "inner", "..."]), &frames()));
        assert!(!FramePattern::all_match(&patterns(&["0x0", "inner [n]", "..."]), &frames()));
    }

    #[test]
    fn a_pattern_that_is_none_is_refused() {
        for bad in ["", "a b", "f [m", "f []", "[m]", "f [m] x"] {
            assert_eq!(FramePattern::parse(bad), None, "{bad}");
        }
    }
}
