// SPDX-License-Identifier: MIT OR Apache-2.0
//! No circle of files: what a file uses does not use it, over however many others. A file that is
//! part of no circle can be read, moved and tested without those above it.
//!
//! Read from the source's own tokens: imports, and paths in the code that begin with `crate`, `super`,
//! `self` or a module below. A name that a module hands on is followed to the file that has it. A module
//! and what is below it are one thing, so that its files may use what it defines itself.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use crate::{none, tree};

/// Re-exports that are followed for one name.
const MOST_STEPS: usize = 16;

/// A path of modules and names: `["run", "plan", "Plan"]`.
type Names = Vec<String>;

/// A name that a file imports.
#[derive(Debug, PartialEq)]
struct Import {
    /// Whether others may have it from here.
    handed_on: bool,
    path: Names,
    /// What it is called here.
    name: String,
}

/// What a file uses.
#[derive(Debug, Default)]
struct Source {
    imports: Vec<Import>,
    /// Paths in its code, as they are written.
    paths: Vec<Names>,
}

impl Source {
    fn read(text: &str) -> Self {
        let tokens: TokenStream = text.parse().expect("the source is Rust");
        let mut source = Self::default();
        source.take(tokens);
        source
    }

    fn take(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            if is_test(&tokens[at..]) {
                // The attribute, and what it is on, up to its body.
                at += 2;
                while tokens.get(at).is_some_and(|token| !ends_item(token)) {
                    at += 1;
                }
                at += 1;
                continue;
            }
            match token {
                TokenTree::Ident(word) if word == "use" => {
                    let end = (at..tokens.len()).find(|end| is_punct(&tokens[*end], ';'));
                    let end = end.unwrap_or(tokens.len());
                    let handed_on = at > 0 && is_visible(&tokens[..at]);
                    self.import(&tokens[at + 1..end], &Names::new(), handed_on);
                    at = end;
                }
                TokenTree::Ident(_) => {
                    let (path, after) = path(&tokens, at);
                    if path.len() > 1 {
                        self.paths.push(path);
                    }
                    at = after;
                    continue;
                }
                TokenTree::Group(group) => self.take(group.stream()),
                _ => {}
            }
            at += 1;
        }
    }

    /// Takes one tree of an import: `a::{b, c::d as e}`.
    fn import(&mut self, tokens: &[TokenTree], before: &[String], handed_on: bool) {
        let (mut path, after) = path(tokens, 0);
        path.splice(0..0, before.iter().cloned());
        match tokens.get(after..) {
            Some([TokenTree::Group(group), ..]) if group.delimiter() == Delimiter::Brace => {
                let inside: Vec<TokenTree> = group.stream().into_iter().collect();
                for part in inside.split(|token| is_punct(token, ',')).filter(|it| !it.is_empty()) {
                    self.import(part, &path, handed_on);
                }
            }
            Some([TokenTree::Ident(word), TokenTree::Ident(name), ..]) if word == "as" => {
                self.imports.push(Import { handed_on, path, name: name.to_string() });
            }
            _ => {
                if path.last().is_some_and(|last| last == "self") {
                    path.pop();
                }
                let name = path.last().cloned().unwrap_or_default();
                self.imports.push(Import { handed_on, path, name });
            }
        }
    }
}

/// `#[cfg(test)]`.
fn is_test(tokens: &[TokenTree]) -> bool {
    matches!(tokens, [hash, TokenTree::Group(group), ..]
        if is_punct(hash, '#') && group.stream().to_string().replace(' ', "") == "cfg(test)")
}

/// The body of an item, or the semicolon of one that has none.
fn ends_item(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace)
        || is_punct(token, ';')
}

fn is_punct(token: &TokenTree, wanted: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == wanted)
}

/// Whether what follows is `pub`, or `pub(…)`.
fn is_visible(before: &[TokenTree]) -> bool {
    let word = |token: &TokenTree| matches!(token, TokenTree::Ident(word) if word == "pub");
    match before {
        [.., visible, TokenTree::Group(_)] if word(visible) => true,
        [.., visible] => word(visible),
        [] => false,
    }
}

/// The path that begins at `at`, and where it ends: `a::b::`.
fn path(tokens: &[TokenTree], mut at: usize) -> (Names, usize) {
    let mut names = Names::new();
    while let Some(TokenTree::Ident(name)) = tokens.get(at) {
        names.push(name.to_string());
        at += 1;
        let colons = tokens.get(at..at + 2);
        if !colons.is_some_and(|colons| colons.iter().all(|token| is_punct(token, ':'))) {
            break;
        }
        at += 2;
    }
    (names, at)
}

/// The files of a crate by their modules.
struct Crate(BTreeMap<Names, Source>);

impl Crate {
    /// `folder` is that of its sources.
    fn read(folder: &str) -> Self {
        let files = tree::ending(".rs").into_iter().filter_map(|path| {
            let inside = path.strip_prefix(folder)?.strip_prefix('/')?.strip_suffix(".rs")?;
            let mut module: Names = inside.split('/').map(str::to_owned).collect();
            // A program beside a library is a crate of its own, of one file.
            let is_tests = module.iter().any(|name| name == "tests");
            if is_tests || inside == "main" && tree::exists(&format!("{folder}/lib.rs")) {
                return None;
            }
            if matches!(module.last().map(String::as_str), Some("mod" | "lib" | "main")) {
                module.pop();
            }
            Some((module, Source::read(&tree::read(&path))))
        });
        Self(files.collect())
    }

