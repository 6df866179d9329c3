// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where to look next, in words.

use super::lead::{Lead, Made, Room, Site, Table};
use crate::claim::Addresses;
use crate::express::Expression;

/// Places that are named, of those of one sort.
const MOST: usize = 3;

/// Functions that are named, where only those are.
const MOST_FUNCTIONS: usize = 8;

/// Writes words about places of the source, by how lines are printed.
#[derive(Clone, Copy)]
struct Writer<'a>(&'a dyn Addresses);

impl Lead {
    /// In words.
    #[must_use]
    pub fn words(&self, addresses: &dyn Addresses) -> String {
        let at = Writer(addresses);
        match self {
            Self::Uninitialised { object, by, done, made, module } => {
                let call = format!("`{by}(&{object})`");
                let made = at.made(made.as_ref());
                match done.is_empty() {
                    true => {
                        format!(
                            "{call}: not found in the code of `{module}` that stays loaded{made}"
                        )
                    }
                    false => format!(
                        "{call}, which is in {}: whether that ran, and ran before{made}",
                        at.list(done)
                    ),
                }
            }
            Self::Set { .. } => self.of_set(at),
            Self::Sized { array, set } => {
                format!(
                    "how large what `{array}` leads to is made, where it is set in {}",
                    at.list(set)
                )
            }
            Self::Freed { .. } => self.of_freed(at),
            Self::Listed { .. } => self.of_listed(at),
            Self::Unlinked { node, site, given } => {
                let given = match given.is_empty() {
                    true => String::new(),
                    false => format!("; it is handed on in {}", at.list(given)),
                };
                let site = at.site(site);
                format!(
                    "what puts `{node}` into its list before {site} meets it, or what leads there still{given}"
                )
            }
            Self::Linked { structure, link, by, put } => format!(
                "`{by}()` of `{link}`, by which each struct {structure} is linked: put in by {}, and no code is \
                 found that takes it out",
                at.list(put)
            ),
            Self::Table { table: Table { name, pointer, member, .. }, defined } => {
                let defined =
                    defined.as_ref().map(|line| format!(", at `{}`", addresses.line(line)));
                let defined = defined.unwrap_or_default();
                format!(
                    "`{member}` of `{name}`, which `{pointer}` points to: it is not set there{defined}"
                )
            }
            Self::Passed { pointer, passed, site } => {
                let site = at.site(site);
                format!("`{pointer}` is `{passed}` in {site}: whether that may be passed there")
            }
            Self::Computed { pointer, site } => {
                let site = at.site(site);
                format!("`container_of()` or the sum that makes `{pointer}` in {site}")
            }
            Self::Counted { counter, member, raised, lowered, module } => {
                let which = match member {
                    Some((member, tag)) => format!("`{member}` of struct {tag}"),
                    None => format!("`{counter}`"),
                };
                let (raised, lowered) = (at.places(raised, module), at.places(lowered, module));
                format!("{which} is raised {raised}; lowered {lowered}")
            }
            Self::Small { structure, .. } => {
                format!(
                    "the size that is asked for there, against a struct {structure}: {}",
                    self.clause(addresses).unwrap_or_default()
                )
            }
            Self::References { device, taken, given, module } => {
                let (taken, given) = (at.places(taken, module), at.places(given, module));
                format!(
                    "`dev_hold()` and its like, of a net device such as `{device}`, are {taken}; `dev_put()` and \
                     its like {given}"
                )
            }
            Self::Written { buffer, by } => at.written(buffer, by),
            Self::Tested { pointer, site, is_certain } => {
                let leads = match is_certain {
                    true => "only where it is NULL does it lead here",
                    false => "where it is NULL, it leads here",
                };
                let site = at.site(site);
                format!("the test of `{pointer}` in {site}: {leads}")
            }
            Self::Length { function, site, room } => at.length(function, site, room.as_ref()),
            Self::Kept { lock, by } => {
                let all = first(by.iter().map(|left| left.whereabouts(addresses)));
                format!("the release of `{lock}`, which is taken and not given back by {all}")
            }
            Self::Taken { lock, by } => {
                format!(
                    "`{lock}` is taken in {}: a way out without giving it back",
                    at.functions(by)
                )
            }
        }
    }
}

