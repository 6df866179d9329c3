// SPDX-License-Identifier: MIT OR Apache-2.0
//! All packages that some packages need. The same metadata gives the same packages.
//!
//! No package is installed beside another version of itself; there is no search for a better
//! combination: the repositories of a distribution have one newest version of everything, and it
//! fits.

use std::collections::{BTreeMap, BTreeSet};

use super::super::FetchError;
use super::boolean::Need;
use super::capability::Capability;
use super::error::RpmError;
use super::record::Record;

/// Finds the packages with these files, which the shorter list does not have.
pub(super) type Owners<'o, 'r> =
    dyn FnMut(&BTreeSet<String>) -> Result<Vec<(&'r Record, String)>, FetchError> + 'o;

/// The packages named, in this order, then all that they need, by name.
pub(super) fn resolve<'r>(
    records: &[&'r Record],
    wanted: &[String],
    places: &str,
    owners: &mut Owners<'_, 'r>,
) -> Result<Vec<&'r Record>, FetchError> {
    let mut resolver = Resolver::new(records, wanted, places);
    for name in wanted {
        let need = Need::One(Capability { name: name.clone(), bound: None });
        resolver.open.push((need, "the guest's file".to_owned()));
    }
    loop {
        resolver.work()?;
        let files = std::mem::take(&mut resolver.files_to_find);
        let missing: BTreeSet<String> = files.iter().map(|(file, _)| file.clone()).collect();
        if missing.is_empty() {
            return Ok(resolver.result());
        }
        for (record, path) in owners(&missing)? {
            resolver.provide(record, path);
        }
        for (file, user) in files {
            if !resolver.by_file.contains_key(file.as_str()) {
                return Err(resolver.unresolved(&file, &user));
            }
            resolver.open.push((Need::One(Capability { name: file, bound: None }), user));
        }
    }
}

struct Resolver<'r, 'p> {
    by_name: BTreeMap<&'r str, Vec<&'r Record>>,
    by_file: BTreeMap<String, Vec<&'r Record>>,
    wanted: Vec<String>,
    places: &'p str,
    chosen: Vec<&'r Record>,
    /// What is needed, and by whom.
    open: Vec<(Need, String)>,
    /// What is needed only if something else is there; asked again after every choice.
    conditional: Vec<(Need, String)>,
    files_to_find: Vec<(String, String)>,
}

