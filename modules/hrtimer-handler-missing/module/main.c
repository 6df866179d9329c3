// SPDX-License-Identifier: GPL-2.0
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include "sampler.h"

static struct sampler *sampler;

static int set_add(const char *value, const struct kernel_param *parameter)
{
	unsigned int kind, limit;

	if (sscanf(value, "%u %u", &kind, &limit) != 2 || kind >= PROBE_KINDS)
		return -EINVAL;
	if (sampler->count == ARRAY_SIZE(sampler->probes))
		return -ENOSPC;
	sampler->probes[sampler->count].kind = kind;
	sampler->probes[sampler->count].limit = limit;
	sampler->count++;
	return 0;
}
static const struct kernel_param_ops add_ops = { .set = set_add };
module_param_cb(add, &add_ops, NULL, 0200);

static int __init sampler_init(void)
{
	sampler = kzalloc(sizeof(*sampler), GFP_KERNEL);
	if (!sampler)
		return -ENOMEM;
	sampler_start(sampler);
	return 0;
}
static void __exit sampler_exit(void)
{
	sampler_stop(sampler);
	kfree(sampler);
}
module_init(sampler_init);
module_exit(sampler_exit);
MODULE_DESCRIPTION("Samples");
MODULE_LICENSE("GPL");