impl Lead {
    fn of_set(&self, at: Writer<'_>) -> String {
        match self {
            Self::Set { object, set, cleared, made, defined, module } => {
                let made = at.made(made.as_ref());
                let clears = match cleared.is_empty() {
                    true => String::new(),
                    false => format!("; cleared in {}", at.list(cleared)),
                };
                let defined = defined.as_ref().map(|line| at.0.line(line));
                let defined =
                    defined.map(|line| format!("; it is defined at `{line}`")).unwrap_or_default();
                match set.is_empty() {
                    true => format!(
                        "what should set `{object}`: nothing in the code of `{module}` that stays loaded is found to{clears}{made}{defined}"
                    ),
                    false => {
                        format!("`{object}` is set in {}{clears}: what ran, and when", at.list(set))
                    }
                }
            }
            _ => String::new(),
        }
    }

    fn of_listed(&self, at: Writer<'_>) -> String {
        match self {
            Self::Listed { entry, by, out, put, module } => {
                let puts = match put.is_empty() {
                    true => String::new(),
                    false => format!("; put in by {}", at.list(put)),
                };
                match out.is_empty() {
                    true => format!(
                        "`{by}(&{entry})`: not found in the code of `{module}` that stays loaded{puts}"
                    ),
                    false => format!("`{by}(&{entry})`, which is in {}{puts}", at.list(out)),
                }
            }
            _ => String::new(),
        }
    }

    fn of_freed(&self, at: Writer<'_>) -> String {
        match self {
            Self::Freed { structure, by, is_known: true, again, .. } => {
                let what = structure
                    .as_ref()
                    .map_or_else(|| "it".to_owned(), |it| format!("the struct {it}"));
                let asks = match again {
                    true => "which of the two owns it",
                    false => "what still led to it then",
                };
                format!("{} freed {what}: {asks}", at.list(by))
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
                    false => format!(", for {}", at.list(callers)),
                };
                format!("{what} freed in {}{callers}: {asks}", at.list(by))
            }
            _ => String::new(),
        }
    }
}

impl Lead {
    /// What the code itself shows of the mistake, in words.
    #[must_use]
    pub fn clause(&self, addresses: &dyn Addresses) -> Option<String> {
        if let Self::Length { function, room: Some(Room { writes, has, .. }), .. } = self {
            return Some(format!("`{function}` is to write {writes} bytes where there are {has}"));
        }
        if let Self::Table { table: Table { name, member, .. }, defined } = self {
            let at = defined.as_ref().map(|line| format!(" at `{}`", addresses.line(line)));
            let at = at.unwrap_or_default();
            return Some(format!("`{name}`{at} has no `{member}`"));
        }
        let Self::Small { variable, structure, needs, gets, each, site, .. } = self else {
            return None;
        };
        let Site { function, line } = site;
        let line = addresses.line(line);
        let what = match variable {
            Some(variable) => format!("`{variable}`, a struct {structure} of {needs},"),
            None => format!("a struct {structure} of {needs}"),
        };
        let each = if *each { " each" } else { "" };
        Some(format!("`{function}` allocates {gets} bytes{each} for {what} at `{line}`"))
    }
}

