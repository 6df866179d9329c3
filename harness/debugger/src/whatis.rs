// SPDX-License-Identifier: MIT OR Apache-2.0
//! `whatis`: the type of an expression, or what a type is.

use super::show::Line;
use super::structure::declaration;
use super::{Arguments, Command, CommandError, Reply, Session, Words};
use analyzer::values::{Evaluator, Layout, World};

/// The command.
pub(super) const COMMAND: Command = Command {
    name: "whatis",
    summary: "the type of an expression, or what a type is",
    usage: "EXPRESSION | TYPE",
    options: &[],
    rules: &[],
    words: Words::Expression,
    run,
};

fn run(session: &mut Session<'_, '_>, arguments: &Arguments) -> Result<Reply, CommandError> {
    let world: &dyn World = session.machine();
    let evaluator = Evaluator::new(world);
    let text = arguments.rest.trim();
    if text.is_empty() {
        return Err(CommandError::usage("whose type?"));
    }
    if let Some((ty, _)) = evaluator.per_cpu(text) {
        return Ok(Reply::new(Line { text: format!("{};", ty.spell(text)) }));
    }
    if let Some(prototype) = evaluator.prototype(text) {
        return Ok(Reply::new(Line { text: prototype }));
    }
    let error = match evaluator.evaluate(text) {
        Ok(value) => {
            let is_name = text.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric());
            let text = if is_name { value.ty.spell(text) } else { value.ty.spell("") };
            return Ok(Reply::new(Line { text: format!("{text};") }));
        }
        Err(error) => error,
    };
    let Ok(ty) = evaluator.type_named(text) else { return Err(error.into()) };
    match Layout::of(world, &ty)? {
        Some(layout) => Ok(Reply::new(declaration(layout))),
        None => Ok(Reply::new(Line { text: format!("{};", ty.spell("")) })),
    }
}
