// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a bad pointer is, and so what kind of mistake made it.

use super::how::Use;
use crate::gone::{Gone, TakenFor};
use crate::identify::{FreedMemory, Poison};
use crate::kind::CrashKind;

/// What a bad pointer is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Nature {
    /// NULL, with so much added to it that the address alone does not show it.
    NullPlus {
        /// The distance, in bytes.
        distance: i64,
    },
    /// A small number that stood in memory where a pointer belongs, and is not NULL.
    Small {
        /// The number.
        value: u64,
    },
    /// A small negative number whose origin is not known: an error code, or the structure around a
    /// link that was NULL.
    BelowNull {
        /// Its distance from NULL, in bytes.
        distance: u16,
        /// The name of the error code that it would be, of the common ones.
        name: Option<&'static str>,
        /// The member that begins there of the structure which the pointer is to.
        member: Option<String>,
    },
    /// An error code (`ERR_PTR`).
    ErrorCode {
        /// `-errno`, as a positive number.
        errno: u16,
        /// Its name, of the common ones.
        name: Option<&'static str>,
        /// Whether it is hardly anything else.
        is_certain: bool,
    },
    /// A value that the kernel writes where nothing may be read.
    Poison(Poison),
    /// It was read from memory that is free.
    Freed {
        /// What was freed.
        what: FreedMemory,
        /// Whether it was free when it was read, and not only when the kernel crashed.
        is_certain: bool,
    },
    /// It was read from memory that is free, by a pointer that may be past the end of what lies before that.
    FreedOrPast {
        /// What is free.
        what: FreedMemory,
    },
    /// It was read through a pointer into the middle of an object of the slab allocator, where what that
    /// points to does not fit.
    Misplaced {
        /// The object's cache.
        cache: String,
        /// Tag of the structure.
        structure: String,
        /// Whether it was read outside of an object that a module is known to have allocated.
        is_certain: bool,
    },
    /// It was read behind the end of an object of the slab allocator that is too small for what it is taken for.
    Short {
        /// The object's cache.
        cache: String,
        /// Bytes of the object.
        size: u64,
        /// Tag of the structure.
        structure: String,
        /// Bytes of that.
        needs: u64,
        /// Whether the object is known to be what a module allocated.
        is_certain: bool,
    },
    /// It was read outside of what the pointer leads to that it was looked for by.
    Outside {
        /// What that is.
        place: Place,
        /// Distance from its start, in bytes.
        at: i64,
        /// Its bytes, where they are known.
        size: Option<u64>,
        /// Whether the pointer is known to have been good: it leads to what the module allocated.
        is_certain: bool,
    },
    /// It was read from an object of the slab allocator that is in use, where nobody has written
    /// since it was allocated.
    NeverWritten {
        /// The object's cache.
        cache: String,
        /// Whether whoever read it is known to have meant that object, and not one that was freed there.
        is_certain: bool,
    },
    /// The allocator's own list of free objects.
    FreeList,
    /// It was read from the frame of a function that has returned.
    Returned,
    /// A local variable that no instruction of its function sets.
    NeverSet {
        /// Whether others were handed its address, who may have set it.
        escapes: bool,
    },
    /// A word of the stack that is no address of anything.
    OnStack,
    /// Text.
    Text {
        /// The characters.
        text: String,
        /// Where it was read from.
        place: TextPlace,
    },
    /// Memory of the process.
    UserMemory {
        /// Whether the process itself gave the pointer to the system call: any number that is not too large may lead
        /// to its memory.
        is_given: bool,
    },
    /// An address of user space; what the process has there is not known.
    UserSpace,
    /// An address of user space where the process has nothing.
    UserUnmapped {
        /// Whether it leads to memory with the per-CPU distance of each CPU: it may be a pointer to
        /// per-CPU memory.
        may_be_per_cpu: bool,
    },
    /// A pointer to per-CPU memory, which is no address but a distance from each CPU's.
    PerCpuPointer,
    /// NULL, taken for a pointer to per-CPU memory: what was read lies where that of the CPU begins.
    PerCpuNull,
    /// The offset of a per-CPU variable, which is no address.
    PerCpuOffset {
        /// The variable.
        variable: String,
    },
    /// Memory that is there and must not be written.
    ReadOnly(Option<Place>),
    /// Memory that is there and is no code.
    NotCode(Option<Place>),
    /// The page behind a vmalloc area.
    Guard {
        /// Distance from the area's start.
        at: u64,
        /// Bytes that were asked for.
        size: u64,
    },
    /// The page below a kernel stack.
    StackGuard,
    /// A vmalloc area that was freed.
    FreedArea,
    /// A place between vmalloc areas, where one was once, most likely.
    Hole,
    /// A place behind the end of what the pointer leads to, by an index.
    Beyond {
        /// What it leads to.
        place: Option<Place>,
        /// Distance from its start, in bytes.
        at: i64,
        /// Its size, in bytes.
        size: u64,
    },
    /// Memory that was the kernel's or a module's.
    Gone(Gone),
    /// Memory that the slab allocator never gave, which it is to free.
    NeverAllocated(Place),
}

