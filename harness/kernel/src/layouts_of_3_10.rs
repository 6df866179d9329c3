// SPDX-License-Identifier: MIT OR Apache-2.0
//! Layouts of CentOS 7's kernel, for its dumps without a `vmlinux`: it has no BTF, and without
//! tasks and modules not even a backtrace could be walked.
//!
//! Source: DWARF of 3.10.0-1160 with CentOS 7's configuration. Red Hat keeps the layouts that
//! modules see stable (kABI); that a kernel has these is still not believed but checked.

/// What a member is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// A number, a pointer or an array of characters, of that many bytes.
    Bytes(u32),
    /// A structure that comes before in the table.
    Of(&'static str),
}

use Kind::{Bytes, Of};

/// A structure: name, bytes, members with their offsets.
pub(super) type Structure = (&'static str, u32, &'static [(&'static str, u32, Kind)]);

/// The structures that tasks, stacks, modules and their symbols are read by.
pub(super) const STRUCTURES: [Structure; 14] = [
    ("list_head", 16, &[("next", 0, Bytes(8)), ("prev", 8, Bytes(8))]),
    ("cpumask", 640, &[]),
    ("thread_union", 16_384, &[]),
    ("irq_stack_union", 16_384, &[]),
    ("mm_struct", 1576, &[("pgd", 88, Bytes(8))]),
    ("rq", 2816, &[("curr", 2208, Bytes(8)), ("idle", 2216, Bytes(8))]),
    ("ftrace_ret_stack", 40, &[("ret", 0, Bytes(8)), ("func", 8, Bytes(8))]),
    ("signal_struct", 1144, &[("thread_head", 16, Of("list_head"))]),
    (
        "thread_struct",
        184,
        &[("sp0", 24, Bytes(8)), ("sp", 32, Bytes(8)), ("usersp", 40, Bytes(8))],
    ),
    (
        "thread_info",
        104,
        &[
            ("task", 0, Bytes(8)),
            ("flags", 16, Bytes(4)),
            ("cpu", 24, Bytes(4)),
            ("preempt_count", 28, Bytes(4)),
        ],
    ),
    (
        "task_struct",
        4208,
        &[
            ("state", 0, Bytes(8)),
            ("stack", 8, Bytes(8)),
            ("flags", 20, Bytes(4)),
            ("on_cpu", 40, Bytes(4)),
            ("tasks", 1064, Of("list_head")),
            ("mm", 1120, Bytes(8)),
            ("exit_state", 1152, Bytes(4)),
            ("pid", 1180, Bytes(4)),
            ("tgid", 1184, Bytes(4)),
            ("real_parent", 1200, Bytes(8)),
            ("thread_group", 1360, Of("list_head")),
            ("thread_node", 1376, Of("list_head")),
            ("comm", 1648, Bytes(16)),
            ("thread", 1680, Of("thread_struct")),
            ("signal", 1888, Bytes(8)),
            ("curr_ret_stack", 2744, Bytes(4)),
            ("ret_stack", 2752, Bytes(8)),
        ],
    ),
    (
        "module",
        568,
        &[
            ("state", 0, Bytes(4)),
            ("list", 8, Of("list_head")),
            ("name", 24, Bytes(56)),
            ("version", 176, Bytes(8)),
            ("srcversion", 184, Bytes(8)),
            ("module_init", 304, Bytes(8)),
            ("module_core", 312, Bytes(8)),
            ("init_size", 320, Bytes(4)),
            ("core_size", 324, Bytes(4)),
            ("init_text_size", 328, Bytes(4)),
            ("core_text_size", 332, Bytes(4)),
            ("init_ro_size", 336, Bytes(4)),
            ("core_ro_size", 340, Bytes(4)),
            ("taints", 344, Bytes(4)),
            ("symtab", 376, Bytes(8)),
            ("num_symtab", 392, Bytes(4)),
            ("strtab", 400, Bytes(8)),
            ("sect_attrs", 416, Bytes(8)),
            ("percpu", 440, Bytes(8)),
            ("percpu_size", 448, Bytes(4)),
        ],
    ),
    ("module_sect_attrs", 40, &[("nsections", 32, Bytes(4)), ("attrs", 40, Bytes(0))]),
    ("module_sect_attr", 72, &[("name", 56, Bytes(8)), ("address", 64, Bytes(8))]),
];
