/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SAMPLER_H
#define SAMPLER_H
#include <linux/hrtimer.h>
#include <linux/types.h>

enum probe_kind { PROBE_LOAD, PROBE_TEMPERATURE, PROBE_POWER, PROBE_KINDS };

struct probe;
struct probe_class {
	const char *name;
	u32 (*sample)(const struct probe *probe);
	void (*alarm)(const struct probe *probe, u32 value);
};
struct probe {
	enum probe_kind kind;
	u32 limit;
	u32 last;
};
struct sampler {
	struct hrtimer timer;
	ktime_t period;
	unsigned int count;
	struct probe probes[4];
};
extern const struct probe_class probe_classes[PROBE_KINDS];
void sampler_start(struct sampler *sampler);
void sampler_stop(struct sampler *sampler);
#endif
