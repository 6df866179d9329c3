// SPDX-License-Identifier: MIT OR Apache-2.0
//! What may be typed together: an option or a word that would change nothing is refused.

use super::{Arguments, Command, CommandError, absent};

/// What a command takes, besides the options it has.
#[derive(Debug, Clone, Copy)]
pub enum Rule {
    /// At most one of these options.
    OneOf(&'static [&'static str]),
    /// None of the first options with any of the second.
    Apart(&'static [&'static str], &'static [&'static str]),
    /// Each of the first options only with one of the second.
    Needs(&'static [&'static str], &'static [&'static str]),
    /// At most so many words.
    Words(usize),
    /// At most so many words with any of these options.
    WordsWith(usize, &'static [&'static str]),
    /// Words only with one of these options.
    WordsNeed(&'static [&'static str]),
    /// These options only with a word.
    NeedsWord(&'static [&'static str]),
}

/// Reads what was typed after a command's name, as far as the command takes it.
///
/// # Errors
/// There is no such option, or what was typed would change nothing.
pub(super) fn parse(command: &Command, text: &str) -> Result<Arguments, CommandError> {
    let arguments = Arguments::parse(command, text)?;
    check(command, &arguments)?;
    Ok(arguments)
}

/// Checks what was typed.
fn check(command: &Command, arguments: &Arguments) -> Result<(), CommandError> {
    let Some(why) = command.rules.iter().find_map(|rule| rule.broken(command.name, arguments))
    else {
        return Ok(());
    };
    // crash(8) may have such a word.
    let absent = arguments.words.iter().find_map(|word| absent::argument(command.name, word));
    let usage = || CommandError::usage(format!("{why}; see `help {}`", command.name));
    Err(absent.unwrap_or_else(usage))
}

impl Rule {
    /// How it is broken, in words.
    fn broken(&self, command: &str, given: &Arguments) -> Option<String> {
        let apart = |one: &str, other: &str| format!("-{one} and -{other} do not go together");
        match *self {
            Self::OneOf(options) => {
                let mut found = given.given(options);
                Some(apart(found.next()?, found.find(|_| true)?))
            }
            Self::Apart(one, other) => {
                Some(apart(given.given(one).next()?, given.given(other).next()?))
            }
            Self::Needs(options, with) => {
                let option = given.given(options).next()?;
                let is_with = given.given(with).next().is_some();
                (!is_with).then(|| format!("-{option} goes with {} only", listed(with)))
            }
            Self::Words(most) => {
                let word = given.words.get(most)?;
                Some(format!("`{command}` takes no `{word}`"))
            }
            Self::WordsWith(most, options) => {
                let (option, word) = (given.given(options).next()?, given.words.get(most)?);
                Some(format!("`{command} -{option}` takes no `{word}`"))
            }
            Self::WordsNeed(options) => {
                let word = given.words.first()?;
                let is_with = given.given(options).next().is_some();
                (!is_with).then(|| format!("`{word}` goes with {} only", listed(options)))
            }
            Self::NeedsWord(options) => {
                let option = given.given(options).next()?;
                given.words.is_empty().then(|| format!("-{option} of what?"))
            }
        }
    }
}

/// `-a, -b or -c`.
fn listed(options: &[&str]) -> String {
    let options: Vec<String> = options.iter().map(|option| format!("-{option}")).collect();
    match options.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => String::new(),
    }
}
