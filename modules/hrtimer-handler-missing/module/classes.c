// SPDX-License-Identifier: GPL-2.0
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include "sampler.h"

static u32 sample_load(const struct probe *probe) { return jiffies & 0xff; }
static u32 sample_temperature(const struct probe *probe) { return 40 + (jiffies & 7); }
static u32 sample_power(const struct probe *probe) { return probe->last + 3; }
static void alarm_print(const struct probe *probe, u32 value)
{
	pr_warn("sampler: %u above %u\n", value, probe->limit);
}

const struct probe_class probe_classes[PROBE_KINDS] = {
	[PROBE_LOAD] = { .name = "load", .sample = sample_load, .alarm = alarm_print },
	[PROBE_TEMPERATURE] = {
		.name = "temperature",
		.sample = sample_temperature,
		.alarm = alarm_print,
	},
	[PROBE_POWER] = { .name = "power", .sample = sample_power },
};
