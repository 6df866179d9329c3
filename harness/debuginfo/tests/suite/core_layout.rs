// SPDX-License-Identifier: MIT OR Apache-2.0
//! What lies where in a module, whose symbols `nm` and whose sections `readelf` tell.

use std::collections::BTreeMap;
use std::process::Command;

use debuginfo::{Image, LaidSymbol};

use super::tools::{KERNEL, Workshop};

const PAGE: u64 = 4096;

struct Module {
    bytes: Vec<u8>,
    /// Distances of the symbols from their sections' starts, as `nm` says.
    places: BTreeMap<String, u64>,
    /// Bytes of the section of initialised data, as `size` says.
    data: u64,
}

fn module() -> Module {
    let workshop = Workshop::new();
    let object = workshop.compile("parts.c", "parts.ko", &[KERNEL, &["-c"]].concat());
    let said = |program: &str, options: &[&str]| {
        let output = Command::new(program).args(options).arg(&object).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let symbols = said("nm", &[]);
    let places = symbols.lines().filter_map(|line| {
        let [place, _, name] = line.split_whitespace().collect::<Vec<_>>()[..] else { return None };
        Some((name.to_owned(), u64::from_str_radix(place, 16).ok()?))
    });
    let sizes = said("size", &["-A"]);
    let data = sizes.lines().find_map(|line| line.strip_prefix(".data ")).unwrap();
    let data = data.split_whitespace().next().unwrap().parse().unwrap();
    let places = places.collect();
    Module { bytes: std::fs::read(&object).unwrap(), places, data }
}

fn found(module: &Module, at: u64) -> Vec<LaidSymbol> {
    let image = Image::module(&module.bytes, &BTreeMap::new()).unwrap();
    image.symbols_in_pages(at)
}

fn names(found: &[LaidSymbol]) -> Vec<&str> {
    found.iter().map(|symbol| symbol.name.as_str()).collect()
}

/// Each group begins a page: the first section's symbols are as far from a page's start as from its own.
#[test]
fn functions_and_variables_are_found_by_their_place_in_a_page() {
    let module = module();
    let place = |name: &str| *module.places.get(name).unwrap();
    for (name, is_code) in [("user", true), ("written_later", false)] {
        let found = found(&module, place(name));
        let symbol = found.iter().find(|symbol| symbol.name == name).unwrap();
        assert_eq!((symbol.is_code, symbol.offset % PAGE), (is_code, place(name)));
    }
    let inside = found(&module, place("written_later") + 4);
    assert!(names(&inside).contains(&"written_later"), "{inside:?}");
}

/// What is not initialised lies behind what is, in the same page.
#[test]
fn sections_of_a_group_lie_one_behind_the_other() {
    let module = module();
    let start = module.data.next_multiple_of(32) + module.places.get("empty").unwrap();
    let found = found(&module, start);
    assert_eq!(names(&found), ["empty"], "{found:?}");
}

/// A module's constants are no list's entries, and what is for its start only is not kept.
#[test]
fn what_is_not_written_or_not_kept_is_not_found() {
    let module = module();
    let all: Vec<LaidSymbol> = (0..PAGE / 4).flat_map(|at| found(&module, at * 4)).collect();
    let all = names(&all);
    assert!(all.contains(&"written_first"));
    for name in ["constant", "for_a_start", "version"] {
        assert!(!all.contains(&name), "{name}");
    }
}
