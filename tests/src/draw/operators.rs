// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sorts of faults, and the places of a source where each can be made. Places are found line by line,
//! by the forms that kernel code has; what does not compile then is drawn again.

use harness::case::Edit;

/// A sort of fault.
#[derive(Debug, Clone, Copy)]
pub struct Operator {
    /// Its name.
    pub name: &'static str,
    /// The edits for a fault at a line (from 0), if it can be made there.
    at: fn(&[&str], usize) -> Option<Vec<Edit>>,
}

/// All sorts.
pub const OPERATORS: [Operator; 20] = [
    Operator { name: "pointer-assignment-dropped", at: assignment_dropped },
    Operator { name: "null-check-removed", at: null_check_removed },
    Operator { name: "table-member-removed", at: member_removed },
    Operator { name: "IS_ERR-check-removed", at: error_check_removed },
    Operator { name: "kfree-before-last-use", at: freed_early },
    Operator { name: "freed-twice", at: freed_twice },
    Operator { name: "list_del-left-out", at: list_del_left_out },
    Operator { name: "left-out-at-exit", at: left_out_at_exit },
    Operator { name: "lock-not-released-on-error", at: lock_not_released },
    Operator { name: "init-left-out", at: init_left_out },
    Operator { name: "off-by-one", at: off_by_one },
    Operator { name: "wrong-sizeof", at: wrong_sizeof },
    Operator { name: "get-put-unbalanced", at: unbalanced },
    Operator { name: "wrong-container_of-member", at: wrong_member },
    Operator { name: "sleeping-call-in-spinlock", at: sleeping },
    Operator { name: "user-pointer-used-directly", at: user_pointer },
    Operator { name: "uninitialised-local", at: uninitialised },
    Operator { name: "condition-inverted", at: inverted },
    Operator { name: "index-not-checked", at: not_checked },
    Operator { name: "reference-kept-over-rcu", at: over_rcu },
];

impl Operator {
    /// The places of a source where it can make a fault, each with its line (from 1) and edits.
    #[must_use]
    pub fn places(&self, text: &str) -> Vec<(usize, Vec<Edit>)> {
        let lines: Vec<&str> = text.lines().collect();
        let place = |line: usize| (self.at)(&lines, line).map(|edits| (line + 1, edits));
        (0..lines.len()).filter_map(place).collect()
    }
}

fn delete(first: usize, last: usize) -> Edit {
    Edit::Delete { delete_lines: (first + 1, last + 1) }
}

/// Repeats a line.
fn twice(line: usize) -> Edit {
    Edit::Repeat { repeat_line: line + 1, insert_after: line + 1 }
}

/// Replaces the part of a line at byte `from`; columns count characters.
fn replace(lines: &[&str], line: usize, from: usize, old: &str, by: &str) -> Edit {
    let start = lines[line][..from].chars().count();
    let columns = (start, start + old.chars().count());
    Edit::Replace { line: line + 1, columns, replace_by: by.to_owned() }
}

fn trimmed<'l>(lines: &[&'l str], line: usize) -> &'l str {
    lines.get(line).map_or("", |line| line.trim())
}

/// A statement of one line, inside of a function.
fn statement<'l>(lines: &[&'l str], line: usize) -> Option<&'l str> {
    let text = lines.get(line)?;
    let inside = text.starts_with('\t') || text.starts_with("    ");
    let text = text.trim();
    let before = trimmed(lines, line.wrapping_sub(1));
    // What belongs to an `if` without braces cannot go alone.
    let alone = before.is_empty()
        || before.ends_with(';')
        || before.ends_with('{')
        || before.ends_with('}')
        || before.ends_with(':')
        || before.ends_with("*/");
    (inside && alone && text.ends_with(';') && !text.starts_with("//")).then_some(text)
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn calls(text: &str, functions: &[&str]) -> bool {
    functions.iter().any(|function| text.starts_with(&format!("{function}(")))
}

