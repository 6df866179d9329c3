// SPDX-License-Identifier: MIT OR Apache-2.0
//! The crash that this project began with, as somebody analysed it by hand on CentOS 7: a dump of
//! such a machine, made here, must give what `crash` said then, line for line, but for its mistakes.
//!
//! transcript.txt has what it said, without numbers of frames and with these mended: it called
//! `SyS_execve` `compat_sys_execve`, left `.isra.23` out, and showed the date without its zone. The
//! sources are in another folder here.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests: what cannot go on fails the test"
)]

mod compiled;
mod crashed;

use std::path::Path;

use analyzer::report::Confidence;

use crashed::{Crashed, dmesg};

/// Words, whatever is between them.
fn words(line: &str) -> Vec<&str> {
    line.split(|c: char| c.is_whitespace() || c == ',').filter(|word| !word.is_empty()).collect()
}

/// Whether the words of a line of the transcript stand in a row in a line that was said.
fn has(said: &str, line: &str) -> bool {
    let wanted = words(line);
    said.lines().any(|line| words(line).windows(wanted.len()).any(|some| some == wanted))
}

/// Each command of the transcript with its lines.
fn transcript() -> Vec<(String, Vec<String>)> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("seed/transcript.txt");
    let text = std::fs::read_to_string(file).unwrap();
    let mut commands: Vec<(String, Vec<String>)> = Vec::new();
    for line in text.lines() {
        match line.strip_prefix("crash> ") {
            Some(command) => commands.push((command.to_owned(), Vec::new())),
            None => commands.last_mut().unwrap().1.push(line.to_owned()),
        }
    }
    commands
}

#[test]
fn the_commands_say_what_they_said_then() {
    let crashed = Crashed::new();
    for (command, lines) in transcript() {
        // The top of a conversation has what `sys` says, and who crashed.
        let input = if command == "sys" { String::new() } else { format!("{command}\n") };
        let said = crashed.says("crash", &input);
        assert!(lines.len() > 1, "{command}");
        for line in lines {
            assert!(has(&said, &line), "{command}: {line:?} is not in\n{said}");
        }
    }
}

#[test]
fn the_stack_has_no_other_functions() {
    let crashed = Crashed::new();
    let said = crashed.says("crash", "bt 2227\n");
    let frames = |line: &&str| line.trim_start().starts_with('#');
    // The transcript's, and the call to address 0.
    assert_eq!(said.lines().filter(frames).count(), 18, "{said}");
}

/// `crash` showed no registers of the fault, whose stack pointer the CPU had aligned.
#[test]
fn the_registers_of_the_fault_are_shown() {
    let crashed = Crashed::new();
    let said = crashed.says("crash", "bt 2227\n");
    for line in [
        "RIP: 0000000000000000  RSP: ffff97c7df29ae28  RFLAGS: 00010292",
        "RDX: 0000000000000040  RSI: ffff97c7df29aea0  RDI: ffff97c7d29b5e00",
        "ORIG_RAX: ffffffffffffffff  CS: 0010  SS: 0018",
    ] {
        assert!(has(&said, line), "{line} is not in\n{said}");
    }
}

/// It showed the line behind the call, and no function that was inlined.
#[test]
fn the_call_is_named_beside_the_line_that_it_returns_to() {
    let crashed = Crashed::new();
    let said = crashed.says("crash", "dis -l ffffffffc04e83d8\n");
    let call = "the call that returns here is at 0xffffffffc04e83d3";
    assert!(has(&said, &format!("({call}")), "{said}");
    assert!(said.contains("capacity.c: 97 in __pad_exec (inlined)"), "{said}");
}

/// It said that the memory could not be read, which the author took for the cause.
#[test]
fn data_of_the_kernel_is_said_to_be_that() {
    let crashed = Crashed::new();
    let said = crashed.says("crash", "dis -u ffffffffc04ea618\n");
    assert!(said.contains("ffffffffc04ea618 is data, not code"), "{said}");
    assert!(!said.contains("0xffffffffc04ea618 <"), "nothing is disassembled: {said}");
}

#[test]
fn the_log_is_the_file_that_was_saved_beside_the_dump() {
    let crashed = Crashed::new();
    let said = crashed.says("crash", "log\n");
    let log: Vec<&str> = said.lines().filter(|line| line.starts_with('[')).collect();
    assert_eq!(log, dmesg().lines().collect::<Vec<_>>());
}

/// What took the author half a page.
#[test]
fn the_report_says_it_by_itself() {
    let crashed = Crashed::new();
    let report = crashed.says("analyze", "");
    let verdict = "`__akfs_ops->get_fhash` is NULL: called at `capacity.c:97` in `__pad_exec`, \
                   inlined into `process_bprm_put [process]`";
    assert!(has(&report, verdict), "{report}");
    assert!(report.contains("proven: evaluated again on the dump"), "{report}");
    assert!(!report.contains("FINDINGS"), "nothing is wrong with dump and files: {report}");
}

/// The author looked at the text first, and it names the function in a line that the kernel was not sure
/// of. With the files it says what the dump does, but for what takes memory to prove.
#[test]
fn the_text_alone_says_the_same_and_proves_nothing() {
    let crashed = Crashed::new();
    let dump = crashed.report("vmcore", "");
    let text = crashed.report("-", &dmesg());
    assert_eq!(text.verdict.kind, dump.verdict.kind);
    assert_eq!(text.verdict.title, dump.verdict.title);
    assert_eq!(text.verdict.culprit, dump.verdict.culprit);
    assert_eq!(text.signature, dump.signature);
    assert_eq!(text.root_signature, dump.root_signature);
    assert_eq!(text.verdict.confidence, Confidence::Likely);
}
