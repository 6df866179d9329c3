// SPDX-License-Identifier: MIT OR Apache-2.0
//! `sym`: from names to addresses and back, with file and line.

use serde::Serialize;

use super::{Arguments, Command, CommandError, Flag, Reply, Rule, Session, Text, Words};
use analyzer::express::Names as _;
use analyzer::identify::identify;
use analyzer::printer::CodeNames as _;

/// The command.
pub(super) const COMMAND: Command = Command {
    name: "sym",
    summary: "from names to addresses and back, with file and line",
    usage: "[-l | -m MODULE | -q TEXT] [-p] [-n] SYMBOL|ADDRESS...",
    options: &[
        Flag::switch("l", "all symbols"),
        Flag::with("m", "MODULE", "all symbols of a module"),
        Flag::with("q", "TEXT", "all symbols that have this in their names"),
        Flag::switch("p", "with the symbol before"),
        Flag::switch("n", "with the symbol behind"),
    ],
    rules: &[Rule::OneOf(&["l", "m", "q"]), Rule::NeedsWord(&["p", "n"])],
    words: Words::Mixed,
    run,
};

#[derive(Debug, Serialize)]
struct Symbols {
    symbols: Vec<Row>,
}

#[derive(Debug, Serialize)]
struct Row {
    address: String,
    /// Letter of nm(1), where it is known.
    letter: Option<char>,
    name: String,
    offset: u64,
    size: u64,
    module: Option<String>,
    file: Option<String>,
    line: Option<u32>,
}

fn run(session: &mut Session<'_, '_>, arguments: &Arguments) -> Result<Reply, CommandError> {
    let mut symbols = Vec::new();
    if let Some(name) = arguments.value("m") {
        symbols.extend(of_module(session, name)?);
    } else if arguments.has("l") || arguments.has("q") {
        symbols.extend(all(session, arguments.value("q").unwrap_or_default()));
    } else if arguments.words.is_empty() {
        return Err(CommandError::usage("which symbol or address?"));
    }
    for word in &arguments.words {
        let address = session.address(word)?.value;
        let here = at(session, address, word)?;
        let start = address.wrapping_sub(here.offset);
        if arguments.has("p") {
            symbols.extend(neighbour(session, start.wrapping_sub(1)));
        }
        let end = start.wrapping_add(here.size);
        symbols.push(here);
        if arguments.has("n") {
            symbols.extend(neighbour(session, end));
        }
    }
    Ok(Reply::new(Symbols { symbols }))
}

fn of_module(session: &Session<'_, '_>, name: &str) -> Result<Vec<Row>, CommandError> {
    let kernel = session.kernel();
    let module = kernel.module_named(name);
    let none = || CommandError::nothing(format!("no module `{name}` is loaded"));
    let module = module.ok_or_else(none)?;
    let row = |symbol: &kernel::module_symbols::ModuleSymbol| Row {
        address: format!("{:x}", symbol.address),
        letter: Some(symbol.letter),
        name: symbol.name.clone(),
        offset: 0,
        size: symbol.extent,
        module: Some(name.to_owned()),
        file: None,
        line: None,
    };
    Ok(kernel.module_symbols(module)?.iter().map(row).collect())
}

/// The symbol that covers an address next to another symbol.
fn neighbour(session: &Session<'_, '_>, address: u64) -> Option<Row> {
    let name = session.machine().code_name(address)?;
    at(session, address.wrapping_sub(name.offset), &name.symbol).ok()
}

/// Symbols of the kernel and of its modules that have a text in their names, by address.
fn all(session: &Session<'_, '_>, text: &str) -> Vec<Row> {
    let kernel = session.kernel();
    let row =
        |address: u64, letter: Option<char>, name: &str, size: u64, module: Option<&str>| Row {
            address: format!("{address:x}"),
            letter,
            name: name.to_owned(),
            offset: 0,
            size,
            module: module.map(ToOwned::to_owned),
            file: None,
            line: None,
        };
    let mut found: Vec<(u64, Row)> = Vec::new();
    // The kernel's own table has the letters, a `vmlinux` all sizes.
    if let Ok(kallsyms) = kernel.kallsyms() {
        for symbol in kallsyms.iter().filter(|symbol| symbol.name.contains(text)) {
            let size = symbol.extent.unwrap_or(0);
            let row = row(symbol.address, Some(symbol.letter), symbol.name, size, None);
            found.push((symbol.address, row));
        }
    } else if let Some(image) = kernel.image() {
        let names = image.symbol_names("", usize::MAX);
        for name in names.iter().filter(|name| name.contains(text)) {
            let Some(symbol) = image.symbol(name) else { continue };
            found.push((symbol.address, row(symbol.address, None, name, symbol.extent, None)));
        }
    }
    for module in kernel.modules().map(|all| all.items.as_slice()).unwrap_or_default() {
        let Ok(symbols) = kernel.module_symbols(module) else { continue };
        for symbol in symbols.iter().filter(|symbol| symbol.name.contains(text)) {
            let letter = Some(symbol.letter);
            let name = Some(module.name.as_str());
            found.push((
                symbol.address,
                row(symbol.address, letter, &symbol.name, symbol.extent, name),
            ));
        }
    }
    found.sort_by(|a, b| (a.0, &a.1.name).cmp(&(b.0, &b.1.name)));
    found.into_iter().map(|(_, row)| row).collect()
}

fn at(session: &Session<'_, '_>, address: u64, typed: &str) -> Result<Row, CommandError> {
    let machine = session.machine();
    let none = || {
        let found = identify(machine, address);
        CommandError::nothing(format!("no symbol at {address:x}: {found}"))
    };
    let mut found = machine.code_name(address);
    // Of several names of one address, the one that was asked for.
    if let Some(name) = found.as_mut().filter(|name| name.offset == 0)
        && session.symbol(typed).is_some()
    {
        typed.clone_into(&mut name.symbol);
    }
    let name = found.ok_or_else(none)?;
    let source = machine.image_at(address).and_then(|image| image.source(address).found());
    // The physical function is the last of the chain; its line is that of the address itself for
    // the innermost.
    let source = source.unwrap_or_default().into_iter().next();
    Ok(Row {
        address: format!("{address:x}"),
        letter: letter(session, address),
        name: name.symbol,
        offset: name.offset,
        size: name.size,
        module: name.module,
        file: source.as_ref().and_then(|source| source.file.clone()),
        line: source.and_then(|source| source.line),
    })
}

/// The letter of nm(1), as the kernel keeps it.
fn letter(session: &Session<'_, '_>, address: u64) -> Option<char> {
    let kernel = session.kernel();
    if let Some(module) = kernel.module_at(address) {
        return kernel.module_symbol_at(module, address).ok().map(|symbol| symbol.letter);
    }
    kernel.kallsyms().ok()?.at(address).map(|symbol| symbol.letter)
}

impl Text for Symbols {
    fn text(&self) -> String {
        let mut out = String::new();
        for row in &self.symbols {
            let letter = row.letter.unwrap_or('?');
            out.push_str(&format!("{:>16} ({letter}) {}", row.address, row.name));
            if row.offset != 0 {
                out.push_str(&format!("+{}", row.offset));
            }
            if let Some(module) = &row.module {
                out.push_str(&format!(" [{module}]"));
            }
            if let (Some(file), Some(line)) = (&row.file, row.line) {
                out.push_str(&format!(" {file}: {line}"));
            }
            out.push('\n');
        }
        out
    }
}
