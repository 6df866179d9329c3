// SPDX-License-Identifier: MIT OR Apache-2.0
//! The programs that are executed: a few machine instructions in an ELF file, written here, so that
//! what runs depends on nothing of the guest's. Their status tells that they ran, and as whom.

/// The status of a program that tells a number is this and the number.
pub(crate) const BASE: i32 = 200;
/// The user and the group that programs become.
pub(crate) const OTHER: u32 = 7;

/// Sizes of headers, and where the file is put (elf(5)).
const HEADER_64: usize = 64;
const SEGMENT_64: usize = 56;
const HEADER_32: usize = 52;
const SEGMENT_32: usize = 32;
const PLACE: u32 = 0x40_0000;
const PAGE: u32 = 0x1000;
const PAGE_BYTES: usize = 0x1000;

const ET_EXEC: u16 = 2;
const ET_DYN: u16 = 3;
const EM_386: u16 = 3;
const EM_X86_64: u16 = 62;
const PT_LOAD: u32 = 1;
const PT_INTERP: u32 = 3;
/// Without it, the stack would be executable, and the kernel would warn of it.
const PT_GNU_STACK: u32 = 0x6474_e551;
const READ: u32 = 4;
const WRITE: u32 = 2;
const RUN: u32 = 1;

/// What a program does before it ends.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Code {
    /// Tells how many arguments it has.
    Arguments,
    /// Waits for a byte on its standard input, then does the same.
    Wait,
    /// Tells its effective user.
    User,
    /// Tells its effective group.
    Group,
    /// Becomes the user [`OTHER`], which takes `CAP_SETUID`, then tells its user.
    BecomeOther,
}

/// `mov edi, [rsp]; add edi, BASE; mov eax, exit_group; syscall`.
const ARGUMENTS: &[u8] = b"\x8b\x3c\x24\x81\xc7\xc8\0\0\0\xb8\xe7\0\0\0\x0f\x05";
/// `xor edi, edi; lea rsi, [rsp-128]; mov edx, 1; xor eax, eax (read); syscall`.
const WAIT: &[u8] = b"\x31\xff\x48\x8d\x74\x24\x80\xba\x01\0\0\0\x31\xc0\x0f\x05";
/// `mov eax, geteuid; syscall`.
const USER: &[u8] = b"\xb8\x6b\0\0\0\x0f\x05";
/// `mov eax, getegid; syscall`.
const GROUP: &[u8] = b"\xb8\x6c\0\0\0\x0f\x05";
/// `mov edi, OTHER; mov eax, setuid; syscall`.
const BECOME: &[u8] = b"\xbf\x07\0\0\0\xb8\x69\0\0\0\x0f\x05";
/// `mov edi, eax; add edi, BASE; mov eax, exit_group; syscall`.
const TELL: &[u8] = b"\x89\xc7\x81\xc7\xc8\0\0\0\xb8\xe7\0\0\0\x0f\x05";
/// The same as `ARGUMENTS`, for 32 bits: `mov ebx, [esp]; add ebx, BASE; mov eax, exit; int 0x80`.
const ARGUMENTS_32: &[u8] = b"\x8b\x1c\x24\x81\xc3\xc8\0\0\0\xb8\x01\0\0\0\xcd\x80";

impl Code {
    fn bytes(self) -> Vec<u8> {
        let parts: &[&[u8]] = match self {
            Self::Arguments => &[ARGUMENTS],
            Self::Wait => &[WAIT, ARGUMENTS],
            Self::User => &[USER, TELL],
            Self::Group => &[GROUP, TELL],
            Self::BecomeOther => &[BECOME, USER, TELL],
        };
        parts.concat()
    }
}

/// A program at a fixed place.
pub(crate) fn program(code: Code) -> Vec<u8> {
    elf_64(ET_EXEC, EM_X86_64, code, None)
}

/// A program that can be anywhere; it serves as an interpreter too.
pub(crate) fn movable(code: Code) -> Vec<u8> {
    elf_64(ET_DYN, EM_X86_64, code, None)
}

