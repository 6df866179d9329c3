// SPDX-License-Identifier: MIT OR Apache-2.0
//! Calls the analyzer: the one place where dumps and symbol files are opened for it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use analyzer::machine::Machine;
use analyzer::text::{TextInputs, TextLog};
use analyzer::{Analysis, Inputs, report};
use debugger::{Files, Session, with_session};
use vmcore::Vmcore;

use crate::compose::Image;
use crate::dump::Dump;
use crate::error::Failure;
use crate::exit::Exit;
use crate::input::Input;
use crate::opened::Opened;
pub use crate::symbols::Places;
use crate::symbols::{Found, Lines, Modules, Wanted, kernel};
use crate::text::Text;

/// Files that an analysis may use.
#[derive(Debug, Clone, Default)]
pub struct Symbols {
    /// The kernel with symbols and debug information, or a folder with it.
    pub vmlinux: Option<PathBuf>,
    /// Modules by their names in the kernel.
    pub modules: Vec<(String, PathBuf)>,
    /// A folder with modules, at any depth.
    pub module_dir: Option<PathBuf>,
    /// Where what is not given is looked for.
    pub places: Places,
    /// The sources of the modules.
    pub lines: Lines,
}

/// Says from a vmcore why the kernel crashed; a split one is in several files.
///
/// # Errors
/// A file cannot be opened, or the dump is none.
pub fn analyze(vmcore: &[impl AsRef<Path>], symbols: &Symbols) -> Result<Analysis, Failure> {
    analyze_and(vmcore, symbols, |_, _| ()).map(|(analysis, ())| analysis)
}

