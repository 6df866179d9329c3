// SPDX-License-Identifier: MIT OR Apache-2.0
//! `struct` and `union`: layouts, and what is at an address.

use serde::Serialize;

use super::show::{DECIMAL, HEXADECIMAL, Members, Shown, style};
use super::type_names::type_named;
use super::{Arguments, Command, CommandError, Flag, Reply, Rule, Session, Text, Words};
use analyzer::values::{
    Error, Evaluator, Layout, Limits, Node, Style, Tree, Ty, Value, World, parse_cpus,
};

/// Structures that are shown at once.
const MAX_COUNT: u64 = 10_000;

const OPTIONS: &[Flag] = &[
    Flag::switch("o", "with the offset of each member, or its address"),
    Flag::with("l", "OFFSET", "the address is that of a member: a number of bytes or TYPE.MEMBER"),
    Flag::with("c", "COUNT", "so many of them, one behind the other; COUNT behind the address too"),
    Flag::switch("r", "the bytes as `rd` shows them"),
    HEXADECIMAL,
    DECIMAL,
];
const RULES: &[Rule] =
    &[Rule::OneOf(&["o", "r"]), Rule::OneOf(&["x", "d"]), Rule::Apart(&["x", "d"], &["o", "r"])];
const USAGE: &str = "[-o | -r] [-x | -d] [-l OFFSET] [-c COUNT] TYPE[.MEMBER[,MEMBER...]] [ADDRESS|SYMBOL[:CPU] [COUNT]]";

/// `struct`.
pub(super) const STRUCT: Command = Command {
    name: "struct",
    summary: "a structure's layout, or the structure at an address",
    usage: USAGE,
    options: OPTIONS,
    rules: RULES,
    words: Words::Mixed,
    run: |session, arguments| run(session, arguments, "struct"),
};

/// `union`.
pub(super) const UNION: Command = Command {
    name: "union",
    summary: "a union's layout, or the union at an address",
    usage: USAGE,
    options: OPTIONS,
    rules: RULES,
    words: Words::Mixed,
    run: |session, arguments| run(session, arguments, "union"),
};

fn run(
    session: &mut Session<'_, '_>,
    arguments: &Arguments,
    keyword: &str,
) -> Result<Reply, CommandError> {
    let world: &dyn World = session.machine();
    let evaluator = Evaluator::new(world);
    let mut words = arguments.words.iter().map(String::as_str);
    let mut first = words.next().ok_or_else(|| CommandError::usage("which type?"))?;
    if matches!(first, "struct" | "union") {
        first = words.next().ok_or_else(|| CommandError::usage("which type?"))?;
    }
    let words: Vec<&str> = words.collect();
    surplus(arguments, &words)?;
    let (name, members) = first.split_once('.').unwrap_or((first, ""));
    let paths: Vec<&str> = members.split(',').filter(|path| !path.is_empty()).collect();
    let ty = type_named(evaluator, keyword, name)?;
    let Some(layout) = Layout::of(world, &ty)? else {
        return Err(CommandError::nothing(format!("`{name}` is no structure")));
    };
    let [address, rest @ ..] = words.as_slice() else {
        return Ok(Reply::new(Declaration {
            offsets: arguments.has("o"),
            ..select(layout, &paths)
        }));
    };
    let mut count = 1;
    if let Some(word) = arguments.value("c").or(rest.first().copied()) {
        count = super::resolve::count(word)?.clamp(1, MAX_COUNT);
    }
    let back = match arguments.value("l") {
        Some(text) => offset(evaluator, text)?,
        None => 0,
    };
    let size = layout.size;
    let mut starts = Vec::new();
    for start in addresses(session, evaluator, address)? {
        let place = |index: u64| start.wrapping_sub(back).wrapping_add(index.wrapping_mul(size));
        starts.extend((0..count).map(place));
    }
    if arguments.has("r") {
        if !paths.is_empty() {
            return Err(CommandError::usage("-r shows the whole structure, no members"));
        }
        let mut places = starts.iter().step_by(usize::try_from(count).unwrap_or(1));
        let (Some(start), None) = (places.next(), places.next()) else {
            return Err(CommandError::usage("-r shows one place: which CPU?"));
        };
        let words = size.saturating_mul(count).div_ceil(8);
        return session.answer("rd", &format!(" {start:x} {words}"));
    }
    if arguments.has("o") {
        let at = |start: &u64| Declaration {
            offsets: true,
            start: Some(*start),
            ..select(layout.clone(), &paths)
        };
        return Ok(Reply::new(Several { list: starts.iter().map(at).collect() }));
    }
    let style = style(arguments);
    if !paths.is_empty() {
        let read = |start: &u64| fields(world, &ty, *start, &paths, style);
        let list = starts.iter().map(read).collect::<Result<Vec<_>, Error>>()?;
        return Ok(Reply::new(Several { list }));
    }
    let value = |start: &u64| Shown {
        head: format!("{} ", head(&layout, name)),
        tree: Tree::read(world, &Value::at(*start, ty.clone()), Limits::default()),
        style,
        alone: false,
    };
    Ok(Reply::new(Several { list: starts.iter().map(value).collect::<Vec<_>>() }))
}

