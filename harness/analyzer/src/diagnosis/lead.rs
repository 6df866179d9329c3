// SPDX-License-Identifier: MIT OR Apache-2.0
//! Places of the source to look at next, found in the code of the modules.

use super::Left;
use crate::express::{Expression, NamedPart, Structure};
use crate::source_line::SourceLine;

/// A place in the source of a module.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Site {
    /// The function.
    pub function: String,
    /// The line.
    pub line: SourceLine,
}

/// What the code of modules can be searched for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct About {
    /// The member or variable that was bad, or that the bad value was read from.
    pub part: Option<NamedPart>,
    /// The structure of the object that was free, or freed.
    pub structure: Option<Structure>,
    /// An instruction that computed the pointer.
    pub computed: Option<u64>,
    /// The table that the pointer was read from.
    pub table: Option<Table>,
    /// The function of the C library that was about to run over a buffer.
    pub function: Option<String>,
    /// Whether the part is the array that an index led out of.
    pub is_array: bool,
    /// The ways through the code that end with the lock taken.
    pub kept: Vec<Left>,
    /// How much it was to write.
    pub room: Option<Room>,
    /// Who freed it, where the allocator noted that: a return address.
    pub freed: Option<u64>,
    /// Who allocated it, likewise.
    pub allocated: Option<u64>,
    /// What the caller gave as the parameter that was bad.
    pub passed: Option<Passed>,
}

/// What a caller gave to a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passed {
    /// As the caller's code has it.
    pub expression: Expression,
    /// An address inside of the call.
    pub pc: u64,
}

/// A variable with static storage that lacks a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// The variable and its module.
    pub name: String,
    /// The module.
    pub module: String,
    /// What points to it.
    pub pointer: Expression,
    /// The member.
    pub member: String,
    /// Where that is, a kernel virtual address.
    pub address: u64,
}

/// How much was to be written to a buffer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Room {
    /// Bytes that were to be written.
    pub writes: u64,
    /// Bytes that there are.
    pub has: u64,
    /// What most likely points to the buffer.
    pub buffer: Option<Expression>,
}

/// What to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lead {
    /// What was never initialised.
    Uninitialised {
        /// The object.
        object: Expression,
        /// The kernel's function or macro that does it.
        by: &'static str,
        /// Where the module does it, of the same member.
        done: Vec<Site>,
        /// Where such objects are made.
        made: Option<Made>,
        /// The module.
        module: String,
    },
    /// What was set too late, cleared too early, or never set.
    Set {
        /// The object.
        object: Expression,
        /// Where it is set, or handed to a function that may do so.
        set: Vec<Site>,
        /// Where it is cleared.
        cleared: Vec<Site>,
        /// Where such objects are made.
        made: Option<Made>,
        /// Where a variable is defined that nothing is found to set.
        defined: Option<SourceLine>,
        /// The module.
        module: String,
    },
    /// An array that an index led out of.
    Sized {
        /// The array.
        array: Expression,
        /// Where it gets its memory.
        set: Vec<Site>,
    },
    /// What was freed.
    Freed {
        /// The structure, where its type is known.
        structure: Option<String>,
        /// Where such objects are freed; the place itself where `is_known`.
        by: Vec<Site>,
        /// From where the code comes to the only such place.
        callers: Vec<Site>,
        /// Whether the allocator noted who freed this one.
        is_known: bool,
        /// Whether it was freed again.
        again: bool,
    },
    /// The entry of a list.
    Listed {
        /// The entry.
        entry: Expression,
        /// What takes one out.
        by: &'static str,
        /// Where the module does that.
        out: Vec<Site>,
        /// Where it puts one in.
        put: Vec<Site>,
        /// The module.
        module: String,
    },
    /// A node that is taken out of no list.
    Unlinked {
        /// The node.
        node: Expression,
        /// Where that is noticed.
        site: Site,
        /// Where what it is in is handed to functions that may put it in.
        given: Vec<Site>,
    },
    /// A member that links objects of a structure, and no code that takes one out.
    Linked {
        /// The structure's tag.
        structure: String,
        /// The member.
        link: Expression,
        /// What takes one out.
        by: &'static str,
        /// Where the module puts one in.
        put: Vec<Site>,
    },
    /// A table that lacks a member.
    Table {
        /// The table.
        table: Table,
        /// Where it is defined.
        defined: Option<SourceLine>,
    },
    /// What a parameter that was bad is in the caller.
    Passed {
        /// The parameter, or what was read through it.
        pointer: Expression,
        /// As the caller's code has it.
        passed: Expression,
        /// Where that calls.
        site: Site,
    },
    /// Where a pointer was computed.
    Computed {
        /// The pointer.
        pointer: Expression,
        /// The place.
        site: Site,
    },
    /// What is counted.
    Counted {
        /// The counter, where it is one of no structure.
        counter: Expression,
        /// The member and the tag of its structure.
        member: Option<(String, String)>,
        /// Where it is raised.
        raised: Vec<Site>,
        /// Where it is lowered.
        lowered: Vec<Site>,
        /// The module.
        module: String,
    },
    /// An allocation that is smaller than what is kept there.
    Small {
        /// The variable that the address is put into, where it has one.
        variable: Option<Expression>,
        /// The structure's tag.
        structure: String,
        /// Bytes of that.
        needs: u64,
        /// Bytes that are allocated.
        gets: u64,
        /// Whether that is for each of several.
        each: bool,
        /// Where.
        site: Site,
        /// The same, as an address of the code.
        pc: u64,
    },
    /// References of a network device.
    References {
        /// Its name.
        device: Expression,
        /// Where they are taken.
        taken: Vec<Site>,
        /// Where they are given back.
        given: Vec<Site>,
        /// The module.
        module: String,
    },
    /// A buffer that was written to.
    Written {
        /// The buffer.
        buffer: Expression,
        /// Where, and by which function that got its address.
        by: Vec<(Option<String>, Site)>,
    },
    /// The length that a function was given.
    Length {
        /// The function.
        function: String,
        /// Where it is called.
        site: Site,
        /// The length, and the room, where the compiler knew both.
        room: Option<Room>,
    },
    /// The test by which the code comes with NULL to where a pointer is used.
    Tested {
        /// The pointer.
        pointer: Expression,
        /// Where it is tested.
        site: Site,
        /// Whether the code comes there only so.
        is_certain: bool,
    },
    /// A lock that somebody has.
    Taken {
        /// The lock.
        lock: Expression,
        /// Where it is taken.
        by: Vec<Site>,
    },
    /// Functions that may end with a lock taken that somebody has.
    Kept {
        /// The lock.
        lock: Expression,
        /// The ways that do so.
        by: Vec<Left>,
    },
}

/// Where objects of a structure are made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// The structure's tag.
    pub structure: String,
    /// The place.
    pub site: Site,
    /// Whether it is allocated there; else other members of it are set.
    pub is_allocated: bool,
}
