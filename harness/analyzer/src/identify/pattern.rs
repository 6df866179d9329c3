// SPDX-License-Identifier: MIT OR Apache-2.0
//! Values that are known for what they are: NULL and offsets from it, error codes, poison, text.
//!
//! Values of `include/linux/poison.h`; `POISON_POINTER_DELTA` is x86-64's
//! `CONFIG_ILLEGAL_POINTER_VALUE`.

/// Numbers below this one are NULL plus the offset of a member.
const NULL_PAGE: u64 = 4096;
/// `MAX_ERRNO` of `include/linux/err.h`.
const MAX_ERRNO: u64 = 4095;
/// Distance from a poison value that is still taken for the offset of a member.
const NEAR: u64 = 4096;
/// `POISON_POINTER_DELTA`.
const DELTA: u64 = 0xdead_0000_0000_0000;

/// A value that is not meant for an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pattern {
    /// NULL, or a member of a structure at NULL.
    Null {
        /// Distance from NULL.
        offset: u64,
    },
    /// An error code that was taken for a pointer.
    Error {
        /// `-errno`, as a positive number.
        errno: u16,
        /// Its name, of the common ones.
        name: Option<&'static str>,
    },
    /// A value that the kernel writes where nothing may be read any more.
    Poison {
        /// The value.
        value: u64,
        /// Distance from it.
        offset: u64,
        /// What it is written for.
        meaning: &'static str,
    },
    /// Eight (or seven, the last one zero) characters.
    Text(String),
    /// A pointer to the next free object of a slab, mixed with a secret.
    FreePointer {
        /// The slab's cache.
        cache: String,
        /// What it means: an object, or 0 for the end of the list.
        next: u64,
    },
}

/// Bytes that fill memory, and what for.
const BYTES: [(u8, &str); 8] = [
    (0x6b, "contents of a freed slab object (POISON_FREE)"),
    (0x5a, "slab memory that was never initialised (POISON_INUSE)"),
    (0xa5, "end of a freed slab object (POISON_END)"),
    (0xbb, "red zone of a free slab object (SLUB_RED_INACTIVE)"),
    (0xcc, "red zone of a slab object in use, or freed init memory (POISON_FREE_INITMEM)"),
    (0xaa, "freed page (PAGE_POISON)"),
    (0xbd, "destroyed key (KEY_DESTROY)"),
    (0x22, "freed mutex (MUTEX_DEBUG_FREE)"),
];

/// Pointers that are no addresses on purpose, less [`DELTA`].
const POINTERS: [(u64, &str); 6] = [
    (0x100, "next of a deleted list entry (LIST_POISON1)"),
    (0x122, "prev of a deleted list entry (LIST_POISON2)"),
    (0x200, "prev of a deleted list entry (LIST_POISON2 before 4.18)"),
    (0x300, "static or detached timer (TIMER_ENTRY_STATIC)"),
    (0x400, "page pool (PP_SIGNATURE)"),
    (0xeb9f, "BPF (BPF_PTR_POISON)"),
];

/// Names of error codes (`include/uapi/asm-generic/errno-base.h`, `errno.h`,
/// `include/linux/errno.h`) that functions return as pointers.
const ERRORS: &[(u16, &str)] = &[
    (1, "EPERM"),
    (2, "ENOENT"),
    (3, "ESRCH"),
    (4, "EINTR"),
    (5, "EIO"),
    (6, "ENXIO"),
    (7, "E2BIG"),
    (8, "ENOEXEC"),
    (9, "EBADF"),
    (10, "ECHILD"),
    (11, "EAGAIN"),
    (12, "ENOMEM"),
    (13, "EACCES"),
    (14, "EFAULT"),
    (15, "ENOTBLK"),
    (16, "EBUSY"),
    (17, "EEXIST"),
    (18, "EXDEV"),
    (19, "ENODEV"),
    (20, "ENOTDIR"),
    (21, "EISDIR"),
    (22, "EINVAL"),
    (23, "ENFILE"),
    (24, "EMFILE"),
    (25, "ENOTTY"),
    (26, "ETXTBSY"),
    (27, "EFBIG"),
    (28, "ENOSPC"),
    (29, "ESPIPE"),
    (30, "EROFS"),
    (31, "EMLINK"),
    (32, "EPIPE"),
    (33, "EDOM"),
    (34, "ERANGE"),
    (35, "EDEADLK"),
    (36, "ENAMETOOLONG"),
    (38, "ENOSYS"),
    (39, "ENOTEMPTY"),
    (40, "ELOOP"),
    (61, "ENODATA"),
    (71, "EPROTO"),
    (75, "EOVERFLOW"),
    (84, "EILSEQ"),
    (90, "EMSGSIZE"),
    (95, "EOPNOTSUPP"),
    (104, "ECONNRESET"),
    (105, "ENOBUFS"),
    (107, "ENOTCONN"),
    (110, "ETIMEDOUT"),
    (111, "ECONNREFUSED"),
    (116, "ESTALE"),
    (126, "ENOKEY"),
    (512, "ERESTARTSYS"),
    (517, "EPROBE_DEFER"),
    (524, "ENOTSUPP"),
];

