/* SPDX-License-Identifier: GPL-2.0 */
/* cpuprof asks single CPUs what they run and keeps the answers in rings. */
#ifndef CPUPROF_H
#define CPUPROF_H

#include <linux/types.h>

#define CPUPROF_SAMPLES 64

struct cpuprof_sample {
	u64 when;
	int pid;
	unsigned int flags;
};

struct cpuprof_ring {
	unsigned int head;
	u64 overwritten;
	struct cpuprof_sample samples[CPUPROF_SAMPLES];
};

struct cpuprof_request {
	unsigned int flags;
	u64 when;
	int result;
};

struct cpuprof {
	unsigned int rings;
	struct cpuprof_ring **ring;
};

/* sample.c */
int cpuprof_rings_alloc(struct cpuprof *profiler, unsigned int rings);
void cpuprof_rings_free(struct cpuprof *profiler);
int cpuprof_sample_cpu(struct cpuprof *profiler, unsigned int cpu, unsigned int flags);

#endif