impl Writer<'_> {
    /// A place.
    fn site(self, Site { function, line }: &Site) -> String {
        format!("`{function}` at `{}`", self.0.line(line))
    }

    /// Where such objects are made, behind other words.
    fn made(self, made: Option<&Made>) -> String {
        let Some(Made { structure, site: Site { function, line }, is_allocated }) = made else {
            return String::new();
        };
        let line = self.0.line(line);
        match is_allocated {
            true => format!("; `{function}` allocates the struct {structure} at `{line}`"),
            false => format!("; `{function}` sets other members of struct {structure} at `{line}`"),
        }
    }

    /// What writes to a buffer, and by which function that got its address.
    fn written(self, buffer: &Expression, by: &[(Option<String>, Site)]) -> String {
        let site = |(function, site): &(Option<String>, Site)| match function {
            Some(function) => format!("`{function}` called by {}", self.site(site)),
            None => self.site(site),
        };
        format!("what writes to `{buffer}`, and how much: {}", first(by.iter().map(site)))
    }

    /// The length that a function gets, and the room that there is.
    fn length(self, function: &str, site: &Site, room: Option<&Room>) -> String {
        /// Functions that get no length but that of a string.
        const OF_STRINGS: [&str; 2] = ["strcpy", "strcat"];
        let of = if OF_STRINGS.contains(&function) { " of the string" } else { "" };
        let gets = format!("the length{of} that `{function}` gets from {}", self.site(site));
        let Some(Room { writes, has, buffer }) = room else {
            return format!("{gets}, against the size of what it writes to");
        };
        let buffer = buffer.as_ref().map_or_else(
            || "what it writes to".to_owned(),
            |buffer| format!("what `{buffer}` points to"),
        );
        format!("{gets}: {writes} bytes, where {buffer} has {has}")
    }

    /// The functions alone, where there are many.
    fn functions(self, sites: &[Site]) -> String {
        if sites.len() <= MOST {
            return self.list(sites);
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
    fn places(self, sites: &[Site], module: &str) -> String {
        match sites.is_empty() {
            true => format!("nowhere that was found in the code of `{module}` that stays loaded"),
            false => format!("in {}", self.list(sites)),
        }
    }

    /// The places, the first ones of many.
    fn list(self, sites: &[Site]) -> String {
        first(sites.iter().map(|site| self.site(site)))
    }
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
    use crate::printer::{NoNames, Raw};
    use crate::source_line::SourceLine;

    fn site(function: &str, line: u32) -> Site {
        let line = SourceLine { file: "src/a.c".to_owned(), line, text: None };
        Site { function: function.to_owned(), line }
    }

    fn name(name: &str) -> Expression {
        Expression::name(name)
    }

    #[test]
    fn what_is_missing_is_said_to_be_nowhere() {
        let site = site("open", 7);
        let made = Some(Made { structure: "job".to_owned(), site, is_allocated: true });
        let (by, done, module) = ("init_completion", Vec::new(), "m".to_owned());
        let lead = Lead::Uninitialised { object: name("done"), by, done, made, module };
        let words = "`init_completion(&done)`: not found in the code of `m` that stays loaded; `open` allocates the struct \
                     job at `a.c:7`";
        assert_eq!(lead.words(&Raw(&NoNames)), words);
    }

    #[test]
    fn of_many_places_the_first_are_named() {
        let sites: Vec<Site> = (1..=5).map(|line| site("f", line)).collect();
        let freed = |by, is_known, again| {
            let (structure, callers) = (Some("job".to_owned()), Vec::new());
            Lead::Freed { structure, by, callers, is_known, again }.words(&Raw(&NoNames))
        };
        let words = "a struct job is freed in `f` at `a.c:1`, `f` at `a.c:2`, `f` at `a.c:3` and 2 more: \
                     what still leads to it there";
        assert_eq!(freed(sites.clone(), false, false), words);
        let known = freed(sites.into_iter().take(1).collect(), true, true);
        assert_eq!(known, "`f` at `a.c:1` freed the struct job: which of the two owns it");
        let many: Vec<Site> = ["a", "b", "a", "c"].map(|it| site(it, 1)).to_vec();
        let taken = Lead::Taken { lock: name("lock"), by: many }.words(&Raw(&NoNames));
        assert_eq!(taken, "`lock` is taken in `a`, `b`, `c`: a way out without giving it back");
    }

    #[test]
    fn only_what_the_code_shows_is_said_in_the_sentence() {
        let (structure, site) = ("job".to_owned(), site("open", 7));
        let variable = Some(name("job"));
        let lead =
            Lead::Small { variable, structure, needs: 32, gets: 8, each: false, site, pc: 0 };
        let clause = "`open` allocates 8 bytes for `job`, a struct job of 32, at `a.c:7`";
        assert_eq!(lead.clause(&Raw(&NoNames)).as_deref(), Some(clause));
        let other = Lead::Taken { lock: name("lock"), by: Vec::new() };
        assert_eq!(other.clause(&Raw(&NoNames)), None);
    }
}
