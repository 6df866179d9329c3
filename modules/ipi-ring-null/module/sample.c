// SPDX-License-Identifier: GPL-2.0
#include <linux/cpumask.h>
#include <linux/errno.h>
#include <linux/ktime.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/smp.h>

#include "cpuprof.h"

static struct cpuprof *active;

int cpuprof_rings_alloc(struct cpuprof *profiler, unsigned int rings)
{
	unsigned int i;

	profiler->ring = kcalloc(nr_cpu_ids, sizeof(*profiler->ring), GFP_KERNEL);
	if (!profiler->ring)
		return -ENOMEM;
	for (i = 0; i < rings && i < nr_cpu_ids; i++) {
		profiler->ring[i] = kzalloc(sizeof(**profiler->ring), GFP_KERNEL);
		if (!profiler->ring[i])
			return -ENOMEM;
		profiler->rings++;
	}
	active = profiler;
	return 0;
}

void cpuprof_rings_free(struct cpuprof *profiler)
{
	unsigned int i;

	active = NULL;
	for (i = 0; i < profiler->rings; i++)
		kfree(profiler->ring[i]);
	kfree(profiler->ring);
}

static inline struct cpuprof_sample *cpuprof_next(struct cpuprof_ring *ring)
{
	unsigned int slot = ring->head % CPUPROF_SAMPLES; /* BUG: only the first CPUs have a ring */

	if (ring->head >= CPUPROF_SAMPLES)
		ring->overwritten++;
	ring->head++;
	return &ring->samples[slot];
}

/* Runs on the CPU that is sampled, from its interrupt. */
static void cpuprof_take(void *data)
{
	struct cpuprof_request *request = data;
	struct cpuprof_ring *ring = active->ring[raw_smp_processor_id()];
	struct cpuprof_sample *sample = cpuprof_next(ring);

	sample->when = request->when;
	sample->pid = current->pid;
	sample->flags = current->flags & request->flags;
	request->result = 0;
}

int cpuprof_sample_cpu(struct cpuprof *profiler, unsigned int cpu, unsigned int flags)
{
	struct cpuprof_request request = {
		.flags = flags,
		.when = ktime_to_ns(ktime_get()),
		.result = -EAGAIN,
	};
	int result;

	if (cpu >= nr_cpu_ids || !cpu_online(cpu))
		return -EINVAL;
	result = smp_call_function_single(cpu, cpuprof_take, &request, 1);
	return result ? result : request.result;
}