/// Where text was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TextPlace {
    /// Nothing is known of it.
    Unknown,
    /// From an object into which text runs from the one before it.
    Overrun,
    /// From an object that holds text there.
    Owner(Owner),
}

/// An object of the slab allocator, by its cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The cache.
    pub cache: String,
}

/// What is at an address, in words that another boot does not change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A symbol.
    Symbol(String),
    /// A module.
    Module(String),
    /// An object of the slab allocator.
    Slab(Owner),
    /// A kernel stack.
    Stack,
    /// A vmalloc area.
    VmArea,
    /// Pages that were allocated as such.
    Pages,
}

impl Nature {
    /// The mistake, where the pointer tells it; `None` if what was done with it says it better.
    #[must_use]
    pub const fn kind(&self, how: Use) -> Option<CrashKind> {
        Some(match self {
            Self::ErrorCode { .. } => CrashKind::ErrPtr,
            Self::Poison(poison) => return of_poison(*poison),
            Self::Freed { .. }
            | Self::FreedOrPast { .. }
            | Self::Returned
            | Self::FreedArea
            | Self::Hole => CrashKind::UseAfterFree,
            Self::NeverWritten { .. } | Self::NeverSet { .. } | Self::OnStack => {
                CrashKind::Uninitialized
            }
            Self::Text { place: TextPlace::Overrun, .. } => CrashKind::HeapOverflow,
            Self::Text { place: TextPlace::Owner(_), .. } => CrashKind::UseAfterFree,
            Self::UserMemory { .. } => CrashKind::UserAccess,
            Self::ReadOnly(_) => CrashKind::WriteToReadOnly,
            Self::NotCode(_) => CrashKind::ExecOfNonExecutable,
            Self::Short { .. }
            | Self::Outside { .. }
            | Self::Guard { .. }
            | Self::StackGuard
            | Self::Beyond { .. } => CrashKind::OutOfBounds,
            Self::Gone(gone) => return of_gone(gone, how),
            Self::NullPlus { .. }
            | Self::Small { .. }
            | Self::BelowNull { .. }
            | Self::FreeList
            | Self::Text { place: TextPlace::Unknown, .. }
            | Self::UserSpace
            | Self::UserUnmapped { .. }
            | Self::PerCpuPointer
            | Self::PerCpuNull
            | Self::Misplaced { .. }
            | Self::NeverAllocated(_)
            | Self::PerCpuOffset { .. } => return None,
        })
    }

