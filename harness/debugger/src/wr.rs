// SPDX-License-Identifier: MIT OR Apache-2.0
//! `wr`: refused. A dump is evidence.

use super::{Arguments, Command, CommandError, Reply, Session, Words};

/// The command.
pub(super) const COMMAND: Command = Command {
    name: "wr",
    summary: "refused: a dump is never written to",
    usage: "",
    options: &[],
    rules: &[],
    words: Words::Expression,
    run,
};

fn run(_: &mut Session<'_, '_>, _: &Arguments) -> Result<Reply, CommandError> {
    Err(CommandError::nothing("refused: a dump is read-only"))
}
