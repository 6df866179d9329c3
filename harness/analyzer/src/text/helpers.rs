// SPDX-License-Identifier: MIT OR Apache-2.0
//! Functions of the kernel that stand between the code with the mistake and what noticed it.
//!
//! They are told by their file's place in the kernel's tree: checks, allocators, locks, string functions,
//! the scheduler, the entry code. For texts without files, and for such functions in files that have others,
//! too, a table has names, each with the file that defines it (3.10 to 6.12). Whoever calls the innermost of them is to be looked at.

use super::helper_names::NAMES;

/// Files and folders whose functions only help.
const PLACES: [&str; 46] = [
    "include/",
    "lib/",
    "arch/x86/include/",
    "arch/x86/lib/",
    "arch/x86/entry/",
    "arch/x86/mm/fault.c",
    "arch/x86/mm/extable.c",
    "arch/x86/kernel/traps.c",
    "arch/x86/kernel/dumpstack",
    "arch/x86/kernel/stacktrace.c",
    "arch/x86/kernel/unwind_",
    "arch/x86/kernel/irq",
    "arch/x86/kernel/apic/",
    "arch/x86/kernel/nmi.c",
    "arch/x86/kernel/paravirt",
    "arch/x86/kernel/kvm.c",
    "mm/kasan/",
    "mm/kmsan/",
    "mm/kfence/",
    "mm/slab",
    "mm/slub.c",
    "mm/slob.c",
    "mm/util.c",
    "mm/usercopy.c",
    "mm/maccess.c",
    "mm/page_alloc.c",
    "mm/page_owner.c",
    "mm/page_poison.c",
    "mm/mempolicy.c",
    "mm/mempool.c",
    "mm/percpu",
    "mm/vmalloc.c",
    "mm/debug.c",
    "mm/failslab.c",
    "kernel/panic.c",
    "kernel/stacktrace.c",
    "kernel/locking/",
    "kernel/sched/",
    "kernel/rcu/",
    "kernel/kcsan/",
    "kernel/printk/",
    "kernel/time/",
    "kernel/softirq.c",
    "kernel/smp.c",
    "kernel/workqueue.c",
    "kernel/watchdog",
];

/// The folders at the top of the kernel's tree.
const TOP: [&str; 22] = [
    "arch", "block", "certs", "crypto", "drivers", "fs", "include", "init", "io_uring", "ipc",
    "kernel", "lib", "mm", "net", "rust", "samples", "security", "sound", "tools", "trace", "usr",
    "virt",
];

/// Whether a function only helps: by its file, or by its name.
pub(super) fn is_helper(name: &str, file: Option<&str>) -> bool {
    let is_placed = |file: &str| PLACES.iter().any(|place| file.starts_with(place));
    file.and_then(in_tree).is_some_and(is_placed)
        || NAMES.iter().flat_map(|(_, names)| names.split(' ')).any(|it| matches(it, name))
}

/// The path from the top of the kernel's tree on.
fn in_tree(path: &str) -> Option<&str> {
    let path = path.trim_start_matches("./");
    let is_top = |rest: &str| rest.split_once('/').is_some_and(|(first, _)| TOP.contains(&first));
    if is_top(path) {
        return Some(path);
    }
    path.match_indices('/').filter_map(|(at, _)| path.get(at + 1..)).find(|rest| is_top(rest))
}

/// Whether the name is one of the pattern's; `*` stands for anything.
fn matches(pattern: &str, name: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut left) = name.strip_prefix(start) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let end = parts.pop().unwrap_or_default();
    for part in parts {
        let Some((_, after)) = left.split_once(part) else { return false };
        left = after;
    }
    left.ends_with(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_tells_where_it_is_known() {
        assert!(is_helper("anything", Some("mm/slub.c")));
        assert!(is_helper("anything", Some("/build/linux-6.1/lib/list_debug.c")));
        assert!(is_helper("anything", Some("./include/linux/list.h")));
        assert!(is_helper("sock_kmalloc", Some("net/core/sock.c")));
        assert!(!is_helper("f", Some("drivers/lib/a.c")));
    }

    #[test]
    fn names_decide_where_there_is_no_file() {
        for name in
            ["memcpy_erms", "__kasan_report", "dump_stack_lvl", "kfree", "__list_del_entry_valid"]
        {
            assert!(is_helper(name, None), "{name}");
        }
        for name in ["tcp_sendmsg", "process_bprm_put", "ext4_writepages", "snd_timer_open"] {
            assert!(!is_helper(name, None), "{name}");
        }
    }
}