    /// A path as it is from the crate's root; `None` if it leads out of it.
    fn rooted(&self, module: &[String], path: &[String]) -> Option<Names> {
        let mut base = module.to_vec();
        let mut rest = path;
        match path.first()?.as_str() {
            "crate" => return Some(path[1..].to_vec()),
            "self" => rest = &path[1..],
            "super" => {
                while rest.first().is_some_and(|name| name == "super") {
                    base.pop()?;
                    rest = &rest[1..];
                }
            }
            name => {
                let below: Names = base.iter().cloned().chain([name.to_owned()]).collect();
                self.0.get(&below)?;
            }
        }
        base.extend_from_slice(rest);
        Some(base)
    }

    /// The module whose file has what a path from the root names.
    fn owner(&self, mut path: Names) -> Option<Names> {
        for _ in 0..MOST_STEPS {
            let length =
                (0..=path.len()).rev().find(|length| self.0.contains_key(&path[..*length]))?;
            let (module, rest) = path.split_at(length);
            let (module, rest) = (module.to_vec(), rest.to_vec());
            let Some(name) = rest.first() else { return Some(module) };
            let imports = self.0[&module].imports.iter();
            let mut handed = imports.filter(|it| it.handed_on && it.name == *name);
            let Some(import) = handed.next() else { return Some(module) };
            let Some(from) = self.rooted(&module, &import.path) else { return Some(module) };
            path = from.into_iter().chain(rest[1..].iter().cloned()).collect();
        }
        None
    }

    /// The modules that a module uses, but those that it is a part of.
    fn uses(&self, module: &Names) -> BTreeSet<Names> {
        let source = &self.0[module];
        // What is only handed on is not used here.
        let imports = source.imports.iter().filter(|it| !it.handed_on).map(|it| &it.path);
        let paths = imports.chain(&source.paths).filter_map(|path| self.rooted(module, path));
        let owners = paths.filter_map(|path| self.owner(path));
        owners.filter(|owner| !module.starts_with(owner)).collect()
    }

    /// The modules that can be reached from each, itself only over others.
    fn circles(&self) -> Vec<BTreeSet<Names>> {
        let direct: BTreeMap<&Names, BTreeSet<Names>> =
            self.0.keys().map(|module| (module, self.uses(module))).collect();
        let reached = |from: &Names| {
            let mut seen = BTreeSet::new();
            let mut todo: Vec<&Names> = direct[from].iter().collect();
            while let Some(module) = todo.pop() {
                if seen.insert(module.clone()) {
                    todo.extend(direct[module].iter());
                }
            }
            seen
        };
        let reached: BTreeMap<&Names, BTreeSet<Names>> =
            self.0.keys().map(|module| (module, reached(module))).collect();
        let mutual = |module: &Names| -> BTreeSet<Names> {
            let back = |other: &&Names| reached[*other].contains(module);
            reached[module].iter().filter(back).cloned().collect()
        };
        let circles: BTreeSet<_> = self.0.keys().map(mutual).filter(|it| it.len() > 1).collect();
        circles.into_iter().collect()
    }
}

#[test]
fn no_files_of_a_crate_use_each_other_in_a_circle() {
    let mut wrong = Vec::new();
    let roots = tree::ending("/src/lib.rs").into_iter().chain(tree::ending("/src/main.rs"));
    let folders: BTreeSet<String> = roots
        .filter_map(|path| path.rsplit_once('/').map(|(folder, _)| folder.to_owned()))
        .collect();
    assert!(folders.len() > 5, "{folders:?}");
    for folder in folders {
        for circle in Crate::read(&folder).circles() {
            let names: Vec<_> = circle.iter().map(|module| module.join("/")).collect();
            wrong.push(format!("{folder}: {}", names.join(", ")));
        }
    }
    none("each of these files uses the others", &wrong);
}

#[test]
fn a_circle_is_found_over_names_that_are_handed_on() {
    let module = |name: &str| vec![name.to_owned()];
    let with = |c: &str| {
        Crate(BTreeMap::from([
            (Names::new(), Source::read("mod a; mod b; mod c; pub use c::Thing;")),
            (module("a"), Source::read("use crate::{b::{B as Other, two}, Thing};")),
            (module("b"), Source::read("fn f() { super::c::help() }")),
            (module("c"), Source::read(c)),
        ]))
    };
    let circle = [module("a"), module("b"), module("c")].into_iter().collect();
    assert_eq!(with("fn g() { crate::a::x() }").circles(), [circle]);
    let only_in_tests = "#[cfg(test)] mod tests { use crate::a::x; } fn g() {}";
    assert_eq!(with(only_in_tests).circles(), []);
    assert_eq!(
        with("use std::fmt; // crate::a::x\n const T: &str = \"crate::a::x\";").circles(),
        []
    );
}
