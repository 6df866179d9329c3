// SPDX-License-Identifier: MIT OR Apache-2.0
//! The layers of the analyzer: they touch nothing outside, and dependencies point one way.

use super::{Problem, Source};

/// A layer and the crates of this project that it may depend on outside of its tests.
const LAYERS: [(&str, &[&str]); 5] = [
    ("harness/vmcore/", &[]),
    ("harness/debuginfo/", &[]),
    ("harness/unwind/", &[]),
    ("harness/analyzer/", &["vmcore", "debuginfo", "unwind"]),
    // The writer of test data shares no structure with the readers.
    ("harness/synth/", &[]),
];

/// Crates of this project.
const OURS: [&str; 6] = ["vmcore", "debuginfo", "unwind", "analyzer", "synth", "harness"];

/// Modules of the standard library that reach outside: files, network, processes, clock.
const OUTSIDE: [&str; 5] = ["std::fs", "std::net", "std::process", "std::env", "std::time"];

pub(super) fn check(sources: &[Source]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for source in sources {
        let path = source.path.to_string_lossy();
        let Some((layer, allowed)) = LAYERS.iter().find(|(layer, _)| path.starts_with(layer))
        else {
            continue;
        };
        if path == format!("{layer}Cargo.toml") {
            problems.extend(dependencies(source, allowed));
        }
        let code = path.starts_with(&format!("{layer}src/")) && source.extension() == "rs";
        if code && !path.contains("tests") && *layer != "harness/synth/" {
            problems.extend(outside(source));
        }
    }
    problems
}

fn dependencies(source: &Source, allowed: &[&str]) -> Vec<Problem> {
    let mut section = "";
    let mut problems = Vec::new();
    for (number, line) in source.lines() {
        if line.starts_with('[') {
            section = line;
        }
        let name = line.split(['.', ' ', '=']).next().unwrap_or_default();
        if section == "[dependencies]" && OURS.contains(&name) && !allowed.contains(&name) {
            let message = format!("this layer must not depend on {name}");
            problems.push(Problem::at(&source.path, number, message));
        }
    }
    problems
}

/// Tests at the end of a file may do what they need.
fn outside(source: &Source) -> Vec<Problem> {
    let code = source.lines().take_while(|(_, line)| *line != "#[cfg(test)]");
    code.filter_map(|(number, line)| {
        let found = OUTSIDE.iter().find(|module| line.contains(**module))?;
        let message = format!("this layer must not use {found}");
        Some(Problem::at(&source.path, number, message))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(path: &str, text: &str) -> usize {
        check(&[Source { path: path.into(), text: Some(text.into()) }]).len()
    }

    #[test]
    fn a_layer_that_reaches_outside_is_told_and_its_tests_are_not() {
        let uses = "use std::fs::File;\n";
        assert_eq!(problems("harness/unwind/src/lib.rs", uses), 1);
        assert_eq!(problems("harness/unwind/src/lib.rs", &format!("#[cfg(test)]\n{uses}")), 0);
        assert_eq!(problems("harness/unwind/tests/walk.rs", uses), 0);
        assert_eq!(problems("harness/src/lib.rs", uses), 0);
    }

    #[test]
    fn a_dependency_that_points_the_wrong_way_is_told() {
        let manifest = |name: &str| format!("[dependencies]\n{name}.workspace = true\n");
        assert_eq!(problems("harness/unwind/Cargo.toml", &manifest("vmcore")), 1);
        assert_eq!(problems("harness/synth/Cargo.toml", &manifest("vmcore")), 1);
        assert_eq!(problems("harness/analyzer/Cargo.toml", &manifest("vmcore")), 0);
        let tests = "[dev-dependencies]\nsynth.workspace = true\n";
        assert_eq!(problems("harness/vmcore/Cargo.toml", tests), 0);
    }
}
