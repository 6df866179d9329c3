// SPDX-License-Identifier: MIT OR Apache-2.0
//! Commands on a small kernel whose memory the test wrote itself.

use analyzer::commands::{ALL, Files, Output, Session};
use analyzer::machine::Machine;

use crate::world::{KERNEL_MAP, World, with_kernel};

const DATA: u64 = KERNEL_MAP + 0x100_0000;

fn world() -> World {
    let mut world = World::new();
    world.symbol("table", DATA);
    world.put_u64(DATA, 0x1122_3344_5566_7788);
    world.put_u64(DATA + 8, DATA);
    world.put(DATA + 16, b"a text\0");
    world
}

fn answers(line: &str) -> Vec<Output> {
    let mut outputs = Vec::new();
    with_kernel(&world(), |kernel| {
        let machine = Machine::new(kernel);
        outputs = Session::new(&machine, Files::default()).run(line);
    });
    outputs
}

fn text(line: &str) -> String {
    answers(line).iter().map(Output::text).collect()
}

#[test]
fn memory_is_shown_in_each_size() {
    let ascii = ascii();
    let first = "ffffffff81000000:  ";
    let words = "1122334455667788 ffffffff81000000";
    assert_eq!(text("rd table 2"), format!("{first}{words}   {ascii}\n"));
    let halves = format!("{:<36}", "55667788 11223344");
    assert_eq!(text("rd -32 table 2"), format!("{first}{halves}  {}\n", &ascii[..8]));
    assert!(text("rd -8 table 1").starts_with("ffffffff81000000:  88 "));
    assert_eq!(text("rd -s table 2"), "ffffffff81000000:  1122334455667788 table\n");
    assert_eq!(text("rd -a table+16"), "ffffffff81000010:  a text\n");
}

/// The bytes of the first line as characters.
fn ascii() -> String {
    let bytes = [0x1122_3344_5566_7788_u64.to_le_bytes(), DATA.to_le_bytes()].concat();
    let shown = |byte: u8| if (0x20..0x7f).contains(&byte) { char::from(byte) } else { '.' };
    bytes.into_iter().map(shown).collect()
}

#[test]
fn several_commands_are_answered_one_by_one() {
    let outputs = answers("rd table; nonsense; rd 10");
    assert_eq!(outputs.len(), 3);
    assert!(outputs[0].result.is_ok());
    assert_eq!(outputs[1].text(), "no command `nonsense`; `help` lists them\n");
    assert_eq!(outputs[2].text(), "rd: 0x0000000000000010: user-space address\n");
    assert_eq!(outputs[2].json()["error"], "0x0000000000000010: user-space address");
    assert_eq!(outputs[0].json()["answer"]["lines"][0]["values"][0], "1122334455667788");
}

#[test]
fn a_dump_is_never_written_to() {
    assert_eq!(text("wr table 0"), "wr: refused: a dump is read-only\n");
}

#[test]
fn a_value_is_found_where_it_lies() {
    assert_eq!(text("search -s table -l 64 table"), "ffffffff81000008: ffffffff81000000\n");
    assert_eq!(text("search -s table -l 64 77"), "(not found)\n");
}

#[test]
fn without_a_crash_there_is_no_current_task() {
    assert_eq!(text("set"), "set: no current task: `set PID` chooses one\n");
}

#[test]
fn every_command_has_help_and_survives_without_words() {
    for command in ALL {
        assert!(text("help").contains(command.name));
        let help = text(&format!("help {}", command.name));
        assert!(help.contains(command.summary) && help.contains(command.usage), "{help}");
        for flag in command.options {
            let option = format!("-{}", flag.name);
            assert!(help.contains(&option) && help.contains(flag.help), "{}: {help}", command.name);
        }
        // Whatever it says of a kernel of which nearly nothing is known: it says something.
        assert!(!text(command.name).is_empty(), "{}", command.name);
        assert!(!text(&format!("{} -? ?", command.name)).is_empty(), "{}", command.name);
    }
}
