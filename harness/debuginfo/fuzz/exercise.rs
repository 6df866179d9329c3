// SPDX-License-Identifier: MIT OR Apache-2.0
//! Everything that can be asked of an image, for fuzzing and for tests on damaged files.

use debuginfo::{CfaRule, CfiRule, Image};

/// Asks everything there is to ask.
pub(crate) fn ask(image: &Image<'_>, base: u64) {
    let _ = image.build_id();
    let _ = image.modinfo("license");
    let _ = image.orc();
    for name in ["layout", "operations", "inner", "declared_only"] {
        let _ = image.find_struct(name);
        let _ = image.size_of(name);
    }
    let layout = image.find_struct("layout").found();
    for path in ["anonymous_short", "bits_wide", "list[3].second", "matrix[1][1]", "callback"] {
        if let Some(field) = image.member("layout", path).found() {
            let _ = image.type_name(Some(field.ty));
            let _ = layout.map(|layout| image.paths_at(layout, field.offset));
        }
    }
    let _ = image.enumerator("KIND_BYTE");
    for name in ["table", "counter", "banner"] {
        let _ = image.variable(name).map(|found| image.variable_at(found.address, None));
    }
    for offset in (0..0x300).step_by(23) {
        let pc = base + offset;
        let _ = image.symbol_at(pc);
        let _ = image.source(pc);
        let _ = image.function(pc);
        let _ = image.locals(pc);
        let _ = image.parameter_location(pc, 1);
        ask_frame(image, pc);
    }
}

/// Asks for call frame information, and for the values of all its expressions.
pub(crate) fn ask_frame(image: &Image<'_>, pc: u64) {
    let Some(row) = image.cfi(pc).found() else { return };
    let of_cfa = match row.cfa {
        CfaRule::Expression(expression) => Some(expression),
        CfaRule::RegisterOffset { .. } => None,
    };
    let rules = row.registers.iter().flatten().filter_map(|rule| match rule {
        CfiRule::Expression(expression) | CfiRule::ValExpression(expression) => Some(*expression),
        _ => None,
    });
    for expression in rules.chain(of_cfa) {
        let _ = image.evaluate_cfi(expression, Some(pc), &|_| Some(pc), &|at, _| Some(at));
    }
}
