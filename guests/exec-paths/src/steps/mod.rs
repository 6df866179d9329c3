// SPDX-License-Identifier: MIT OR Apache-2.0
//! The steps, each a function that executes something in one way and checks what came of it.

mod binfmt;
mod changed_file;
mod credentials;
mod format;
mod lists;
mod memory;
mod mounted;
mod plain;
mod processes;
mod refused;
mod sandbox;
mod script;
mod threads;
mod unload;

use protocol::ExecPath;

use crate::place::Place;
use crate::trouble::Step;

/// Takes a step.
pub(crate) fn take(path: ExecPath, place: &Place<'_>) -> Step {
    let step: fn(&Place<'_>) -> Step = match path {
        ExecPath::Execve => plain::execve,
        ExecPath::Relative => plain::relative,
        ExecPath::Symlink => plain::symlink,
        ExecPath::ExecveatFolder => plain::execveat_folder,
        ExecPath::ExecveatEmptyPath => plain::execveat_empty_path,
        ExecPath::ProcSelfFd => plain::proc_self_fd,
        ExecPath::ProcSelfExe => plain::proc_self_exe,
        ExecPath::Memfd => memory::plain,
        ExecPath::MemfdCloexec => memory::cloexec,
        ExecPath::MemfdSealed => memory::sealed,
        ExecPath::MemfdSealedCloexec => memory::sealed_cloexec,
        ExecPath::MemfdByProc => memory::by_proc_path,
        ExecPath::MemfdScript => memory::script,
        ExecPath::MemfdScriptCloexec => memory::script_cloexec,
        ExecPath::Script => script::plain,
        ExecPath::ScriptArgument => script::argument,
        ExecPath::ScriptChain => script::chain,
        ExecPath::ScriptChainTooLong => script::chain_too_long,
        ExecPath::ScriptOfItself => script::of_itself,
        ExecPath::ScriptNoInterpreter => script::no_interpreter,
        ExecPath::ScriptBadInterpreter => script::bad_interpreter,
        ExecPath::ScriptEmpty => script::empty,
        ExecPath::ScriptLineTooLong => script::line_too_long,
        ExecPath::BinfmtMisc => binfmt::plain,
        ExecPath::BinfmtMiscOpen => binfmt::open,
        ExecPath::Elf32 => format::elf_32,
        ExecPath::ElfInterpreter => format::interpreter,
        ExecPath::ElfNoInterpreter => format::no_interpreter,
        ExecPath::ElfPie => format::movable,
        ExecPath::Setuid => credentials::user,
        ExecPath::Setgid => credentials::group,
        ExecPath::SetuidNoNewPrivs => credentials::user_kept,
        ExecPath::FileCapability => credentials::capability,
        ExecPath::FileCapabilityBounded => credentials::capability_bounded,
        ExecPath::DeletedFile => changed_file::deleted,
        ExecPath::DeletedFileExecveat => changed_file::deleted_execveat,
        ExecPath::ReplacedFile => changed_file::replaced,
        ExecPath::Tmpfs => mounted::tmpfs,
        ExecPath::TmpfsNoexec => mounted::tmpfs_noexec,
        ExecPath::OverlayLower => mounted::overlay_lower,
        ExecPath::OverlayUpper => mounted::overlay_upper,
        ExecPath::ArgvEmpty => lists::empty,
        ExecPath::ArgvNull => lists::null,
        ExecPath::ArgumentLong => lists::argument_long,
        ExecPath::ArgumentTooLong => lists::argument_too_long,
        ExecPath::ArgumentsTooMany => lists::arguments_too_many,
        ExecPath::EnvironmentLong => lists::environment_long,
        ExecPath::EnvironmentTooLong => lists::environment_too_long,
        ExecPath::Vfork => processes::vfork,
        ExecPath::Spawn => processes::spawn,
        ExecPath::Thread => threads::one,
        ExecPath::ThreadRace => threads::race,
        ExecPath::Processes => processes::many,
        ExecPath::Traced => processes::traced,
        ExecPath::MountNamespace => sandbox::mounts,
        ExecPath::PidNamespace => sandbox::pids,
        ExecPath::UserNamespace => sandbox::users,
        ExecPath::Chroot => sandbox::chroot,
        ExecPath::NoNewPrivs => sandbox::no_new_privs,
        ExecPath::Seccomp => sandbox::filter,
        ExecPath::SeccompRefused => sandbox::filter_refuses,
        ExecPath::Missing => refused::missing,
        ExecPath::EmptyPath => refused::empty_path,
        ExecPath::NotExecutable => refused::not_executable,
        ExecPath::Folder => refused::folder,
        ExecPath::Device => refused::device,
        ExecPath::UnknownFormat => refused::unknown_format,
        ExecPath::EmptyFile => refused::empty_file,
        ExecPath::ElfCut => refused::elf_cut,
        ExecPath::ElfOtherMachine => refused::elf_other_machine,
        ExecPath::FileAsFolder => refused::file_as_folder,
        ExecPath::SymlinkCircle => refused::symlink_circle,
        ExecPath::SymlinkNotFollowed => refused::symlink_not_followed,
        ExecPath::NameTooLong => refused::name_too_long,
        ExecPath::BusyFile => refused::busy_file,
        ExecPath::BadFlags => refused::bad_flags,
        ExecPath::BadDescriptor => refused::bad_descriptor,
        ExecPath::BadPathPointer => refused::bad_path_pointer,
        ExecPath::BadArgumentPointer => refused::bad_argument_pointer,
        ExecPath::TooManyProcesses => credentials::too_many_processes,
        ExecPath::ModuleUnload => unload::while_executed,
    };
    step(place)
}
