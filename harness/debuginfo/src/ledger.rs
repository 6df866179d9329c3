// SPDX-License-Identifier: MIT OR Apache-2.0
//! What was asked of an image and what it answered: enough to give the same answers again without
//! the file.
//!
//! An answer that depends on a frame's registers and memory is kept together with what it saw of
//! them, and given again only to a frame that looks the same. A question that was never asked has
//! no answer; it is noted, so that the reader of a ledger can tell that it is out of date.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Absent, FrameState, Lookup, Passed, Reason};

/// Questions of one file with their answers.
#[derive(Default)]
pub struct Ledger {
    replayed: bool,
    answers: RefCell<Answers>,
    missing: RefCell<BTreeSet<String>>,
}

/// Answers by their question; several where they depend on the frame.
pub type Answers = BTreeMap<String, Vec<Answered>>;

/// An answer, and what it depends on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answered {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    seen: Vec<Seen>,
    answer: Value,
}

/// Something that was asked of a frame, and what it said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Seen {
    Register(u16, Option<u64>),
    Cfa(Option<u64>),
    Memory(u64, usize, Option<Vec<u8>>),
    Passed(Passed, Result<u64, Absent>),
}

impl Ledger {
    /// A ledger that gives the answers of another one and looks at no file.
    #[must_use]
    pub fn replay(answers: Answers) -> Self {
        Self { replayed: true, answers: RefCell::new(answers), missing: RefCell::default() }
    }

    /// Whether it stands in the place of the file.
    pub(crate) const fn is_replayed(&self) -> bool {
        self.replayed
    }

    /// What was asked and answered.
    #[must_use]
    pub fn into_answers(self) -> Answers {
        self.answers.into_inner()
    }

    /// Questions that a replayed ledger has no answer to, in alphabetical order.
    #[must_use]
    pub fn missing(&self) -> Vec<String> {
        self.missing.borrow().iter().cloned().collect()
    }

    /// Whether a question was asked.
    pub(crate) fn has(&self, question: &str) -> bool {
        self.answers.borrow().contains_key(question)
    }

    pub(crate) fn ask<T: Answer>(&self, question: String, look: impl FnOnce() -> T) -> T {
        if self.replayed {
            let known = self.answers.borrow();
            let known = known.get(&question).and_then(|answers| answers.first());
            let known = known.and_then(|known| T::deserialize(&known.answer).ok());
            return known.unwrap_or_else(|| self.lacks(question));
        }
        let answer = look();
        self.write(question, Vec::new(), &answer);
        answer
    }

    pub(crate) fn ask_of<T: Answer>(
        &self,
        question: String,
        state: &dyn FrameState,
        look: impl FnOnce(&dyn FrameState) -> T,
    ) -> T {
        if self.replayed {
            // Asking the frame may lead back here: nothing is borrowed meanwhile.
            let known = self.answers.borrow().get(&question).cloned().unwrap_or_default();
            let known = known.iter().find(|known| known.seen.iter().all(|seen| seen.holds(state)));
            let known = known.and_then(|known| T::deserialize(&known.answer).ok());
            return known.unwrap_or_else(|| self.lacks(question));
        }
        let watched = Watched { state, seen: RefCell::default() };
        let answer = look(&watched);
        self.write(question, watched.seen.into_inner(), &answer);
        answer
    }

    fn lacks<T: Answer>(&self, question: String) -> T {
        self.missing.borrow_mut().insert(question);
        T::none()
    }

    fn write<T: Serialize>(&self, question: String, seen: Vec<Seen>, answer: &T) {
        // Text, numbers and maps with names for keys can always be written as JSON.
        let Ok(answer) = serde_json::to_value(answer) else { return };
        let answered = Answered { seen, answer };
        let mut answers = self.answers.borrow_mut();
        let known = answers.entry(question).or_default();
        if !known.contains(&answered) {
            known.push(answered);
        }
    }
}

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ledger")
            .field("replayed", &self.replayed)
            .field("questions", &self.answers.borrow().len())
            .finish_non_exhaustive()
    }
}

