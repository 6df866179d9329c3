// SPDX-License-Identifier: MIT OR Apache-2.0
//! System calls without a C library between: what runs in the memory of another process, or in a
//! thread that no library knows of, may use nothing of a library's.

use std::arch::asm;
use std::ffi::c_void;

use rustix::io::Errno;

/// Numbers on x86-64 (arch/x86/entry/syscalls/syscall_64.tbl).
pub(crate) const CLONE: usize = 56;
pub(crate) const EXECVE: usize = 59;
pub(crate) const EXECVEAT: usize = 322;
const PAUSE: usize = 34;
const VFORK: usize = 58;
const EXIT: usize = 60;
const PTRACE: usize = 101;
const PRCTL: usize = 157;
const EXIT_GROUP: usize = 231;

/// `PTRACE_TRACEME` and `PTRACE_CONT` (include/uapi/linux/ptrace.h).
const PTRACE_TRACEME: usize = 0;
const PTRACE_CONT: usize = 7;
/// `PR_SET_SECCOMP` and `SECCOMP_MODE_FILTER` (include/uapi/linux/{prctl,seccomp}.h).
const PR_SET_SECCOMP: usize = 22;
const SECCOMP_MODE_FILTER: usize = 2;

/// Flags of clone(2) (include/uapi/linux/sched.h); the lowest byte is the signal at its end.
pub(crate) const SIGCHLD: usize = 17;
pub(crate) const CLONE_VM: usize = 0x100;
pub(crate) const CLONE_FS: usize = 0x200;
pub(crate) const CLONE_FILES: usize = 0x400;
pub(crate) const CLONE_SIGHAND: usize = 0x800;
pub(crate) const CLONE_VFORK: usize = 0x4000;
pub(crate) const CLONE_THREAD: usize = 0x1_0000;
pub(crate) const CLONE_NEWPID: usize = 0x2000_0000;

/// Any system call; what it gave, or its error.
///
/// # Safety
/// The arguments are what the call with this number may do its work on.
pub(crate) unsafe fn call(number: usize, arguments: [usize; 5]) -> Result<usize, Errno> {
    let result: isize;
    // SAFETY: the kernel changes `rax`, `rcx` and `r11` only, and memory as the caller allows.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") number => result,
            in("rdi") arguments[0],
            in("rsi") arguments[1],
            in("rdx") arguments[2],
            in("r10") arguments[3],
            in("r8") arguments[4],
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
    }
    usize::try_from(result).map_err(|_| error(result))
}

/// The error of a system call that gave a negative number.
fn error(result: isize) -> Errno {
    Errno::from_raw_os_error(i32::try_from(-result).unwrap_or(i32::MAX))
}

/// Calls `work` in a new task with a stack of its own, in this one's memory; gives its number.
///
/// # Safety
/// `flags` have `CLONE_VM`; the stack ends (exclusively) at `stack`, a multiple of 16, and stays as
/// long as the task; `work` takes `argument` and uses nothing that belongs to a thread.
pub(crate) unsafe fn clone_into(
    flags: usize,
    stack: *mut u8,
    work: extern "C" fn(*const c_void) -> !,
    argument: *const c_void,
) -> Result<usize, Errno> {
    let result: isize;
    // SAFETY: the new task has its own stack and leaves by `work`, which does not return. In the
    // other the call is like any other.
    unsafe {
        asm!(
            "syscall",
            "test rax, rax",
            "jnz 2f",
            "xor ebp, ebp",
            "mov rdi, r13",
            "call r12",
            "ud2",
            "2:",
            inlateout("rax") CLONE => result,
            in("rdi") flags,
            in("rsi") stack,
            in("rdx") 0_usize,
            in("r10") 0_usize,
            in("r8") 0_usize,
            in("r12") work,
            in("r13") argument,
            lateout("rcx") _,
            lateout("r11") _,
        );
    }
    usize::try_from(result).map_err(|_| error(result))
}

/// Makes a child by vfork(2), which does one system call and, should that return, ends with its
/// error as the status; gives the child's number.
///
/// # Safety
/// The arguments are what the call with this number may do its work on.
pub(crate) unsafe fn vfork_and(number: usize, arguments: [usize; 5]) -> Result<usize, Errno> {
    let result: isize;
    // SAFETY: until its exec or end the child runs on this stack and writes nothing to it; this
    // task waits for that. The registers that the child changes are the child's own.
    unsafe {
        asm!(
            "syscall",
            "test rax, rax",
            "jnz 2f",
            "mov rax, r9",
            "syscall",
            "neg rax",
            "mov rdi, rax",
            "mov eax, {exit}",
            "syscall",
            "ud2",
            "2:",
            exit = const EXIT,
            inlateout("rax") VFORK => result,
            in("r9") number,
            in("rdi") arguments[0],
            in("rsi") arguments[1],
            in("rdx") arguments[2],
            in("r10") arguments[3],
            in("r8") arguments[4],
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
    }
    usize::try_from(result).map_err(|_| error(result))
}

/// Ends the process with all of its threads.
pub(crate) fn exit(status: i32) -> ! {
    loop {
        // SAFETY: the call takes a number, and does not return.
        let _ = unsafe { call(EXIT_GROUP, [status.cast_unsigned() as usize, 0, 0, 0, 0]) };
    }
}

/// Waits until the process ends.
pub(crate) fn wait_forever() -> ! {
    loop {
        // SAFETY: the call takes nothing.
        let _ = unsafe { call(PAUSE, [0; 5]) };
    }
}

/// Lets the parent trace this process.
pub(crate) fn be_traced() -> Result<(), Errno> {
    // SAFETY: this request uses no address.
    unsafe { call(PTRACE, [PTRACE_TRACEME, 0, 0, 0, 0]) }.map(drop)
}

/// Lets a traced process go on that was stopped.
pub(crate) fn go_on(process: i32) -> Result<(), Errno> {
    // SAFETY: this request uses no address, and sends no signal.
    unsafe { call(PTRACE, [PTRACE_CONT, process.cast_unsigned() as usize, 0, 0, 0]) }.map(drop)
}

/// An instruction of a seccomp filter (`struct sock_filter`, include/uapi/linux/filter.h).
#[repr(C)]
pub(crate) struct Instruction {
    pub(crate) code: u16,
    pub(crate) if_true: u8,
    pub(crate) if_false: u8,
    pub(crate) value: u32,
}

/// A filter (`struct sock_fprog`).
#[repr(C)]
struct Filter {
    length: u16,
    instructions: *const Instruction,
}

/// Gives this process a seccomp filter; it may gain nothing from then on.
pub(crate) fn filter_calls(instructions: &[Instruction]) -> Result<(), Errno> {
    let length = u16::try_from(instructions.len()).map_err(|_| Errno::INVAL)?;
    let filter = Filter { length, instructions: instructions.as_ptr() };
    let filter = std::ptr::from_ref(&filter) as usize;
    // SAFETY: the filter's instructions live during the call, which copies them.
    unsafe { call(PRCTL, [PR_SET_SECCOMP, SECCOMP_MODE_FILTER, filter, 0, 0]) }.map(drop)
}