/// Refuses what would change nothing: `words` are those behind the type.
fn surplus(arguments: &Arguments, words: &[&str]) -> Result<(), CommandError> {
    let known = if arguments.has("c") { 1 } else { 2 };
    if let Some(word) = words.get(known) {
        let words = format!("what is `{word}`? an address follows, and one count");
        return Err(CommandError::usage(words));
    }
    let of_memory = ["l", "c", "r", "x", "d"].into_iter().find(|option| arguments.has(option));
    match of_memory.filter(|_| words.is_empty()) {
        Some(option) => Err(CommandError::usage(format!("-{option} of which address?"))),
        None => Ok(()),
    }
}

/// What stands before the value: `struct list_head`, or `struct akfs_operation_t` for a typedef.
fn head(layout: &Layout, name: &str) -> String {
    let keyword = if layout.union { "union" } else { "struct" };
    format!("{keyword} {name}")
}

/// Addresses that are meant: of a symbol, of copies of a per-CPU variable, or an expression.
fn addresses(
    session: &Session<'_, '_>,
    evaluator: Evaluator<'_>,
    text: &str,
) -> Result<Vec<u64>, CommandError> {
    let world: &dyn World = session.machine();
    if let Some((name, cpus)) = text.split_once(':') {
        let offset = match evaluator.per_cpu(name) {
            Some((_, start)) => start,
            None => super::resolve::hexadecimal(name)
                .ok_or_else(|| CommandError::nothing(format!("no per-CPU variable `{name}`")))?,
        };
        let cpus = parse_cpus(cpus, &world.cpus());
        let cpus = cpus.ok_or_else(|| CommandError::usage(format!("no CPUs: `{text}`")))?;
        let copy = |cpu| match world.per_cpu_offset(cpu) {
            Ok(base) => Ok(offset.wrapping_add(base)),
            Err(why) => Err(CommandError::nothing(why)),
        };
        return cpus.into_iter().map(copy).collect();
    }
    Ok(vec![start(session, evaluator, text)?])
}

/// An address as people type it: a symbol or number; otherwise an expression whose value it is.
fn start(
    session: &Session<'_, '_>,
    evaluator: Evaluator<'_>,
    text: &str,
) -> Result<u64, CommandError> {
    let simple = session.address(text);
    if let Ok(address) = simple {
        return Ok(address.value);
    }
    match evaluator.evaluate(text) {
        Ok(value) => Ok(evaluator.location(&value)?),
        Err(Error::NoSymbol(_)) => Ok(simple?.value),
        Err(error) => Err(error.into()),
    }
}

/// An offset: a number of bytes, or `type.member`.
fn offset(evaluator: Evaluator<'_>, text: &str) -> Result<u64, CommandError> {
    let Some((name, member)) = text.split_once('.') else { return super::resolve::count(text) };
    let expression = |keyword: &str| format!("(unsigned long)&(({keyword}{name} *)0)->{member}");
    let value = evaluator.evaluate(&expression("struct "));
    let value = match value {
        Err(Error::NoType(_)) => evaluator.evaluate(&expression(""))?,
        other => other?,
    };
    Ok(evaluator.number(&value)?)
}

