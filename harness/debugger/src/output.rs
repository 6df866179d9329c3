// SPDX-License-Identifier: MIT OR Apache-2.0
//! Answers of commands: data first, text made of it.

use serde::Serialize;
use serde_json::{Value, json};

use super::CommandError;

/// Data that has a form for people.
pub trait Text {
    /// The form for people: whole lines, each with its line feed.
    fn text(&self) -> String;
}

/// Data in both forms.
pub trait Answer {
    /// The form for people.
    fn text(&self) -> String;
    /// The form for programs.
    fn json(&self) -> Value;
}

impl<T: Serialize + Text> Answer for T {
    fn text(&self) -> String {
        Text::text(self)
    }

    fn json(&self) -> Value {
        // Answers are plain data with strings for keys: nothing that JSON cannot say.
        serde_json::to_value(self).expect("an answer is plain data")
    }
}

/// What a command found.
pub struct Reply(Box<dyn Answer>);

impl std::fmt::Debug for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Reply").field(&self.0.json()).finish()
    }
}

impl Reply {
    /// Wraps an answer.
    pub fn new(answer: impl Serialize + Text + 'static) -> Self {
        Self(Box::new(answer))
    }

    /// The form for people: whole lines.
    #[must_use]
    pub fn text(&self) -> String {
        self.0.text()
    }

    /// The form for programs.
    #[must_use]
    pub fn json(&self) -> Value {
        self.0.json()
    }
}

/// One command and what came of it.
#[derive(Debug)]
pub struct Output {
    /// The command as it was typed.
    pub command: String,
    /// What it found, or why it found nothing.
    pub result: Result<Reply, CommandError>,
}

impl Output {
    /// The form for people: whole lines. An error is `name: words`.
    #[must_use]
    pub fn text(&self) -> String {
        match &self.result {
            Ok(reply) => reply.text(),
            Err(error) => match self.command.split_whitespace().next() {
                Some(name) if !matches!(error, CommandError::NoCommand(_)) => {
                    format!("{name}: {error}\n")
                }
                _ => format!("{error}\n"),
            },
        }
    }

    /// The form for programs: `command`, and `answer` or `error`.
    #[must_use]
    pub fn json(&self) -> Value {
        match &self.result {
            Ok(reply) => json!({ "command": self.command, "answer": reply.json() }),
            Err(error) => json!({ "command": self.command, "error": error.to_string() }),
        }
    }
}
