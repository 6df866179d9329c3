// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether a stack is the same one in a later form: all frames that it had are there, in their
//! order; more there may be only if they are of a trust that the earlier form did not have.

use analyzer::report::Trust;
use serde::Deserialize;
use serde_json::Value;

use super::line::{Line, known};

/// What of a frame a form does not change.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Frame {
    address: Option<String>,
    function: Option<String>,
    symbol: Option<String>,
    module: Option<String>,
    file: Option<String>,
    #[serde(flatten)]
    line: Line,
    inlined: bool,
    repeats: Option<Repeats>,
    /// Not compared: how a frame is found may become surer. One of another form may be unknown.
    trust: Value,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
struct Repeats {
    frames: u32,
}

impl Frame {
    /// A later form may know more of a frame, not less and nothing else.
    fn is(&self, new: &Self) -> bool {
        known(self.address.as_ref(), new.address.as_ref())
            && known(self.function.as_ref(), new.function.as_ref())
            && known(self.symbol.as_ref(), new.symbol.as_ref())
            && self.module == new.module
            && known(self.file.as_ref(), new.file.as_ref())
            && self.line.may_be(&new.line)
            && self.inlined == new.inlined
            && self.repeats == new.repeats
    }

    /// As in `b [m] at m.c:7`.
    fn words(&self) -> String {
        let name = [&self.function, &self.symbol, &self.address].into_iter().flatten().next();
        let mut words = format!("`{}`", name.map_or("?", String::as_str));
        if let Some(module) = &self.module {
            words = format!("`{} [{module}]`", name.map_or("?", String::as_str));
        }
        if let Some((file, line)) = self.file.as_ref().zip(self.line.words()) {
            words.push_str(&format!(" at {file}{line}"));
        }
        if self.inlined {
            words.push_str(", inlined");
        }
        if self.repeats.is_some() {
            words.push_str(", again and again");
        }
        words
    }
}

/// Where the new stack leaves the old one, in words; `None` where it does not.
pub(super) fn departure(
    old: &[Frame],
    new: &[Frame],
    is_later: impl Fn(Trust) -> bool,
) -> Option<(String, String)> {
    // How many of the old frames may have been met so far: a frame of a new trust may be one that
    // was found in another way before, or one more.
    let mut met = vec![false; old.len() + 1];
    met[0] = true;
    for (number, frame) in new.iter().enumerate() {
        let more = serde_json::from_value(frame.trust.clone()).is_ok_and(&is_later);
        let mut next: Vec<bool> = met.iter().map(|met| *met && more).collect();
        for (index, was) in old.iter().enumerate() {
            next[index + 1] |= met[index] && was.is(frame);
        }
        if !next.contains(&true) {
            return Some(words(old, &met, Some((number, frame))));
        }
        met = next;
    }
    (!met[old.len()]).then(|| words(old, &met, None))
}

/// The old frame that was to come, and what is there.
fn words(old: &[Frame], met: &[bool], new: Option<(usize, &Frame)>) -> (String, String) {
    let words = |number: usize, frame: &Frame| format!("#{number} {}", frame.words());
    let at = met.iter().rposition(|met| *met).unwrap_or_default();
    let was = old.get(at).map_or_else(|| "its end".to_owned(), |frame| words(at, frame));
    (was, new.map_or_else(|| "gone".to_owned(), |(number, frame)| words(number, frame)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn frame(function: &str, trust: &str) -> Value {
        json!({"function": function, "module": "m", "file": "m.c", "line": 7, "inlined": false,
            "trust": trust})
    }

    /// With `call` as the trust that came later.
    fn left(old: &[Value], new: &[Value]) -> Option<(String, String)> {
        let read = |frames: &[Value]| -> Vec<Frame> {
            serde_json::from_value(Value::from(frames.to_vec())).unwrap()
        };
        departure(&read(old), &read(new), |trust| trust == Trust::Call)
    }

    #[test]
    fn only_frames_of_a_trust_that_is_new_may_come() {
        let [a, b, c] = ["a", "b", "c"].map(|name| frame(name, "orc"));
        let call = |name: &str| frame(name, "call");
        let old = [a.clone(), b.clone()];
        assert_eq!(left(&old, &[a.clone(), call("x"), b.clone(), call("y")]), None);
        assert_eq!(left(&old, &[call("a"), a.clone(), b.clone()]), None, "one more of a name");
        assert_eq!(left(&old, &[call("a"), b.clone()]), None, "the same, found in another way");
        let words = |was: &str, is: &str| Some((was.to_owned(), is.to_owned()));
        assert_eq!(
            left(&old, &[a.clone(), c.clone(), b.clone()]),
            words("#1 `b [m]` at m.c:7", "#1 `c [m]` at m.c:7")
        );
        assert_eq!(left(&old, std::slice::from_ref(&a)), words("#1 `b [m]` at m.c:7", "gone"));
        assert_eq!(left(&old, &[a.clone(), b.clone(), c]), words("its end", "#2 `c [m]` at m.c:7"));
        assert!(left(&old, &[b, a]).is_some(), "another order");
        assert!(left(&old, &[]).is_some() && left(&[], &old).is_some());
        assert_eq!(left(&[], &[]), None);
    }

    #[test]
    fn a_trust_that_nobody_knows_is_no_new_one() {
        let a = frame("a", "orc");
        assert!(left(std::slice::from_ref(&a), &[a.clone(), frame("x", "dreamt")]).is_some());
        assert_eq!(left(&[frame("a", "of-old")], &[a]), None);
    }

    #[test]
    fn a_later_form_may_know_more_of_a_frame_and_not_less() {
        let full = frame("a", "orc");
        for key in ["file", "line"] {
            let mut less = full.clone();
            less[key] = Value::Null;
            assert_eq!(left(std::slice::from_ref(&less), std::slice::from_ref(&full)), None);
            assert!(left(std::slice::from_ref(&full), &[less]).is_some(), "{key}");
        }
    }
}
