// SPDX-License-Identifier: GPL-2.0
#include <linux/cpumask.h>
#include <linux/errno.h>

#include "pcstat.h"

int pcstat_create(struct pcstat *stat)
{
	stat->counters = alloc_percpu(struct pcstat_counters);
	return stat->counters ? 0 : -ENOMEM;
}

void pcstat_destroy(struct pcstat *stat)
{
	free_percpu(stat->counters);
}

void pcstat_note_read(struct pcstat *stat)
{
	this_cpu_inc(stat->counters->reads);
}

static inline struct pcstat_counters *local_counters(struct pcstat *stat)
{
	return (struct pcstat_counters __force *)stat->counters;
}

void pcstat_note_write(struct pcstat *stat)
{
	struct pcstat_counters *counters = local_counters(stat);

	counters->writes++; /* BUG: a pointer to per-CPU data is none before it is told the CPU */
}

u64 pcstat_reads(struct pcstat *stat)
{
	u64 sum = 0;
	unsigned int cpu;

	for_each_possible_cpu(cpu)
		sum += per_cpu_ptr(stat->counters, cpu)->reads;
	return sum;
}