    /// Whether it is about the pointer itself, and not about what is at the address.
    #[must_use]
    pub const fn is_value(&self) -> bool {
        match self {
            Self::NullPlus { .. }
            | Self::Small { .. }
            | Self::BelowNull { .. }
            | Self::ErrorCode { .. }
            | Self::Poison(_)
            | Self::Freed { .. }
            | Self::FreedOrPast { .. }
            | Self::NeverWritten { .. }
            | Self::FreeList
            | Self::Returned
            | Self::NeverSet { .. }
            | Self::OnStack
            | Self::PerCpuPointer
            | Self::PerCpuNull
            | Self::Misplaced { .. }
            | Self::Short { .. }
            | Self::Outside { .. }
            | Self::NeverAllocated(_)
            | Self::Text { .. } => true,
            Self::UserMemory { .. }
            | Self::UserSpace
            | Self::UserUnmapped { .. }
            | Self::PerCpuOffset { .. }
            | Self::ReadOnly(_)
            | Self::NotCode(_)
            | Self::Guard { .. }
            | Self::StackGuard
            | Self::FreedArea
            | Self::Hole
            | Self::Beyond { .. }
            | Self::Gone(_) => false,
        }
    }

    /// Whether the dump shows the mistake itself, and not only what it may have left behind.
    #[must_use]
    pub const fn is_shown(&self) -> bool {
        self.doubt().is_none()
    }