/// A program that names an interpreter.
pub(crate) fn interpreted(interpreter: &[u8]) -> Vec<u8> {
    elf_64(ET_EXEC, EM_X86_64, Code::Arguments, Some(interpreter))
}

/// A program for a machine that nobody has.
pub(crate) fn foreign() -> Vec<u8> {
    elf_64(ET_EXEC, 0xfeed, Code::Arguments, None)
}

fn elf_64(kind: u16, machine: u16, code: Code, interpreter: Option<&[u8]>) -> Vec<u8> {
    let place = if kind == ET_EXEC { u64::from(PLACE) } else { 0 };
    let segments = if interpreter.is_some() { 3 } else { 2 };
    let start = HEADER_64 + segments * SEGMENT_64;
    let code = code.bytes();
    let name = interpreter.map(|name| [name, b"\0"].concat()).unwrap_or_default();
    let name_at = start + code.len();
    // Up to 6.5 the kernel clears the rest of an interpreter's last page, writable or not: none is
    // left.
    let size = if kind == ET_DYN { PAGE } else { size(name_at + name.len()) };
    let mut file = Vec::from(*b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0");
    words(&mut file, &[kind, machine]);
    file.extend(1_u32.to_le_bytes());
    file.extend((place + size_of_long(start)).to_le_bytes());
    file.extend(size_of_long(HEADER_64).to_le_bytes());
    file.extend(0_u64.to_le_bytes());
    file.extend(0_u32.to_le_bytes());
    words(&mut file, &[short(HEADER_64), short(SEGMENT_64), short(segments), 64, 0, 0]);
    let mut segment = |kind: u32, flags: u32, at: usize, length: u64, align: u64| {
        file.extend(kind.to_le_bytes());
        file.extend(flags.to_le_bytes());
        let place = place + size_of_long(at);
        for field in [size_of_long(at), place, place, length, length, align] {
            file.extend(field.to_le_bytes());
        }
    };
    if interpreter.is_some() {
        segment(PT_INTERP, READ, name_at, size_of_long(name.len()), 1);
    }
    segment(PT_LOAD, READ | RUN, 0, u64::from(size), u64::from(PAGE));
    segment(PT_GNU_STACK, READ | WRITE, 0, 0, 16);
    file.extend(code);
    file.extend(name);
    if kind == ET_DYN {
        file.resize(PAGE_BYTES, 0);
    }
    file
}

/// A 32-bit program that tells how many arguments it has.
pub(crate) fn program_32() -> Vec<u8> {
    let start = HEADER_32 + 2 * SEGMENT_32;
    let size = size(start + ARGUMENTS_32.len());
    let mut file = Vec::from(*b"\x7fELF\x01\x01\x01\0\0\0\0\0\0\0\0\0");
    words(&mut file, &[ET_EXEC, EM_386]);
    let at = self::size(start);
    for field in [1, PLACE + at, self::size(HEADER_32), 0, 0] {
        file.extend(field.to_le_bytes());
    }
    words(&mut file, &[short(HEADER_32), short(SEGMENT_32), 2, 40, 0, 0]);
    for segment in [
        [PT_LOAD, 0, PLACE, PLACE, size, size, READ | RUN, PAGE],
        [PT_GNU_STACK, 0, 0, 0, 0, 0, READ | WRITE, 16],
    ] {
        segment.iter().for_each(|field| file.extend(field.to_le_bytes()));
    }
    file.extend(ARGUMENTS_32);
    file
}

fn words(file: &mut Vec<u8>, words: &[u16]) {
    words.iter().for_each(|word| file.extend(word.to_le_bytes()));
}

/// Sizes here are those of a page at most.
fn short(size: usize) -> u16 {
    u16::try_from(size).unwrap_or(u16::MAX)
}

fn size(size: usize) -> u32 {
    u32::from(short(size))
}

fn size_of_long(size: usize) -> u64 {
    u64::from(short(size))
}
