// SPDX-License-Identifier: MIT OR Apache-2.0
/* The variables of a kernel that a debugger reads. What is in them is written into the dump. */
#include "el7.h"

#define PER_CPU __attribute__((section(".data..percpu")))

PER_CPU union irq_stack_union irq_stack_union;
PER_CPU struct task_struct *current_task;
PER_CPU char *irq_stack_ptr;
PER_CPU struct orig_ist orig_ist;
PER_CPU struct rq runqueues;

struct task_struct init_task;
struct uts_namespace init_uts_ns;
struct timekeeper timekeeper;
struct clocksource clocksource_jiffies;
u64 jiffies_64;
unsigned long avenrun[3];
u32 cpu_khz;
struct pglist_data node;
struct pglist_data *node_data[1024];
struct mem_section *mem_section[4096];
unsigned long cpu_online_bits[80], cpu_possible_bits[80];
unsigned long __per_cpu_offset[5120];
int crashing_cpu;
struct list_head modules;
char __log_buf[1 << 16];
char *log_buf;
u32 log_buf_len, log_first_idx, log_next_idx;
unsigned long page_offset_base, vmalloc_base, vmemmap_base;
unsigned long tainted_mask;
pgd_t init_level4_pgt[1024] __attribute__((aligned(8192)));
unsigned long phys_base;
const char linux_banner[] = "Linux version 3.10.0-1160.49.1.el7.x86_64 (builder@example) "
	"(gcc version 4.8.5 20150623 (Red Hat 4.8.5-44) (GCC) ) #1 SMP Tue Nov 30 15:51:32 UTC 2021\n";

/* Types that no variable has. */
union thread_union *threads;
struct mm_struct *mm;
struct log *log;
struct pt_regs *registers;
struct cpumask *mask;
struct ftrace_ret_stack *ret_stack;
struct module *module;
