/* SPDX-License-Identifier: GPL-2.0 */
/* nmitrace counts what each non-maskable interrupt has interrupted. */
#ifndef NMITRACE_H
#define NMITRACE_H

#include <linux/percpu.h>
#include <linux/ptrace.h>
#include <linux/types.h>

struct nmitrace_slot {
	u64 seen;
	u64 in_user;
	unsigned long last_ip;
};

struct nmitrace_cpu {
	bool armed;
	struct nmitrace_slot *slot;
};

DECLARE_PER_CPU(struct nmitrace_cpu, nmitrace_cpus);

/* trace.c */
int nmitrace_open(void);
void nmitrace_close(void);
void nmitrace_record(struct pt_regs *regs);

#endif