impl<'r, 'p> Resolver<'r, 'p> {
    fn new(records: &[&'r Record], wanted: &[String], places: &'p str) -> Self {
        let mut by_name: BTreeMap<&str, Vec<&Record>> = BTreeMap::new();
        let mut by_file: BTreeMap<String, Vec<&Record>> = BTreeMap::new();
        for record in records {
            let names = record.provides.iter().map(|it| it.name.as_str());
            let names: BTreeSet<&str> = names.chain([record.name()]).collect();
            for name in names {
                by_name.entry(name).or_default().push(record);
            }
            for file in &record.files {
                by_file.entry(file.clone()).or_default().push(record);
            }
        }
        let (open, chosen) = (Vec::new(), Vec::new());
        let wanted = wanted.to_vec();
        let (conditional, files_to_find) = (Vec::new(), Vec::new());
        Self { by_name, by_file, wanted, places, chosen, open, conditional, files_to_find }
    }

    fn provide(&mut self, record: &'r Record, file: String) {
        self.by_file.entry(file).or_default().push(record);
    }

    /// Meets all needs but those for files that are in no package so far.
    fn work(&mut self) -> Result<(), FetchError> {
        // First come, first served: what the guest's file names decides for what others need.
        self.open.reverse();
        loop {
            while let Some((need, user)) = self.open.pop() {
                self.meet(need, user)?;
            }
            let before = self.chosen.len();
            for (need, user) in std::mem::take(&mut self.conditional) {
                self.meet(need, user)?;
            }
            if self.open.is_empty() && self.chosen.len() == before {
                return Ok(());
            }
        }
    }

    fn meet(&mut self, need: Need, user: String) -> Result<(), FetchError> {
        if self.is_met(&need) {
            return Ok(());
        }
        match need {
            Need::And(parts) => {
                self.open.extend(parts.into_iter().rev().map(|part| (part, user.clone())));
                Ok(())
            }
            Need::Or(parts) => {
                let possible = parts.iter().find(|part| self.candidate(part).is_some());
                match possible.cloned() {
                    Some(part) => self.meet(part, user),
                    None => Err(self.unresolved(&text(&Need::Or(parts)), &user)),
                }
            }
            Need::If(then, condition, otherwise) => {
                if self.is_met(&condition) {
                    return self.meet(*then, user);
                }
                if let Some(otherwise) = otherwise.clone() {
                    self.meet(*otherwise, user.clone())?;
                }
                self.conditional.push((Need::If(then, condition, otherwise), user));
                Ok(())
            }
            Need::Unless(then, condition, otherwise) => {
                match (self.is_met(&condition), otherwise) {
                    (false, _) => self.meet(*then, user),
                    (true, Some(otherwise)) => self.meet(*otherwise, user),
                    (true, None) => Ok(()),
                }
            }
            one => self.choose(&one, user),
        }
    }

    fn choose(&mut self, need: &Need, user: String) -> Result<(), FetchError> {
        if let Some(record) = self.candidate(need) {
            self.chosen.push(record);
            let requires = record.requires.iter().rev();
            for required in requires {
                let need = Need::of(required)
                    .ok_or_else(|| self.unresolved(&required.name, &record.full_name()))?;
                self.open.push((need, record.full_name()));
            }
            return Ok(());
        }
        match need {
            Need::One(it) if it.name.starts_with('/') && !self.by_file.contains_key(&it.name) => {
                self.files_to_find.push((it.name.clone(), user));
                Ok(())
            }
            other => Err(self.unresolved(&text(other), &user)),
        }
    }

    /// Whether what is chosen already has it.
    fn is_met(&self, need: &Need) -> bool {
        match need {
            Need::And(parts) => parts.iter().all(|part| self.is_met(part)),
            Need::Or(parts) => parts.iter().any(|part| self.is_met(part)),
            Need::If(..) | Need::Unless(..) => false,
            one => self.chosen.iter().any(|record| self.is(record, one)),
        }
    }

    /// Whether a package is what is needed.
    fn is(&self, record: &Record, need: &Need) -> bool {
        match need {
            Need::One(it) => {
                record.provides.iter().any(|have| have.fits(it))
                    || itself(record).fits(it)
                    || self.has_file(record, &it.name)
            }
            Need::And(parts) | Need::With(parts) => parts.iter().all(|it| self.is(record, it)),
            Need::Or(parts) => parts.iter().any(|it| self.is(record, it)),
            Need::Without(pair) => self.is(record, &pair[0]) && !self.is(record, &pair[1]),
            Need::If(..) | Need::Unless(..) => false,
        }
    }

    fn has_file(&self, record: &Record, path: &str) -> bool {
        let same = |other: &&Record| std::ptr::eq(*other, record);
        self.by_file.get(path).is_some_and(|records| records.iter().any(same))
    }

    /// The package to take for a need: one that is named so, one that the guest's file names, the
    /// one with the shortest name, the newest.
    fn candidate(&self, need: &Need) -> Option<&'r Record> {
        let name = first_name(need)?;
        let named = self.by_name.get(name).into_iter().flatten();
        let with_file = self.by_file.get(name).into_iter().flatten();
        let free = |record: &&Record| !self.chosen.iter().any(|it| it.name() == record.name());
        let fits = named.chain(with_file).copied().filter(free).filter(|it| self.is(it, need));
        let rank = |record: &'r Record| {
            let other = record.name() != name;
            let unwanted = !self.wanted.iter().any(|it| it == record.name());
            (other, unwanted, record.name().len(), record.name())
        };
        fits.min_by(|&a, &b| {
            let newest = || b.evr().compare(a.evr()).then_with(|| a.repository.cmp(&b.repository));
            rank(a).cmp(&rank(b)).then_with(newest)
        })
    }

    fn unresolved(&self, wanted: &str, user: &str) -> FetchError {
        let (wanted, user) = (wanted.to_owned(), user.to_owned());
        RpmError::Unresolved { wanted, user, repositories: self.places.to_owned() }.into()
    }

    fn result(mut self) -> Vec<&'r Record> {
        let wanted = self.wanted;
        let place = |record: &Record| wanted.iter().position(|name| name == record.name());
        let key = |record: &&Record| (place(record).unwrap_or(usize::MAX), record.full_name());
        self.chosen.sort_by_key(key);
        self.chosen
    }
}

/// What every package provides, whether or not its metadata says so.
fn itself(record: &Record) -> Capability {
    let bound = Some((super::capability::Relation::Equal, record.evr().clone()));
    Capability { name: record.name().to_owned(), bound }
}

fn first_name(need: &Need) -> Option<&str> {
    match need {
        Need::One(it) => Some(&it.name),
        Need::And(parts) | Need::Or(parts) | Need::With(parts) => first_name(parts.first()?),
        Need::Without(pair) => first_name(&pair[0]),
        Need::If(then, ..) | Need::Unless(then, ..) => first_name(then),
    }
}

fn text(need: &Need) -> String {
    let joined = |parts: &[Need], word: &str| {
        parts.iter().map(text).collect::<Vec<_>>().join(&format!(" {word} "))
    };
    match need {
        Need::One(it) => it.to_string(),
        Need::And(parts) => joined(parts, "and"),
        Need::Or(parts) => joined(parts, "or"),
        Need::With(parts) => joined(parts, "with"),
        Need::Without(pair) => joined(&pair[..], "without"),
        Need::If(then, condition, _) => format!("{} if {}", text(then), text(condition)),
        Need::Unless(then, condition, _) => format!("{} unless {}", text(then), text(condition)),
    }
}

#[cfg(test)]
mod tests;
