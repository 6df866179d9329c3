// SPDX-License-Identifier: MIT OR Apache-2.0
//! The commands beside those of `crash`, answer for answer.
//!
//! Each answer is brought into a form in which only what both say is left: fields of rows, words
//! without blanks. What one says and the other does not (files and lines, chips of interrupts) is no
//! part of it.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::{Result, anyhow, ensure};
use debugger::Session;
use harness::analysis::{self, ask};

use super::Count;
use crate::dump::Dump;
use crate::peers::crash;
use crate::symbols::Symbols;

/// What is left of an answer.
type Form = fn(&str) -> Vec<String>;

/// Commands, and the form in which their answers are compared. Addresses are named by symbols, so
/// that the same commands fit each dump; `INIT_TASK` stands for that symbol's address.
const COMMANDS: [(&str, Form); 38] = [
    ("ps", tasks),
    ("runq", queues),
    ("runq -t", stamps),
    ("runq -m", lines),
    ("timer", timers),
    ("timer -r", high_timers),
    ("irq", interrupts),
    ("irq -b", functions),
    ("irq -s", lines),
    ("list -H modules -o module.list", lines),
    ("list -H super_blocks -o super_block.s_list -s super_block.s_id", lines),
    ("tree -t rbtree vmap_area_root -o vmap_area.rb_node", lines),
    ("sym schedule", symbols),
    ("sym -n schedule", symbols),
    ("sym -p schedule", symbols),
    ("sym INIT_TASK", symbols),
    ("rd init_task 8", lines),
    ("rd -x init_task 8", lines),
    ("rd -d init_task 4", lines),
    ("rd -D init_task 4", lines),
    ("rd -8 init_task 20", lines),
    ("rd -32 init_task 5", lines),
    ("rd -s modules 2", lines),
    ("struct list_head", lines),
    ("struct -o list_head", lines),
    ("struct task_struct.pid,tgid,comm init_task", lines),
    ("struct list_head modules", lines),
    ("list_head modules", lines),
    ("*list_head modules", lines),
    ("struct -r list_head modules", lines),
    ("struct list_head.next modules -c 2", lines),
    ("p/x nr_cpu_ids", values),
    ("p nr_cpu_ids", values),
    ("p jiffies", values),
    ("p -x init_task.stack_canary", values),
    ("mod", modules_listed),
    ("log -T", lines),
    ("vtop INIT_TASK", translations),
];

/// Compares the answers.
///
/// # Errors
/// They differ, or `crash` cannot be had.
pub fn all(
    dump: &Dump,
    modules: &[(String, PathBuf)],
    slide: u64,
    compared: &mut Count,
) -> Result<()> {
    let place = Symbols::read(&dump.vmlinux)?.only("init_task")?.address;
    let place = format!("{:x}", place.wrapping_add(slide));
    let commands: Vec<String> =
        COMMANDS.iter().map(|(command, _)| command.replace("INIT_TASK", &place)).collect();
    let theirs = crash::run(&[&dump.vmcore], &dump.vmlinux, &commands)?;
    let symbols = analysis::Symbols {
        vmlinux: Some(dump.vmlinux.clone()),
        modules: modules.to_vec(),
        ..analysis::Symbols::default()
    };
    let ours = ask(&[&dump.vmcore], &symbols, |session| {
        commands.iter().map(|command| answer(session, command)).collect::<Vec<String>>()
    });
    let ours = ours.map_err(|failure| anyhow!("{failure:?}"))?;
    let mut differ = Vec::new();
    // The answer to `ps`, the first command.
    let found = theirs.first().map(String::as_str).unwrap_or_default();
    for (((command, form), ours), theirs) in COMMANDS.iter().zip(&ours).zip(&theirs) {
        let (mut ours, theirs) = (form(ours), form(theirs));
        // `crash` 8.0.2 does not find all tasks of a 6.1.192: those that it finds are the same.
        if *command == "ps" {
            ours.retain(|row| theirs.contains(row));
        }
        // And it leaves those that it does not find out of the queues they wait in.
        if command.starts_with("runq") {
            let known = |row: &str| queued(row).is_none_or(|task| found.contains(task));
            ours.retain(|row| theirs.contains(row) || known(row));
        }
        ensure!(!theirs.is_empty(), "`{command}`: crash says nothing");
        if ours.len() != theirs.len() {
            differ.push(format!("`{command}`: {} rows, theirs {}", ours.len(), theirs.len()));
        }
        for (line, theirs) in ours.iter().zip(&theirs) {
            if compared.same(command, line, theirs).is_err() {
                differ.push(format!("`{command}`\n  ours   {line}\n  theirs {theirs}"));
            }
        }
    }
    ensure!(differ.is_empty(), "{} deviations\n{}", differ.len(), differ.join("\n"));
    Ok(())
}

fn answer(session: &mut Session<'_, '_>, command: &str) -> String {
    session.run(command).iter().map(debugger::Output::text).collect()
}

