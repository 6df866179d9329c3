// SPDX-License-Identifier: MIT OR Apache-2.0
//! Places of the source to look at next, found in the code of the modules.

use std::fmt;

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
    /// The table that the pointer was read from: the variable, what points to it, and the member.
    pub table: Option<(String, Expression, String)>,
    /// The function of the C library that was about to run over a buffer.
    pub function: Option<String>,
    /// How much it was to write.
    pub room: Option<Room>,
    /// Who freed it, where the allocator noted that: a return address.
    pub freed: Option<u64>,
    /// Who allocated it, likewise.
    pub allocated: Option<u64>,
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
        /// The module.
        module: String,
    },
    /// What was freed.
    Freed {
        /// The structure, where its type is known.
        structure: Option<String>,
        /// Where such objects are freed; the place itself where `is_known`.
        by: Vec<Site>,
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
        /// The variable.
        table: String,
        /// What points to it.
        pointer: Expression,
        /// The member.
        member: String,
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
    /// The test by which the code comes only with NULL to where a pointer is used.
    Tested {
        /// The pointer.
        pointer: Expression,
        /// Where it is tested.
        site: Site,
    },
    /// A lock that somebody has.
    Taken {
        /// The lock.
        lock: Expression,
        /// Where it is taken.
        by: Vec<Site>,
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
            Self::Freed { .. } => self.of_freed(),
            Self::Listed { entry, by, out, put, module } => {
                let puts = match put.is_empty() {
                    true => String::new(),
                    false => format!("; put in by {}", list(put)),
                };
                match out.is_empty() {
                    true => format!(
                        "`{by}(&{entry})`: nowhere in the code of `{module}` that stays loaded{puts}"
                    ),
                    false => format!("`{by}(&{entry})`, which is in {}{puts}", list(out)),
                }
            }
            Self::Linked { structure, link, by, put } => format!(
                "`{by}()` of `{link}`, by which each struct {structure} is linked: put in by {}, and no code is \
                 found that takes it out",
                list(put)
            ),
            Self::Table { table, pointer, member } => {
                format!("`{member}` of `{table}`, which `{pointer}` points to: it is not set there")
            }
            Self::Computed { pointer, site } => {
                format!("`container_of()` or the sum that makes `{pointer}` in {site}")
            }
            Self::Counted { counter, member, raised, lowered, module } => {
                let side = |sites: &[Site]| match sites.is_empty() {
                    true => format!("nowhere in the code of `{module}` that stays loaded"),
                    false => format!("in {}", list(sites)),
                };
                let which = match member {
                    Some((member, tag)) => format!("`{member}` of struct {tag}"),
                    None => format!("`{counter}`"),
                };
                format!("{which} is raised {}; lowered {}", side(raised), side(lowered))
            }
            Self::Small { structure, .. } => {
                format!(
                    "the size that is asked for there, against a struct {structure}: {}",
                    self.clause().unwrap_or_default()
                )
            }
            Self::References { device, taken, given, module } => {
                let side = |sites: &[Site]| match sites.is_empty() {
                    true => format!("nowhere in the code of `{module}` that stays loaded"),
                    false => format!("in {}", list(sites)),
                };
                format!(
                    "references of a net device such as `{device}` are taken {} (`dev_hold`) and given back {} (`dev_put`)",
                    side(taken),
                    side(given)
                )
            }
            Self::Written { buffer, by } => {
                let site = |(function, site): &(Option<String>, Site)| match function {
                    Some(function) => format!("`{function}` called by {site}"),
                    None => site.to_string(),
                };
                let sites: Vec<String> = by.iter().take(MOST).map(site).collect();
                format!("what writes to `{buffer}`, and how much: {}", sites.join(", "))
            }
            Self::Tested { pointer, site } => {
                format!(
                    "the test of `{pointer}` in {site}: only where it is NULL does it lead here"
                )
            }
            Self::Length { function, site, room: None } => {
                format!(
                    "the length that `{function}` gets from {site}, against the size of what it writes to"
                )
            }
            Self::Length { function, site, room: Some(Room { writes, has, buffer }) } => {
                let buffer = buffer.as_ref().map_or_else(
                    || "what it writes to".to_owned(),
                    |buffer| format!("what `{buffer}` points to"),
                );
                format!(
                    "the length that `{function}` gets from {site}: {writes} bytes, where {buffer} has {has}"
                )
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
            Self::Set { object, set, cleared, made, module } => {
                let made = made.as_ref().map(|made| format!("; {made}")).unwrap_or_default();
                let clears = match cleared.is_empty() {
                    true => String::new(),
                    false => format!("; cleared in {}", list(cleared)),
                };
                match set.is_empty() {
                    true => format!(
                        "what should set `{object}`: nothing in the code of `{module}` that stays loaded is found to{clears}{made}"
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
            Self::Freed { structure, by, again, .. } => {
                let what = match structure {
                    Some(tag) => format!("a struct {tag} is"),
                    None => "such objects are".to_owned(),
                };
                let asks = match again {
                    true => "which of them owns it",
                    false => "what still leads to it there",
                };
                format!("{what} freed in {}: {asks}", list(by))
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
        let Self::Small { variable, structure, needs, gets, site, .. } = self else { return None };
        let Site { function, line } = site;
        let what = match variable {
            Some(variable) => format!("`{variable}`, a struct {structure} of {needs},"),
            None => format!("a struct {structure} of {needs}"),
        };
        Some(format!("`{function}` allocates {gets} bytes for {what} at `{line}`"))
    }
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

/// The places, the first ones of many.
fn list(sites: &[Site]) -> String {
    let named: Vec<String> = sites.iter().take(MOST).map(Site::to_string).collect();
    match sites.len().saturating_sub(MOST) {
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
            Lead::Freed { structure: Some("job".to_owned()), by, is_known, again }.words()
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
        let lead = Lead::Small { variable, structure, needs: 32, gets: 8, site, pc: 0 };
        let clause = "`open` allocates 8 bytes for `job`, a struct job of 32, at `a.c:7`";
        assert_eq!(lead.clause().as_deref(), Some(clause));
        let other = Lead::Taken { lock: name("lock"), by: Vec::new() };
        assert_eq!(other.clause(), None);
    }
}
