// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use protocol::ExecPath;

/// What is to be done.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    /// The steps.
    pub(crate) paths: Vec<ExecPath>,
    /// What shuffles them.
    pub(crate) seed: Option<u64>,
    /// How often each is taken.
    pub(crate) rounds: u32,
    /// Whether PID 1 of a guest is told of them, over the standard input.
    pub(crate) tell: bool,
    /// Folder with modules of the kernel that steps may need.
    pub(crate) modules: Option<PathBuf>,
    /// The module that may be unloaded.
    pub(crate) module: Option<String>,
    /// A program that is run before them, with its arguments.
    pub(crate) first: Vec<OsString>,
}

/// How it is called.
pub(crate) const USAGE: &str = "\
exec-paths [--seed N] [--rounds N] [--tell] [--modules FOLDER] [--module NAME] all|STEP… [-- PROGRAM…]";

impl Options {
    /// Reads the arguments after the program's name.
    ///
    /// # Errors
    /// In words: what is not understood.
    pub(crate) fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, String> {
        let mut options = Self { rounds: 1, ..Self::default() };
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            let word = argument.to_string_lossy();
            let mut value = || {
                let value = arguments.next().ok_or_else(|| format!("{word} needs a value"))?;
                value.into_string().map_err(|_| format!("the value of {word} is no text"))
            };
            let number = |text: String| {
                text.parse().map_err(|_| format!("the value of {word} is no number: {text}"))
            };
            match word.as_ref() {
                "--seed" => options.seed = Some(number(value()?)?),
                "--rounds" => {
                    options.rounds = u32::try_from(number(value()?)?)
                        .map_err(|_| "too many rounds".to_owned())?;
                }
                "--tell" => options.tell = true,
                "--modules" => options.modules = Some(value()?.into()),
                "--module" => options.module = Some(value()?),
                "--" => options.first = arguments.by_ref().collect(),
                ExecPath::ALL => options.paths.extend(ExecPath::all()),
                name => options.paths.push(
                    ExecPath::named(name).ok_or_else(|| format!("there is no step `{name}`"))?,
                ),
            }
        }
        if options.paths.is_empty() {
            return Err("no step is named".to_owned());
        }
        Ok(options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Options, String> {
        Options::read(line.split(' ').map(OsString::from))
    }

    #[test]
    fn every_option_arrives() {
        let line = "--seed 7 --rounds 2 --tell --modules /m --module a memfd script -- /bin/sh x";
        let options = read(line).unwrap();
        assert_eq!(options.paths, [ExecPath::Memfd, ExecPath::Script]);
        assert_eq!((options.seed, options.rounds, options.tell), (Some(7), 2, true));
        assert_eq!(options.modules, Some("/m".into()));
        assert_eq!(options.module.as_deref(), Some("a"));
        assert_eq!(options.first, ["/bin/sh", "x"]);
        assert_eq!(read("all").unwrap().paths.len(), ExecPath::all().count());
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (line, word) in [
            ("memdf", "memdf"),
            ("--seed", "--seed"),
            ("--seed x all", "no number: x"),
            ("--tell", "no step"),
        ] {
            let message = read(line).unwrap_err();
            assert!(message.contains(word), "{message}");
        }
    }
}