/// Members of the structure of that tag at an address, as typed: `pid,mm.pgd`.
pub(super) fn members(
    session: &Session<'_, '_>,
    tag: &str,
    start: u64,
    members: &str,
    style: Style,
) -> Result<Members, CommandError> {
    let world: &dyn World = session.machine();
    let ty = type_named(Evaluator::new(world), "struct", tag)?;
    let paths: Vec<&str> = members.split(',').filter(|path| !path.is_empty()).collect();
    Ok(fields(world, &ty, start, &paths, style)?)
}

/// The structure of that tag at an address.
pub(super) fn whole(
    session: &Session<'_, '_>,
    tag: &str,
    start: u64,
    style: Style,
) -> Result<Shown, CommandError> {
    let world: &dyn World = session.machine();
    let ty = type_named(Evaluator::new(world), "struct", tag)?;
    let tree = Tree::read(world, &Value::at(start, ty), Limits::default());
    Ok(Shown { head: format!("struct {tag} "), tree, style, alone: false })
}

/// Members by their paths.
fn fields<'w>(
    world: &'w dyn World,
    ty: &Ty<'w>,
    start: u64,
    paths: &[&str],
    style: Style,
) -> Result<Members, Error> {
    let evaluator = Evaluator::new(world);
    let mut list: Vec<(String, Node)> = Vec::new();
    for path in paths {
        let value = evaluator.member_path(&Value::at(start, ty.clone()), path)?;
        let node = Tree::read(world, &value, Limits::default()).node;
        list.push(((*path).to_owned(), node));
    }
    Ok(Members { address: start, list, style })
}

/// A layout, to be printed.
#[derive(Debug, Serialize)]
pub(super) struct Declaration {
    #[serde(flatten)]
    layout: Layout,
    /// Where a structure of it is.
    start: Option<u64>,
    #[serde(skip)]
    offsets: bool,
    #[serde(skip)]
    part: bool,
}

/// A layout without offsets.
pub(super) fn declaration(layout: Layout) -> Declaration {
    Declaration { layout, start: None, offsets: false, part: false }
}

/// The layout of some members; of all if there is no path.
fn select(mut layout: Layout, paths: &[&str]) -> Declaration {
    let first = |path: &str| path.split(['.', '[']).next().unwrap_or_default().to_owned();
    let wanted: Vec<String> = paths.iter().map(|path| first(path)).collect();
    let part = !wanted.is_empty();
    if part {
        layout.members.retain(|line| {
            line.name.as_ref().is_some_and(|name| wanted.iter().any(|each| each == name))
        });
    }
    Declaration { layout, start: None, offsets: false, part }
}

impl Text for Declaration {
    fn text(&self) -> String {
        let mut out = String::new();
        let places: Vec<String> = self.layout.members.iter().map(|line| self.place(line)).collect();
        let width = places.iter().map(String::len).max().unwrap_or(0);
        if let Some(start) = self.start {
            out.push_str(&format!("struct at {start:016x}:\n"));
        }
        out.push_str(&format!("{}\n", self.layout.head));
        for (line, place) in self.layout.members.iter().zip(&places) {
            let level = if self.part { 1 } else { line.level };
            let indent = "    ".repeat(level);
            match self.offsets {
                true => {
                    let indent = "    ".repeat(level.saturating_sub(1));
                    out.push_str(&format!("  {place:>width$} {indent}{}\n", line.text));
                }
                false => out.push_str(&format!("{indent}{}\n", line.text)),
            }
        }
        out.push_str(&format!("{}\nSIZE: {}\n", self.layout.tail, self.layout.size));
        out
    }
}

impl Declaration {
    fn place(&self, line: &analyzer::values::MemberLine) -> String {
        match (line.offset, self.start) {
            (Some(offset), Some(start)) => format!("[{:016x}]", start.wrapping_add(offset)),
            (Some(offset), None) => format!("[{offset}]"),
            (None, _) => String::new(),
        }
    }
}

/// Answers one after the other.
#[derive(Debug, Serialize)]
#[serde(transparent)]
struct Several<T> {
    list: Vec<T>,
}

impl<T: Text> Text for Several<T> {
    fn text(&self) -> String {
        self.list.iter().map(Text::text).collect()
    }
}
