// SPDX-License-Identifier: MIT OR Apache-2.0
//! Questions to a dump by the names that crash(8) gave them.
//!
//! A [`Session`] takes lines as one types them and gives [`Output`]s: data that can be printed as
//! text or JSON. Nothing is printed here and nothing of the dump is ever written.
//!
//! Each command is a file with a [`Command`]: name, options and help in one definition. A new one
//! is added to [`ALL`].
#![forbid(unsafe_code)]
#![warn(clippy::indexing_slicing)]

mod absent;
mod alias;
mod arguments;
mod ascii;
mod bt;
mod bt_form;
mod bt_scan;
mod complete;
mod date;
mod dis;
mod embedding;
mod error;
mod eval;
mod fault;
mod files;
mod foreach;
mod help;
mod instruction;
mod irq;
mod kmem;
mod linked;
mod list;
mod lock;
mod log;
mod mach;
mod modules;
mod mount;
mod other_names;
mod output;
mod p;
mod ps;
mod ps_views;
mod ptov;
mod rd;
mod regions;
mod registers;
mod resolve;
mod rules;
mod runq;
mod search;
mod session;
mod set;
mod show;
mod sig;
mod structure;
mod sym;
mod sys;
mod task;
mod timer;
mod tree;
mod type_names;
mod vm;
mod vtop;
mod waitq;
mod whatis;
mod work;
mod wr;

pub use arguments::Arguments;
pub use complete::Completion;
pub use error::CommandError;
pub use fault::{Fault, fault};
pub use instruction::Instruction;
pub use output::{Answer, Output, Reply, Text};
pub use rules::Rule;
pub use session::{Files, Session, with_session};

/// A command.
#[derive(Debug, Clone, Copy)]
pub struct Command {
    /// Its name.
    pub name: &'static str,
    /// What it does, in a few words.
    pub summary: &'static str,
    /// What follows the name (`[-a] [PID|TASK]...`).
    pub usage: &'static str,
    /// The options it takes.
    pub options: &'static [Flag],
    /// What may be typed together: what would change nothing is refused.
    pub rules: &'static [Rule],
    /// How what follows the options is taken.
    pub words: Words,
    /// Does it.
    pub run: Run,
}

/// Does what a command is for.
pub type Run = fn(&mut Session<'_, '_>, &Arguments) -> Result<Reply, CommandError>;

/// An option of a command.
#[derive(Debug, Clone, Copy)]
pub struct Flag {
    /// What follows the dash: a letter, or a number (`64`).
    pub name: &'static str,
    /// What its value is, if it has one.
    pub value: Option<&'static str>,
    /// What it does.
    pub help: &'static str,
}

impl Flag {
    /// An option without a value.
    #[must_use]
    pub const fn switch(name: &'static str, help: &'static str) -> Self {
        Self { name, value: None, help }
    }

    /// An option with a value.
    #[must_use]
    pub const fn with(name: &'static str, value: &'static str, help: &'static str) -> Self {
        Self { name, value: Some(value), help }
    }
}

/// How what follows the options is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Words {
    /// Words, with options among them.
    Mixed,
    /// A C expression: the first word that is no option ends the options, and all from there on
    /// is [`Arguments::rest`] as it was typed.
    Expression,
}

/// Every command, by name.
pub const ALL: &[Command] = &[
    alias::COMMAND,
    ascii::COMMAND,
    bt::COMMAND,
    dis::COMMAND,
    eval::COMMAND,
    files::COMMAND,
    foreach::COMMAND,
    help::COMMAND,
    irq::COMMAND,
    kmem::COMMAND,
    list::COMMAND,
    lock::COMMAND,
    log::COMMAND,
    mach::COMMAND,
    modules::COMMAND,
    mount::COMMAND,
    p::COMMAND,
    ps::COMMAND,
    ptov::COMMAND,
    rd::COMMAND,
    runq::COMMAND,
    search::COMMAND,
    set::COMMAND,
    sig::COMMAND,
    structure::STRUCT,
    sym::COMMAND,
    sys::COMMAND,
    task::COMMAND,
    timer::COMMAND,
    tree::COMMAND,
    structure::UNION,
    vm::COMMAND,
    vtop::COMMAND,
    waitq::COMMAND,
    whatis::COMMAND,
    work::COMMAND,
    wr::COMMAND,
];

/// The command of that name.
#[must_use]
pub fn named(name: &str) -> Option<&'static Command> {
    ALL.iter().find(|command| command.name == name)
}
