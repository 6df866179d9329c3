// SPDX-License-Identifier: MIT OR Apache-2.0
//! A call of execve(2) or execveat(2).

use std::ffi::{CStr, CString, c_char};
use std::marker::PhantomData;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::io::Errno;

use crate::syscall;

/// Flags of execveat(2) (include/uapi/linux/fcntl.h).
pub(crate) const AT_EMPTY_PATH: usize = 0x1000;
pub(crate) const AT_SYMLINK_NOFOLLOW: usize = 0x100;

/// A path as the kernel takes it. None of ours holds a zero byte; what comes after one is left out.
pub(crate) fn text(path: impl AsRef<Path>) -> CString {
    let bytes: Vec<u8> = path
        .as_ref()
        .as_os_str()
        .as_bytes()
        .iter()
        .copied()
        .take_while(|byte| *byte != 0)
        .collect();
    CString::new(bytes).unwrap_or_default()
}

/// A call that can be made: all that it needs is laid out, so that a child of vfork(2) may make it.
#[derive(Debug)]
pub(crate) struct Exec<'a> {
    number: usize,
    /// What comes before the lists: path, or descriptor and path.
    target: Vec<usize>,
    arguments: List,
    environment: List,
    flags: usize,
    lives: PhantomData<&'a CStr>,
}

impl<'a> Exec<'a> {
    /// execve(2) of a path, which is the only argument.
    pub(crate) fn of(path: &'a CStr) -> Self {
        Self::new(syscall::EXECVE, vec![path.as_ptr() as usize], 0).arguments(&[path])
    }

    /// execveat(2); the only argument says nothing.
    pub(crate) fn at(folder: BorrowedFd<'a>, path: &'a CStr, flags: usize) -> Self {
        let descriptor = folder.as_raw_fd().cast_unsigned() as usize;
        Self::new(syscall::EXECVEAT, vec![descriptor, path.as_ptr() as usize], flags)
            .arguments(&[c"at"])
    }

    /// execveat(2) of a descriptor alone, as fexecve(3) makes it.
    pub(crate) fn descriptor(file: BorrowedFd<'a>) -> Self {
        Self::at(file, c"", AT_EMPTY_PATH)
    }

    fn new(number: usize, target: Vec<usize>, flags: usize) -> Self {
        let (arguments, environment) = (List::of(&[]), List::of(&[]));
        Self { number, target, arguments, environment, flags, lives: PhantomData }
    }

    /// With these arguments.
    pub(crate) fn arguments(mut self, words: &[&'a CStr]) -> Self {
        self.arguments = List::of(words);
        self
    }

    /// With this environment.
    pub(crate) fn environment(mut self, words: &[&'a CStr]) -> Self {
        self.environment = List::of(words);
        self
    }

    /// With a list of arguments at this address, where none may be.
    pub(crate) fn arguments_at(mut self, address: usize) -> Self {
        self.arguments = List::At(address);
        self
    }

    /// With a path at this address, where none may be.
    pub(crate) fn path_at(mut self, address: usize) -> Self {
        self.target.pop();
        self.target.push(address);
        self
    }

    /// What the system call takes.
    pub(crate) fn raw(&self) -> (usize, [usize; 5]) {
        let mut all = [0; 5];
        let lists = [self.arguments.address(), self.environment.address()];
        let values = self.target.iter().copied().chain(lists).chain([self.flags]);
        all.iter_mut().zip(values).for_each(|(place, value)| *place = value);
        (self.number, all)
    }

    /// Makes the call, which comes back only with an error.
    pub(crate) fn make(&self) -> Errno {
        let (number, arguments) = self.raw();
        // SAFETY: paths and lists live as long as this value, and the lists end with null pointers;
        // the kernel refuses addresses that are none.
        match unsafe { syscall::call(number, arguments) } {
            Err(error) => error,
            // The kernel does not do that.
            Ok(_) => Errno::NOTRECOVERABLE,
        }
    }
}

/// A list of strings.
#[derive(Debug)]
enum List {
    /// Pointers to them, ended by a null pointer.
    Of(Vec<*const c_char>),
    /// Whatever is at an address.
    At(usize),
}

impl List {
    fn of(words: &[&CStr]) -> Self {
        Self::Of(words.iter().map(|word| word.as_ptr()).chain([std::ptr::null()]).collect())
    }

    fn address(&self) -> usize {
        match self {
            Self::Of(pointers) => pointers.as_ptr() as usize,
            Self::At(address) => *address,
        }
    }
}
