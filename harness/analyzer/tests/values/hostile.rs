// SPDX-License-Identifier: MIT OR Apache-2.0
//! Input and memory that want to exhaust us.

use analyzer::values::{Error, Evaluator, Limits, Node, Style, Tree};

use crate::program::Programs;

#[test]
fn deep_and_long_expressions_are_refused() {
    let programs = Programs::compile();
    let world = programs.world();
    let evaluator = Evaluator::new(&world);
    for text in [
        "(".repeat(5000),
        "(".repeat(300),
        "*".repeat(199),
        "-".repeat(4096),
        "!".repeat(100_000),
        "sizeof ".repeat(190),
        format!("1{}", "+1".repeat(2000)),
        format!("a{}", "[a".repeat(90)),
    ] {
        let error = evaluator.evaluate(&text).expect_err("too much");
        assert!(matches!(error, Error::TooMuch(_)), "{error}");
    }
    // As long as is allowed; a chain to the left nests only in the tree.
    let sum = format!("1{}", "+1".repeat(99));
    let value = evaluator.evaluate(&sum).expect("a sum");
    assert_eq!(evaluator.number(&value), Ok(100));
}

/// Every short text of characters that mean something: a value or an error, and never a panic.
#[test]
fn no_text_makes_the_parser_panic() {
    let programs = Programs::compile();
    let world = programs.world();
    let evaluator = Evaluator::new(&world);
    let pieces =
        ["mask", "(", ")", "*", "&", "[", "]", "->", ".", "1", "'", "-", ":", "@", "é", "int"];
    let mut values = 0;
    for number in 0..pieces.len().pow(4) {
        let piece = |place: u32| pieces[number / pieces.len().pow(place) % pieces.len()];
        let text: String = (0..4).map(|place| format!("{} ", piece(place))).collect();
        values += usize::from(evaluator.evaluate(&text).is_ok());
    }
    assert!(values > 0);
}

#[test]
fn more_is_never_printed_than_the_limits_allow() {
    let programs = Programs::compile();
    let world = programs.world();
    let evaluator = Evaluator::new(&world);
    let value = evaluator.evaluate("everything").expect("a value");
    let limits = Limits { nodes: 12, ..Limits::default() };
    let tree = Tree::read(&world, &value, limits);
    let Node::Struct(members) = &tree.node else { panic!("a structure") };
    assert!(members.len() <= 12);

    let limits = Limits { depth: 1, ..Limits::default() };
    let text = Tree::read(&world, &value, limits).text(Style::default());
    assert!(text.contains("number = <deeper than is shown>"), "{text}");

    let limits = Limits { elements: 3, ..Limits::default() };
    let value = evaluator.evaluate("numbers").expect("a value");
    let text = Tree::read(&world, &value, limits).text(Style::default());
    assert_eq!(text, "{10, 11, 12...}");
    let huge = evaluator.evaluate("numbers@60000").expect("a value");
    let text = Tree::read(&world, &huge, Limits::default()).text(Style::default());
    assert!(text.len() < 100_000, "{}", text.len());
    assert!(matches!(evaluator.evaluate("numbers@70000"), Err(Error::TooMuch(_))));
}
