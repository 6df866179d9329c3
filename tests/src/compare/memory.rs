// SPDX-License-Identifier: MIT OR Apache-2.0
//! Memory and files beside `crash`'s word.
//!
//! Known deviations of `crash` 8.0.2, which are not compared:
//! * SLAB of `kmem -i` counts each slab as one page, however many it has: it is the number of the
//!   entries of `kmem -p` with the flag; the kernel's own counters, which `kmem -V` of both prints,
//!   say more.
//! * `vm` and `vtop -u` fail on kernels with maple trees (6.1 and later).

use std::collections::BTreeMap;

use analyzer::report::Report;
use anyhow::{Context as _, Result};
use serde_json::Value;

use super::Count;
use crate::dump::Dump;
use crate::peers::crash;

/// Compares what both tools say of memory and of what the crashed task has open.
///
/// # Errors
/// They differ, or `crash` cannot be had.
pub fn all(dump: &Dump, report: &Report, compared: &mut Count) -> Result<()> {
    let task = report.task.as_ref().and_then(|task| task.address.as_deref());
    let task = task.and_then(|text| text.strip_prefix("0x")).context("no task")?;
    let words = |list: &[&str]| list.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
    let mut commands = words(&["kmem -i", "kmem -V", "kmem -s", "kmem -v", "files", "mount"]);
    commands.push(format!("kmem {task}"));
    let ours = dump.ask(&commands)?;
    let theirs = crash::run(&[&dump.vmcore], &dump.vmlinux, &commands)?;
    let pair = |index: usize| (&ours[index], theirs[index].as_str());
    usage(pair(0), compared)?;
    counters(pair(1), compared)?;
    caches(pair(2), compared)?;
    areas(pair(3), compared)?;
    files(pair(4), compared)?;
    mounts(pair(5), compared)?;
    object(pair(6), task, compared)
}

fn list(value: &Value) -> Result<&Vec<Value>> {
    value.as_array().with_context(|| format!("no list: {value}"))
}

/// Values of an object as text, in this order.
fn row(value: &Value, names: &[&str]) -> Vec<String> {
    let text = |name: &&str| match &value[*name] {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    names.iter().map(text).collect()
}

/// Lines of `crash` as words, those that begin with a number of at least `digits` hexadecimal
/// digits.
fn lines(text: &str, digits: usize) -> Vec<Vec<&str>> {
    let is_row = |line: &Vec<&str>| {
        let number = |word: &&str| u64::from_str_radix(word, 16).is_ok();
        line.first().is_some_and(|word| number(word) && word.len() >= digits)
    };
    text.lines().map(|line| line.split_whitespace().collect()).filter(is_row).collect()
}

fn usage((ours, theirs): (&Value, &str), compared: &mut Count) -> Result<()> {
    for row in list(&ours["rows"])? {
        let name = row["name"].as_str().context("no name")?;
        if name == "SLAB" {
            continue;
        }
        let line = theirs.lines().find_map(|line| line.trim().strip_prefix(name));
        let pages = line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
        compared.same(name, &row["pages"].as_u64(), &pages)?;
    }
    Ok(())
}

fn counters((ours, theirs): (&Value, &str), compared: &mut Count) -> Result<()> {
    let pair = |line: &str| {
        let (name, value) = line.split_once(':')?;
        Some((name.trim().to_owned(), value.trim().parse::<i64>().ok()?))
    };
    // Events follow, which ours does not list.
    let theirs: BTreeMap<String, i64> = theirs.lines().filter_map(pair).collect();
    for counter in list(&ours["counters"])? {
        let name = counter["name"].as_str().context("no name")?;
        compared.same(name, &counter["value"].as_i64(), &theirs.get(name).copied())?;
    }
    Ok(())
}

fn caches((ours, theirs): (&Value, &str), compared: &mut Count) -> Result<()> {
    let theirs = lines(theirs, 16);
    let ours = list(&ours["caches"])?;
    compared.same("number of caches", &ours.len(), &theirs.len())?;
    for (cache, line) in ours.iter().zip(theirs) {
        let values = row(cache, &["address", "object_size", "allocated", "total", "slabs", "name"]);
        let name = line.get(6..).unwrap_or_default().join(" ");
        let theirs: Vec<String> =
            line.iter().take(5).map(|&word| word.to_owned()).chain([name]).collect();
        compared.same("kmem -s", &values, &theirs)?;
    }
    Ok(())
}

fn areas((ours, theirs): (&Value, &str), compared: &mut Count) -> Result<()> {
    // It shows only areas that have a `vm_struct`.
    let known = list(&ours["areas"])?.iter().filter(|area| !area["vm_struct"].is_null());
    let ours: Vec<Vec<String>> =
        known.map(|area| row(area, &["vmap_area", "vm_struct", "start", "end", "size"])).collect();
    let theirs = lines(theirs, 16);
    compared.same("number of vmalloc areas", &ours.len(), &theirs.len())?;
    for (area, line) in ours.iter().zip(theirs) {
        let words = line.iter().filter(|word| **word != "-").map(|&word| word.to_owned());
        compared.same("kmem -v", area, &words.collect())?;
    }
    Ok(())
}

fn files((ours, theirs): (&Value, &str), compared: &mut Count) -> Result<()> {
    let table = &ours["tasks"][0];
    let directories = row(table, &["root", "current_directory"]);
    let line = format!("ROOT: {}    CWD: {}", directories[0], directories[1]);
    compared.same("files", &theirs.lines().any(|theirs| theirs.trim_end() == line), &true)?;
    // The head of the columns begins with `FD`, which is a hexadecimal number.
    let mut theirs = lines(theirs, 1);
    theirs.retain(|line| line[0] != "FD");
    let ours = list(&table["files"])?;
    compared.same("number of files", &ours.len(), &theirs.len())?;
    for (file, line) in ours.iter().zip(theirs) {
        let values = row(file, &["descriptor", "file", "dentry", "inode", "type", "path"]);
        compared.same("files", &values, &line.into_iter().map(str::to_owned).collect())?;
    }
    Ok(())
}

fn mounts((ours, theirs): (&Value, &str), compared: &mut Count) -> Result<()> {
    let theirs = lines(theirs, 16);
    let ours = list(&ours["mounts"])?;
    compared.same("number of mounts", &ours.len(), &theirs.len())?;
    for (mount, line) in ours.iter().zip(theirs) {
        let values = row(mount, &["mount", "superblock", "type", "device", "directory"]);
        compared.same("mount", &values, &line.into_iter().map(str::to_owned).collect())?;
    }
    Ok(())
}

/// `kmem` of the crashed task: its object, in brackets as it is in use.
fn object((ours, theirs): (&Value, &str), task: &str, compared: &mut Count) -> Result<()> {
    let answer = &ours["addresses"][0];
    let values = row(&answer["object"], &["slab", "memory", "total", "allocated", "address"]);
    let theirs = lines(theirs.split("SLAB ").nth(1).unwrap_or_default(), 16);
    let slab = theirs.first().context("crash shows no slab")?;
    let [page, memory, _, total, allocated, _] = slab[..] else {
        anyhow::bail!("crash shows no slab: {slab:?}")
    };
    let slab = [page, memory, total, allocated, task].map(str::to_owned);
    compared.same("slab of the task", &values, &slab.to_vec())?;
    compared.same("the task is in use", &answer["object"]["free"], &Value::Bool(false))
}