    /// Why the dump does not show the mistake, in words; `None` if it does.
    #[must_use]
    pub const fn doubt(&self) -> Option<&'static str> {
        Some(match self {
            Self::Poison(poison) if poison.is_of_list() => return None,
            Self::Poison(_) => {
                "either it was read from what is freed, or from what nobody has set yet"
            }
            Self::NeverSet { escapes: true } => "others were handed its address",
            Self::Freed { is_certain: false, .. } => {
                "whether it was free when it was read is not known: other code ran since"
            }
            Self::FreedOrPast { .. } => {
                "either the pointer that it was read through is to what was freed, or it went past the end of what lies before"
            }
            Self::NeverWritten { is_certain: false, .. } => {
                "either nobody has set it, or what is meant was freed and the memory has another owner by now, or it is a copy of that"
            }
            Self::Outside { is_certain: false, .. } => {
                "either the index is too large or what it leads through too small, or that was \
                 freed and has another owner by now"
            }
            Self::ErrorCode { is_certain: false, errno: 1, .. } => {
                "-1 stands for other things than -EPERM, too"
            }
            Self::ErrorCode { is_certain: false, .. } => {
                "it may be NULL, too, of which as much was taken off as a member lies inside of its structure"
            }
            Self::Misplaced { is_certain: false, .. } => {
                "either that is no pointer to such a structure, or less was allocated on purpose, or it was \
                 freed and has another owner by now"
            }
            Self::Short { is_certain: false, .. } => {
                "either too little was allocated, or that is no pointer to such a structure, or it was freed and \
                 has another owner by now"
            }
            Self::BelowNull { .. } => "where it came from is not known",
            Self::FreeList => {
                "either a free object was written to, or the one before it was run over"
            }
            Self::OnStack => "what overwrote it, or whether anybody set it, is not known",
            Self::Text { .. } => {
                "either a neighbour ran over, or the memory has another owner, or it is used as \
                 what it is not"
            }
            Self::PerCpuOffset { .. } => "it may be another number by chance",
            Self::UserMemory { is_given: false } => {
                "a number that is no pointer may lead there by chance"
            }
            Self::UserSpace => "what the process has mapped there is not known",
            Self::Hole => "the kernel keeps nothing of areas that were freed",
            Self::Gone(Gone::GivenBack) => {
                "either a module needed it only while it was loaded, or one could not be loaded"
            }
            Self::Gone(Gone::Unloaded { is_shown: false, .. }) => {
                "a number that is no pointer may lead there by chance"
            }
            Self::Gone(gone) if !gone.is_sure() => {
                "either the unloaded module had it, or one that is loaded, for its initialisation"
            }
            Self::NullPlus { .. }
            | Self::Small { .. }
            | Self::ErrorCode { is_certain: true, .. }
            | Self::Freed { is_certain: true, .. }
            | Self::NeverWritten { is_certain: true, .. }
            | Self::Returned
            | Self::NeverSet { escapes: false }
            | Self::UserMemory { is_given: true }
            | Self::UserUnmapped { .. }
            | Self::PerCpuPointer
            | Self::PerCpuNull
            | Self::Misplaced { is_certain: true, .. }
            | Self::Short { is_certain: true, .. }
            | Self::Outside { is_certain: true, .. }
            | Self::ReadOnly(_)
            | Self::NotCode(_)
            | Self::Guard { .. }
            | Self::StackGuard
            | Self::FreedArea
            | Self::Beyond { .. }
            | Self::NeverAllocated(_)
            | Self::Gone(_) => return None,
        })
    }

    /// In words, after "is" or "leads to".
    #[must_use]
    pub fn words(&self, how: Use) -> String {
        let place = |place: &Option<Place>, other: &str| {
            place.as_ref().map_or_else(|| other.to_owned(), Place::words)
        };
        match self {
            Self::NullPlus { distance } if *distance < 0 => {
                format!("what lies {:#x} bytes before NULL", distance.unsigned_abs())
            }
            Self::NullPlus { distance } => format!("what lies {distance:#x} bytes behind NULL"),
            // `ZERO_SIZE_PTR` of include/linux/slab.h.
            Self::Small { value: 0x10 } => {
                "0x10, which is no address, and what kmalloc() of 0 bytes gives".to_owned()
            }
            Self::Small { value } => format!("{value:#x}, which is no address"),
            Self::BelowNull { distance, name, member } => {
                below_null(*distance, *name, member.as_deref())
            }
            Self::ErrorCode { errno, name, .. } => {
                format!("the error code -{}", name.map_or_else(|| errno.to_string(), str::to_owned))
            }
            Self::Poison(poison) if poison.is_of_list() => format!("the {poison}"),
            Self::Poison(poison) => poison.to_string(),
            Self::Freed { what, is_certain } => freed(what, *is_certain),
            Self::FreedOrPast { what } => format!("what is in {what}"),
            Self::Misplaced { cache, structure, .. } => {
                format!(
                    "a pointer into the middle of an object of {cache}, where no struct {structure} fits"
                )
            }
            Self::Short { cache, size, structure, needs, .. } => format!(
                "what lies behind an object of {cache}: it has {size} bytes, and a struct {structure} {needs}"
            ),
            Self::Outside { place, at, .. } if *at < 0 => {
                format!("what lies {:#x} bytes before {}", at.unsigned_abs(), place.words())
            }
            Self::Outside { place, at, size: Some(size), .. } => {
                format!("what lies behind {}, at {at:#x} of {size:#x} bytes", place.words())
            }
            Self::Outside { place, at, size: None, .. } => {
                format!("what lies behind {}, at {at:#x}", place.words())
            }
            Self::NeverWritten { cache, is_certain } => filling(cache, *is_certain),
            Self::FreeList => {
                "no free object: the allocator's list of them was written over".to_owned()
            }
            Self::Returned => {
                "what was left in the frame of a function that has returned".to_owned()
            }
            Self::NeverSet { .. } => "what the stack held there before".to_owned(),
            Self::OnStack => "what the stack held there before, or what overwrote it".to_owned(),
            Self::Text { text, .. } => format!("the text \"{text}\""),
            Self::PerCpuPointer => {
                "a pointer to per-CPU memory, used without this_cpu_ptr() or per_cpu_ptr()"
                    .to_owned()
            }
            Self::PerCpuNull => "NULL, and was taken for a pointer to per-CPU memory".to_owned(),
            Self::UserMemory { .. } => {
                "memory of the process, which only copy_from_user() and its like may touch"
                    .to_owned()
            }
            Self::UserSpace => "an address of user space".to_owned(),
            Self::UserUnmapped { .. } => {
                "an address of user space where nothing is mapped".to_owned()
            }
            Self::PerCpuOffset { variable } => {
                format!(
                    "an address of user space where nothing is mapped, and the offset of per-CPU \
                     variable `{variable}`"
                )
            }
            Self::ReadOnly(it) => format!("{}, which is read-only", place(it, "memory")),
            Self::NotCode(it) => format!("{}, which is not executable", place(it, "data")),
            Self::Guard { at, size } => {
                format!("the guard page behind a vmalloc area, at {at:#x} of {size:#x} bytes")
            }
            Self::StackGuard => "the guard page of a kernel stack".to_owned(),
            Self::FreedArea => "in a vmalloc area that was freed".to_owned(),
            Self::Hole => {
                "an address of vmalloc where nothing is mapped any more, or never was".to_owned()
            }
            Self::Beyond { place: it, at, .. } if *at < 0 => {
                let what = place(it, "what it is an index into");
                format!("{:#x} bytes before the start of {what}", at.unsigned_abs())
            }
            Self::Beyond { place: it, at, size } => {
                let what = place(it, "what it is an index into");
                format!("behind the end of {what}, at {at:#x} of {size:#x} bytes")
            }
            Self::Gone(gone) => gone.taken_for(taken_for(how)).to_string(),
            Self::NeverAllocated(it) => {
                format!("an address in {}, which is no object of the slab allocator", it.words())
            }
        }
    }
}

