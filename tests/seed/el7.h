/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Structures of CentOS 7's 3.10.0-1160, as far as a debugger reads them: size and offset of each
 * member as the DWARF of such a kernel has them.
 */
#pragma once

#define JOINED(a, b) a##b
#define NAMED(a, b) JOINED(a, b)
/* A member at an offset, inside of an anonymous union. */
#define AT(offset, ...) struct { char NAMED(before_, __LINE__)[offset]; __VA_ARGS__; }
/* A structure of a size, whose members stand at their offsets. */
#define SIZED(name, size, ...) \
	struct name { union { __VA_ARGS__; char all[size]; }; }; \
	_Static_assert(sizeof(struct name) == size, #name)

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;

struct list_head {
	struct list_head *next, *prev;
};

typedef struct { int counter; } atomic_t;
typedef struct { long counter; } atomic_long_t;
typedef struct cpumask { unsigned long bits[80]; } cpumask_t;

struct new_utsname {
	char sysname[65], nodename[65], release[65], version[65], machine[65], domainname[65];
};

SIZED(uts_namespace, 424,
	AT(0, int kref);
	AT(4, struct new_utsname name)
);

SIZED(thread_struct, 184,
	AT(24, u64 sp0);
	AT(32, u64 sp);
	AT(40, u64 usersp)
);

struct task_struct;

SIZED(thread_info, 104,
	AT(0, struct task_struct *task);
	AT(16, u32 flags);
	AT(24, u32 cpu);
	AT(28, int preempt_count)
);

union thread_union {
	struct thread_info thread_info;
	unsigned long stack[2048];
};

SIZED(signal_struct, 1144,
	AT(16, struct list_head thread_head)
);

SIZED(mm_struct, 1576,
	AT(88, u64 *pgd);
	AT(680, struct { atomic_long_t count[3]; } rss_stat)
);

SIZED(task_struct, 4208,
	AT(0, volatile long state);
	AT(8, void *stack);
	AT(20, unsigned int flags);
	AT(40, int on_cpu);
	AT(1064, struct list_head tasks);
	AT(1120, struct mm_struct *mm);
	AT(1152, int exit_state);
	AT(1180, int pid);
	AT(1184, int tgid);
	AT(1200, struct task_struct *real_parent);
	AT(1360, struct list_head thread_group);
	AT(1376, struct list_head thread_node);
	AT(1648, char comm[16]);
	AT(1680, struct thread_struct thread);
	AT(1888, struct signal_struct *signal);
	AT(2744, int curr_ret_stack);
	AT(2752, struct ftrace_ret_stack *ret_stack)
);

struct ftrace_ret_stack {
	unsigned long ret, func;
	unsigned long long calltime, subtime;
	unsigned long fp;
};

SIZED(rq, 2816,
	AT(2208, struct task_struct *curr, *idle)
);

union irq_stack_union {
	char irq_stack[16384];
	struct {
		char gs_base[40];
		unsigned long stack_canary;
	};
};

struct orig_ist {
	unsigned long ist[7];
};

SIZED(pglist_data, 157056,
	AT(156744, u64 node_start_pfn);
	AT(156752, u64 node_present_pages);
	AT(156760, u64 node_spanned_pages);
	AT(156768, int node_id)
);

struct mem_section {
	unsigned long section_mem_map;
	unsigned long *pageblock_flags;
	void *page_cgroup;
	unsigned long pad;
};

struct log {
	u64 ts_nsec;
	u16 len, text_len, dict_len;
	u8 facility;
	u8 flags : 5;
	u8 level : 3;
};

struct timekeeper {
	void *clock;
	u32 mult, shift;
	u64 cycle_interval;
	u64 xtime_sec;
};

struct clocksource {
	u64 (*read)(struct clocksource *source);
	u64 cycle_last, mask;
	u32 mult, shift;
};

typedef struct { unsigned long pgd; } pgd_t;

struct module_sect_attr {
	char mattr[56];
	char *name;
	unsigned long address;
};

SIZED(module_sect_attrs, 40,
	AT(32, unsigned int nsections);
	AT(40, struct module_sect_attr attrs[0])
);

typedef struct { u32 st_name; u8 st_info, st_other; u16 st_shndx; u64 st_value, st_size; } Elf64_Sym;

SIZED(module, 568,
	AT(0, int state);
	AT(8, struct list_head list);
	AT(24, char name[56]);
	AT(176, const char *version, *srcversion);
	AT(304, void *module_init, *module_core);
	AT(320, unsigned int init_size, core_size, init_text_size, core_text_size);
	AT(336, unsigned int init_ro_size, core_ro_size);
	AT(344, unsigned int taints);
	AT(376, Elf64_Sym *symtab, *core_symtab);
	AT(392, unsigned int num_symtab, core_num_syms);
	AT(400, char *strtab, *core_strtab);
	AT(416, struct module_sect_attrs *sect_attrs)
);

struct pt_regs {
	unsigned long r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di, orig_ax, ip, cs,
		flags, sp, ss;
};
