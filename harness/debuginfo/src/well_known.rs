// SPDX-License-Identifier: MIT OR Apache-2.0
//! Functions whose compile unit knows a kernel type.
//!
//! Only for kernels without BTF (3.10): with thousands of compile units, and no index of names in
//! their DWARF, the unit to ask must be known. Most types are defined in headers and so are known
//! to any of the general units below; those that are private to one source file are listed with a
//! function of that file. For a name that is in none of them the units that mention it are searched
//! for.

/// Types that are private to a source file or used by few (gcc describes only what a unit uses), and
/// functions of such a file (the file moved or the function was renamed between 3.10 and now, so
/// some have two).
const PRIVATE: &[(&str, &[&str])] = &[
    // kernel/printk.c, kernel/printk/printk.c: `log` in 3.5–3.10 and EL7, `printk_log` from 3.11.
    ("log", &["vprintk_emit"]),
    ("printk_log", &["vprintk_emit"]),
    // kernel/printk/printk_ringbuffer.c, 5.10 and later.
    ("printk_ringbuffer", &["prb_reserve"]),
    ("printk_info", &["prb_reserve"]),
    // kernel/module.c up to 5.19 in parts, then kernel/module/sysfs.c.
    ("module_sect_attrs", &["mod_sysfs_setup", "module_put"]),
    ("module_sect_attr", &["mod_sysfs_setup", "module_put"]),
    ("module_notes_attrs", &["mod_sysfs_setup", "module_put"]),
    // arch/x86/include/asm/switch_to.h: only units that use it describe it (process_64.c).
    ("inactive_task_frame", &["__switch_to", "copy_thread"]),
    // arch/x86/include/asm/processor.h, used by irq_64.c; `irq_stack_union` up to 5.1.
    ("irq_stack", &["irq_init_percpu_irqstack", "common_interrupt", "do_IRQ"]),
    ("irq_stack_union", &["cpu_init", "do_IRQ"]),
    // kernel/kexec.c, kernel/crash_core.c.
    ("elf_prstatus", &["crash_save_cpu"]),
    // kernel/params.c.
    ("kernel_param", &["parse_args"]),
    // mm/page_alloc.c, mm/sparse.c.
    ("pglist_data", &["free_area_init_node"]),
    ("mem_section", &["sparse_init", "sparse_add_one_section"]),
    // kernel/trace/fgraph.c, arch/x86/kernel/ftrace.c.
    ("ftrace_ret_stack", &["ftrace_graph_ret_addr", "prepare_ftrace_return"]),
    // kernel/sched/sched.h.
    ("rq", &["schedule"]),
    ("cfs_rq", &["schedule"]),
    // fs/mount.h.
    ("mount", &["mntput"]),
    // kernel/workqueue.c.
    ("worker", &["queue_work_on"]),
    ("pool_workqueue", &["queue_work_on"]),
    ("worker_pool", &["queue_work_on"]),
    // kernel/kprobes.c, kernel/trace/ftrace.c.
    ("kretprobe_instance", &["register_kretprobe"]),
    ("ftrace_page", &["register_ftrace_function"]),
    // mm/slub.c.
    ("kmem_cache", &["kmem_cache_alloc"]),
];

/// Functions of files that include most of the kernel's headers, from general to special.
pub(crate) const GENERAL: &[&str] = &[
    // kernel/sched/core.c
    "schedule",
    // kernel/module.c, kernel/module/main.c
    "module_put",
    // kernel/exit.c
    "do_exit",
    // arch/x86/kernel/traps.c, dumpstack_64.c, setup_percpu.c, cpu/common.c
    "do_general_protection",
    "exc_general_protection",
    "cpu_init",
    "setup_per_cpu_areas",
    // fs/exec.c, fs/read_write.c, fs/namespace.c
    "setup_new_exec",
    "vfs_read",
    "mntput",
    // mm/memory.c, mm/slub.c, mm/vmalloc.c
    "handle_mm_fault",
    "kmem_cache_alloc",
    "vfree",
    // kernel/printk, kernel/kexec.c, kernel/workqueue.c, kernel/time/timer.c
    "vprintk_emit",
    "prb_reserve",
    "crash_kexec",
    "queue_work_on",
    "add_timer",
    // net/socket.c, block/blk-core.c, security/security.c
    "sock_recvmsg",
    "submit_bio",
    "security_bprm_check",
    // init/main.c
    "start_kernel",
];

/// Functions of the file that a type is private to; none if the type is not listed.
pub(crate) fn private(name: &str) -> &'static [&'static str] {
    PRIVATE.iter().find(|(private, _)| *private == name).map_or(&[], |(_, functions)| functions)
}
