// SPDX-License-Identifier: MIT OR Apache-2.0
//! The Chinese pages beside the English ones: each leads to the other, and what a reader types to
//! begin with is the same.

use std::collections::BTreeSet;

use tidy::{none, tree};

const CHINESE: &str = ".zh-CN.md";

/// Sections whose commands are the same: the page without its ending, and the headings.
const SAME: [(&str, &str, &str); 4] = [
    ("README", "Start", "快速开始"),
    ("README", "A vmcore from a server", "服务器上的 vmcore"),
    ("docs/your-module", "From nothing to a reviewed report", "从零到评审过的报告"),
    ("docs/your-module", "In a pipeline", "在流水线里"),
];

/// The commands of a section's blocks, without what is said of them behind `#`.
fn commands(text: &str, heading: &str) -> BTreeSet<String> {
    let mut inside = false;
    let mut block = false;
    let mut commands = BTreeSet::new();
    for line in text.lines() {
        if line.starts_with("```") {
            block = !block;
        } else if let Some(name) = line.strip_prefix("## ").filter(|_| !block) {
            inside = name == heading;
        } else if let Some(command) = line.strip_prefix("$ ").filter(|_| inside && block) {
            let words = command.split('#').next().unwrap_or(command).split_whitespace();
            commands.insert(words.collect::<Vec<_>>().join(" "));
        }
    }
    commands
}

#[test]
fn the_first_commands_are_the_same_in_both_languages() {
    for (page, english, chinese) in SAME {
        let own = commands(&tree::read(&format!("{page}.md")), english);
        assert!(!own.is_empty(), "{page}.md has no commands below `## {english}`");
        let translated = commands(&tree::read(&format!("{page}{CHINESE}")), chinese);
        assert_eq!(own, translated, "{page}: `## {english}` and `## {chinese}`");
    }
}

#[test]
fn a_page_leads_to_its_other_language() {
    let mut wrong = Vec::new();
    for chinese in tree::ending(CHINESE) {
        let english = chinese.replace(CHINESE, ".md");
        for (page, other) in [(&chinese, &english), (&english, &chinese)] {
            let name = other.rsplit('/').next().unwrap_or(other);
            let head: Vec<_> = tree::read(page).lines().take(5).map(str::to_owned).collect();
            if !head.join("\n").contains(&format!("]({name})")) {
                wrong.push(format!("{page} does not begin with a link to {name}"));
            }
        }
    }
    none("pages without their other language", &wrong);
}

#[test]
fn commands_are_those_of_the_section_alone() {
    let text =
        "## A\n```console\n$ a b   # why\n## not a heading\n$ c\n```\n$ d\n## B\n```\n$ e\n```\n";
    assert_eq!(commands(text, "A"), BTreeSet::from(["a b".to_owned(), "c".to_owned()]));
    assert_eq!(commands(text, "B"), BTreeSet::from(["e".to_owned()]));
}