/// The argument of a call with only one.
fn only_argument<'t>(text: &'t str, function: &str) -> Option<&'t str> {
    text.strip_prefix(function)?.strip_prefix('(')?.strip_suffix(");")
}

fn assignment_dropped(lines: &[&str], line: usize) -> Option<Vec<Edit>> {
    let text = statement(lines, line)?;
    let (left, right) = text.strip_suffix(';')?.split_once(" = ")?;
    let pointer = left.contains("->") && !left.contains(' ') && !left.contains('(');
    let value = is_name(right.trim_start_matches('&'))
        && !right.starts_with(|c: char| c.is_ascii_digit() || c.is_ascii_uppercase());
    (pointer && value && right != "true" && right != "false").then(|| vec![delete(line, line)])
}

/// The last line of what an `if` at a line does, if it only leaves.
fn leaves(lines: &[&str], line: usize) -> Option<usize> {
    let is_exit = |text: &str| text.starts_with("return") || text.starts_with("goto ");
    let text = trimmed(lines, line);
    if text.ends_with('{') {
        let end = (line + 1..line + 6).find(|end| trimmed(lines, *end) == "}")?;
        let exits = is_exit(trimmed(lines, end - 1)) && trimmed(lines, end - 1).ends_with(';');
        let plain = (line + 1..end).all(|line| trimmed(lines, line).ends_with(';'));
        return (exits && plain).then_some(end);
    }
    let next = trimmed(lines, line + 1);
    let goes_on = trimmed(lines, line + 2).starts_with("else");
    (text.ends_with(')') && is_exit(next) && next.ends_with(';') && !goes_on).then_some(line + 1)
}

fn condition<'l>(lines: &[&'l str], line: usize) -> Option<&'l str> {
    let text = trimmed(lines, line).strip_prefix("if (")?;
    let text = text.strip_suffix('{').map_or(text, str::trim_end);
    text.strip_suffix(')')
}

fn null_check_removed(lines: &[&str], line: usize) -> Option<Vec<Edit>> {
    let condition = condition(lines, line)?;
    let pointer = condition.strip_prefix('!').or_else(|| condition.strip_suffix(" == NULL"))?;
    let is_value = pointer.chars().all(|c| c.is_ascii_alphanumeric() || "_->.".contains(c));
    let end = leaves(lines, line)?;
    is_value.then(|| vec![delete(line, end)])
}

fn error_check_removed(lines: &[&str], line: usize) -> Option<Vec<Edit>> {
    let condition = condition(lines, line)?;
    let end = leaves(lines, line)?;
    condition.starts_with("IS_ERR").then(|| vec![delete(line, end)])
}

fn member_removed(lines: &[&str], line: usize) -> Option<Vec<Edit>> {
    let text = trimmed(lines, line);
    let (name, value) = text.strip_prefix('.')?.split_once('=')?;
    let value = value.trim().strip_suffix(',')?;
    let function = is_name(value) && value.starts_with(|c: char| c.is_ascii_lowercase());
    let data = ["owner", "name", "family", "revision", "table", "hooknum", "pf", "priority"];
    let name = name.trim();
    (is_name(name) && function && !data.contains(&name)).then(|| vec![delete(line, line)])
}

const FREES: [&str; 6] = ["kfree", "vfree", "kvfree", "kfree_sensitive", "kfree_skb", "bio_put"];

fn freed<'l>(lines: &[&'l str], line: usize) -> Option<&'l str> {
    let text = statement(lines, line)?;
    FREES.iter().find_map(|free| only_argument(text, free))
}

fn freed_early(lines: &[&str], line: usize) -> Option<Vec<Edit>> {
    let pointer = freed(lines, line).filter(|pointer| is_name(pointer))?;
    let uses = format!("{pointer}->");
    let first = (line.saturating_sub(6)..line).rev();
    let used = first
        .take_while(|used| statement(lines, *used).is_some())
        .find(|used| trimmed(lines, *used).contains(&uses))?;
    Some(vec![delete(line, line), Edit::Repeat { repeat_line: line + 1, insert_after: used }])
}

