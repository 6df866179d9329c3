// SPDX-License-Identifier: GPL-2.0
#include <linux/kernel.h>
#include <linux/version.h>
#include "sampler.h"

static void probe_poll(struct probe *probe)
{
	const struct probe_class *class = &probe_classes[probe->kind];

	probe->last = class->sample(probe);
	if (probe->last > probe->limit)
		class->alarm(probe, probe->last); /* BUG: power has no alarm */
}

static enum hrtimer_restart sampler_tick(struct hrtimer *timer)
{
	struct sampler *sampler = container_of(timer, struct sampler, timer);
	unsigned int i;

	for (i = 0; i < sampler->count; i++)
		probe_poll(&sampler->probes[i]);
	hrtimer_forward_now(timer, sampler->period);
	return HRTIMER_RESTART;
}

void sampler_start(struct sampler *sampler)
{
	hrtimer_init(&sampler->timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	sampler->timer.function = sampler_tick;
	sampler->period = ktime_set(0, 20 * NSEC_PER_MSEC);
	hrtimer_start(&sampler->timer, sampler->period, HRTIMER_MODE_REL);
}

void sampler_stop(struct sampler *sampler)
{
	hrtimer_cancel(&sampler->timer);
}
