// SPDX-License-Identifier: MIT OR Apache-2.0
//! Groups of crashes for a terminal.

use guest::shown::field;

use super::{Group, Groups};

/// Files and kernels that are named.
const NAMED: usize = 3;

/// The groups as text, the largest first.
pub(crate) fn words(groups: &Groups) -> String {
    let mut out = groups.in_short() + "\n";
    for group in &groups.groups {
        out.push_str(&one(group));
    }
    if !groups.unread.is_empty() {
        out.push_str("\nNOT READ\n");
        for unread in &groups.unread {
            let file = field(&unread.file.display().to_string());
            out.push_str(&format!("  {file}: {}\n", field(&unread.why)));
        }
    }
    if groups.left_out > 0 {
        out.push_str(&format!("  and {} more\n", counted(groups.left_out, "file", "files")));
    }
    out
}

fn one(group: &Group) -> String {
    let mut out = format!("\n{:>5} x  {}\n", group.count, field(&group.title));
    let mut line = |label: &str, value: &str| {
        out.push_str(&format!("         {label:<10} {}\n", field(value)))
    };
    line("signature", &group.signature);
    if let (Some(first), Some(last)) = (&group.first, &group.last) {
        line("when", &if first == last { first.clone() } else { format!("{first} to {last}") });
    }
    let kernels: Vec<String> = group.kernels.iter().cloned().collect();
    if !kernels.is_empty() {
        line("kernels", &some(&kernels, kernels.len()));
    }
    let files: Vec<String> = group.files.iter().map(|file| file.display().to_string()).collect();
    line("files", &some(&files, group.dumps + group.texts));
    out
}

/// The first of them, and how many more there are.
fn some(names: &[String], count: usize) -> String {
    let named = names.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    match count.saturating_sub(NAMED) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

/// So many of something.
pub(super) fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
