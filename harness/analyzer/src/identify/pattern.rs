// SPDX-License-Identifier: MIT OR Apache-2.0
//! Values that are known for what they are: NULL and offsets from it, error codes, poison, text.
//!
//! Values of `include/linux/poison.h`; `POISON_POINTER_DELTA` is x86-64's
//! `CONFIG_ILLEGAL_POINTER_VALUE`.

/// Numbers below this one are NULL plus the offset of a member: the first page is never mapped.
pub const NULL_PAGE: u64 = 4096;
/// `-4095` to `-1` are error codes (`MAX_ERRNO`, `include/linux/err.h`), and small distances before NULL.
pub const BELOW_NULL: u64 = 0u64.wrapping_sub(4095);
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
        poison: Poison,
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

/// What a value is written for where nothing may be read any more, or not yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Poison {
    /// `POISON_FREE`: objects of a slab while they are free, and again when they are allocated.
    SlabFree,
    /// `POISON_INUSE`: memory of a slab that nobody initialised.
    SlabInUse,
    /// `POISON_END`: the last byte of what [`SlabFree`](Self::SlabFree) fills.
    SlabEnd,
    /// `SLUB_RED_INACTIVE`: the red zone of a free object.
    RedZoneFree,
    /// `SLUB_RED_ACTIVE`: the red zone of an object in use; `POISON_FREE_INITMEM` is the same byte.
    RedZoneInUse,
    /// `PAGE_POISON`: a free page.
    Page,
    /// `KEY_DESTROY`.
    Key,
    /// `MUTEX_DEBUG_FREE`.
    Mutex,
    /// `LIST_POISON1`: next of an entry that was taken out of its list.
    ListNext,
    /// `LIST_POISON2`: prev of such an entry.
    ListPrev,
    /// `LIST_POISON2` before 4.18.
    ListPrevOld,
    /// `TIMER_ENTRY_STATIC`.
    Timer,
    /// `PP_SIGNATURE`.
    PagePool,
    /// `BPF_PTR_POISON`.
    Bpf,
}

impl Poison {
    /// Whether it is in the links of a list's entry that was taken out.
    #[must_use]
    pub const fn is_of_list(self) -> bool {
        matches!(self, Self::ListNext | Self::ListPrev | Self::ListPrevOld)
    }

    /// Whether an allocator that checks its objects' contents fills new ones with it.
    #[must_use]
    pub const fn fills_new_objects(self) -> bool {
        matches!(self, Self::SlabFree | Self::SlabInUse)
    }
}

impl std::fmt::Display for Poison {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::SlabFree => "contents of a freed slab object (POISON_FREE)",
            Self::SlabInUse => "slab memory that was never initialised (POISON_INUSE)",
            Self::SlabEnd => "end of a freed slab object (POISON_END)",
            Self::RedZoneFree => "red zone of a free slab object (SLUB_RED_INACTIVE)",
            Self::RedZoneInUse => {
                "red zone of a slab object in use, or freed init memory (POISON_FREE_INITMEM)"
            }
            Self::Page => "freed page (PAGE_POISON)",
            Self::Key => "destroyed key (KEY_DESTROY)",
            Self::Mutex => "freed mutex (MUTEX_DEBUG_FREE)",
            Self::ListNext => "next of a deleted list entry (LIST_POISON1)",
            Self::ListPrev => "prev of a deleted list entry (LIST_POISON2)",
            Self::ListPrevOld => "prev of a deleted list entry (LIST_POISON2 before 4.18)",
            Self::Timer => "static or detached timer (TIMER_ENTRY_STATIC)",
            Self::PagePool => "page pool (PP_SIGNATURE)",
            Self::Bpf => "BPF (BPF_PTR_POISON)",
        })
    }
}

/// Bytes that fill memory, and what for.
const BYTES: [(u8, Poison); 8] = [
    (0x6b, Poison::SlabFree),
    (0x5a, Poison::SlabInUse),
    (0xa5, Poison::SlabEnd),
    (0xbb, Poison::RedZoneFree),
    (0xcc, Poison::RedZoneInUse),
    (0xaa, Poison::Page),
    (0xbd, Poison::Key),
    (0x22, Poison::Mutex),
];

/// Pointers that are no addresses on purpose, less [`DELTA`].
const POINTERS: [(u64, Poison); 6] = [
    (0x100, Poison::ListNext),
    (0x122, Poison::ListPrev),
    (0x200, Poison::ListPrevOld),
    (0x300, Poison::Timer),
    (0x400, Poison::PagePool),
    (0xeb9f, Poison::Bpf),
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
    if value >= BELOW_NULL {
        let errno = u16::try_from(value.wrapping_neg()).ok()?;
        let name = ERRORS.iter().find(|(number, _)| *number == errno).map(|(_, name)| *name);
        return Some(Pattern::Error { errno, name });
    }
    poison(value).or_else(|| text(value).map(Pattern::Text))
}

fn poison(value: u64) -> Option<Pattern> {
    let near = |known: u64, poison| {
        let offset = value.checked_sub(known).filter(|offset| *offset < NEAR)?;
        Some(Pattern::Poison { value: known, offset, poison })
    };
    // The largest that is not above it is the nearest.
    let pointers = POINTERS.iter().rev();
    let pointer = pointers.clone().find_map(|(low, poison)| near(DELTA + low, *poison));
    pointer.or_else(|| {
        let bytes = BYTES.iter();
        bytes.clone().find_map(|(byte, poison)| near(u64::from_le_bytes([*byte; 8]), *poison))
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

    fn poison(value: u64) -> (u64, Poison) {
        match pattern(value) {
            Some(Pattern::Poison { offset, poison, .. }) => (offset, poison),
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
        assert_eq!(poison(0xdead_0000_0000_0100), (0, Poison::ListNext));
        assert_eq!(poison(0xdead_0000_0000_0122), (0, Poison::ListPrev));
        assert_eq!(poison(0xdead_0000_0000_0108), (8, Poison::ListNext));
        assert_eq!(poison(0x6b6b_6b6b_6b6b_6b83), (0x18, Poison::SlabFree));
        assert_eq!(poison(0xaaaa_aaaa_aaaa_aaaa), (0, Poison::Page));
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
