// SPDX-License-Identifier: MIT OR Apache-2.0
//! Places of the source to look at next, found in the code of the modules.

use std::fmt;

use debuginfo::Declared;

use super::Left;
use crate::express::{Expression, NamedPart, Structure};

/// Places that are named, of those of one sort.
const MOST: usize = 3;

/// Functions that are named, where only those are.
const MOST_FUNCTIONS: usize = 8;

/// A place in the source of a module.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Site {
    /// The function.
    pub function: String,
    /// File and line.
    pub line: String,
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
        /// Where a variable is defined that nothing is found to set, file and line.
        defined: Option<String>,
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
        defined: Option<Declared>,
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

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` at `{}`", self.function, self.line)
    }
}

impl fmt::Display for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { structure, site: Site { function, line }, .. } = self;
        match self.is_allocated {
            true => write!(f, "`{function}` allocates the struct {structure} at `{line}`"),
            false => write!(f, "`{function}` sets other members of struct {structure} at `{line}`"),
        }
    }
}

impl Lead {
    /// In words.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Uninitialised { object, by, done, made, module } => {
                let call = format!("`{by}(&{object})`");
                let made = made.as_ref().map(|made| format!("; {made}")).unwrap_or_default();
                match done.is_empty() {
                    true => {
                        format!("{call}: nowhere in the code of `{module}` that stays loaded{made}")
                    }
                    false => format!(
                        "{call}, which is in {}: whether that ran, and ran before{made}",
                        list(done)
                    ),
                }
            }
            Self::Set { .. } => self.of_set(),
            Self::Sized { array, set } => {
                format!(
                    "how large what `{array}` leads to is made, where it is set in {}",
                    list(set)
                )
            }
            Self::Freed { .. } => self.of_freed(),
            Self::Listed { entry, by, out, put, module } => {
                let puts = match put.is_empty() {
                    true => String::new(),
                    false => format!("; put in by {}", list(put)),
                };
                match out.is_empty() {
                    true => format!("`{by}(&{entry})`: {}{puts}", places(out, module)),
                    false => format!("`{by}(&{entry})`, which is in {}{puts}", list(out)),
                }
            }
            Self::Unlinked { node, site, given } => {
                let given = match given.is_empty() {
                    true => String::new(),
                    false => format!("; it is handed on in {}", list(given)),
                };
                format!(
                    "what puts `{node}` into its list before {site} meets it, or what leads there still{given}"
                )
            }
            Self::Linked { structure, link, by, put } => format!(
                "`{by}()` of `{link}`, by which each struct {structure} is linked: put in by {}, and no code is \
                 found that takes it out",
                list(put)
            ),
            Self::Table { table: Table { name, pointer, member, .. }, defined } => {
                let at = defined.as_ref().map(|at| format!(", at `{}`", short(at)));
                let at = at.unwrap_or_default();
                format!(
                    "`{member}` of `{name}`, which `{pointer}` points to: it is not set there{at}"
                )
            }
            Self::Passed { pointer, passed, site } => {
                format!("`{pointer}` is `{passed}` in {site}: whether that may be passed there")
            }
            Self::Computed { pointer, site } => {
                format!("`container_of()` or the sum that makes `{pointer}` in {site}")
            }
            Self::Counted { counter, member, raised, lowered, module } => {
                let which = match member {
                    Some((member, tag)) => format!("`{member}` of struct {tag}"),
                    None => format!("`{counter}`"),
                };
                let (raised, lowered) = (places(raised, module), places(lowered, module));
                format!("{which} is raised {raised}; lowered {lowered}")
            }
            Self::Small { structure, .. } => {
                format!(
                    "the size that is asked for there, against a struct {structure}: {}",
                    self.clause().unwrap_or_default()
                )
            }
            Self::References { device, taken, given, module } => {
                let (taken, given) = (places(taken, module), places(given, module));
                format!(
                    "`dev_hold()` and its like, of a net device such as `{device}`, are {taken}; `dev_put()` and \
                     its like {given}"
                )
            }
            Self::Written { buffer, by } => written(buffer, by),
            Self::Tested { pointer, site, is_certain } => {
                let leads = match is_certain {
                    true => "only where it is NULL does it lead here",
                    false => "where it is NULL, it leads here",
                };
                format!("the test of `{pointer}` in {site}: {leads}")
            }
            Self::Length { function, site, room } => length(function, site, room.as_ref()),
            Self::Kept { lock, by } => {
                let all = first(by.iter().map(Left::whereabouts));
                format!("the release of `{lock}`, which is taken and not given back by {all}")
            }
            Self::Taken { lock, by } => {
                format!("`{lock}` is taken in {}: a way out without giving it back", functions(by))
            }
        }
    }
}

impl Lead {
    fn of_set(&self) -> String {
        match self {
            Self::Set { object, set, cleared, made, defined, module } => {
                let made = made.as_ref().map(|made| format!("; {made}")).unwrap_or_default();
                let clears = match cleared.is_empty() {
                    true => String::new(),
                    false => format!("; cleared in {}", list(cleared)),
                };
                let defined = defined.as_ref();
                let defined =
                    defined.map(|at| format!("; it is defined at `{at}`")).unwrap_or_default();
                match set.is_empty() {
                    true => format!(
                        "what should set `{object}`: nothing in the code of `{module}` that stays loaded is found to{clears}{made}{defined}"
                    ),
                    false => {
                        format!("`{object}` is set in {}{clears}: what ran, and when", list(set))
                    }
                }
            }
            _ => String::new(),
        }
    }

    fn of_freed(&self) -> String {
        match self {
            Self::Freed { structure, by, is_known: true, again, .. } => {
                let what = structure
                    .as_ref()
                    .map_or_else(|| "it".to_owned(), |it| format!("the struct {it}"));
                let asks = match again {
                    true => "which of the two owns it",
                    false => "what still led to it then",
                };
                format!("{} freed {what}: {asks}", list(by))
            }
            Self::Freed { structure, by, callers, again, .. } => {
                let what = match structure {
                    Some(tag) => format!("a struct {tag} is"),
                    None => "such objects are".to_owned(),
                };
                let asks = match again {
                    true => "which of them owns it",
                    false => "what still leads to it there",
                };
                let callers = match callers.is_empty() {
                    true => String::new(),
                    false => format!(", for {}", list(callers)),
                };
                format!("{what} freed in {}{callers}: {asks}", list(by))
            }
            _ => String::new(),
        }
    }
}

impl Lead {
    /// What the code itself shows of the mistake, in words.
    #[must_use]
    pub fn clause(&self) -> Option<String> {
        if let Self::Length { function, room: Some(Room { writes, has, .. }), .. } = self {
            return Some(format!("`{function}` is to write {writes} bytes where there are {has}"));
        }
        if let Self::Table { table: Table { name, member, .. }, defined } = self {
            let at = defined.as_ref().map(|at| format!(" at `{}`", short(at))).unwrap_or_default();
            return Some(format!("`{name}`{at} has no `{member}`"));
        }
        let Self::Small { variable, structure, needs, gets, each, site, .. } = self else {
            return None;
        };
        let Site { function, line } = site;
        let what = match variable {
            Some(variable) => format!("`{variable}`, a struct {structure} of {needs},"),
            None => format!("a struct {structure} of {needs}"),
        };
        let each = if *each { " each" } else { "" };
        Some(format!("`{function}` allocates {gets} bytes{each} for {what} at `{line}`"))
    }
}

/// What writes to a buffer, and by which function that got its address.
fn written(buffer: &Expression, by: &[(Option<String>, Site)]) -> String {
    let site = |(function, site): &(Option<String>, Site)| match function {
        Some(function) => format!("`{function}` called by {site}"),
        None => site.to_string(),
    };
    format!("what writes to `{buffer}`, and how much: {}", first(by.iter().map(site)))
}

/// The length that a function gets, and the room that there is.
fn length(function: &str, site: &Site, room: Option<&Room>) -> String {
    let gets = format!("the length that `{function}` gets from {site}");
    let Some(Room { writes, has, buffer }) = room else {
        return format!("{gets}, against the size of what it writes to");
    };
    let buffer = buffer.as_ref().map_or_else(
        || "what it writes to".to_owned(),
        |buffer| format!("what `{buffer}` points to"),
    );
    format!("{gets}: {writes} bytes, where {buffer} has {has}")
}

/// The file's name and the line.
pub fn short(Declared { file, line }: &Declared) -> String {
    format!("{}:{line}", file.rsplit('/').next().unwrap_or(file))
}

/// The functions alone, where there are many.
fn functions(sites: &[Site]) -> String {
    if sites.len() <= MOST {
        return list(sites);
    }
    let mut names: Vec<&str> = Vec::new();
    for site in sites {
        if !names.contains(&site.function.as_str()) {
            names.push(&site.function);
        }
    }
    let named: Vec<String> =
        names.iter().take(MOST_FUNCTIONS).map(|name| format!("`{name}`")).collect();
    match names.len().saturating_sub(MOST_FUNCTIONS) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

/// In which places of the code something is done.
fn places(sites: &[Site], module: &str) -> String {
    match sites.is_empty() {
        true => format!("nowhere in the code of `{module}` that stays loaded"),
        false => format!("in {}", list(sites)),
    }
}

/// The places, the first ones of many.
fn list(sites: &[Site]) -> String {
    first(sites.iter().map(Site::to_string))
}

/// The first ones of many.
fn first(mut all: impl Iterator<Item = String>) -> String {
    let named: Vec<String> = all.by_ref().take(MOST).collect();
    match all.count() {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(function: &str, line: &str) -> Site {
        Site { function: function.to_owned(), line: line.to_owned() }
    }

    fn name(name: &str) -> Expression {
        Expression::name(name)
    }

    #[test]
    fn what_is_missing_is_said_to_be_nowhere() {
        let site = site("open", "a.c:7");
        let made = Some(Made { structure: "job".to_owned(), site, is_allocated: true });
        let (by, done, module) = ("init_completion", Vec::new(), "m".to_owned());
        let lead = Lead::Uninitialised { object: name("done"), by, done, made, module };
        let words = "`init_completion(&done)`: nowhere in the code of `m` that stays loaded; `open` allocates the struct \
                     job at `a.c:7`";
        assert_eq!(lead.words(), words);
    }

    #[test]
    fn of_many_places_the_first_are_named() {
        let sites: Vec<Site> = (1..=5).map(|line| site("f", &format!("a.c:{line}"))).collect();
        let freed = |by, is_known, again| {
            let (structure, callers) = (Some("job".to_owned()), Vec::new());
            Lead::Freed { structure, by, callers, is_known, again }.words()
        };
        let words = "a struct job is freed in `f` at `a.c:1`, `f` at `a.c:2`, `f` at `a.c:3` and 2 more: \
                     what still leads to it there";
        assert_eq!(freed(sites.clone(), false, false), words);
        let known = freed(sites.into_iter().take(1).collect(), true, true);
        assert_eq!(known, "`f` at `a.c:1` freed the struct job: which of the two owns it");
        let many: Vec<Site> = ["a", "b", "a", "c"].map(|it| site(it, "a.c:1")).to_vec();
        let taken = Lead::Taken { lock: name("lock"), by: many }.words();
        assert_eq!(taken, "`lock` is taken in `a`, `b`, `c`: a way out without giving it back");
    }

    #[test]
    fn only_what_the_code_shows_is_said_in_the_sentence() {
        let (structure, site) = ("job".to_owned(), site("open", "a.c:7"));
        let variable = Some(name("job"));
        let lead =
            Lead::Small { variable, structure, needs: 32, gets: 8, each: false, site, pc: 0 };
        let clause = "`open` allocates 8 bytes for `job`, a struct job of 32, at `a.c:7`";
        assert_eq!(lead.clause().as_deref(), Some(clause));
        let other = Lead::Taken { lock: name("lock"), by: Vec::new() };
        assert_eq!(other.clause(), None);
    }
}