/// An answer that can be kept.
pub(crate) trait Answer: Serialize + DeserializeOwned {
    /// What stands for an answer that is not known.
    fn none() -> Self;
}

impl<T: Serialize + DeserializeOwned> Answer for Lookup<T> {
    fn none() -> Self {
        Self::Unknown(Reason::NotRecorded)
    }
}

impl<T: Serialize + DeserializeOwned> Answer for Option<T> {
    fn none() -> Self {
        None
    }
}

impl Answer for bool {
    fn none() -> Self {
        false
    }
}

impl<T: Serialize + DeserializeOwned> Answer for Vec<T> {
    fn none() -> Self {
        Self::new()
    }
}

impl Answer for Result<u64, Absent> {
    fn none() -> Self {
        Err(Absent::Malformed)
    }
}

impl Seen {
    /// Whether another frame says the same.
    fn holds(&self, state: &dyn FrameState) -> bool {
        match self {
            Self::Register(number, value) => state.register(*number) == *value,
            Self::Cfa(value) => state.cfa() == *value,
            Self::Memory(address, length, bytes) => {
                let mut buffer = vec![0; *length];
                let read = state.memory(*address, &mut buffer).map(|()| buffer);
                read == *bytes
            }
            Self::Passed(what, value) => state.passed(*what) == *value,
        }
    }
}

/// A frame that notes what is asked of it.
struct Watched<'s> {
    state: &'s dyn FrameState,
    seen: RefCell<Vec<Seen>>,
}

impl Watched<'_> {
    fn note(&self, seen: Seen) {
        let mut noted = self.seen.borrow_mut();
        if !noted.contains(&seen) {
            noted.push(seen);
        }
    }
}

impl FrameState for Watched<'_> {
    fn register(&self, number: u16) -> Option<u64> {
        let value = self.state.register(number);
        self.note(Seen::Register(number, value));
        value
    }

    fn cfa(&self) -> Option<u64> {
        let value = self.state.cfa();
        self.note(Seen::Cfa(value));
        value
    }

    fn memory(&self, address: u64, buffer: &mut [u8]) -> Option<()> {
        let read = self.state.memory(address, buffer);
        self.note(Seen::Memory(address, buffer.len(), read.map(|()| buffer.to_vec())));
        read
    }

    fn passed(&self, what: Passed) -> Result<u64, Absent> {
        let value = self.state.passed(what);
        self.note(Seen::Passed(what, value.clone()));
        value
    }
}

/// A frame of which only registers and memory are known.
pub(crate) struct Bare<'s> {
    pub(crate) register: &'s dyn Fn(u16) -> Option<u64>,
    /// The number of 1 to 8 bytes at an address.
    pub(crate) memory: &'s dyn Fn(u64, u8) -> Option<u64>,
}

impl FrameState for Bare<'_> {
    fn register(&self, number: u16) -> Option<u64> {
        (self.register)(number)
    }

    fn cfa(&self) -> Option<u64> {
        None
    }

    fn memory(&self, address: u64, buffer: &mut [u8]) -> Option<()> {
        let size = u8::try_from(buffer.len()).ok()?;
        let bytes = (self.memory)(address, size)?.to_le_bytes();
        buffer.copy_from_slice(bytes.get(..buffer.len())?);
        Some(())
    }

    fn passed(&self, _what: Passed) -> Result<u64, Absent> {
        Err(Absent::NoCaller)
    }
}

/// The number of 1 to 8 bytes at an address of a frame's memory.
pub(crate) fn number(state: &dyn FrameState, address: u64, size: u8) -> Option<u64> {
    let mut bytes = [0; 8];
    state.memory(address, bytes.get_mut(..usize::from(size))?)?;
    Some(u64::from_le_bytes(bytes))
}