/// Lines with single blanks, without empty ones and without the zeros that gdb shows behind the end
/// of a string.
fn lines(text: &str) -> Vec<String> {
    let line = |line: &str| {
        let line = line.replace("\\000", "");
        line.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    text.lines().map(line).filter(|line| !line.is_empty()).collect()
}

/// Of `runq`: all lines but those that say that a queue is empty, which is all that is left of one
/// whose tasks `crash` does not find.
fn queues(text: &str) -> Vec<String> {
    lines(text).into_iter().filter(|line| line != "[no tasks queued]").collect()
}

/// Address of the task that a line of `runq` is about.
fn queued(line: &str) -> Option<&str> {
    line.split_once("TASK: ")?.1.split(' ').next()
}

/// Lines whose first word is a time, which `crash` fills up with zeros.
fn stamps(text: &str) -> Vec<String> {
    let line = |line: &String| {
        let rest = line.trim_start_matches('0');
        if rest.starts_with(' ') { format!("0{rest}") } else { rest.to_owned() }
    };
    lines(text).iter().map(line).collect()
}

/// Of `ps`: the mark of a running task, pid, CPU, address, state and name. The parent is left out:
/// `crash` gives -1 where it has not found it.
fn tasks(text: &str) -> Vec<String> {
    let row = |line: &str| {
        let line = line.trim_start();
        let active = line.starts_with('>');
        let words: Vec<&str> = line.trim_start_matches('>').split_whitespace().collect();
        let [pid, _, cpu, task, state, ..] = words[..] else { return None };
        pid.parse::<i32>().ok()?;
        let name = words.last()?;
        Some(format!("{active} {pid} {cpu} {task} {state} {name}"))
    };
    text.lines().filter_map(row).collect()
}

/// Of `mod`: address, name, base and size.
fn modules_listed(text: &str) -> Vec<String> {
    let row = |line: &String| {
        let words: Vec<&str> = line.split(' ').take(4).collect();
        u64::from_str_radix(words.first()?, 16).ok()?;
        Some(words.join(" "))
    };
    lines(text).iter().filter_map(row).collect()
}

/// Of `timer -r`: where and what, of all clocks.
fn high_timers(text: &str) -> Vec<String> {
    let kernel = |word: &&str| u64::from_str_radix(word, 16).is_ok_and(|at| at >> 63 == 1);
    let row = |line: &str| {
        line.split_once('<')?;
        let words: Vec<&str> = line.split_whitespace().filter(kernel).take(2).collect();
        Some(words.join(" "))
    };
    text.lines().filter_map(row).collect::<BTreeSet<_>>().into_iter().collect()
}

/// Of `timer`: when, where and what, in any order, of all bases.
fn timers(text: &str) -> Vec<String> {
    let row = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [expires, _, timer, function, ..] = words[..] else { return None };
        expires.parse::<u64>().ok()?;
        u64::from_str_radix(timer, 16).ok().filter(|timer| timer >> 63 == 1)?;
        Some(format!("{expires} {timer} {function}"))
    };
    text.lines().filter_map(row).collect::<BTreeSet<_>>().into_iter().collect()
}

/// Of `irq`: number, descriptor, action and name.
fn interrupts(text: &str) -> Vec<String> {
    let row = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [number, descriptor, ..] = words[..] else { return None };
        number.parse::<u32>().ok()?;
        // `crash` has a row for each number that a descriptor could have.
        u64::from_str_radix(descriptor, 16).ok()?;
        let action = words.get(2).filter(|action| u64::from_str_radix(action, 16).is_ok());
        let name = line.split('"').nth(1).unwrap_or_default();
        Some(format!("{number} {descriptor} {} {name}", action.unwrap_or(&"-")))
    };
    text.lines().filter_map(row).collect()
}

/// Names of functions in angle brackets.
fn functions(text: &str) -> Vec<String> {
    let name = |line: &str| Some(line.split_once('<')?.1.split_once('>')?.0.to_owned());
    text.lines().filter_map(name).collect()
}

/// Of `sym`: address and name of each line.
fn symbols(text: &str) -> Vec<String> {
    let row = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [address, _, name, ..] = words[..] else { return None };
        u64::from_str_radix(address, 16).ok()?;
        Some(format!("{address} {name}"))
    };
    text.lines().filter_map(row).collect()
}

/// Values behind the last `=`; gdb numbers its answers.
fn values(text: &str) -> Vec<String> {
    lines(text).iter().filter_map(|line| Some(line.rsplit_once("= ")?.1.to_owned())).collect()
}

/// Of `vtop`: the virtual and the physical address.
fn translations(text: &str) -> Vec<String> {
    let row = |line: &String| {
        let words: Vec<&str> = line.split(' ').collect();
        let [virtual_address, physical, ..] = words[..] else { return None };
        u64::from_str_radix(virtual_address, 16).ok().filter(|at| at >> 63 == 1)?;
        Some(format!("{virtual_address} {physical}"))
    };
    lines(text).iter().filter_map(row).take(1).collect()
}
