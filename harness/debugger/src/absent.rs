// SPDX-License-Identifier: MIT OR Apache-2.0
//! What crash(8) has and this program has not, by its names: whoever types it is told so, and gets
//! no answer to something else.

use super::CommandError;

/// Commands, and what they are for there.
const COMMANDS: [(&str, &str); 17] = [
    ("bpf", "loaded BPF programs and maps"),
    ("btop", "from bytes to page frames"),
    ("dec", "decimal numbers from here on"),
    ("dev", "devices"),
    ("extend", "extensions"),
    ("fuser", "who uses a file"),
    ("g", "gdb's own commands"),
    ("gdb", "gdb's own commands"),
    ("hex", "hexadecimal numbers from here on"),
    ("ipcs", "System V IPC"),
    ("net", "network devices, neighbours, sockets"),
    ("pte", "an entry of a page table in words"),
    ("ptob", "from page frames to bytes"),
    ("repeat", "a command again and again"),
    ("rustfilt", "readable names of Rust"),
    ("sbitmapq", "an sbitmap_queue"),
    ("swap", "swap devices"),
];

/// Options and words: command, what is typed, what it is for there.
const ARGUMENTS: [(&str, &str, &str); 72] = [
    ("bt", "-E", "exceptions on the stacks of interrupts"),
    ("bt", "-O", "another way to walk stacks, of ARM"),
    ("bt", "-d", "offsets in decimal, which they are"),
    ("bt", "-g", "all threads of the task's group"),
    ("bt", "-n", "without the idle tasks"),
    ("bt", "-o", "another way to walk stacks, of ARM"),
    ("bt", "-v", "stacks that were overrun"),
    ("eval", "-l", "numbers of 64 bits, which they are"),
    ("files", "-c", "how much of each file is cached"),
    ("files", "-d", "what a dentry is of"),
    ("files", "-p", "the cached pages of an inode"),
    ("irq", "-a", "which CPUs may take each"),
    ("kmem", "-C", "the table of cached pages, page by page"),
    ("kmem", "-F", "free blocks, page by page"),
    ("kmem", "-I", "without these caches"),
    ("kmem", "-P", "a physical address"),
    ("kmem", "-c", "the table of cached pages, checked"),
    ("kmem", "-g", "flags of pages by name"),
    ("kmem", "-h", "huge pages"),
    ("kmem", "-m", "members of each struct page"),
    ("kmem", "-r", "caches with those of their memory groups"),
    ("list", "-B", "another way to see a circle"),
    ("list", "-O", "the list_head in what START is"),
    ("log", "-d", "what else a record says of its device"),
    ("log", "-s", "what was printed in a place where printing was not safe"),
    ("mach", "-c", "what each CPU has"),
    ("mach", "-m", "the firmware's map of the memory"),
    ("mod", "-D", "all modules without their files"),
    ("mod", "-R", "all modules anew"),
    ("mod", "-g", "sections as symbols"),
    ("mod", "-o", "another way to read symbols"),
    ("mod", "-r", "all of the file at once"),
    ("mount", "-f", "open files"),
    ("mount", "-i", "inodes that are not written back"),
    ("mount", "-n", "what another task sees"),
    ("p", "-u", "an address of user space"),
    ("ps", "-C", "only these CPUs"),
    ("ps", "-H", "without a headline"),
    ("ps", "-r", "limits of resources"),
    ("ps", "-y", "only tasks of a policy"),
    ("rd", "-f", "an offset in the dump"),
    ("rd", "-m", "an address of a Xen host"),
    ("rd", "-r", "into a file; `>` does it here"),
    ("runq", "-T", "how far the clocks are apart"),
    ("runq", "-g", "by groups of tasks"),
    ("search", "-K", "the kernel's memory but what is mapped page by page"),
    ("search", "-T", "stacks of the tasks that run"),
    ("search", "-V", "the kernel's memory that is mapped page by page"),
    ("search", "-c", "characters"),
    ("search", "-h", "numbers of 16 bits"),
    ("search", "-p", "physical memory"),
    ("search", "-u", "user space"),
    ("search", "-w", "numbers of 32 bits"),
    ("search", "-x", "what is around each place"),
    ("set", "-a", "another task as the one that ran"),
    ("sig", "-g", "all threads of the task's group"),
    ("sig", "-s", "a set of signals by name"),
    ("struct", "-f", "an offset in the dump"),
    ("struct", "-p", "with what members point to"),
    ("struct", "-u", "an address of user space"),
    ("sym", "-M", "the symbols of all modules"),
    ("sys", "-i", "what the firmware says of the machine"),
    ("sys", "-panic", "ends a live system"),
    ("sys", "config", "the kernel's configuration"),
    ("vm", "-M", "another mm_struct"),
    ("vm", "-P", "the pages of one mapping"),
    ("vm", "-R", "only what has a word in it"),
    ("vm", "-f", "flags of a mapping by name"),
    ("vtop", "-c", "another task's user space"),
    ("whatis", "-m", "structures that have such a member"),
    ("whatis", "-o", "with the offsets of members; `struct -o` shows them"),
    ("whatis", "-r", "structures of a size"),
];

/// A command that is there and not here.
pub(super) fn command(name: &str) -> Option<CommandError> {
    let (name, what) = COMMANDS.iter().find(|(known, _)| *known == name)?;
    Some(CommandError::Absent { typed: (*name).to_owned(), what })
}

/// An option or a word of a command that is there and not here.
pub(super) fn argument(command: &str, typed: &str) -> Option<CommandError> {
    // Both have the same options.
    let command = if command == "union" { "struct" } else { command };
    let known = |(of, what, _): &&(&str, &str, &str)| *of == command && *what == typed;
    let (.., what) = ARGUMENTS.iter().find(known)?;
    Some(CommandError::Absent { typed: format!("{command} {typed}"), what })
}
