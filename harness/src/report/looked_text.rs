// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a dump tells besides the report, as text: the object that held the bad value, and who allocated and freed it.

use std::fmt::Write as _;

use crate::run::looked::Looked;
use crate::run::object_users::{CodePlace, ObjectUser};
use crate::run::outcome::Object;
use guest::shown::field;

/// Members that are shown before and after the bad one; the page has more.
const AROUND: usize = 8;
/// Columns of a function's name, and of its place, as in the report's stacks.
const FUNCTION_WIDTH: usize = 52;
const SOURCE_WIDTH: usize = 36;

/// The lines; none where nothing was found.
pub(super) fn looked_text(looked: &Looked) -> String {
    let mut text = String::new();
    if let Some(object) = &looked.object {
        members(object, &mut text);
    }
    if let Some(users) = &looked.users {
        let of = format!("object at {} of {}", field(&users.address), field(&users.cache));
        for (what, user) in [("ALLOCATED", &users.allocated), ("FREED", &users.freed)] {
            if let Some(user) = user {
                calls(what, user, &of, &mut text);
            }
        }
    }
    text
}

fn members(object: &Object, text: &mut String) {
    let bad = usize::try_from(object.bad).unwrap_or(usize::MAX);
    let first = bad.saturating_sub(AROUND);
    let last = bad.saturating_add(AROUND).min(object.lines.len().saturating_sub(1));
    let _ = writeln!(text, "\nOBJECT     {}", field(&object.expression));
    if first > 0 {
        text.push_str("    ...\n");
    }
    for (number, line) in object.lines.iter().enumerate().take(last + 1).skip(first) {
        let mark = if number == bad { '>' } else { ' ' };
        let _ = writeln!(text, "  {mark} {}", field(line));
    }
    if last + 1 < object.lines.len() {
        text.push_str("    ...\n");
    }
}

fn calls(what: &str, user: &ObjectUser, of: &str, text: &mut String) {
    let _ = writeln!(text, "\n{what:<10} by pid {} on CPU {}: {of}", user.pid, user.cpu);
    for CodePlace { function, module, file, line, inlined } in &user.stack {
        let module = module.as_ref().map(|module| format!(" [{module}]")).unwrap_or_default();
        let name = field(&format!("{function}{module}"));
        let place = match (file, line) {
            (Some(file), Some(line)) => field(&format!("{file}:{line}")),
            _ => String::new(),
        };
        let inlined = if *inlined { "inlined" } else { "" };
        let row = format!("     {name:<FUNCTION_WIDTH$} {place:<SOURCE_WIDTH$} {inlined}");
        let _ = writeln!(text, "{}", row.trim_end());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::object_users::ObjectUsers;

    fn place(function: &str, line: u32, inlined: bool) -> CodePlace {
        let (function, file) = (function.to_owned(), Some("main.c".to_owned()));
        CodePlace { function, module: Some("m".to_owned()), file, line: Some(line), inlined }
    }

    #[test]
    fn the_bad_member_is_marked_and_what_is_far_from_it_left_out() {
        let lines = (0..40).map(|number| format!("m{number} = 0x{number:x},")).collect();
        let object = Object { expression: "*ops".to_owned(), lines, bad: 20 };
        let text = looked_text(&Looked { object: Some(object), ..Looked::default() });
        assert!(text.starts_with("\nOBJECT     *ops\n    ...\n    m12 = 0xc,\n"), "{text}");
        assert_eq!(text.matches('>').count(), 1);
        assert!(
            text.contains("\n  > m20 = 0x14,\n") && text.ends_with("    m28 = 0x1c,\n    ...\n")
        );
    }

    #[test]
    fn who_allocated_and_freed_it_has_lines_and_inlined_functions() {
        let stack = vec![place("kzalloc", 7, true), place("open", 31, false)];
        let users = ObjectUsers {
            address: "0x10".to_owned(),
            cache: "kmalloc-64".to_owned(),
            allocated: Some(ObjectUser { pid: 89, cpu: 1, stack }),
            freed: None,
        };
        let text = looked_text(&Looked { users: Some(users), ..Looked::default() });
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[1], "ALLOCATED  by pid 89 on CPU 1: object at 0x10 of kmalloc-64");
        assert!(lines[2].starts_with("     kzalloc [m] ") && lines[2].ends_with(" inlined"));
        assert!(lines[3].starts_with("     open [m] ") && lines[3].ends_with(" main.c:31"));
        assert!(!text.contains("FREED") && looked_text(&Looked::default()).is_empty());
    }
}
