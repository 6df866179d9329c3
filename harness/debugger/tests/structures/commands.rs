// SPDX-License-Identifier: MIT OR Apache-2.0
//! Commands on a small kernel whose memory the test wrote itself.

use debugger::{ALL, Output};

use crate::world::{self, KERNEL_MAP, World};

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
    world::answers(&world(), line)
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

/// An option or a word that would change nothing is refused, of every command.
#[test]
fn what_would_be_ignored_is_refused() {
    for (line, words) in [
        // Of options that say what is shown, one; others go with some of them only.
        ("sys -t -c", "sys: -t and -c do not go together; see `help sys`"),
        ("task -x", "task: -x goes with -a or -R only; see `help task`"),
        ("task -d 1", "task: -d goes with -a or -R only; see `help task`"),
        ("vm -x", "vm: -x goes with -m or -v only; see `help vm`"),
        ("bt -t -l", "bt: -l and -t do not go together; see `help bt`"),
        ("bt -e -r", "bt: -e and -r do not go together; see `help bt`"),
        ("bt -S 1", "bt: -S goes with -I only; see `help bt`"),
        ("dis -r -f table", "dis: -r and -f do not go together; see `help dis`"),
        ("irq -c 0", "irq: -c goes with -s only; see `help irq`"),
        ("irq -u -b", "irq: -u and -b do not go together; see `help irq`"),
        ("kmem -i -s", "kmem: -i and -s do not go together; see `help kmem`"),
        ("list -x table", "list: -x goes with -s or -S only; see `help list`"),
        ("log -t -T", "log: -t and -T do not go together; see `help log`"),
        ("mod -t -S", "mod: -t and -S do not go together; see `help mod`"),
        ("ps -k -u", "ps: -k and -u do not go together; see `help ps`"),
        ("ps -s -t", "ps: -s and -t do not go together; see `help ps`"),
        ("rd -8 -16 table", "rd: -8 and -16 do not go together; see `help rd`"),
        ("rd -s -32 table", "rd: -s and -32 do not go together; see `help rd`"),
        ("rd -a -x table", "rd: -x and -a do not go together; see `help rd`"),
        ("search -t -s table 1", "search: -t and -s do not go together; see `help search`"),
        ("struct -o -x list_head table", "struct: -x and -o do not go together; see `help struct`"),
        ("sym -n -l", "sym: -n of what?; see `help sym`"),
        ("tree -d table", "tree: -d goes with -s or -S only; see `help tree`"),
        ("tree -t xarray -l table", "tree: -l is for red-black trees"),
        ("vtop -u -k table", "vtop: -u and -k do not go together; see `help vtop`"),
        ("work -a -q", "work: -a and -q do not go together; see `help work`"),
        // Words where none is taken, or one too many.
        ("sys foo", "sys: `foo` goes with -c only; see `help sys`"),
        ("sys -c 1 2", "sys: `sys` takes no `2`; see `help sys`"),
        ("bt -a 1", "bt: `bt -a` takes no `1`; see `help bt`"),
        ("dis -b 1 table 2", "dis: `dis -b` takes no `2`; see `help dis`"),
        ("irq -d 3", "irq: `irq -d` takes no `3`; see `help irq`"),
        ("kmem -z table", "kmem: `kmem -z` takes no `table`; see `help kmem`"),
        ("kmem -S", "kmem: -S of what?; see `help kmem`"),
        ("list 0 table 1", "list: `list` takes no `1`; see `help list`"),
        ("lock table", "lock: `lock` takes no `table`; see `help lock`"),
        ("log 1", "log: `log` takes no `1`; see `help log`"),
        ("mod akfs", "mod: `mod` takes no `akfs`; see `help mod`"),
        ("rd table 1 2", "rd: `rd` takes no `2`; see `help rd`"),
        ("rd -e table table 2", "rd: `rd -e` takes no `2`; see `help rd`"),
        ("runq 1", "runq: `runq` takes no `1`; see `help runq`"),
        ("set 1 2", "set: `set` takes no `2`; see `help set`"),
        ("set -p 2", "set: `set -p` takes no `2`; see `help set`"),
        ("sig -l 9", "sig: `sig -l` takes no `9`; see `help sig`"),
        ("timer 1", "timer: `timer` takes no `1`; see `help timer`"),
        ("tree table 1", "tree: `tree` takes no `1`; see `help tree`"),
        ("waitq a b c", "waitq: `waitq` takes no `c`; see `help waitq`"),
        ("foreach kernel user ps", "foreach: no task is both user and kernel"),
        ("foreach RU IN bt", "foreach: no task is both RU and IN"),
    ] {
        assert_eq!(text(line), format!("{words}\n"), "{line}");
    }
}

