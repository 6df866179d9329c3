// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a word that is being typed could become: a command, an option, a symbol, a type or a
//! member.

use super::{Session, Words};
use analyzer::values::{Evaluator, Shape, Ty, World};

/// Candidates that are offered.
const MAX_CANDIDATES: usize = 500;
/// Commands whose first word is a type.
const OF_TYPES: [&str; 3] = ["struct", "union", "whatis"];
/// Options whose value is a type.
const TYPE_OPTIONS: [&str; 4] = ["-s", "-S", "-o", "-l"];

/// What could stand in place of the text from `start` up to where one is typing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Completion {
    /// Offset in the line of the first byte that is replaced.
    pub start: usize,
    /// What may stand there, in alphabetical order.
    pub candidates: Vec<String>,
}

impl Session<'_, '_> {
    /// What the word before `position` of a line could become.
    #[must_use]
    pub fn complete(&self, line: &str, position: usize) -> Completion {
        let Some(before) = line.get(..position) else { return Completion::default() };
        let begin = before.rfind([';', '|']).map_or(0, |place| place + 1);
        let command = before.get(begin..).unwrap_or_default();
        let word_start = before
            .rfind(is_boundary)
            .map_or(0, |place| place + before[place..].chars().next().map_or(1, char::len_utf8));
        let word_start = word_start.max(begin);
        let word = before.get(word_start..).unwrap_or_default();
        let name = command.split_whitespace().next().unwrap_or_default();
        let first = command.trim_start().len() == name.len();
        if first {
            let start = begin + command.len() - command.trim_start().len();
            let names = super::ALL.iter().map(|known| known.name);
            let candidates =
                names.filter(|known| known.starts_with(name)).map(ToOwned::to_owned).collect();
            return Completion { start, candidates };
        }
        let Some(known) = super::named(name) else { return Completion::default() };
        if word.starts_with('-') && known.words == Words::Mixed || word == "-" {
            let options = known.options.iter().map(|flag| format!("-{}", flag.name));
            let mut candidates: Vec<String> =
                options.filter(|option| option.starts_with(word)).collect();
            candidates.sort();
            return Completion { start: word_start, candidates };
        }
        if name == "help" {
            let names = super::ALL.iter().map(|known| known.name.to_owned());
            let candidates = names.filter(|known| known.starts_with(word)).collect();
            return Completion { start: word_start, candidates };
        }
        self.names(name, command, before, word_start)
    }

    fn names(&self, name: &str, command: &str, before: &str, word_start: usize) -> Completion {
        let word = before.get(word_start..).unwrap_or_default();
        let words: Vec<&str> = command.split_whitespace().collect();
        let fresh = command.ends_with(char::is_whitespace);
        let done = if fresh { words.len() } else { words.len().saturating_sub(1) };
        let previous = done.checked_sub(1).and_then(|place| words.get(place)).copied();
        let plain =
            words.get(1..done).unwrap_or_default().iter().filter(|one| !one.starts_with('-'));
        let wants_type = (OF_TYPES.contains(&name) && plain.count() == 0)
            || previous.is_some_and(|word| TYPE_OPTIONS.contains(&word))
            || previous.is_some_and(|word| matches!(word, "struct" | "union"))
            || before.get(..word_start).is_some_and(|text| {
                text.trim_end().ends_with("(struct") || text.trim_end().ends_with("(union")
            });
        if let Some((base, member)) = member_of(word) {
            let start = word_start + word.len() - member.len();
            let candidates = self.members(base, member, wants_type);
            return Completion { start, candidates };
        }
        let candidates = if word.is_empty() {
            Vec::new()
        } else if wants_type {
            self.types(word)
        } else {
            self.symbols(word)
        };
        Completion { start: word_start, candidates }
    }

    fn types(&self, prefix: &str) -> Vec<String> {
        let world: &dyn World = self.machine();
        let images = world.images().into_iter();
        sorted(images.flat_map(|image| image.type_names(prefix, MAX_CANDIDATES)))
    }

    fn symbols(&self, prefix: &str) -> Vec<String> {
        let kernel = self.kernel();
        let mut found = match kernel.image() {
            Some(image) => image.symbol_names(prefix, MAX_CANDIDATES),
            None => {
                let all = kernel.kallsyms().ok().into_iter().flat_map(|all| all.names());
                all.filter(|name| name.starts_with(prefix)).map(ToOwned::to_owned).collect()
            }
        };
        for module in kernel.modules().map(|all| all.items.as_slice()).unwrap_or_default() {
            let symbols = kernel.module_symbols(module);
            let symbols = symbols.iter().flat_map(|all| all.iter());
            let names = symbols.map(|symbol| &symbol.name).filter(|name| name.starts_with(prefix));
            found.extend(names.cloned());
        }
        sorted(found)
    }

    /// Members of a type, or of what an expression is or points to.
    fn members(&self, base: &str, prefix: &str, of_type: bool) -> Vec<String> {
        let world: &dyn World = self.machine();
        let evaluator = Evaluator::new(world);
        let named = |text: &str| {
            let tagged = evaluator.type_named(&format!("struct {text}"));
            tagged
                .or_else(|_| evaluator.type_named(&format!("union {text}")))
                .or_else(|_| evaluator.type_named(text))
        };
        let ty = match of_type {
            true => named(base).ok(),
            false => {
                evaluator.evaluate(base).ok().map(|value| value.ty).or_else(|| named(base).ok())
            }
        };
        let Some(ty) = ty else { return Vec::new() };
        let mut found = Vec::new();
        member_names(world, &ty, 0, &mut found);
        sorted(found.into_iter().filter(|name| name.starts_with(prefix)))
    }
}

/// Whether a character ends the word before it; what belongs to a path of members does not.
fn is_boundary(letter: char) -> bool {
    !(letter.is_alphanumeric() || matches!(letter, '_' | '.' | '-' | '>' | '[' | ']' | '@'))
}

/// The expression before the last `.` or `->` of a word, and what follows.
fn member_of(word: &str) -> Option<(&str, &str)> {
    let arrow = word.rfind("->").map(|place| (place, place + 2));
    let dot = word.rfind('.').map(|place| (place, place + 1));
    let (end, start) = arrow.max(dot)?;
    Some((word.get(..end)?, word.get(start..)?))
}

fn member_names(world: &dyn World, ty: &Ty<'_>, depth: usize, found: &mut Vec<String>) {
    if depth > 8 {
        return;
    }
    match ty.shape(world) {
        Ok(Shape::Pointer(target)) if depth == 0 => member_names(world, &target, 1, found),
        Ok(Shape::Struct(structure)) => {
            for member in &structure.members {
                match &member.name {
                    Some(name) => found.push(name.clone()),
                    None => {
                        let inner = Ty::known(structure.image, member.ty);
                        member_names(world, &inner, depth.max(1) + 1, found);
                    }
                }
            }
        }
        _ => {}
    }
}

fn sorted(names: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut names: Vec<String> = names.into_iter().collect();
    names.sort();
    names.dedup();
    names.truncate(MAX_CANDIDATES);
    names
}

#[cfg(test)]
mod tests {
    use super::member_of;

    #[test]
    fn a_path_of_members_is_split_at_its_last_step() {
        assert_eq!(member_of("task_struct.se.vr"), Some(("task_struct.se", "vr")));
        assert_eq!(member_of("init_task.mm->p"), Some(("init_task.mm", "p")));
        assert_eq!(member_of("init_ta"), None);
    }
}
