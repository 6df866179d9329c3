// SPDX-License-Identifier: MIT OR Apache-2.0
//! A conversation in a terminal or from a file: lines in, answers out, as users of crash(8) type
//! them: `bt | grep foo`, `log > file`, `< file`, `!command`, `h`, `mod -s NAME FILE`, `q`.

mod editor;
mod redirect;

use std::collections::VecDeque;
use std::fs;
use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};

use debugger::{CommandError, Output, Session};

use self::editor::{Lines, Read};
use self::redirect::{Redirected, Target};
use super::options::{self, OutputFormat};
use super::pager;
use crate::alternatives;
use crate::error::Failure;
use crate::exit::Exit;
use crate::interrupt::Interrupt;
use guest::shown;

/// Files of commands that are read in one conversation: more read each other.
const MAX_FILES: usize = 64;

/// A conversation. It outlives the session, which is opened anew for more modules.
pub(super) struct Shell {
    format: OutputFormat,
    /// Whether a person is at a terminal.
    person: bool,
    /// Whether long output goes through a pager.
    scroll: bool,
    lines: Option<Lines>,
    interrupt: Option<Interrupt>,
    /// Lines that come before the next one of stdin.
    queue: VecDeque<String>,
    /// Whether lines of stdin follow.
    talks: bool,
    has_greeted: bool,
    files: usize,
    failed: bool,
}

/// Why a conversation paused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Pause {
    /// It is over.
    Over,
    /// The dump is to be opened again, with files of modules that were named: a module's name and
    /// its file, or a folder with files.
    Modules(Option<String>, PathBuf),
}

impl Shell {
    /// A conversation that begins with the lines of a file, goes on with commands, and if there are
    /// none with stdin.
    pub(super) fn new(
        format: OutputFormat,
        input: Option<&Path>,
        commands: &[String],
    ) -> Result<Self, Failure> {
        let talks = commands.is_empty();
        let mut shell = Self {
            format,
            person: talks && io::stdin().is_terminal() && io::stdout().is_terminal(),
            scroll: false,
            lines: None,
            interrupt: None,
            queue: commands.iter().cloned().collect(),
            talks,
            has_greeted: false,
            files: 0,
            failed: false,
        };
        if let Some(file) = input {
            shell.queue_file(&file.display().to_string())?;
        }
        Ok(shell)
    }

    /// How the program ends: commands of the command line that have no answer are a failure.
    pub(super) const fn exit(&self) -> Exit {
        if self.failed && !self.talks { Exit::AnalysisFailed } else { Exit::Ok }
    }

    /// Goes on until all is said or the dump has to be opened again.
    pub(super) fn converse(&mut self, session: &mut Session<'_, '_>) -> Result<Pause, Failure> {
        if self.talks && !self.has_greeted {
            self.greet(session)?;
        }
        while let Some(line) = self.next(session)? {
            match self.line(session, &line) {
                Ok(None) => {}
                Ok(Some(pause)) => return Ok(pause),
                // A file that cannot be written is no end of a person's conversation.
                Err(failure) if self.person => options::print_failure(&failure),
                Err(failure) => return Err(failure),
            }
        }
        Ok(Pause::Over)
    }

    /// What stands at the top of a conversation; a program reads only answers.
    fn greet(&mut self, session: &mut Session<'_, '_>) -> Result<(), Failure> {
        self.has_greeted = true;
        if self.person {
            self.sit_down()?;
        } else if self.format != OutputFormat::Text {
            return Ok(());
        }
        let knows_who = session.context().is_ok();
        let greeting = session.run(if knows_who { "sys; set" } else { "sys" });
        self.show(&text(&greeting, self.format), Target::Terminal)
    }