/// The same, and what `look` finds in the machine while it is open; a text has none.
///
/// # Errors
/// A file cannot be opened, or the dump is none.
pub(crate) fn analyze_and<T: Default>(
    vmcore: &[impl AsRef<Path>],
    symbols: &Symbols,
    look: impl FnOnce(&Machine<'_>, &report::Report) -> T,
) -> Result<(Analysis, T), Failure> {
    analyze_input(&Input::open(vmcore)?, symbols, look)
}

/// The same of what is open already.
///
/// # Errors
/// It is no dump, or a file of the kernel or its modules cannot be opened.
pub(crate) fn analyze_input<T: Default>(
    input: &Input,
    symbols: &Symbols,
    look: impl FnOnce(&Machine<'_>, &report::Report) -> T,
) -> Result<(Analysis, T), Failure> {
    match input {
        Input::Text(text) => of_text(text.log(), symbols).map(|analysis| (analysis, T::default())),
        Input::Dump(dump) => opened(dump, symbols, |inputs, _| analyzer::analyze_and(inputs, look)),
    }
}

/// Kernels whose files are kept open: each may take the room of a kernel's debug information.
const MOST_RELEASES: usize = 4;

/// Says of one file after the other why the kernel crashed, with the same files of kernels and modules.
pub(crate) struct Analyst<'s> {
    symbols: &'s Symbols,
    /// What belongs to texts, by the kernel's release.
    opened: RefCell<BTreeMap<Option<String>, Rc<OfText>>>,
}

/// Files that belong to a text.
struct OfText {
    vmlinux: Option<Found>,
    modules: Modules,
}

impl OfText {
    fn open(symbols: &Symbols, release: Option<String>) -> Result<Self, Failure> {
        let wanted = Wanted { release, build_id: None };
        Ok(Self { vmlinux: symbols.kernel(&wanted)?, modules: symbols.modules(&wanted)? })
    }

    fn analyze(&self, log: &TextLog) -> Analysis {
        let vmlinux = self.vmlinux.as_ref().map(Found::files);
        log.analyze(&TextInputs { vmlinux, modules: &self.modules })
    }
}

impl<'s> Analyst<'s> {
    /// One that has opened nothing yet.
    pub(crate) fn new(symbols: &'s Symbols) -> Self {
        Self { symbols, opened: RefCell::default() }
    }

    /// Says of a dump or a text why the kernel crashed.
    ///
    /// # Errors
    /// The file cannot be opened, or is none of both.
    pub(crate) fn analyze(&self, file: &Path) -> Result<Analysis, Failure> {
        let input = Input::open(&[file])?;
        let Input::Text(text) = &input else {
            let symbols = self.symbols.beside(file);
            return analyze_input(&input, &symbols, |_, _| ()).map(|(analysis, ())| analysis);
        };
        let log = text.log()?;
        let release = log.release();
        let known = self.opened.borrow().get(&release).cloned();
        let files = match known {
            Some(known) => known,
            None => Rc::new(OfText::open(self.symbols, release.clone())?),
        };
        let mut opened = self.opened.borrow_mut();
        if opened.len() >= MOST_RELEASES {
            opened.clear();
        }
        opened.insert(release, Rc::clone(&files));
        Ok(files.analyze(&log))
    }
}

/// Says from the text of a kernel's log why it crashed, or what it complains of first.
///
/// # Errors
/// No report is in it, or a file cannot be opened.
pub fn analyze_text(text: &[u8], symbols: &Symbols) -> Result<Analysis, Failure> {
    let log = TextLog::read(text).map_err(|error| {
        Failure::new(Exit::AnalysisFailed, "cannot analyze the text").caused_by(&error)
    });
    of_text(log, symbols)
}

/// As with a dump, files that are not there are told of before the text that says nothing.
fn of_text(log: Result<TextLog, Failure>, symbols: &Symbols) -> Result<Analysis, Failure> {
    let files = OfText::open(symbols, log.as_ref().ok().and_then(TextLog::release))?;
    Ok(files.analyze(&log?))
}

/// Says from memory that the host holds why the kernel crashed, and what its log says, as
/// `makedumpfile --dump-dmesg` would write it; and what `look` finds in the machine.
///
/// # Errors
/// A file cannot be opened, or the memory is no dump.
pub(crate) fn analyze_memory<T>(
    image: &Image,
    symbols: &Symbols,
    look: impl FnOnce(&Machine<'_>, &report::Report) -> T,
) -> Result<(Analysis, T, Option<String>), Failure> {
    let failed = |error: &(dyn std::error::Error + 'static)| {
        Failure::new(Exit::AnalysisFailed, "cannot analyze the guest's memory").caused_by(error)
    };
    let vmcore = Vmcore::open(image).map_err(|error| failed(&error))?;
    let wanted = wanted(&vmcore);
    let vmlinux = symbols.kernel(&wanted)?;
    let modules = symbols.modules(&wanted)?;
    let vmlinux = vmlinux.as_ref().map(Found::files);
    let inputs = Inputs { vmcore: &vmcore, vmlinux, modules: &modules };
    let with_log = |machine: &Machine<'_>, report: &report::Report| {
        (look(machine, report), machine.kernel().log().ok().map(kernel::log::text))
    };
    let (analysis, (looked, log)) =
        analyzer::analyze_and(&inputs, with_log).map_err(|error| failed(&error))?;
    Ok((analysis, looked, log))
}

/// What a report says of a dump's file.
///
/// # Errors
/// It cannot be opened, or is no dump.
pub fn describe(vmcore: &Path) -> Result<report::Dump, Failure> {
    let dump = Dump::of(vec![Opened::open(vmcore)?])?;
    let opened = dump.vmcore()?;
    Ok(analyzer::facts::dump(opened.info()))
}

/// Opens a vmcore for questions; a split one is in several files.
///
/// # Errors
/// A file cannot be opened, or the dump is none.
pub fn ask<T>(
    vmcore: &[impl AsRef<Path>],
    symbols: &Symbols,
    talk: impl FnOnce(&mut Session<'_, '_>) -> T,
) -> Result<T, Failure> {
    ask_input(&Input::open(vmcore)?, symbols, talk)
}

/// The same of what is open already.
///
/// # Errors
/// It is no dump, or a file of the kernel or its modules cannot be opened.
pub(crate) fn ask_input<T>(
    input: &Input,
    symbols: &Symbols,
    talk: impl FnOnce(&mut Session<'_, '_>) -> T,
) -> Result<T, Failure> {
    match input {
        Input::Dump(dump) => {
            opened(dump, symbols, |inputs, names| with_session(inputs, names, talk))
        }
        Input::Text(text) => Err(without_memory(text)),
    }
}

/// That a text cannot be asked: of one with a report, who reads that; of another one, that it is nothing at all.
fn without_memory(text: &Text) -> Failure {
    if let Err(failure) = text.log() {
        return failure;
    }
    let name = text.file().path.display();
    let what = format!("{name} is a text, which has no memory to ask");
    let hint = format!("`repro analyze {name}` says what it tells");
    Failure::new(Exit::AnalysisFailed, what).hint(hint)
}

/// Opens the files and hands their bytes on, and what they are called if that is asked for.
fn opened<T>(
    dump: &Dump,
    symbols: &Symbols,
    look: impl FnOnce(&Inputs<'_>, &dyn Fn() -> Files) -> Result<T, analyzer::Error>,
) -> Result<T, Failure> {
    let vmcore = dump.vmcore();
    let wanted = vmcore.as_ref().map(wanted).unwrap_or_default();
    let vmlinux = symbols.kernel(&wanted)?;
    let modules = symbols.modules(&wanted)?;
    let vmcore = vmcore?;
    let files = vmlinux.as_ref().map(Found::files);
    let inputs = Inputs { vmcore: &vmcore, vmlinux: files, modules: &modules };
    let name = |path: &Path| path.display().to_string();
    let names = || Files {
        vmcore: dump.name(),
        vmlinux: vmlinux.as_ref().map(|found| name(found.path())),
        modules: modules.used().into_iter().map(|(module, path)| (module, name(&path))).collect(),
    };
    look(&inputs, &names).map_err(|error| {
        let failure = dump.failure(&error);
        match error.advice() {
            Some(advice) => failure.hint(advice),
            None => failure,
        }
    })
}

/// What the dump says of its kernel.
pub(crate) fn wanted(vmcore: &Vmcore<'_>) -> Wanted {
    Wanted {
        release: vmcore.vmcoreinfo().os_release().map(str::to_owned),
        build_id: vmcore.vmcoreinfo().build_id(),
    }
}

impl Symbols {
    /// The same for a dump in a folder with others' dumps.
    fn beside(&self, dump: &Path) -> Self {
        Self { places: self.places.beside(dump), ..self.clone() }
    }

    /// Looks whether what was given is there.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        for path in self.vmlinux.iter().chain(&self.module_dir) {
            path.metadata().map_err(|error| {
                Failure::new(Exit::SetupError, format!("cannot read {}", path.display()))
                    .caused_by(&error)
            })?;
        }
        Ok(())
    }

    pub(crate) fn kernel(&self, wanted: &Wanted) -> Result<Option<Found>, Failure> {
        let given = self.vmlinux.as_deref();
        let noted = self.places.noted.clone();
        let wanted = Wanted { build_id: noted.or(wanted.build_id.clone()), ..wanted.clone() };
        kernel(given, &self.places, &wanted).map_err(|error| {
            let path = given.unwrap_or(Path::new("vmlinux"));
            Failure::new(Exit::AnalysisFailed, format!("cannot read {}", path.display()))
                .caused_by(&error)
        })
    }

    pub(crate) fn modules(&self, wanted: &Wanted) -> Result<Modules, Failure> {
        let mut modules = Modules::named(&self.modules).map_err(|error| {
            Failure::new(Exit::AnalysisFailed, "cannot read the modules' files").caused_by(&error)
        })?;
        if let Some(folder) = &self.module_dir {
            modules.search(folder, wanted).map_err(|error| {
                Failure::new(Exit::SetupError, format!("cannot read {}", folder.display()))
                    .caused_by(&error)
            })?;
        }
        modules.search_places(&self.places, wanted);
        Ok(modules.with_lines(self.lines.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_without_a_report_leads_nowhere_and_one_with_it_to_who_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("text");
        let said = |text: &str| {
            std::fs::write(&file, text).unwrap();
            let asked = ask(&[&file], &Symbols::default(), |_| ());
            asked.unwrap_err()
        };
        let users = said("root:x:0:0:root:/root:/bin/bash\n");
        assert!(users.to_string().starts_with("cannot analyze "), "{users}");
        let log = said("BUG: kernel NULL pointer dereference, address: 0000000000000008\n");
        assert!(log.to_string().ends_with(" is a text, which has no memory to ask"), "{log}");
    }
}
