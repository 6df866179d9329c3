// SPDX-License-Identifier: GPL-2.0
/* Counters of rules for each CPU, allocated when they are switched on: on, last. */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/percpu.h>

struct rule {
	u64 hits;
	u32 port;
};

struct counters {
	u64 all;
	u64 dropped;
	const struct rule *last;
};

static const struct rule no_rule;
static struct counters __percpu *counters;

static int set_on(const char *value, const struct kernel_param *parameter)
{
	int cpu;

	counters = alloc_percpu(struct counters);
	if (!counters)
		return -ENOMEM;
	for_each_possible_cpu(cpu)
		per_cpu_ptr(counters, cpu)->last = &no_rule;
	return 0;
}

static noinline u64 hits_of_last(void)
{
	const struct counters *own = this_cpu_ptr(counters);

	return own->last->hits; /* BUG: the counters are not allocated */
}

static int get_last(char *text, const struct kernel_param *parameter)
{
	u64 hits;

	preempt_disable();
	hits = hits_of_last();
	preempt_enable();
	return scnprintf(text, PAGE_SIZE, "%llu\n", hits);
}

static const struct kernel_param_ops on_ops = { .set = set_on };
static const struct kernel_param_ops last_ops = { .get = get_last };

module_param_cb(on, &on_ops, NULL, 0200);
module_param_cb(last, &last_ops, NULL, 0400);

static int __init hitcount_init(void)
{
	return 0;
}

static void __exit hitcount_exit(void)
{
	free_percpu(counters);
}

module_init(hitcount_init);
module_exit(hitcount_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Counters of rules for each CPU");
