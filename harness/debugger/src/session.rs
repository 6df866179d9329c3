// SPDX-License-Identifier: MIT OR Apache-2.0
//! A conversation about one dump.

use super::arguments;
use super::other_names::ALIASES;
use super::{CommandError, Output, Reply, absent, rules, type_names};
use analyzer::analyze::{Error, Inputs};
use analyzer::machine::Machine;
use kernel::Kernel;
use kernel::tasks::Task;

/// What the files are called that the analyzer itself sees only the bytes of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Files {
    /// The dump.
    pub vmcore: String,
    /// The kernel with debug information.
    pub vmlinux: Option<String>,
    /// Loaded modules that have one: name in the kernel and file.
    pub modules: Vec<(String, String)>,
}

/// A conversation about one dump: what was said before decides which task is meant now.
#[derive(Debug)]
pub struct Session<'m, 'a> {
    machine: &'m Machine<'a>,
    files: Files,
    context: Option<Task>,
}

impl<'m, 'a> Session<'m, 'a> {
    /// A conversation that begins with the task that crashed.
    #[must_use]
    pub fn new(machine: &'m Machine<'a>, files: Files) -> Self {
        Self { machine, files, context: machine.kernel().crash().task.clone() }
    }

    /// The machine that is talked about.
    #[must_use]
    pub const fn machine(&self) -> &'m Machine<'a> {
        self.machine
    }

    /// The kernel's view.
    #[must_use]
    pub fn kernel(&self) -> &'a Kernel<'a> {
        self.machine.kernel()
    }

    /// Names of the files.
    #[must_use]
    pub const fn files(&self) -> &Files {
        &self.files
    }

    /// The task that is meant where none is named.
    ///
    /// # Errors
    /// If it is not known which task crashed and none was chosen.
    pub fn context(&self) -> Result<&Task, CommandError> {
        let none = || CommandError::nothing("no current task: `set PID` chooses one");
        self.context.as_ref().ok_or_else(none)
    }

    /// Makes a task the one that is meant where none is named.
    pub fn set_context(&mut self, task: Task) {
        self.context = Some(task);
    }

    /// Runs the commands of a line, one after the other.
    pub fn run(&mut self, line: &str) -> Vec<Output> {
        let one =
            |command: &&str| Output { command: (*command).to_owned(), result: self.one(command) };
        arguments::commands(line).iter().map(one).collect()
    }

    fn one(&mut self, command: &str) -> Result<Reply, CommandError> {
        let end = command.find(char::is_whitespace).unwrap_or(command.len());
        let (name, text) = command.split_at(end);
        self.answer(name, text)
    }

    /// The answer of one command; `text` is what follows its name.
    pub(super) fn answer(&mut self, name: &str, text: &str) -> Result<Reply, CommandError> {
        let (name, before) = ALIASES
            .iter()
            .find(|(alias, ..)| *alias == name)
            .map_or((name, ""), |(_, name, before)| (*name, *before));
        let text = &format!("{before}{text}");
        let Some(known) = super::named(name) else { return self.shorthand(name, text) };
        let arguments = rules::parse(known, text)?;
        (known.run)(self, &arguments)
    }

    /// Forms that stand for another command: gdb's `p/x`, and crash(8)'s `list_head ADDRESS` and
    /// `*list_head ADDRESS` for `struct list_head ADDRESS`.
    fn shorthand(&mut self, name: &str, text: &str) -> Result<Reply, CommandError> {
        // `net` and `swap` are names of types, too.
        if let Some(absent) = absent::command(name) {
            return Err(absent);
        }
        if let Some(("p", radix @ ("x" | "d"))) = name.split_once('/') {
            return self.answer("p", &format!(" -{radix}{text}"));
        }
        let typed = name.strip_prefix('*').unwrap_or(name);
        if type_names::is_type(self.machine(), typed) {
            return self.answer("struct", &format!(" {typed}{text}"));
        }
        Err(CommandError::NoCommand(name.to_owned()))
    }
}

/// Opens a dump and talks about it. What the files are called is asked when those of the modules are open, since
/// a module may be found by its build-id alone.
///
/// # Errors
/// If the kernel cannot be found in the dump.
pub fn with_session<T>(
    inputs: &Inputs<'_>,
    files: &dyn Fn() -> Files,
    talk: impl FnOnce(&mut Session<'_, '_>) -> T,
) -> Result<T, Error> {
    let kernel = Kernel::open(inputs.vmcore, inputs.vmlinux)?;
    let machine = Machine::new(&kernel);
    machine.open_modules(inputs.modules);
    Ok(talk(&mut Session::new(&machine, files())))
}