    /// What a person at a terminal needs.
    fn sit_down(&mut self) -> Result<(), Failure> {
        self.scroll = true;
        // At the prompt, Ctrl-C throws away what was typed; while an answer is made or shown the
        // first one ends the pager or the command behind the pipe, a second one all.
        let interrupt = Interrupt::noted()
            .map_err(|error| Failure::new(Exit::Usage, "cannot handle Ctrl-C").caused_by(&error))?;
        self.interrupt = Some(interrupt);
        self.lines = Some(Lines::open(history_file()));
        Ok(())
    }

    /// The next line; none at the end.
    fn next(&mut self, session: &Session<'_, '_>) -> Result<Option<String>, Failure> {
        if let Some(line) = self.queue.pop_front() {
            return Ok(Some(line));
        }
        if !self.talks {
            return Ok(None);
        }
        let Some(lines) = &mut self.lines else { return stdin_line() };
        loop {
            if let Some(interrupt) = &self.interrupt {
                interrupt.clear();
            }
            match lines.read(session)? {
                Read::End => return Ok(None),
                Read::Interrupted => {}
                Read::Line(line) => return Ok(Some(line)),
            }
        }
    }

    /// Puts the lines of a file before all others.
    fn queue_file(&mut self, path: &str) -> Result<(), Failure> {
        self.files += 1;
        if self.files > MAX_FILES {
            return Err(Failure::new(Exit::Usage, "files of commands read each other"));
        }
        let text = fs::read_to_string(path).map_err(|error| {
            Failure::new(Exit::Usage, format!("cannot read {path}")).caused_by(&error)
        })?;
        for line in text.lines().rev() {
            self.queue.push_front(line.to_owned());
        }
        Ok(())
    }

    fn line(
        &mut self,
        session: &mut Session<'_, '_>,
        line: &str,
    ) -> Result<Option<Pause>, Failure> {
        let line = line.trim();
        if let Some(command) = line.strip_prefix('!') {
            pager::pipe("", command)?;
            return Ok(None);
        }
        if let Some(file) = line.strip_prefix('<') {
            self.queue_file(file.trim())?;
            return Ok(None);
        }
        if let Some((pause, rest)) = modules_named(line) {
            self.queue.push_front(rest);
            return Ok(Some(pause));
        }
        match line {
            "q" | "quit" | "exit" => return Ok(Some(Pause::Over)),
            "h" | "history" => self.history()?,
            "set scroll off" => self.scroll = false,
            "set scroll on" => self.scroll = self.person,
            _ => self.answer(session, line)?,
        }
        Ok(None)
    }

    fn answer(&mut self, session: &mut Session<'_, '_>, line: &str) -> Result<(), Failure> {
        Redirected::all(line).into_iter().try_for_each(|part| self.part(session, part))
    }

    fn part(&mut self, session: &mut Session<'_, '_>, part: Redirected<'_>) -> Result<(), Failure> {
        let Redirected { commands, target } = part;
        let outputs = session.run(commands);
        let (failed, good): (Vec<_>, Vec<_>) =
            outputs.into_iter().partition(|output| output.result.is_err());
        self.failed |= !failed.is_empty();
        if target != Target::Terminal {
            // Errors go where errors go.
            failed.iter().try_for_each(|output| print(output, self.format))?;
            return self.show(&text(&good, self.format), target);
        }
        let outputs: Vec<_> = good.into_iter().chain(failed).collect();
        if self.scroll {
            return self.show(&text(&outputs, self.format), target);
        }
        outputs.iter().try_for_each(|output| print(output, self.format))
    }

    fn history(&self) -> Result<(), Failure> {
        let typed = self.lines.as_ref().map(Lines::typed).unwrap_or_default();
        let line = |(number, line): (usize, &String)| format!("[{}] {line}\n", number + 1);
        options::print(&typed.iter().enumerate().map(line).collect::<String>())
    }

    fn show(&self, text: &str, target: Target<'_>) -> Result<(), Failure> {
        match target {
            Target::Pipe(command) => pager::pipe(text, command),
            Target::File(path) => redirect::write(text, path, false),
            Target::Append(path) => redirect::write(text, path, true),
            Target::Terminal if self.scroll => pager::show(text),
            Target::Terminal => options::print_made(text),
        }
    }
}

