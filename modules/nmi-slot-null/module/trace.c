// SPDX-License-Identifier: GPL-2.0
#include <linux/cpumask.h>
#include <linux/errno.h>
#include <linux/slab.h>

#include "nmitrace.h"

DEFINE_PER_CPU(struct nmitrace_cpu, nmitrace_cpus);

int nmitrace_open(void)
{
	unsigned int cpu;

	for_each_online_cpu(cpu) {
		struct nmitrace_cpu *state = per_cpu_ptr(&nmitrace_cpus, cpu);

		state->slot = kzalloc(sizeof(*state->slot), GFP_KERNEL);
		if (!state->slot) {
			nmitrace_close();
			return -ENOMEM;
		}
		state->armed = true;
	}
	return 0;
}

/* Leaves the CPUs armed. */
void nmitrace_close(void)
{
	unsigned int cpu;

	for_each_possible_cpu(cpu) {
		struct nmitrace_cpu *state = per_cpu_ptr(&nmitrace_cpus, cpu);

		kfree(state->slot);
		state->slot = NULL;
	}
}

static inline void nmitrace_count(struct nmitrace_slot *slot, struct pt_regs *regs)
{
	slot->seen++; /* BUG: a CPU stays armed after its slot was freed */
	slot->last_ip = instruction_pointer(regs);
	if (user_mode(regs))
		slot->in_user++;
}

void nmitrace_record(struct pt_regs *regs)
{
	struct nmitrace_cpu *state = this_cpu_ptr(&nmitrace_cpus);

	if (state->armed)
		nmitrace_count(state->slot, regs);
}
