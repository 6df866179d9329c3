// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is told about a run.

use super::*;
use crate::events::{CrashSign, Phase};
use crate::run::fault_state::{FaultState, Instruction, Register};
use crate::run::object_users::{CodePlace, ObjectUser, ObjectUsers};
use crate::run::outcome::{Crash, Ending};
use crate::run::{TriggerEnd, TriggerRun};

#[track_caller]
fn has(page: &str, all: &[&str]) {
    for wanted in all {
        assert!(page.contains(wanted), "{wanted} is not in {page}");
    }
}

#[test]
fn a_kernel_that_survived_is_told_of_with_the_last_words_of_the_trigger() {
    let mut run = RunResult::new("mine".into(), "guest-a".into());
    run.outcome = Outcome::Mismatched;
    let output = ["looking".to_owned(), "no <device>".to_owned()].into();
    let end = TriggerEnd::Exited { status: 3 };
    run.trigger = Some(TriggerRun { end, output, exec: None });
    let page = page(vec![run]);
    has(&page, &["the kernel survived", "exit status 3", "looking", "no &lt;device&gt;"]);
}

#[test]
fn a_kernel_that_was_to_survive_has_reproduced_nothing() {
    let mut calm = good("calm", "guest-a");
    calm.phases = [(Phase::Trigger, 20_000)].into();
    calm.ending = Some(Ending::Survived { complaints: 0, unloaded: true });
    let page = page(vec![calm]);
    has(&page, &[">survived<", "survived 20.0s, no complaint, unloaded"]);
    assert_eq!(page.matches(">reproduced<").count(), 1, "in the legend alone: {page}");
}

#[test]
fn what_ended_the_kernel_is_told_with_its_message() {
    let mut run = crashed();
    let message = Some("BUG: <null>".into());
    run.crash = Some(Crash { sign: CrashSign::Hang, phase: Phase::Trigger, message });
    run.qemu_stderr = Some("qemu: gone".into());
    let page = page(vec![run]);
    has(
        &page,
        &["an NMI made it panic", "<code>trigger</code>", "BUG: &lt;null&gt;", "qemu: gone"],
    );
}

#[test]
fn a_difference_has_two_columns_and_what_differs_is_marked() {
    let mut run = crashed();
    run.differences.push(Difference {
        key: "frames".into(),
        expected: "one, two, three".into(),
        got: "one, other, three".into(),
    });
    let page = page(vec![run]);
    has(
        &page,
        &[
            "<tr><th>expected</th><th>got</th></tr>",
            "<td class=\"expected\">null-read</td><td class=\"got\">null-call</td>",
            "<td class=\"expected\">one, <mark>two,</mark> three</td>",
            "<td class=\"got\">one, <mark>other,</mark> three</td>",
        ],
    );
}

#[test]
fn the_bad_member_of_an_object_is_marked_once() {
    let mut run = crashed();
    let lines =
        ["*it = {", "  ops = {", "    get = 0x0", "  },", "  get = 0x0,", "  put = 0x0", "}"];
    let lines = lines.iter().map(|&line| line.to_owned()).collect();
    run.object = Some(Object { expression: "*it".into(), lines, bad: 4 });
    run.excerpt = None;
    let page = page(vec![run]);
    let marked: Vec<&str> = page.split("<span class=\"fault\">").skip(1).collect();
    assert_eq!(marked.len(), 1);
    assert!(marked[0].starts_with("  get = 0x0,</span>"), "{}", marked[0]);
}

#[test]
fn the_source_has_colours_and_no_marks_of_its_own() {
    let mut run = crashed();
    let text = vec!["return \"<b>\"; /* <i> */".into()];
    run.excerpt = Some(Excerpt { file: "m.c".into(), first: 7, line: 7, text });
    let page = page(vec![run]);
    has(
        &page,
        &[
            "<span class=\"c-keyword\">return</span>",
            "<span class=\"c-text\">&quot;&lt;b&gt;&quot;</span>",
            "<span class=\"c-comment\">/* &lt;i&gt; */</span>",
        ],
    );
}

#[test]
fn who_allocated_and_who_freed_the_object_stand_side_by_side() {
    let user = |function: &str, module: Option<&str>| {
        let place = CodePlace {
            function: function.into(),
            module: module.map(str::to_owned),
            file: Some("m.c".into()),
            line: Some(9),
            inlined: false,
        };
        Some(ObjectUser { pid: 7, cpu: 1, stack: vec![place] })
    };
    let mut run = crashed();
    run.users = Some(ObjectUsers {
        address: "0xff10".into(),
        cache: "kmalloc-64".into(),
        allocated: user("<open>", Some("m")),
        freed: user("kfree_rcu_work", None),
    });
    let page = page(vec![run]);
    has(
        &page,
        &[
            "allocated by pid 7 on CPU 1",
            "<li class=\"module\">&lt;open&gt; [m]",
            "freed by pid 7 on CPU 1",
            "<li>kfree_rcu_work",
        ],
    );
}

#[test]
fn registers_and_code_are_there_with_the_instruction_at_fault() {
    let mut run = crashed();
    let code = |text: &str, at_fault| Instruction {
        address: "0x10".into(),
        place: Some("f+1".into()),
        text: text.into(),
        at_fault,
    };
    run.fault = Some(FaultState {
        registers: vec![Register { name: "RAX".into(), value: "00ff".into() }],
        code: vec![code("test %rax,%rax", false), code("mov (%rax),%rbx", true)],
    });
    let page = page(vec![run]);
    has(&page, &["<dt>RAX</dt><dd>00ff</dd>", "<span><span class=\"nr\">0x10 f+1</span>  test"]);
    has(&page, &["<span class=\"fault\"><span class=\"nr\">0x10 f+1</span>  mov"]);
}

#[test]
fn repeated_runs_are_counted_by_what_became_of_them() {
    let other = |mut run: RunResult| {
        let report = run.report.as_mut().unwrap();
        report.signature = Some("11ee".into());
        report.verdict.title = "another crash".into();
        run
    };
    let runs = [crashed(), crashed(), other(crashed()), crashed()];
    let page = page(runs.to_vec());
    let groups = page.split("<h3>Runs</h3>").nth(1).unwrap().split("</ul>").next().unwrap();
    let lines: Vec<&str> = groups.split("</li>").collect();
    assert!(lines[0].contains("<b>3 × </b>") && lines[0].contains("00ff"), "{groups}");
    assert!(lines[1].contains("<b>1 × </b>") && lines[1].contains("another crash"), "{groups}");
    let once = super::page(vec![crashed()]);
    assert!(!once.contains("<h3>Runs</h3>"));
}