/// What fills new objects, in one that is in use.
fn filling(cache: &str, is_certain: bool) -> String {
    match is_certain {
        true => {
            format!("what an object of {cache} held when it was allocated: nobody has set it since")
        }
        false => format!("what fills new objects of {cache}, and is in one that is in use"),
    }
}

impl Place {
    pub(crate) fn words(&self) -> String {
        match self {
            Self::Symbol(symbol) => format!("`{symbol}`"),
            Self::Module(module) => format!("memory of module {module}"),
            Self::Slab(owner) => format!("an object of {}", owner.cache),
            Self::Stack => "a kernel stack".to_owned(),
            Self::VmArea => "a vmalloc area".to_owned(),
            Self::Pages => "allocated pages".to_owned(),
        }
    }
}

fn freed(what: &FreedMemory, is_certain: bool) -> String {
    match (what, is_certain) {
        (FreedMemory::Object { cache }, true) => format!("what a freed object of {cache} holds"),
        (FreedMemory::Object { cache }, false) => {
            format!("what an object of {cache} held that is free by now")
        }
        (FreedMemory::Pages, true) => "what freed pages hold".to_owned(),
        (FreedMemory::Pages, false) => "what pages held that are free by now".to_owned(),
    }
}

fn below_null(distance: u16, name: Option<&str>, member: Option<&str>) -> String {
    let code = name.map(|name| format!("the error code -{name}"));
    let code = code.unwrap_or_else(|| "an error code".to_owned());
    let member = member.map(|member| format!("a `{member}`"));
    let member = member.unwrap_or_else(|| "a link".to_owned());
    format!("-{distance}: {code}, or the structure around {member} that was NULL")
}

const fn taken_for(how: Use) -> TakenFor {
    match how {
        Use::Call => TakenFor::Code,
        Use::Read | Use::Write | Use::Change => TakenFor::Memory,
    }
}

const fn of_poison(poison: Poison) -> Option<CrashKind> {
    Some(match poison {
        Poison::SlabFree | Poison::SlabEnd | Poison::Page => CrashKind::UseAfterFree,
        Poison::SlabInUse => CrashKind::Uninitialized,
        Poison::RedZoneFree | Poison::RedZoneInUse => CrashKind::OutOfBounds,
        Poison::ListNext | Poison::ListPrev | Poison::ListPrevOld => CrashKind::ListCorruption,
        Poison::Key | Poison::Mutex | Poison::Timer | Poison::PagePool | Poison::Bpf => {
            return None;
        }
    })
}

const fn of_gone(gone: &Gone, how: Use) -> Option<CrashKind> {
    Some(match (gone, how) {
        (Gone::Unloaded { is_shown: false, .. }, _) => return None,
        (Gone::Start | Gone::Init(_) | Gone::GivenBack, Use::Call) => CrashKind::FreedInitCode,
        (Gone::Unloaded { .. }, Use::Call) => CrashKind::UnloadedCode,
        (_, Use::Read | Use::Write | Use::Change) => CrashKind::UseAfterFree,
    })
}
