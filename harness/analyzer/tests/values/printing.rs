// SPDX-License-Identifier: MIT OR Apache-2.0
//! Printed values.

use analyzer::values::{Evaluator, Layout, Limits, Radix, Style, Tree, World};
use serde_json::json;

use crate::program::{Programs, Scene};

fn tree(world: &Scene<'_>, expression: &str) -> Tree {
    let value = Evaluator::new(world).evaluate(expression).expect(expression);
    Tree::read(world, &value, Limits::default())
}

/// Addresses depend on the linker's version.
fn without_addresses(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("0x4") {
        let digits = rest[at + 2..].find(|c: char| !c.is_ascii_hexdigit());
        let end = digits.map_or(rest.len(), |digits| at + 2 + digits);
        out.push_str(&rest[..at]);
        out.push_str(if end - at == 8 { "ADDRESS" } else { &rest[at..end] });
        rest = &rest[end..];
    }
    out + rest
}

/// gdb's text with our three differences: zero bytes at the end of a string are not shown, bytes
/// that are no text are shown as numbers, and the entry that a table lacks is marked.
fn as_we_print(gdb: &str) -> String {
    let mut text = gdb.to_owned();
    while text.contains("\\000\"") {
        text = text.replace("\\000\"", "\"");
    }
    text.replace("\"\\001\\002\\310\\377\"", "{0x01, 0x02, 0xc8, 0xff}")
        .replace("\"\\001\\002\\003\\004\"", "{0x01, 0x02, 0x03, 0x04}")
        .replace("get = 0x0,", "get = 0x0  <-- NULL,")
}

#[test]
fn values_are_printed_as_gdb_prints_them() {
    let programs = Programs::compile();
    let world = programs.world();
    let mut count = 0;
    for session in include_str!("gdb.txt").split("(gdb) p ").skip(1) {
        let (expression, expected) = session.split_once('\n').expect("a line");
        let text = tree(&world, expression).text(Style::default());
        let expected = without_addresses(as_we_print(expected).trim_end());
        assert_eq!(without_addresses(&text), expected, "{expression}");
        count += 1;
    }
    assert_eq!(count, 15);
}

/// Of members alone, of those behind whole structures, and of those of unnamed ones; not of members
/// of members.
#[test]
fn a_member_is_found_in_its_line_of_the_text() {
    let programs = Programs::compile();
    let world = programs.world();
    let tree = tree(&world, "everything");
    let text = tree.text(Style::default());
    let lines: Vec<&str> = text.lines().collect();
    for member in ["number", "grid", "inner", "bits", "as_int", "as_bytes", "y", "text", "link"] {
        let line = lines[tree.line_of(member).expect(member)].trim_start();
        assert!(line.starts_with(&format!("{member} = ")), "{member}: {line}");
    }
    for none in ["a", "tag", "low", "next", "everything", ""] {
        assert_eq!(tree.line_of(none), None, "{none}");
    }
}

#[test]
fn hexadecimal_numbers_are_as_wide_as_their_type() {
    let programs = Programs::compile();
    let world = programs.world();
    let style = Style { radix: Radix::Hexadecimal, ..Style::default() };
    let text = tree(&world, "everything").text(style);
    for line in
        ["number = 0xfffffffb,", "small = 0xfd '\\375',", "y = 0xfffe", "wide = 0xabcdef0123,"]
    {
        assert!(text.contains(line), "{line} in {text}");
    }
}

/// A table of functions that has no entry at all is not in use, and not wrong.
#[test]
fn only_the_missing_entry_of_a_table_in_use_is_marked() {
    let programs = Programs::compile();
    let world = programs.world();
    assert_eq!(tree(&world, "table").text(Style::default()).matches("<-- NULL").count(), 1);
    let unmarked = Style { unmarked: true, ..Style::default() };
    assert_eq!(tree(&world, "table").text(unmarked).matches("<-- NULL").count(), 0);
    assert_eq!(tree(&world, "empty_table").text(Style::default()).matches("<-- NULL").count(), 0);
    assert_eq!(tree(&world, "everything").text(Style::default()).matches("<-- NULL").count(), 0);
}

#[test]
fn json_has_numbers_names_and_addresses() {
    let programs = Programs::compile();
    let world = programs.world();
    let everything = serde_json::to_value(tree(&world, "everything")).unwrap();
    let value = &everything["value"];
    assert_eq!(everything["type"], json!("struct everything"));
    assert_eq!(value["number"], json!(-5));
    assert_eq!(value["big"], json!(u64::MAX));
    assert_eq!(value["colour"], json!("GREEN"));
    assert_eq!(value["name"], json!("swapper/0"));
    assert_eq!(value["zeros"], json!([{ "repeats": 20, "element": 0 }]));
    assert_eq!(value["grid"], json!([[1, 2, 3], [4, 5, 6]]));
    assert_eq!(value["other"]["symbol"], json!("elsewhere"));
    let table = serde_json::to_value(tree(&world, "table")).unwrap();
    assert_eq!(table["value"]["get"], json!({ "address": "0x0", "missing_function": true }));
}

/// What cannot be read is told where it would stand; the rest is shown.
#[test]
fn unreadable_members_do_not_hide_the_others() {
    let programs = Programs::compile();
    let mut world = programs.world();
    let everything = world.address("everything");
    let text = {
        let value = format!("*(struct everything *)({everything:#x} - 0x100000)");
        tree(&world, &value).text(Style::default())
    };
    assert!(text.contains(": not mapped>"), "{text}");
    world.patches.insert(world.address("operations"), 0xdead_0000);
    let text = tree(&world, "*operations").text(Style::default());
    assert!(text.contains("init = <0xdead0000: not mapped>"), "{text}");
}

/// `list_head` alone is a tag, `table_t` alone a typedef of a structure that has no tag.
#[test]
fn layouts_have_the_compilers_offsets() {
    let programs = Programs::compile();
    let world = programs.world();
    let evaluator = Evaluator::new(&world);
    let layout = |name: &str| {
        Layout::of(&world, &evaluator.type_named(name).unwrap()).unwrap().expect("members")
    };
    let table = layout("table_t");
    assert_eq!((table.head.as_str(), table.tail.as_str()), ("typedef struct {", "} table_t;"));
    let lines: Vec<&str> = table.members.iter().map(|line| line.text.as_str()).collect();
    let expected =
        ["int (*init)(void);", "void (*put)(int);", "int (*get)(void);", "const char *name;"];
    assert_eq!(lines, expected);

    let everything = layout("struct everything");
    for line in everything.members.iter().filter(|line| line.level == 1) {
        let Some(name) = &line.name else { continue };
        let offset = format!("(unsigned long)&((struct everything *)0)->{name}");
        let value = evaluator.evaluate(&offset).unwrap();
        assert_eq!(line.offset, Some(evaluator.number(&value).unwrap()), "{name}");
    }
    let size = evaluator.evaluate("sizeof(struct everything)").unwrap();
    assert_eq!(everything.size, evaluator.number(&size).unwrap());
    assert_eq!(layout("enum colour").members[1].text, "GREEN = 5,");
    assert!(world.images().len() == 2);
}