fn freed_twice(lines: &[&str], line: usize) -> Option<Vec<Edit>> {
    freed(lines, line)?;
    Some(vec![twice(line)])
}

fn list_del_left_out(lines: &[&str], line: usize) -> Option<Vec<Edit>> {
    let text = statement(lines, line)?;
    let functions = [
        "list_del",
        "list_del_init",
        "list_del_rcu",
        "hlist_del",
        "hlist_del_rcu",
        "hlist_del_init",
        "hlist_del_init_rcu",
        "rb_erase",
    ];
    calls(text, &functions).then(|| vec![delete(line, line)])
}

fn left_out_at_exit(lines: &[&str], line: usize) -> Option<Vec<Edit>> {
    let text = statement(lines, line)?;
    let words = [
        "del_timer",
        "timer_shutdown",
        "cancel_work",
        "cancel_delayed_work",
        "kthread_stop",
        "unregister",
        "deregister",
        "remove_proc",
        "proc_remove",
        "destroy_workqueue",
        "flush_work",
        "del_gendisk",
        "kmem_cache_destroy",
        "device_destroy",
        "cdev_del",
        "sysfs_remove",
    ];
    let name = text.split('(').next().unwrap_or_default();
    let call = is_name(name) && text.ends_with(");");
    (call && words.iter().any(|word| name.contains(word))).then(|| vec![delete(line, line)])
}

fn lock_not_released(lines: &[&str], line: usize) -> Option<Vec<Edit>> {
    let text = statement(lines, line)?;
    let functions = [
        "spin_unlock",
        "spin_unlock_bh",
        "spin_unlock_irq",
        "spin_unlock_irqrestore",
        "mutex_unlock",
        "up",
        "up_read",
        "up_write",
        "read_unlock_bh",
        "write_unlock_bh",
        "write_unlock",
    ];
    let next = trimmed(lines, line + 1);
    let error = next.starts_with("return -")
        || next.starts_with("return ret")
        || next.starts_with("return err")
        || next.starts_with("goto ")
        || next == "return NULL;"
        || next == "return false;"
        || next == "continue;"
        || next == "return;";
    (calls(text, &functions) && error).then(|| vec![delete(line, line)])
}

fn init_left_out(lines: &[&str], line: usize) -> Option<Vec<Edit>> {
    let text = statement(lines, line)?;
    let functions = [
        "INIT_LIST_HEAD",
        "spin_lock_init",
        "mutex_init",
        "init_completion",
        "init_waitqueue_head",
        "INIT_WORK",
        "INIT_DELAYED_WORK",
        "timer_setup",
        "INIT_HLIST_HEAD",
        "rwlock_init",
        "init_rwsem",
        "hlist_nulls_init",
        "kref_init",
        "sema_init",
        "hash_init",
        "bio_list_init",
        "skb_queue_head_init",
        "refcount_set",
        "atomic_set",
        "xa_init",
        "idr_init",
    ];
    calls(text, &functions).then(|| vec![delete(line, line)])
}

fn off_by_one(lines: &[&str], line: usize) -> Option<Vec<Edit>> {
    let text = lines[line];
    let at = text.find("for (")?;
    let less = at + text[at..].find(" < ")?;
    Some(vec![replace(lines, line, less + 1, "<", "<=")])
}

fn wrong_sizeof(lines: &[&str], line: usize) -> Option<Vec<Edit>> {
    let text = lines[line];
    let allocates = ["alloc(", "alloc_array(", "calloc(", "memset(", "memcpy("];
    allocates.iter().find(|call| text.contains(*call))?;
    let at = text.find("sizeof(*").or_else(|| text.find("sizeof(struct "))?;
    let end = at + text[at..].find(')')? + 1;
    Some(vec![replace(lines, line, at, &text[at..end], "sizeof(void *)")])
}

