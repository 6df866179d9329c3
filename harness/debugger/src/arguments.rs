// SPDX-License-Identifier: MIT OR Apache-2.0
//! Lines as one types them: commands separated by `;`, options as getopt(3) takes them, words that
//! may be quoted.

use super::{Command, CommandError, Words, absent};

/// What followed a command's name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Arguments {
    options: Vec<(&'static str, Option<String>)>,
    /// The words that are no options.
    pub words: Vec<String>,
    /// All that followed the options, as it was typed.
    pub rest: String,
}

impl Arguments {
    /// Takes what followed a command's name apart.
    ///
    /// # Errors
    /// If there is an option that the command does not have, or one without its value.
    pub fn parse(command: &Command, text: &str) -> Result<Self, CommandError> {
        let mut found = Self::default();
        let mut rest = text.trim();
        let mut only_words = false;
        while let Some((word, quoted, after)) = next_word(rest) {
            let is_option = !quoted && !only_words && word.len() > 1 && word.starts_with('-');
            if is_option && word == "--" {
                only_words = true;
                rest = after;
            } else if is_option {
                rest = found.option(command, &word[1..], after)?;
            } else if command.words == Words::Expression {
                break;
            } else {
                found.words.push(word);
                rest = after;
            }
        }
        if command.words == Words::Expression {
            rest.trim_start().clone_into(&mut found.rest);
            let mut words = rest;
            while let Some((word, _, after)) = next_word(words) {
                found.words.push(word);
                words = after;
            }
        } else {
            found.rest = found.words.join(" ");
        }
        Ok(found)
    }

    /// Takes `text`, which followed a dash: one option by its whole name, or several letters.
    fn option<'t>(
        &mut self,
        command: &Command,
        text: &str,
        after: &'t str,
    ) -> Result<&'t str, CommandError> {
        if let Some(flag) = command.options.iter().find(|flag| flag.name == text) {
            let Some(value) = flag.value else {
                self.options.push((flag.name, None));
                return Ok(after);
            };
            let Some((word, _, after)) = next_word(after) else {
                return Err(CommandError::usage(format!("-{text} needs a value: {value}")));
            };
            self.options.push((flag.name, Some(word)));
            return Ok(after);
        }
        for (index, letter) in text.char_indices() {
            let known = |flag: &&super::Flag| flag.name.chars().eq([letter]);
            let Some(flag) = command.options.iter().find(known) else {
                return Err(unknown(command, text, letter));
            };
            let behind = &text[index + letter.len_utf8()..];
            if flag.value.is_none() {
                self.options.push((flag.name, None));
            } else if behind.is_empty() {
                return self.option(command, flag.name, after);
            } else {
                self.options.push((flag.name, Some(behind.to_owned())));
                break;
            }
        }
        Ok(after)
    }

    /// Those of these options that were given.
    pub(super) fn given<'o>(
        &self,
        options: &'o [&'static str],
    ) -> impl Iterator<Item = &'static str> + use<'o, '_> {
        options.iter().copied().filter(|option| self.has(option))
    }

    /// Whether an option was given.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.options.iter().any(|(given, _)| *given == name)
    }

    /// The value of an option; of the last one if it was given several times.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        self.values(name).last()
    }

    /// The values of an option that may be given several times.
    pub fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        let given = self.options.iter().filter(move |(given, _)| *given == name);
        given.filter_map(|(_, value)| value.as_deref())
    }
}

/// There is no such option: `text` is all that followed the dash.
fn unknown(command: &Command, text: &str, letter: char) -> CommandError {
    let options = [format!("-{text}"), format!("-{letter}")];
    options.iter().find_map(|option| absent::argument(command.name, option)).unwrap_or_else(|| {
        let words = format!("no option `-{letter}`; see `help {}`", command.name);
        CommandError::usage(words)
    })
}

/// The first word of `text`, whether it began with a quote, and what follows it.
fn next_word(text: &str) -> Option<(String, bool, &str)> {
    let text = text.trim_start();
    let first = text.chars().next()?;
    if (first == '"' || first == '\'')
        && let Some(end) = text[1..].find(first)
    {
        return Some((text[1..=end].to_owned(), true, &text[end + 2..]));
    }
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    Some((text[..end].to_owned(), false, &text[end..]))
}

/// The commands of a line. `;` separates them, but not within quotes; `#` at the beginning of one
/// makes it a comment.
#[must_use]
pub(super) fn commands(line: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let (mut start, mut quote) = (0, None);
    for (index, letter) in line.char_indices() {
        match (quote, letter) {
            (None, ';') => {
                found.push(&line[start..index]);
                start = index + 1;
            }
            (None, '"' | '\'') => quote = Some(letter),
            (Some(open), _) if open == letter => quote = None,
            _ => {}
        }
    }
    found.push(&line[start..]);
    found.retain(|command| {
        let command = command.trim_start();
        !command.is_empty() && !command.starts_with('#')
    });
    found.into_iter().map(str::trim).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Flag;

    const FLAGS: &[Flag] = &[
        Flag::switch("a", ""),
        Flag::switch("l", ""),
        Flag::switch("64", ""),
        Flag::with("o", "OFFSET", ""),
    ];

    fn parsed(words: Words, text: &str) -> Result<Arguments, CommandError> {
        let command = Command {
            name: "test",
            summary: "",
            usage: "",
            options: FLAGS,
            rules: &[],
            words,
            run: |_, _| Err(CommandError::nothing("")),
        };
        Arguments::parse(&command, text)
    }

    #[test]
    fn options_may_be_joined_and_may_follow_the_words() {
        let found = parsed(Words::Mixed, " -al 2227 -o16 -64 ").unwrap();
        assert!(found.has("a") && found.has("l") && found.has("64"));
        assert_eq!((found.value("o"), found.words.as_slice()), (Some("16"), &["2227".into()][..]));
        let found = parsed(Words::Mixed, "-o 16 -- -l").unwrap();
        assert_eq!((found.value("o"), found.rest.as_str()), (Some("16"), "-l"));
        assert!(!found.has("l"));
    }

    #[test]
    fn an_expression_keeps_its_blanks_and_dashes() {
        let found = parsed(Words::Expression, "-a  *p -> q  -l").unwrap();
        assert_eq!((found.rest.as_str(), found.has("l")), ("*p -> q  -l", false));
    }

    #[test]
    fn quotes_keep_blanks() {
        let found = parsed(Words::Mixed, "\"two words\" 'an -a' it's").unwrap();
        assert_eq!(found.words, ["two words", "an -a", "it's"]);
    }

    #[test]
    fn what_is_unknown_or_lacks_its_value_is_told() {
        let words = |text| parsed(Words::Mixed, text).unwrap_err().to_string();
        assert_eq!(words("-ax"), "no option `-x`; see `help test`");
        assert_eq!(words("-o"), "-o needs a value: OFFSET");
        assert_eq!(words("-ao"), "-o needs a value: OFFSET");
    }

    #[test]
    fn a_line_holds_several_commands() {
        assert_eq!(
            commands("bt 1; ;p \"a;b\" # not one;;sys "),
            ["bt 1", "p \"a;b\" # not one", "sys"]
        );
        assert_eq!(commands("# all of it is one"), Vec::<&str>::new());
    }
}
