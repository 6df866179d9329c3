// SPDX-License-Identifier: MIT OR Apache-2.0
//! Loading kernel modules.

use std::ffi::{CStr, CString};
use std::fs::{self, File};

use rustix::io::Errno;
use rustix::system::{delete_module, finit_module, init_module};

use crate::kmsg::Log;

/// The drivers that this initramfs needs, in order, one path a line.
const LIST: &str = "/etc/repro/modules";
/// `O_NONBLOCK`: a module that is in use is not waited for.
const O_NONBLOCK: i32 = 0o4000;
/// Most lines of the kernel's log that explain a failure.
const MOST_LINES: usize = 8;

/// Loads the drivers of the list and says in words what did not work.
pub(crate) fn load_listed() -> Vec<String> {
    let list = match fs::read_to_string(LIST) {
        Ok(list) => list,
        Err(error) => return vec![format!("cannot read {LIST}: {error}")],
    };
    let paths = list.lines().map(str::trim).filter(|line| !line.is_empty());
    paths.filter_map(|path| load(path, "").err()).collect()
}

/// Loads a module. One that is loaded already is no failure.
///
/// # Errors
/// In words, with what the kernel's log says about it.
pub(crate) fn load(path: &str, parameters: &str) -> Result<(), String> {
    let file = File::open(path).map_err(|error| format!("cannot open {path}: {error}"))?;
    insert(path, parameters, |words| finit_module(&file, words, 0))
}

/// Loads a module that is in memory. One that is loaded already is no failure.
///
/// # Errors
/// In words, with what the kernel's log says about it.
pub(crate) fn load_bytes(name: &str, module: &[u8], parameters: &str) -> Result<(), String> {
    insert(name, parameters, |words| init_module(module, words))
}

fn insert(
    what: &str,
    parameters: &str,
    call: impl FnOnce(&CStr) -> Result<(), Errno>,
) -> Result<(), String> {
    let words = CString::new(parameters)
        .map_err(|_| format!("the parameters of {what} hold a zero byte"))?;
    let log = Log::from_now();
    let result = call(&words);
    let said = log.map(|mut log| log.texts()).unwrap_or_default();
    match result {
        Ok(()) | Err(Errno::EXIST) => ignored(what, &said).map_or(Ok(()), Err),
        Err(error) => Err(failure(what, parameters, error, &said)),
    }
}

/// Unloads a module. One that the trigger unloaded itself is no failure.
///
/// # Errors
/// In words: somebody still uses it, or it cannot be unloaded.
pub(crate) fn unload(name: &str) -> Result<(), String> {
    let words = CString::new(name).map_err(|_| "the name holds a zero byte".to_owned())?;
    let result = match delete_module(&words, O_NONBLOCK) {
        Err(Errno::NOENT) => Ok(()),
        result => result,
    };
    result.map_err(|error| {
        let users = fs::read_to_string(format!("/sys/module/{name}/refcnt")).unwrap_or_default();
        let users = match users.trim() {
            "" | "0" => String::new(),
            count => format!(", {count} references to it are held"),
        };
        let hint = match error {
            Errno::WOULDBLOCK => ": it is in use",
            Errno::BUSY => ": it has no exit function, or is not loaded completely",
            _ => "",
        };
        format!("the kernel does not unload {name}: {error}{hint}{users}")
    })
}

/// Kernels since 3.11 load a module with a parameter it does not have and only log it, older ones
/// refuse it. A misspelled parameter makes another case of it, so it is a failure on all.
fn ignored(path: &str, said: &[String]) -> Option<String> {
    let line = said.iter().find(|line| line.contains("unknown parameter"))?;
    Some(format!("{path} is loaded, but not as asked for: {line}"))
}

fn failure(path: &str, parameters: &str, error: Errno, said: &[String]) -> String {
    let hint = match error {
        Errno::NOEXEC => ": not a module of this kernel",
        Errno::NOENT => missing_entry(said),
        Errno::KEYREJECTED | Errno::NOKEY => ": its signature is not accepted",
        Errno::INVAL => invalid(said),
        _ => "",
    };
    let with = if parameters.is_empty() { String::new() } else { format!(" with `{parameters}`") };
    let from = said.len().saturating_sub(MOST_LINES);
    let said = said.get(from..).unwrap_or_default().join("; ");
    let said = if said.is_empty() { "it logged nothing".to_owned() } else { said };
    format!("the kernel does not load {path}{with}: {error}{hint}. The kernel's log: {said}")
}

/// What `ENOENT` is about: the kernel's loader says so for an unknown symbol, and before 3.11 for an
/// unknown parameter (`kernel/{module,params}.c`). Where it logged neither, the module's own init
/// function gave that error.
fn missing_entry(said: &[String]) -> &'static str {
    if logged(said, "unknown symbol") {
        ": it needs a symbol that nobody has"
    } else if logged(said, "unknown parameter") {
        ": it has no such parameter"
    } else {
        OWN
    }
}

/// The same of `EINVAL`.
fn invalid(said: &[String]) -> &'static str {
    if logged(said, "invalid for parameter") {
        ": a parameter cannot have this value"
    } else if logged(said, "version of symbol") || logged(said, "no symbol version") {
        ": a symbol is of another version"
    } else {
        OWN
    }
}

const OWN: &str = ": its own init function failed";

fn logged(said: &[String], words: &str) -> bool {
    said.iter().any(|line| line.to_ascii_lowercase().contains(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_the_loaders_only_where_it_logged_so() {
        for (error, said, hint) in [
            (Errno::NOENT, "a: Unknown symbol frob (err -2)", "a symbol that nobody has"),
            (Errno::NOENT, "a: Unknown parameter `stpo'", "no such parameter"),
            (Errno::NOENT, "a: no device on this bus", "its own init function failed"),
            (Errno::INVAL, "a: disagrees about version of symbol frob", "of another version"),
            (Errno::INVAL, "a: `x' invalid for parameter `step'", "cannot have this value"),
            (Errno::INVAL, "a: no device on this bus", "its own init function failed"),
        ] {
            let message = failure("/case/a.ko", "", error, &[said.to_owned()]);
            assert!(message.contains(hint), "{message}");
        }
    }

    #[test]
    fn a_failure_quotes_the_end_of_the_log() {
        let said: Vec<String> = (0..20).map(|line| format!("line {line}")).collect();
        let message = failure("/case/a.ko", "x=1", Errno::NOEXEC, &said);
        assert!(message.contains("/case/a.ko with `x=1`"), "{message}");
        assert!(message.contains("Exec format error"), "{message}");
        assert!(message.ends_with("line 18; line 19"), "{message}");
        assert!(!message.contains("line 11;"), "{message}");
    }

    #[test]
    fn a_silent_kernel_is_said_to_be_silent() {
        let message = failure("/case/a.ko", "", Errno::NODEV, &[]);
        assert!(message.ends_with("it logged nothing"), "{message}");
    }

    #[test]
    fn a_parameter_that_the_kernel_ignores_is_a_failure() {
        let said = ["akfs: loading out-of-tree module taints kernel.".to_owned()];
        assert_eq!(ignored("/case/akfs.ko", &said), None);
        let said = [said[0].clone(), "akfs: unknown parameter 'stpo' ignored".to_owned()];
        assert!(ignored("/case/akfs.ko", &said).unwrap().ends_with("'stpo' ignored"));
    }

    #[test]
    fn a_missing_file_is_named() {
        let message = load("/nowhere/x.ko", "").unwrap_err();
        assert!(message.contains("/nowhere/x.ko: No such file"), "{message}");
    }
}
