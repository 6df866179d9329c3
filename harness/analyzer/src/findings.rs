// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is missing, doubtful or worth knowing. The codes are listed in `docs/findings.md`.

use debuginfo::Image;
use unwind::{StopReason, Trust, Walk};

use crate::claim::{Addresses, Claim};
use crate::context::Walks;
use crate::from_log::Lost;
use crate::machine::Machine;
use crate::printer::CodeNames;
use crate::report::{Finding, Severity};
use crate::stacks;
use kernel::module_file::ModuleFile;
use kernel::modules::{FoundBy, Module};
use kernel::{Kernel, VmlinuxState};

/// A finding whose addresses are not printed yet.
type Found = (&'static str, Severity, Claim);

/// Findings, their addresses not printed yet.
#[derive(Debug, Default)]
pub struct Findings {
    all: Vec<Found>,
    /// Those that another run of the same crash may not have; they are in no stable report.
    of_this_run: Vec<Found>,
}

impl Findings {
    fn add(&mut self, code: &'static str, severity: Severity, claim: Claim) {
        if !self.all.iter().any(|(_, _, known)| *known == claim) {
            self.all.push((code, severity, claim));
        }
    }

    fn say(&mut self, code: &'static str, severity: Severity, words: impl Into<String>) {
        self.add(code, severity, Claim::new(None).text(words));
    }

    /// As they stand in the report.
    pub fn list(&self, addresses: &mut dyn Addresses) -> Vec<Finding> {
        let of_this_run = self.of_this_run.iter().filter(|_| !addresses.is_stable());
        let shown: Vec<&Found> = self.all.iter().chain(of_this_run).collect();
        let finding = |(code, severity, claim): &Found| Finding {
            code: (*code).to_owned(),
            severity: *severity,
            message: addresses.evidence(claim).claim,
        };
        shown.into_iter().map(finding).collect()
    }

    /// About the dump and the files given with it.
    pub fn inputs(&mut self, machine: &Machine<'_>) {
        let kernel = machine.kernel();
        if !kernel.vmcore().info().complete {
            self.say("A001", Severity::Warning, "the vmcore is incomplete");
        }
        for problem in kernel.vmcore().problems() {
            self.say("A002", Severity::Warning, problem.to_string());
        }
        if let Some(misplaced) = kernel.misplaced() {
            self.say("A023", Severity::Warning, misplaced.to_string());
        }
        match kernel.vmlinux() {
            VmlinuxState::Matches { .. } => {}
            VmlinuxState::Absent => {
                let words = without_vmlinux(kernel, "no vmlinux was found");
                self.say("A003", Severity::Warning, words);
            }
            VmlinuxState::Stripped => {
                let words = without_vmlinux(kernel, "the vmlinux given is stripped, and not used");
                self.say("A003", Severity::Warning, words);
            }
            VmlinuxState::Unconfirmed => self.say(
                "A004",
                Severity::Warning,
                "nothing in the vmcore tells whether the vmlinux given is the right one",
            ),
            VmlinuxState::Wrong(wrong) => {
                self.say("A005", Severity::Error, wrong.to_string());
            }
            VmlinuxState::Unusable(error) => {
                self.say(
                    "A006",
                    Severity::Error,
                    format!("the vmlinux given cannot be used: {error}"),
                );
            }
        }
        if let Some(error) = kernel.image().and_then(Image::refused_debug_file) {
            self.debug_file("the vmlinux", error);
        }
        let doubts = kernel.crash().doubts.iter().filter(|_| !kernel.is_running());
        for doubt in doubts {
            self.say("A007", Severity::Warning, doubt.clone());
        }
        match kernel.modules() {
            Ok(modules) => {
                for damage in &modules.damage {
                    let words = format!("the list of modules is incomplete: {damage}");
                    self.say("A017", Severity::Warning, words);
                }
            }
            Err(why) => {
                let words = format!("the modules are not known: {why}");
                self.say("A017", Severity::Warning, words);
            }
        }
        self.silent_cpus(kernel);
        for overrun in kernel.overruns() {
            if let Some(stack) = kernel.task_stack(&overrun.task) {
                self.add("A019", Severity::Warning, stacks::stack_end::end(&overrun, &stack));
            }
        }
        self.module_files(machine);
    }

    fn debug_file(&mut self, of: &str, error: &debuginfo::Error) {
        use debuginfo::Error::{NoSupplementaryFile, OtherSupplementaryFile};
        let words = match error {
            NoSupplementaryFile(_) | OtherSupplementaryFile { .. } => {
                format!("the debug information of {of} is not complete: {error}")
            }
            _ => format!("the debug file found for {of} is not used: {error}"),
        };
        self.say("A018", Severity::Warning, words);
    }

    /// A module that the kernel's list does not lead to.
    fn found_otherwise(&mut self, module: &Module) {
        let name = &module.name;
        let words = match module.found {
            FoundBy::List => return,
            FoundBy::FolderOnly => format!(
                "module {name} was found by its folder in sysfs: the list of modules does not lead to it"
            ),
            FoundBy::Folder => format!(
                "module {name} was found by its folder in sysfs, with its sections: its structure cannot \
                 be read"
            ),
        };
        self.say("A024", Severity::Info, words);
    }

    fn module_files(&mut self, machine: &Machine<'_>) {
        for (module, file) in machine.modules() {
            let name = &module.name;
            self.found_otherwise(module);
            let image = file.and_then(ModuleFile::image);
            if let Some(error) = image.and_then(Image::refused_debug_file) {
                self.debug_file(&format!("module {name}"), error);
            }
            match file {
                None | Some(ModuleFile::Matches { .. }) => {}
                Some(ModuleFile::Unconfirmed { .. }) => self.say(
                    "A008",
                    Severity::Warning,
                    format!(
                        "nothing tells whether the file given for module {name} is the right one"
                    ),
                ),
                Some(ModuleFile::Wrong(wrong)) => {
                    self.say("A009", Severity::Error, wrong.to_string());
                }
                Some(ModuleFile::Unusable(error)) => self.say(
                    "A010",
                    Severity::Error,
                    format!("the file given for module {name} cannot be used: {error}"),
                ),
                Some(ModuleFile::NoSections(why)) => self.say(
                    "A011",
                    Severity::Warning,
                    format!(
                        "the vmcore does not tell where the sections of module {name} are: {why}"
                    ),
                ),
            }
        }
    }

    /// About a text: torn if lines of its report are missing; so many more reports than are listed.
    pub fn text(&mut self, torn: bool, cut: bool, left_out: usize) {
        let words = "made from a text alone: there is no memory to look at, and nothing is proven";
        self.say("A020", Severity::Info, words);
        if torn {
            let words = "lines of the report are missing in the text";
            self.say("A021", Severity::Warning, words);
        }
        if cut {
            let words = "the report has more lines than are read";
            self.say("A022", Severity::Info, words);
        }
        if left_out > 0 {
            let words = format!("the text has {left_out} more reports than are listed");
            self.say("A022", Severity::Info, words);
        }
    }

    /// How many more reports the log has before the crash than are listed.
    pub fn earlier(&mut self, more: usize) {
        if more > 0 {
            let words = format!("the log has {more} more reports before the crash than are listed");
            self.say("A022", Severity::Info, words);
        }
    }

    /// A text's kernel has no file.
    pub fn text_without_vmlinux(&mut self) {
        let words = "no vmlinux was found: names come from the text; no source lines of the kernel";
        self.say("A003", Severity::Warning, words);
    }

    /// A file that a text contradicts: the kernel's, or a module's.
    pub fn other_build(&mut self, module: Option<&str>) {
        match module {
            None => self.say(
                "A005",
                Severity::Error,
                "the vmlinux given is of another build: its release or its functions are not those of \
                 the text",
            ),
            Some(module) => self.say(
                "A009",
                Severity::Error,
                format!(
                    "the file given for module {module} is of another build: its code is not that of \
                     the text"
                ),
            ),
        }
    }

    /// A file that nothing in a text is compared with: the kernel's, or a module's.
    pub fn unknown_build(&mut self, module: Option<&str>) {
        match module {
            None => self.say(
                "A004",
                Severity::Warning,
                "nothing in the text tells whether the vmlinux given is the right one",
            ),
            Some(module) => self.say(
                "A008",
                Severity::Warning,
                format!("nothing in the text tells whether the file given for module {module} is the right one"),
            ),
        }
    }

    /// The stack is not in the dump from an address on, and the rest of its frames are the log's.
    pub(crate) fn told_frames(&mut self, lost: &Lost) {
        let claim = Claim::new(None).text("the stack is not in the dump from ").data(lost.at);
        let told = match lost.is_told {
            true => " on: the frames from there on are those that the kernel printed in its log",
            false => " on",
        };
        let claim = claim.text(told);
        let claim = match &lost.next {
            Some(next) => claim.text(format!(
                "; the next one there is {next}, of a module that the dump does not have any more"
            )),
            None => claim,
        };
        self.add("A026", Severity::Warning, claim);
    }

    /// What was read though the page tables that map it are not in the dump.
    pub fn read_around(&mut self, kernel: &Kernel<'_>) {
        let around = kernel.read_around();
        let by = match (around.direct_map, around.areas) {
            (false, false) => return,
            (true, false) => "by the place of its mapping of all memory",
            (false, true) => "by its list of the pages of each area",
            (true, true) => {
                "by the place of its mapping of all memory and its list of the pages of each area"
            }
        };
        let words = format!(
            "page tables of the kernel are not in the dump: memory that they map was found {by}"
        );
        self.say("A025", Severity::Info, words);
    }

    /// CPUs that were up and whose registers are not in the dump.
    fn silent_cpus(&mut self, kernel: &Kernel<'_>) {
        let notes = kernel.vmcore().cpus().len();
        let Ok(up) = kernel.up_cpus() else { return };
        if notes > 0 && notes < up.len() {
            let (silent, all) = (up.len() - notes, up.len());
            let words = format!(
                "the registers of {silent} of {all} CPUs are not in the dump: they did not answer when the \
                 kernel stopped them (`bt -a` of `repro crash` says which)"
            );
            // Whether a CPU answers in time differs from run to run.
            self.of_this_run.push(("A027", Severity::Warning, Claim::new(None).text(words)));
        }
    }

    /// No note holds the registers of the crashing CPU.
    pub fn no_registers(&mut self) {
        self.say(
            "A012",
            Severity::Warning,
            "the vmcore has no registers of the crashing CPU: no backtraces",
        );
    }

    /// About the two backtraces.
    pub fn walks(&mut self, machine: &Machine<'_>, walks: &Walks) {
        self.walk("fault view", &walks.fault);
        if walks.panic.frames.is_empty() {
            self.say(
                "A013",
                Severity::Info,
                "the way from the fault to the capture kernel was not found on the stack",
            );
        } else {
            self.walk("panic path", &walks.panic);
        }
        self.modules_without_lines(machine, &walks.fault);
    }

    fn walk(&mut self, name: &str, walk: &Walk) {
        if !matches!(walk.stop, StopReason::User(_) | StopReason::Root) {
            let claim = Claim::new(None).text(format!("the {name} ends early: {}", walk.stop));
            self.add("A014", Severity::Warning, claim);
        }
        if walk.frames.iter().any(|frame| frame.trust == Trust::Scan) {
            let words = format!("the {name} has frames found by a scan, which may be stale");
            self.say("A015", Severity::Warning, words);
        }
    }

    fn modules_without_lines(&mut self, machine: &Machine<'_>, walk: &Walk) {
        for frame in &walk.frames {
            let Some(name) = machine.code_name(frame.pc.for_lookup()) else { continue };
            let Some(module) = name.module else { continue };
            let known = machine.modules().any(|(loaded, file)| {
                loaded.name == module && file.and_then(ModuleFile::image).is_some()
            });
            if !known {
                self.module_without_lines(&module);
            }
        }
    }

    /// A module on the stack has no file that is of use.
    pub fn module_without_lines(&mut self, module: &str) {
        let words = format!(
            "module {module} is in the backtrace without debug information: \
             no lines, no inlined functions, no expressions"
        );
        self.say("A016", Severity::Warning, words);
    }
}

/// What the report does without, and what stands in for it.
fn without_vmlinux(kernel: &Kernel<'_>, why: &str) -> String {
    let names = match kernel.kallsyms() {
        Ok(_) => "names come from the symbol table in the dump's memory".to_owned(),
        Err(why) => format!("no names ({why})"),
    };
    let types = match kernel.types() {
        Ok(_) => "types from the BTF in the dump's memory".to_owned(),
        Err(_) if kernel.has_known_layouts() => {
            "the layouts of tasks and modules are those known of CentOS 7's kernel, which fit this \
             dump"
                .to_owned()
        }
        Err(why) => format!("no types ({why})"),
    };
    format!("{why}: {names}, {types}; no source lines of the kernel")
}