fn unbalanced(lines: &[&str], line: usize) -> Option<Vec<Edit>> {
    let text = statement(lines, line)?;
    let name = text.split('(').next().unwrap_or_default();
    if !is_name(name) || !text.ends_with(");") {
        return None;
    }
    let gets = ["kref_get", "refcount_inc", "atomic_inc", "dev_hold", "get_net", "bio_get"];
    let is_get = gets.contains(&name) || name.ends_with("_get") || name.ends_with("_hold");
    if is_get {
        return Some(vec![delete(line, line)]);
    }
    let is_put = name.ends_with("_put") && name != "bio_put" || name == "dev_put";
    is_put.then(|| vec![twice(line)])
}

fn wrong_member(lines: &[&str], line: usize) -> Option<Vec<Edit>> {
    let text = lines[line];
    let at = text.find("container_of(")?;
    let end = at + text[at..].find(')')?;
    let inside = &text[at + "container_of(".len()..end];
    let words: Vec<&str> = inside.split(", ").collect();
    let [_, kind, member] = words[..] else { return None };
    let other = members(lines, kind.strip_prefix("struct ")?, member)?;
    Some(vec![replace(lines, line, end - member.len(), member, &other)])
}

/// Another member of a structure that is defined in the same file.
fn members(lines: &[&str], kind: &str, member: &str) -> Option<String> {
    let head = format!("struct {kind} {{");
    let start = lines.iter().position(|line| line.trim() == head)?;
    let body = lines[start + 1..].iter().take_while(|line| !line.starts_with('}'));
    let name = |line: &&str| {
        let text = line.trim().strip_suffix(';')?;
        let name = text.rsplit([' ', '*']).next()?;
        (is_name(name) && name != member).then(|| name.to_owned())
    };
    body.filter_map(name).last()
}

fn sleeping(lines: &[&str], line: usize) -> Option<Vec<Edit>> {
    let text = statement(lines, line)?;
    let functions = ["spin_lock", "spin_lock_bh", "spin_lock_irq", "read_lock_bh", "write_lock_bh"];
    let indent = lines[line].split(|c: char| !c.is_whitespace()).next().unwrap_or_default();
    let text_of = || format!("{indent}msleep(1);");
    calls(text, &functions).then(|| vec![Edit::Insert { insert_after: line + 1, text: text_of() }])
}

fn user_pointer(lines: &[&str], line: usize) -> Option<Vec<Edit>> {
    let text = lines[line];
    let call = ["copy_from_user(", "copy_to_user("].into_iter().find(|call| text.contains(call))?;
    let at = text.find(call)?;
    let before = text[..at].chars().next_back().unwrap_or(' ');
    // A comparison or an assignment: nothing was left over.
    let plain = !before.is_ascii_alphanumeric() && before != '_';
    plain.then(|| vec![replace(lines, line, at, &call[..call.len() - 1], "!memcpy")])
}

fn uninitialised(lines: &[&str], line: usize) -> Option<Vec<Edit>> {
    let text = lines[line];
    let value = [" = NULL;", " = 0;"].into_iter().find(|value| text.ends_with(value))?;
    let declaration = text.trim().strip_suffix(value)?;
    let (kind, name) = declaration.rsplit_once(' ')?;
    let local = text.starts_with('\t') && !kind.contains("static") && !kind.contains('=');
    let is_declared = is_name(name.trim_start_matches('*')) && !kind.contains("->");
    let at = text.len() - value.len();
    (local && is_declared).then(|| vec![replace(lines, line, at, value, ";")])
}

fn inverted(lines: &[&str], line: usize) -> Option<Vec<Edit>> {
    let inside = condition(lines, line)?;
    let text = lines[line];
    let at = text.find("if (")? + "if (".len();
    let simple = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || "_->.".contains(c));
    if inside.strip_prefix('!').is_some_and(simple) {
        return Some(vec![replace(lines, line, at, "!", "")]);
    }
    simple(inside).then(|| vec![replace(lines, line, at, "", "!")])
}

