// SPDX-License-Identifier: MIT OR Apache-2.0
//! `mod`: the loaded modules.

use serde::Serialize;

use super::{Arguments, Command, CommandError, Flag, Reply, Rule, Session, Text, Words};
use kernel::module_file::ModuleFile;
use kernel::modules::Module;

/// The command.
pub(super) const COMMAND: Command = Command {
    name: "mod",
    summary: "the loaded modules",
    usage: "[-t] [-s MODULE [FILE] | -S [FOLDER] | -d MODULE]",
    options: &[
        Flag::switch("t", "the modules that taint the kernel, with the letters"),
        Flag::with("s", "MODULE", "one module; files are taken from --module-dir by themselves"),
        Flag::switch("S", "all modules, and it is an error if one has no file"),
        Flag::with("d", "MODULE", "nothing is unloaded: `-s MODULE FILE` takes another file"),
    ],
    rules: &[Rule::OneOf(&["t", "s", "S", "d"]), Rule::Words(0)],
    words: Words::Mixed,
    run,
};

#[derive(Debug, Serialize)]
struct Modules {
    modules: Vec<Row>,
    damage: Vec<String>,
    #[serde(skip)]
    taints: bool,
}

#[derive(Debug, Serialize)]
struct Row {
    address: String,
    name: String,
    base: Option<String>,
    size: u64,
    taint: String,
    state: String,
    file: Option<String>,
    debug_info: bool,
}

fn run(session: &mut Session<'_, '_>, arguments: &Arguments) -> Result<Reply, CommandError> {
    if let Some(name) = arguments.value("d") {
        let text = format!("{name}: nothing is unloaded; `mod -s {name} FILE` takes another file");
        return Ok(Reply::new(super::show::Line { text }));
    }
    let damage = session.kernel().modules()?.damage.iter().map(ToString::to_string).collect();
    let mut rows: Vec<(u64, Row)> = session
        .machine()
        .modules()
        .map(|(module, file)| {
            let named = session.files().modules.iter().find(|(name, _)| *name == module.name);
            let row = Row {
                address: format!("{:x}", module.address),
                name: module.name.clone(),
                base: module.base().map(|base| format!("{base:x}")),
                size: module.size(),
                taint: taint(module),
                state: module.state.to_string(),
                file: named.map(|(_, file)| file.clone()),
                debug_info: file.and_then(ModuleFile::image).is_some(),
            };
            (module.base().unwrap_or(u64::MAX), row)
        })
        .collect();
    rows.sort_by_key(|(base, _)| *base);
    let mut modules: Vec<Row> = rows.into_iter().map(|(_, row)| row).collect();
    let taints = arguments.has("t");
    modules.retain(|row| !taints || !row.taint.is_empty());
    if let Some(name) = arguments.value("s") {
        let name = name.replace('-', "_");
        modules.retain(|row| row.name == name);
        if modules.is_empty() {
            return Err(CommandError::nothing(format!("no module `{name}` is loaded")));
        }
    }
    let asked = arguments.has("s") || arguments.has("S");
    if let Some(row) = modules.iter().find(|row| asked && !row.debug_info) {
        let words = match &row.file {
            Some(file) => format!("{file} is not the file of the module `{}`", row.name),
            None => {
                format!("no file for the module `{}`: name its folder with --module-dir", row.name)
            }
        };
        return Err(CommandError::nothing(words));
    }
    Ok(Reply::new(Modules { modules, damage, taints }))
}

/// The letters of a module's taint; the number, if it has a flag that is no letter here.
fn taint(module: &Module) -> String {
    match module.taint_letters() {
        letters if letters.is_empty() && module.taints != 0 => format!("{:#x}", module.taints),
        letters => letters,
    }
}

impl Text for Modules {
    fn text(&self) -> String {
        let width = self.modules.iter().map(|row| row.name.len()).max().unwrap_or(0).max(4);
        let mut out = String::new();
        if self.taints && self.modules.is_empty() {
            return "no tainted modules\n".to_owned();
        }
        if self.taints {
            out.push_str(&format!("{:<width$}  TAINTS\n", "NAME"));
            for row in &self.modules {
                out.push_str(&format!("{:<width$}  {}\n", row.name, row.taint));
            }
            return out;
        }
        let head = format!(
            "{:^16}  {:<width$}  {:^16}  {:>5}  OBJECT FILE\n",
            "MODULE", "NAME", "BASE", "SIZE"
        );
        out.push_str(&head);
        for row in &self.modules {
            let file = match (&row.file, row.debug_info) {
                (Some(file), true) => file.as_str(),
                (Some(_), false) => "(not used: not this module's)",
                (None, _) => "(not loaded)",
            };
            let base = row.base.as_deref().unwrap_or("?");
            let mut line = format!(
                "{:>16}  {:<width$}  {base:>16}  {:>5}  {file}",
                row.address, row.name, row.size
            );
            if row.state != "live" {
                line.push_str(&format!("  ({})", row.state));
            }
            out.push_str(&line);
            out.push('\n');
        }
        for damage in &self.damage {
            out.push_str(&format!("(the list is not whole: {damage})\n"));
        }
        out
    }
}