/// `mod -s NAME FILE` and `mod -S FOLDER` name files that the session does not have: what is to be
/// opened, and what is to be run then.
fn modules_named(line: &str) -> Option<(Pause, String)> {
    let (first, rest) = line.split_once(';').unwrap_or((line, ""));
    let words: Vec<&str> = first.split_whitespace().collect();
    let (pause, command) = match words.as_slice() {
        ["mod", "-s", name, file] => {
            let name = name.replace('-', "_");
            let command = format!("mod -s {name}");
            (Pause::Modules(Some(name), PathBuf::from(file)), command)
        }
        ["mod", "-S", folder] => (Pause::Modules(None, PathBuf::from(folder)), "mod".to_owned()),
        _ => return None,
    };
    Some((pause, format!("{command};{rest}")))
}

/// A line of a stdin that is no terminal.
fn stdin_line() -> Result<Option<String>, Failure> {
    let mut line = String::new();
    let read = io::stdin().read_line(&mut line).map_err(|error| {
        Failure::new(Exit::Usage, "cannot read commands from stdin").caused_by(&error)
    })?;
    Ok((read != 0).then_some(line))
}

/// Prints an answer to stdout, or what went wrong to stderr.
fn print(output: &Output, format: OutputFormat) -> Result<(), Failure> {
    match format {
        OutputFormat::Text if output.result.is_err() => options::complain(&said(output)),
        OutputFormat::Text => options::print(&output.text()),
        OutputFormat::Json => options::print_json(&format!("{}\n", output.json())),
    }
}

/// An answer for people, with what may have been meant.
fn said(output: &Output) -> String {
    let meant = meant(output).map(|meant| format!("{meant}\n")).unwrap_or_default();
    format!("{}{meant}", output.text())
}

/// The commands that may have been meant by one that there is not.
fn meant(output: &Output) -> Option<String> {
    match &output.result {
        Err(CommandError::NoCommand(name)) => {
            alternatives::meant(name, debugger::ALL.iter().map(|command| command.name))
        }
        _ => None,
    }
}

fn text(outputs: &[Output], format: OutputFormat) -> String {
    let one = |output: &Output| match format {
        OutputFormat::Text => shown::lines(&said(output)),
        OutputFormat::Json => format!("{}\n", shown::json(&output.json().to_string())),
    };
    outputs.iter().map(one).collect()
}

/// Where the lines that were typed are kept (XDG Base Directory Specification: state).
fn history_file() -> Option<PathBuf> {
    let absolute = |path: std::ffi::OsString| Some(PathBuf::from(path)).filter(|p| p.is_absolute());
    let state = std::env::var_os("XDG_STATE_HOME").and_then(absolute);
    let home = std::env::var_os("HOME").and_then(absolute);
    let state = state.or_else(|| Some(home?.join(".local").join("state")))?;
    Some(state.join("repro").join("crash_history"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_named_with_its_file_is_opened_before_the_rest_of_the_line() {
        let (pause, rest) = modules_named("mod -s my-module /tmp/m.ko; bt").unwrap();
        assert_eq!(pause, Pause::Modules(Some("my_module".to_owned()), "/tmp/m.ko".into()));
        assert_eq!(rest, "mod -s my_module; bt");
        assert_eq!(modules_named("mod -s my_module"), None);
        assert_eq!(modules_named("mod -S"), None);
    }

    #[test]
    fn a_command_that_there_is_not_leads_to_one_like_it() {
        let of = |name: &str| {
            let result = Err(CommandError::NoCommand(name.to_owned()));
            meant(&Output { command: name.to_owned(), result })
        };
        assert!(of("strct").unwrap().starts_with("did you mean `struct`"));
        assert_eq!(of("0"), None);
    }
}
