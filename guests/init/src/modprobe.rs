// SPDX-License-Identifier: MIT OR Apache-2.0
//! modprobe(8) of the guests: for triggers, and for the kernel, which starts it when somebody wants
//! what a module has (`request_module`, kernel/kmod.c).
//!
//! Options are those that kernels and scripts use; what it prints begins as kmod's does.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::process::ExitCode;

use protocol::{CASE_MODULES, ModuleIndex};

use crate::module_disk::ModuleDisk;
use crate::modules;

/// Names that this program is called by.
const NAME: &str = "modprobe";

/// What is wanted of it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Wanted {
    quiet: bool,
    remove: bool,
    all: bool,
    names: Vec<String>,
    /// Words behind the only name.
    parameters: Vec<String>,
}

/// Whether this program was started as modprobe(8).
pub(crate) fn is_called(argument: Option<&str>) -> bool {
    argument.is_some_and(|path| path.rsplit('/').next() == Some(NAME))
}

/// Does what modprobe(8) does.
pub(crate) fn main(arguments: impl Iterator<Item = String>) -> ExitCode {
    let wanted = match Wanted::read(arguments) {
        Ok(wanted) => wanted,
        Err(message) => return complain(&message),
    };
    let parameters = wanted.parameters.join(" ");
    for name in &wanted.names {
        let result = match wanted.remove {
            true => modules::unload(&protocol::kernel_name(name)),
            false => load(name, &parameters),
        };
        match result {
            Err(_) if wanted.quiet => return ExitCode::FAILURE,
            Err(message) => return complain(&message),
            Ok(()) => {}
        }
    }
    ExitCode::SUCCESS
}

fn complain(message: &str) -> ExitCode {
    // Whoever started it may have closed that.
    let _ = writeln!(std::io::stderr(), "{NAME}: FATAL: {message}");
    ExitCode::FAILURE
}

impl Wanted {
    fn read(arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut wanted = Self::default();
        let mut words = Vec::new();
        let mut options = true;
        for argument in arguments {
            match argument.as_str() {
                "--" if options => options = false,
                "-q" | "--quiet" | "-s" | "--syslog" if options => wanted.quiet = true,
                "-r" | "--remove" if options => wanted.remove = true,
                "-a" | "--all" if options => wanted.all = true,
                // There is no configuration, nothing is forced, and all is said that is to say.
                "-b" | "--use-blacklist" | "-v" | "--verbose" if options => {}
                option if options && option.starts_with('-') => {
                    return Err(format!("option {option} is not known in this guest"));
                }
                _ => words.push(argument),
            }
        }
        if wanted.all || wanted.remove {
            wanted.names = words;
        } else {
            let mut words = words.into_iter();
            wanted.names.extend(words.next());
            wanted.parameters.extend(words);
        }
        if wanted.names.is_empty() {
            return Err("no module is named".to_owned());
        }
        Ok(wanted)
    }
}

/// Loads what a name stands for, and all it depends on.
///
/// # Errors
/// In words: nobody has it, or the kernel does not load it.
pub(crate) fn load(name: &str, parameters: &str) -> Result<(), String> {
    let disk = ModuleDisk::open();
    let index = joined(disk.as_ref().ok().map(ModuleDisk::index));
    if index.is_built_in(name) {
        return Ok(());
    }
    let found = index.named(name);
    if found.is_empty() {
        let release = rustix::system::uname().release().to_string_lossy().into_owned();
        let absent = format!("Module {name} not found in directory /lib/modules/{release}");
        return Err(match disk {
            Ok(_) => absent,
            Err(why) => format!("{absent} ({why})"),
        });
    }
    let loaded = loaded();
    for wanted in found {
        let order = index.order(wanted).map_err(|needed| {
            format!("{wanted} needs the module {needed}, which is not to be had in this guest")
        })?;
        for each in order.into_iter().filter(|each| !loaded.contains(*each)) {
            let Some(entry) = index.modules.get(each) else { continue };
            let own = if each == wanted && !parameters.is_empty() {
                parameters
            } else {
                &entry.parameters
            };
            match (&entry.place, &disk) {
                (protocol::ModulePlace::File(path), _) => modules::load(path, own)?,
                (protocol::ModulePlace::Disk(from, bytes), Ok(disk)) => {
                    modules::load_bytes(each, &disk.read(*from, *bytes)?, own)?;
                }
                (protocol::ModulePlace::Disk(..), Err(why)) => return Err(why.clone()),
            }
        }
    }
    Ok(())
}

/// The kernel's modules and those of the case, which win.
fn joined(of_kernel: Option<&ModuleIndex>) -> ModuleIndex {
    let mut index = of_kernel.cloned().unwrap_or_default();
    let case = fs::read(CASE_MODULES).ok();
    let case = case.and_then(|text| serde_json::from_slice::<ModuleIndex>(&text).ok());
    let case = case.unwrap_or_default();
    // A case brings its own build of something that the kernel has too.
    index.built_in.retain(|name| !case.modules.contains_key(name));
    index.modules.extend(case.modules);
    index.aliases.extend(case.aliases);
    index
}

/// Names of the modules that are loaded.
fn loaded() -> BTreeSet<String> {
    let text = fs::read_to_string("/proc/modules").unwrap_or_default();
    text.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &[&str]) -> Result<Wanted, String> {
        Wanted::read(words.iter().map(|word| (*word).to_owned()))
    }

    #[test]
    fn it_is_called_as_the_kernel_and_as_scripts_call_it() {
        assert!(is_called(Some("/sbin/modprobe")) && is_called(Some("modprobe")));
        assert!(!is_called(Some("/init")) && !is_called(None));
        let wanted = read(&["-q", "--", "net-pf-17"]).unwrap();
        assert_eq!((wanted.quiet, wanted.names), (true, vec!["net-pf-17".to_owned()]));
        let wanted = read(&["loop", "max_loop=4", "max_part=1"]).unwrap();
        assert_eq!(wanted.names, ["loop"]);
        assert_eq!(wanted.parameters, ["max_loop=4", "max_part=1"]);
        let wanted = read(&["-a", "loop", "brd"]).unwrap();
        assert_eq!(wanted.names, ["loop", "brd"]);
        let wanted = read(&["-r", "brd"]).unwrap();
        assert!(wanted.remove);
        let wanted = read(&["--", "-q"]).unwrap();
        assert_eq!((wanted.quiet, wanted.names), (false, vec!["-q".to_owned()]));
    }

    #[test]
    fn what_it_cannot_do_is_said() {
        assert!(read(&["--show-depends", "loop"]).unwrap_err().contains("--show-depends"));
        assert!(read(&["-q"]).unwrap_err().contains("no module"));
        let message = load("no-such-module-anywhere", "").unwrap_err();
        assert!(message.contains("Module no-such-module-anywhere not found"), "{message}");
    }
}
