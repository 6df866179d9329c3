// SPDX-License-Identifier: MIT OR Apache-2.0
//! Marks of stacks in a trace: `<IRQ>`, `</TASK>`, `<EOI>`, `<<EOE>>`, `<#DB>`.

/// The line without the marks at its beginning, and whether the trace goes on behind an interrupt or an
/// exception there: what comes then was interrupted.
pub(crate) fn without(line: &str) -> (bool, &str) {
    let mut rest = line.trim_start();
    let mut is_interrupted = false;
    while let Some((mark, after)) = mark(rest) {
        let name = mark.trim_start_matches('<').trim_end_matches('>');
        is_interrupted |= name.starts_with("EO") || (name.starts_with('/') && name != "/TASK");
        rest = after.trim_start();
    }
    (is_interrupted, rest)
}

/// `<IRQ>` and what follows it.
fn mark(text: &str) -> Option<(&str, &str)> {
    let end = text.starts_with('<').then(|| text.find('>')).flatten()?;
    let end = end + text.get(end..)?.bytes().take_while(|byte| *byte == b'>').count();
    let (mark, after) = text.split_at_checked(end)?;
    let is_letter = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || "<>/#_".contains(c);
    (mark.len() < 24 && mark.chars().all(is_letter)).then_some((mark, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_go_and_tell_what_was_interrupted() {
        assert_eq!(
            without(" <IRQ>  [<ffffffff8110>] f+0x1/0x2"),
            (false, "[<ffffffff8110>] f+0x1/0x2")
        );
        assert_eq!(without(" <EOI> f+0x1/0x2"), (true, "f+0x1/0x2"));
        assert_eq!(without(" </IRQ>"), (true, ""));
        assert_eq!(without(" <<EOE>>  f+0x1/0x2"), (true, "f+0x1/0x2"));
        assert_eq!(without(" </TASK>"), (false, ""));
        assert_eq!(without("<not a mark> x"), (false, "<not a mark> x"));
    }
}