#[test]
fn a_structure_takes_an_address_and_one_count() {
    let mut world = world();
    world.structure("pair", 16, &[("first", 0, crate::world::Kind::Number(8))]);
    let said = |line: &str| world::said(&world, line);
    assert!(said("struct pair table 2").contains("first"));
    for (line, words) in [
        ("struct pair table 2 3", "what is `3`? an address follows, and one count"),
        ("struct -c 2 pair table 3", "what is `3`? an address follows, and one count"),
        ("struct -x pair", "-x of which address?"),
        ("struct -r pair", "-r of which address?"),
        ("struct -r pair.first table", "-r shows the whole structure, no members"),
    ] {
        assert_eq!(said(line), format!("struct: {words}\n"), "{line}");
    }
}

/// What crash(8) has by a name is not answered by something else that has it, too: `net` and `swap`
/// are structures.
#[test]
fn what_only_crash_has_is_named() {
    for (line, words) in [
        ("net", "net: crash's `net` (network devices, neighbours, sockets) is not here"),
        ("swap", "swap: crash's `swap` (swap devices) is not here"),
        ("sys config", "sys: crash's `sys config` (the kernel's configuration) is not here"),
        ("sys -i", "sys: crash's `sys -i` (what the firmware says of the machine) is not here"),
        ("sys -panic", "sys: crash's `sys -panic` (ends a live system) is not here"),
        ("mach -c", "mach: crash's `mach -c` (what each CPU has) is not here"),
        ("ps -r", "ps: crash's `ps -r` (limits of resources) is not here"),
        ("union -u pair", "union: crash's `struct -u` (an address of user space) is not here"),
        ("kmem -q", "kmem: no option `-q`; see `help kmem`"),
    ] {
        assert_eq!(text(line), format!("{words}\n"), "{line}");
    }
}

#[test]
fn numbers_are_read_as_characters_and_other_names_are_listed() {
    // `/usr/lib` as x86 has it in a word.
    assert_eq!(text("ascii 62696c2f7273752f"), "62696c2f7273752f: /usr/lib\n");
    assert_eq!(text("ascii 41"), format!("0000000000000041: A{}\n", "<NUL>".repeat(7)));
    assert_eq!(text("ascii xyz"), "ascii: `xyz` is no hexadecimal number\n");
    assert!(text("alias").contains("\npx       p -x\n"), "{}", text("alias"));
}

/// Every option of a command is known to its rules by its name, and rules name no other.
#[test]
fn rules_name_options_that_there_are() {
    use debugger::Rule;
    for command in ALL {
        let has = |name: &&str| command.options.iter().any(|flag| flag.name == *name);
        for rule in command.rules {
            let (one, other): (&[&str], &[&str]) = match rule {
                Rule::OneOf(one)
                | Rule::WordsWith(_, one)
                | Rule::WordsNeed(one)
                | Rule::NeedsWord(one) => (one, &[]),
                Rule::Apart(one, other) | Rule::Needs(one, other) => (one, other),
                Rule::Words(_) => (&[], &[]),
            };
            let mut names = one.iter().chain(other);
            assert!(names.all(&has), "{}: {rule:?}", command.name);
        }
    }
}

#[test]
fn foreach_answers_for_the_tasks_that_were_chosen_and_no_other() {
    let world = crate::tasks::sleeping();
    let said = |line: &str| world::said(&world, line);
    let rows = |line: &str| said(line).lines().count().saturating_sub(1);
    assert!(rows("foreach ps") > 1, "{}", said("foreach ps"));
    assert_eq!(rows("foreach UN ps"), 0, "{}", said("foreach UN ps"));
    for (line, words) in [
        ("foreach bt 1", "`1` goes before `bt`: it chooses tasks"),
        ("foreach ps 1", "`1` goes before `ps`: it chooses tasks"),
        ("foreach task 1", "`1` goes before `task`: it chooses tasks"),
        ("foreach bt -a", "-a chooses tasks by itself"),
    ] {
        assert_eq!(said(line), format!("foreach: {words}\n"), "{line}");
    }
}
