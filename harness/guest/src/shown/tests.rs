// SPDX-License-Identifier: MIT OR Apache-2.0
use serde_json::Value;
use synth::HOSTILE;

use super::*;

#[test]
fn a_line_is_one_line_and_nothing_of_it_acts() {
    let shown = line(HOSTILE);
    assert!(!shown.contains(acts), "{shown:?}");
    assert!(shown.starts_with("a\\x1b]52;c;eA==\\x07b\\r\\n::error"), "{shown}");
    assert!(shown.contains("\\u{9b}2J\\n  #\\x23[add-mask]z #\\x23vso[task.x]\\u{202e}<script>"));
    assert!(shown.ends_with("\\u{2028}\\x7f\\x00"), "{shown}");
}

#[test]
fn no_line_begins_as_a_command_of_a_pipeline() {
    for text in ["::error::x", " \t::stop-commands::t", "a\n::x::", "\u{3000}::x::y", "##[group]"] {
        for shown in lines(text).lines() {
            assert!(!shown.trim_start().starts_with("::"), "{shown}");
            assert!(!shown.contains("##["), "{shown}");
        }
    }
    assert_eq!(lines("a\n  ::x::y"), "a\n  \\x3a:x::y");
    assert_eq!(line("###[error]"), "##\\x23[error]");
}

#[test]
fn what_does_nothing_is_left_as_it_is() {
    for text in ["a::b ## heading", "\tint x[2]; // ##", "größe → 3\u{a0}m", "## [x]", ""] {
        assert_eq!(lines(text), text);
        assert_eq!(visible(text), text);
    }
}

#[test]
fn json_says_the_same_and_nothing_of_it_acts() {
    let value = serde_json::json!({ HOSTILE: [HOSTILE, "\u{e0041}"] });
    let text = serde_json::to_string_pretty(&value).unwrap();
    let shown = json(&text);
    assert_eq!(serde_json::from_str::<Value>(&shown).unwrap(), value);
    assert!(!shown.replace('\n', "").contains(acts) && !shown.contains("##["), "{shown}");
    assert_eq!(json("{\n  \"a\": \"ä #\"\n}\n"), "{\n  \"a\": \"ä #\"\n}\n");
}

#[test]
fn a_cell_of_a_table_has_no_marks_but_ours() {
    let cell = markdown(HOSTILE);
    assert!(!cell.contains(acts), "{cell:?}");
    let rest = cell.replace("<code>", "").replace("</code>", "");
    for mark in ['<', '>', '|', '`', '[', ']', '!', '@', ':', '*', '_', '\\'] {
        assert!(!rest.contains(mark), "{mark} in {cell}");
    }
    assert!(rest.chars().filter(|c| *c == '&').count() == rest.matches("&#").count());
    assert_eq!(markdown("`ops->get` is NULL"), "<code>ops-&#62;get</code> is NULL");
}

#[test]
fn names_that_would_act_are_no_names() {
    for good in ["process-get-fhash-null", "Fall 7", "a.b_c+d", "größe"] {
        assert_eq!(name_fault(good), None);
    }
    for bad in ["", "a@b", "a/b", "a\nb", "a\x1b[2J", "-x", "a\u{202e}b", "a\\b"] {
        let fault = name_fault(bad).unwrap();
        assert!(!fault.contains(acts), "{fault:?}");
    }
}