fn not_checked(lines: &[&str], line: usize) -> Option<Vec<Edit>> {
    let inside = condition(lines, line)?;
    let end = leaves(lines, line)?;
    let compares = inside.contains(" >= ") || inside.contains(" > ");
    (compares && !inside.contains("&&")).then(|| vec![delete(line, end)])
}

fn over_rcu(lines: &[&str], line: usize) -> Option<Vec<Edit>> {
    let text = statement(lines, line)?;
    if text == "synchronize_rcu();" || text == "rcu_barrier();" {
        return Some(vec![delete(line, line)]);
    }
    let inside = text.strip_prefix("kfree_rcu(")?.strip_suffix(");")?;
    let (pointer, _) = inside.split_once(',')?;
    let at = lines[line].find("kfree_rcu(")?;
    Some(vec![replace(lines, line, at, text, &format!("kfree({pointer});"))])
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "\
struct entry {
\tint first;
\tstruct list_head list;
};
static int take(struct entry *e)
{
\tstruct entry *found = NULL;
\tif (!e)
\t\treturn -EINVAL;
\tspin_lock(&lock);
\te->owner = found;
\tfor (i = 0; i < MOST; i++)
\t\tuse(i);
\tif (i >= MOST) {
\t\tspin_unlock(&lock);
\t\treturn -EAGAIN;
\t}
\tx = container_of(p, struct entry, list);
\te->first = 0;
\tlist_del(&e->list);
\tkfree(e);
\tif (copy_from_user(&a, b, sizeof(a)))
\t\treturn -EFAULT;
\treturn 0;
}
";

    /// The places of an operator: line and the edits as JSON.
    fn places(name: &str) -> Vec<(usize, String)> {
        let operator = OPERATORS.iter().find(|operator| operator.name == name).unwrap();
        let json = |edits: Vec<Edit>| serde_json::to_string(&edits).unwrap();
        operator.places(SOURCE).into_iter().map(|(line, edits)| (line, json(edits))).collect()
    }

    #[test]
    fn each_sort_finds_its_places() {
        let deleted =
            |line: usize, last: usize| (line, format!("[{{\"delete_lines\":[{line},{last}]}}]"));
        assert_eq!(places("null-check-removed"), [deleted(8, 9)]);
        assert_eq!(places("pointer-assignment-dropped"), [deleted(11, 11)]);
        assert_eq!(places("index-not-checked"), [deleted(14, 17)]);
        assert_eq!(places("lock-not-released-on-error"), [deleted(15, 15)]);
        assert_eq!(places("list_del-left-out"), [deleted(20, 20)]);
        let off = "[{\"line\":12,\"columns\":[15,16],\"replace_by\":\"<=\"}]";
        assert_eq!(places("off-by-one"), [(12, off.to_owned())]);
        let early = "[{\"delete_lines\":[21,21]},{\"repeat_line\":21,\"insert_after\":19}]";
        assert_eq!(places("kfree-before-last-use"), [(21, early.to_owned())]);
        let twice = "[{\"repeat_line\":21,\"insert_after\":21}]";
        assert_eq!(places("freed-twice"), [(21, twice.to_owned())]);
        let member = "[{\"line\":18,\"columns\":[35,39],\"replace_by\":\"first\"}]";
        assert_eq!(places("wrong-container_of-member"), [(18, member.to_owned())]);
        let user = "[{\"line\":22,\"columns\":[5,19],\"replace_by\":\"!memcpy\"}]";
        assert_eq!(places("user-pointer-used-directly"), [(22, user.to_owned())]);
        let local = "[{\"line\":7,\"columns\":[20,28],\"replace_by\":\";\"}]";
        assert_eq!(places("uninitialised-local"), [(7, local.to_owned())]);
    }

    #[test]
    fn what_belongs_to_an_if_is_not_taken_alone() {
        let source = "\tif (x)\n\t\tkfree(e);\n";
        let twice = OPERATORS.iter().find(|operator| operator.name == "freed-twice").unwrap();
        assert!(twice.places(source).is_empty());
    }
}
