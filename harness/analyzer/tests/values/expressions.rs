// SPDX-License-Identifier: MIT OR Apache-2.0
//! Values of expressions.

use analyzer::values::Evaluator;

use crate::program::Programs;

#[test]
fn expressions_are_worth_what_the_program_itself_says() {
    let programs = Programs::compile();
    let world = programs.world();
    let evaluator = Evaluator::new(&world);
    let words = programs.own_words();
    assert!(words.len() >= 60, "{}", words.len());
    for (expression, expected) in words {
        let value = evaluator.evaluate(&expression).unwrap_or_else(|e| panic!("{expression}: {e}"));
        let number = evaluator.number(&value).unwrap_or_else(|e| panic!("{expression}: {e}"));
        assert_eq!(number.cast_signed(), expected, "{expression}");
    }
}

fn number(text: &str) -> Result<u64, String> {
    let programs = Programs::compile();
    let world = programs.world();
    let evaluator = Evaluator::new(&world);
    let value = evaluator.evaluate(text).map_err(|error| error.to_string())?;
    evaluator.number(&value).map_err(|error| error.to_string())
}

#[test]
fn a_per_cpu_variable_is_asked_for_by_cpu() {
    assert_eq!(number("counter:0"), Ok(11));
    assert_eq!(number("counter:1 + 1"), Ok(23));
    assert_eq!(
        number("counter"),
        Err("`counter` is a per-CPU variable: write `counter:CPU`".into())
    );
    assert_eq!(number("counter:7"), Err("cannot read CPU 7's offset: no CPU".into()));
    assert_eq!(number("mask:0"), Err("`mask` is not a per-CPU variable".into()));
}

/// A kernel's `struct foo;` may be defined in a module alone.
#[test]
fn a_structure_that_one_image_declares_is_found_in_another() {
    assert_eq!(number("((struct secret *)&hidden)->answer"), Ok(42));
    assert_eq!(number("((module_type_t *)&of_module)->only_here"), Ok(3));
    assert_eq!(number("sizeof(*opaque)"), Ok(12));
}

/// People copy addresses from output, where they stand without `0x`.
#[test]
fn an_address_of_sixteen_digits_needs_no_prefix() {
    assert_eq!(number("ffffffffc0481060 + 8"), Ok(0xffff_ffff_c048_1068));
    assert_eq!(number("9fffffffc0481060"), Ok(0x9fff_ffff_c048_1060));
}

#[test]
fn what_has_no_value_is_told_in_words() {
    let says = |text: &str| number(text).expect_err(text);
    assert_eq!(says("nobody"), "no symbol `nobody` in the kernel or its modules");
    assert_eq!(says("everything.nothing"), "`struct everything` has no member `nothing`");
    assert_eq!(says("(&everything)->nothing"), "`struct everything` has no member `nothing`");
    assert_eq!(says("mask->a"), "`u64` has no members");
    assert_eq!(says("*mask"), "`u64` is not a pointer");
    assert_eq!(says("1 / (mask - mask)"), "division by zero");
    assert_eq!(says("1 << 32"), "a shift of 32 bits or more");
    assert_eq!(says("&1"), "a computed value has no address");
    assert_eq!(says("&everything.bits.low"), "a bit-field has no address");
    assert_eq!(
        says("(struct nothing *)0"),
        "no type `struct nothing` in the debug information of the kernel or its modules"
    );
    assert_eq!(says("*(int *)0x10"), "cannot read 4 bytes: 0x10: not mapped");
    assert_eq!(says("opaque->answer"), "cannot read 4 bytes: 0x0: not mapped");
    assert_eq!(says("1 +"), "`1 +`, column 4: a value is missing");
    assert_eq!(says("(1"), "`(1`, column 3: `)` is missing");
    assert_eq!(says("1 2"), "`1 2`, column 3: an operator was expected here");
    assert_eq!(
        says("schedule()"),
        "`schedule()`, column 9: functions cannot be called: a dump runs no code"
    );
    assert_eq!(says("0x"), "`0x`, column 1: this is no number");
    assert_eq!(says("12ab"), "`12ab`, column 1: this is no number");
    assert_eq!(says("a = 1"), "`a = 1`, column 3: this character means nothing in an expression");
    assert_eq!(says("struct list"), "`struct list`, column 1: a type is no value");
    assert_eq!(says(""), "``, column 1: a value is missing");
}
