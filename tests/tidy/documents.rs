// SPDX-License-Identifier: MIT OR Apache-2.0
//! The documents say what is there: findings, commands and their options, files linked to.

use std::collections::BTreeSet;

use crate::{none, tree};

#[test]
fn findings_are_those_of_the_document() {
    let mut used = BTreeSet::new();
    for path in tree::ending(".rs").iter().filter(|path| path.starts_with("harness/analyzer/src/"))
    {
        used.extend(
            tree::read(path).split('"').filter(|word| is_code(word)).map(ToOwned::to_owned),
        );
    }
    let text = tree::read("docs/findings.md");
    let listed: Vec<_> = text
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split(' ').next())
        .filter(|word| is_code(word))
        .map(ToOwned::to_owned)
        .collect();
    assert!(listed.is_sorted(), "docs/findings.md is not in the order of the codes");
    assert_eq!(listed.len(), listed.iter().collect::<BTreeSet<_>>().len(), "codes listed twice");
    assert_eq!(used, listed.into_iter().collect(), "codes in the analyzer; in docs/findings.md");
}

/// `A001` and so on.
fn is_code(word: &str) -> bool {
    word.strip_prefix('A').is_some_and(|number| {
        number.len() == 3 && number.bytes().all(|digit| digit.is_ascii_digit())
    })
}

#[test]
fn links_lead_somewhere() {
    let mut dead = Vec::new();
    for path in tree::ending(".md") {
        let text = tree::read(&path);
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = link.split('#').next().unwrap();
            let there = tree::root().join(folder).join(file).exists();
            if !link.contains("://") && !there {
                dead.push(format!("{path}: {link}"));
            }
        }
    }
    none("links to files that do not exist", &dead);
}

/// The last column of each table in `docs/formats.md` says where a format is read.
#[test]
fn formats_are_read_where_the_document_says() {
    let files = tree::files();
    let text = tree::read("docs/formats.md");
    let columns = text.lines().filter_map(|line| line.strip_suffix('|')?.rsplit('|').next());
    let places: Vec<_> = columns
        .flat_map(|column| column.split('`').skip(1).step_by(2))
        .filter(|word| word.ends_with(".rs") || word.ends_with('/'))
        .collect();
    assert!(places.len() > 20, "places are not found in docs/formats.md: {places:?}");
    let gone = places.into_iter().filter(|place| {
        let place = format!("/{place}");
        let is_there = |file: &String| {
            let file = format!("/{file}");
            file.ends_with(&place) || (place.ends_with('/') && file.contains(&place))
        };
        !files.iter().any(is_there)
    });
    none("no such files", &gone.map(ToOwned::to_owned).collect::<Vec<_>>());
}
