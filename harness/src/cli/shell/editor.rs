// SPDX-License-Identifier: MIT OR Apache-2.0
//! The line editor: history and completion.

use std::path::{Path, PathBuf};

use debugger::Session;
use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::Validator;
use rustyline::{CompletionType, Config, Context, Editor, Helper};

use crate::error::Failure;
use crate::exit::Exit;

/// What a person types before the first command.
const PROMPT: &str = "crash> ";
/// Lines that the history keeps.
const HISTORY: usize = 2000;

/// Offers what the analyzer knows.
struct Names<'s, 'm, 'a>(&'s Session<'m, 'a>);

impl Completer for Names<'_, '_, '_> {
    type Candidate = String;

    fn complete(
        &self,
        line: &str,
        position: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<String>)> {
        let found = self.0.complete(line, position);
        Ok((found.start, found.candidates))
    }
}

impl Hinter for Names<'_, '_, '_> {
    type Hint = String;
}
impl Highlighter for Names<'_, '_, '_> {}
impl Validator for Names<'_, '_, '_> {}
impl Helper for Names<'_, '_, '_> {}

/// What came of reading a line.
pub(super) enum Read {
    /// A line.
    Line(String),
    /// Ctrl-C: what was typed is thrown away.
    Interrupted,
    /// Ctrl-D.
    End,
}

/// The history of lines that were typed, and the file that keeps it.
pub(super) struct Lines {
    history: Option<FileHistory>,
    file: Option<PathBuf>,
}

impl Lines {
    /// With the history of the user's earlier sessions, if there is a place for it.
    pub(super) fn open(file: Option<PathBuf>) -> Self {
        let mut history = FileHistory::with_config(&config());
        if let Some(file) = &file {
            // None yet, or one that cannot be read: an empty history is no reason to stop.
            let _ = rustyline::history::History::load(&mut history, file);
        }
        Self { history: Some(history), file }
    }

    /// Reads a line.
    pub(super) fn read(&mut self, session: &Session<'_, '_>) -> Result<Read, Failure> {
        let failed = |error: &ReadlineError| {
            Failure::new(Exit::Usage, "cannot read from the terminal").caused_by(error)
        };
        let history = self.history.take().unwrap_or_else(|| FileHistory::with_config(&config()));
        let mut editor = Editor::with_history(config(), history).map_err(|error| failed(&error))?;
        editor.set_helper(Some(Names(session)));
        let read = editor.readline(PROMPT);
        if let Ok(line) = &read
            && !line.trim().is_empty()
        {
            let _ = editor.add_history_entry(line.as_str());
            if let Some(file) = &self.file {
                save(&mut editor, file);
            }
        }
        self.history =
            Some(std::mem::replace(editor.history_mut(), FileHistory::with_config(&config())));
        match read {
            Ok(line) => Ok(Read::Line(line)),
            Err(ReadlineError::Interrupted) => Ok(Read::Interrupted),
            Err(ReadlineError::Eof) => Ok(Read::End),
            Err(error) => Err(failed(&error)),
        }
    }

    /// What was typed, oldest first.
    pub(super) fn typed(&self) -> Vec<String> {
        self.history.iter().flat_map(FileHistory::iter).cloned().collect()
    }
}

fn config() -> Config {
    Config::builder()
        .max_history_size(HISTORY)
        .and_then(|builder| builder.history_ignore_dups(true))
        .map(|builder| builder.completion_type(CompletionType::List).build())
        .unwrap_or_default()
}

/// A history that cannot be written is lost at the end, which is no reason to stop.
fn save(editor: &mut Editor<Names<'_, '_, '_>, FileHistory>, file: &Path) {
    if let Some(folder) = file.parent() {
        let _ = std::fs::create_dir_all(folder);
    }
    let _ = editor.save_history(file);
}