/// What a value is known as.
pub(super) fn pattern(value: u64) -> Option<Pattern> {
    if value < NULL_PAGE {
        return Some(Pattern::Null { offset: value });
    }
    // Addresses of the kernel's half are what they are; only all ones and the like are not.
    if value >= 0_u64.wrapping_sub(MAX_ERRNO) {
        let errno = u16::try_from(value.wrapping_neg()).ok()?;
        let name = ERRORS.iter().find(|(number, _)| *number == errno).map(|(_, name)| *name);
        return Some(Pattern::Error { errno, name });
    }
    poison(value).or_else(|| text(value).map(Pattern::Text))
}

fn poison(value: u64) -> Option<Pattern> {
    let near = |known: u64, meaning| {
        let offset = value.checked_sub(known).filter(|offset| *offset < NEAR)?;
        Some(Pattern::Poison { value: known, offset, meaning })
    };
    // The largest that is not above it is the nearest.
    let pointers = POINTERS.iter().rev();
    let pointer = pointers.clone().find_map(|(low, meaning)| near(DELTA + low, meaning));
    pointer.or_else(|| {
        let bytes = BYTES.iter();
        bytes.clone().find_map(|(byte, meaning)| near(u64::from_le_bytes([*byte; 8]), meaning))
    })
}

/// The characters of a value that is made of nothing else.
fn text(value: u64) -> Option<String> {
    let bytes = value.to_le_bytes();
    let used = bytes.iter().rposition(|byte| *byte != 0)? + 1;
    let printable = |byte: &u8| byte.is_ascii_graphic() || *byte == b' ';
    let text = bytes.get(..used).filter(|text| used >= 7 && text.iter().all(printable))?;
    Some(text.iter().map(|byte| char::from(*byte)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meaning(value: u64) -> (u64, &'static str) {
        match pattern(value) {
            Some(Pattern::Poison { offset, meaning, .. }) => (offset, meaning),
            other => panic!("{value:#x} is {other:?}"),
        }
    }

    #[test]
    fn null_and_error_codes() {
        assert_eq!(pattern(0x18), Some(Pattern::Null { offset: 0x18 }));
        let error = |errno, name| Some(Pattern::Error { errno, name });
        assert_eq!(pattern(0u64.wrapping_sub(12)), error(12, Some("ENOMEM")));
        assert_eq!(pattern(0u64.wrapping_sub(4095)), error(4095, None));
        assert_eq!(pattern(0u64.wrapping_sub(4096)), None);
        assert_eq!(pattern(0xffff_8880_0123_4560), None);
    }

    #[test]
    fn poison_with_and_without_the_offset_of_a_member() {
        assert_eq!(meaning(0xdead_0000_0000_0100).1, "next of a deleted list entry (LIST_POISON1)");
        assert_eq!(meaning(0xdead_0000_0000_0122).1, "prev of a deleted list entry (LIST_POISON2)");
        assert_eq!(
            meaning(0xdead_0000_0000_0108),
            (8, "next of a deleted list entry (LIST_POISON1)")
        );
        assert_eq!(meaning(0x6b6b_6b6b_6b6b_6b83).0, 0x18);
        assert!(meaning(0xaaaa_aaaa_aaaa_aaaa).1.starts_with("freed page"));
    }

    #[test]
    fn text_is_seen_only_if_all_of_it_is() {
        assert_eq!(
            pattern(u64::from_le_bytes(*b"/bin/sh\0")),
            Some(Pattern::Text("/bin/sh".into()))
        );
        assert_eq!(
            pattern(u64::from_le_bytes(*b"abcdefgh")),
            Some(Pattern::Text("abcdefgh".into()))
        );
        assert_eq!(pattern(u64::from_le_bytes(*b"abc\0\0\0\0\0")), None);
        assert_eq!(pattern(0x0000_7f12_3456_7890), None);
    }
}
