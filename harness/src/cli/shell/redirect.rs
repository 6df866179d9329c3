// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where the output of a line goes: `bt | grep foo`, `log > file`, `ps >> file`.

use std::fs::OpenOptions;
use std::io::Write as _;

use crate::error::Failure;
use crate::exit::Exit;

/// A line taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Redirected<'l> {
    /// The commands.
    pub(super) commands: &'l str,
    /// Where their output goes.
    pub(super) target: Target<'l>,
}

/// Where output goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target<'l> {
    /// To the terminal.
    Terminal,
    /// Into a command of the shell.
    Pipe(&'l str),
    /// Into a file, which is emptied first.
    File(&'l str),
    /// To the end of a file.
    Append(&'l str),
}

impl<'l> Redirected<'l> {
    /// The parts of a line that go to places of their own: `;` ends one, but not within quotes, as in a
    /// shell.
    pub(super) fn all(line: &'l str) -> Vec<Self> {
        let (mut parts, mut start, mut quote) = (Vec::new(), 0, None);
        for (index, letter) in line.char_indices() {
            match (quote, letter) {
                (Some(open), _) if open == letter => quote = None,
                (None, '"' | '\'') => quote = Some(letter),
                (None, ';') => {
                    parts.push(Self::new(&line[start..index]));
                    start = index + 1;
                }
                _ => {}
            }
        }
        parts.push(Self::new(&line[start..]));
        parts
    }

    /// Takes a part of a line apart at the first `|`, `>` or `>>` outside of quotes and brackets. An
    /// expression with such an operator stands in brackets, as crash(8) wants it.
    fn new(line: &'l str) -> Self {
        let mut quote = None;
        let mut depth = 0_usize;
        let mut previous = ' ';
        for (index, letter) in line.char_indices() {
            match (quote, letter) {
                (Some(open), _) if open == letter => quote = None,
                (None, '"' | '\'') => quote = Some(letter),
                (None, '(' | '[') => depth = depth.saturating_add(1),
                (None, ')' | ']') => depth = depth.saturating_sub(1),
                (None, '|') if depth == 0 => {
                    return Self::at(line, index, Target::Pipe(line[index + 1..].trim()));
                }
                (None, '>') if depth == 0 && previous != '-' => {
                    let rest = &line[index + 1..];
                    let target = match rest.strip_prefix('>') {
                        Some(file) => Target::Append(file.trim()),
                        None => Target::File(rest.trim()),
                    };
                    return Self::at(line, index, target);
                }
                _ => {}
            }
            previous = letter;
        }
        Self { commands: line, target: Target::Terminal }
    }

    fn at(line: &'l str, index: usize, target: Target<'l>) -> Self {
        Self { commands: &line[..index], target }
    }
}

/// Writes text into a file.
pub(super) fn write(text: &str, path: &str, append: bool) -> Result<(), Failure> {
    let failed = |error: std::io::Error| {
        Failure::new(Exit::WriteFailed, format!("cannot write to {path}")).caused_by(&error)
    };
    if path.is_empty() {
        return Err(Failure::new(Exit::Usage, "no file after `>`"));
    }
    let mut options = OpenOptions::new();
    options.create(true).write(true).append(append).truncate(!append);
    let mut file = options.open(path).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_ends_where_its_output_goes_elsewhere() {
        let of = |line| Redirected::new(line);
        assert_eq!(of("bt 12").target, Target::Terminal);
        assert_eq!(
            of("ps | grep bash | wc -l"),
            Redirected { commands: "ps ", target: Target::Pipe("grep bash | wc -l") }
        );
        assert_eq!(of("log > out.txt").target, Target::File("out.txt"));
        assert_eq!(of("log >>out.txt").target, Target::Append("out.txt"));
    }

    #[test]
    fn each_command_of_a_line_has_its_own_output() {
        let parts = Redirected::all("sys > a; ps | grep 'b;c' | wc -l; log");
        let targets: Vec<Target<'_>> = parts.iter().map(|part| part.target).collect();
        let piped = Target::Pipe("grep 'b;c' | wc -l");
        assert_eq!(targets, [Target::File("a"), piped, Target::Terminal]);
        assert_eq!(parts[1].commands.trim(), "ps");
    }

    #[test]
    fn operators_of_expressions_are_no_redirection() {
        let all = |line| assert_eq!(Redirected::new(line).commands, line);
        all("p init_task.mm->pgd");
        all("p (1 | 2)");
        all("eval (4 > 3)");
        all("search -c \"a|b\"");
    }
}
