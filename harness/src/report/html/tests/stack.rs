// SPDX-License-Identifier: MIT OR Apache-2.0
//! Stacks, and how much of them is used.

use analyzer::report::{CrashKind, Repeats};

use super::*;

fn of_kernel(index: u32, function: &str) -> Frame {
    Frame { module: None, ..frame(index, function) }
}

fn with_frames(frames: Vec<Frame>) -> RunResult {
    let mut run = crashed();
    set_frames(&mut run, frames);
    run
}

#[test]
fn frames_of_modules_are_tinted_and_the_tail_of_the_kernel_is_folded() {
    let mut frames = vec![of_kernel(0, "memcpy"), frame(1, "mine")];
    frames.extend((2..9).map(|index| of_kernel(index, &format!("kernel_{index}"))));
    let page = page(vec![with_frames(frames)]);
    let stack = page.split("<h3>Backtrace</h3>").nth(1).unwrap();
    let (shown, folded) = stack.split_once("<details>").unwrap();
    assert_eq!(shown.matches("<tr class=\"module\">").count(), 1);
    // Who called the module's code is still seen.
    assert!(shown.contains("kernel_3") && !shown.contains("kernel_4"), "{shown}");
    assert!(folded.starts_with("<summary>5 more frames of the kernel"), "{folded}");
    assert!(folded.contains("kernel_8"));
}

#[test]
fn a_stack_without_a_module_has_no_fold() {
    let frames = (0..9).map(|index| of_kernel(index, "kernel")).collect();
    let page = page(vec![with_frames(frames)]);
    let stack = page.split("<h3>Backtrace</h3>").nth(1).unwrap();
    assert!(!stack.split("</section>").next().unwrap().contains("more frames of the kernel"));
}

#[test]
fn a_value_that_was_not_kept_is_a_question_mark_with_its_reason() {
    let lost = "file=<optimized out: not kept here, and \"so\" on>".to_owned();
    let arguments = vec!["size=4".to_owned(), lost];
    let page = page(vec![with_frames(vec![Frame { arguments, ..frame(0, "mine") }])]);
    let wanted = "size=4, file=<span class=\"lost\" \
                  title=\"not kept here, and &quot;so&quot; on\">?</span>";
    assert!(page.contains(wanted), "{page}");
    assert!(!page.contains("optimized out"));
}

#[test]
fn stack_use_is_shown_where_it_matters() {
    let used = |bytes: u64, kind: CrashKind| {
        let mut run = with_frames(vec![Frame { stack_bytes: Some(bytes), ..frame(0, "mine") }]);
        run.report.as_mut().unwrap().verdict.kind = kind;
        page(vec![run]).contains("<h3>Stack use</h3>")
    };
    assert!(!used(8 << 10, CrashKind::NullRead), "half of it is usual");
    assert!(used((8 << 10) + 1, CrashKind::NullRead));
    assert!(used(64, CrashKind::StackOverflow));
}

#[test]
fn the_stack_that_was_used_up_ends_at_a_line_and_recursion_counts() {
    let repeats = Some(Repeats { frames: 2, times: 9 });
    let sized = |bytes, it| Frame { stack_bytes: Some(bytes), ..it };
    let frames = vec![
        sized(1 << 10, frame(0, "one")),
        Frame { repeats, ..sized(1 << 10, frame(1, "other")) },
        sized(1 << 10, frame(2, "first")),
    ];
    let page = page(vec![with_frames(frames)]);
    for wanted in [
        "21 KiB in 21 functions",
        "1024 B × 10",
        "aria-label=\"21 KiB of 16 KiB\"",
        // 16 of 21 KiB and a twentieth more.
        "class=\"limit\" style=\"left:72%\"",
        "the last 2 functions come 9 times more",
    ] {
        assert!(page.contains(wanted), "{wanted} is not in {page}");
    }
}
