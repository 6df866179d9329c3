// SPDX-License-Identifier: GPL-2.0
/* Links are named and paired through module parameters: add, pair, unpair. */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/string.h>

#include "linkmon.h"

static struct linkmon monitor = {
	.interval_ms = 50,
};

static int names_of(const char *value, char *one, char *other)
{
	int count = sscanf(value, "%15[^, \n],%15[^, \n]", one, other);

	return count < 1 ? -EINVAL : count;
}

static int set_add(const char *value, const struct kernel_param *parameter)
{
	char name[LINKMON_NAME_SIZE] = "", rest[LINKMON_NAME_SIZE] = "";
	int count = names_of(value, name, rest);

	return count < 0 ? count : linkmon_link_add(&monitor, name);
}

static int set_pair(const char *value, const struct kernel_param *parameter)
{
	char one[LINKMON_NAME_SIZE] = "", other[LINKMON_NAME_SIZE] = "";
	int count = names_of(value, one, other);

	return count < 2 ? -EINVAL : linkmon_link_pair(&monitor, one, other);
}

static int set_unpair(const char *value, const struct kernel_param *parameter)
{
	char name[LINKMON_NAME_SIZE] = "", rest[LINKMON_NAME_SIZE] = "";
	int count = names_of(value, name, rest);

	return count < 0 ? count : linkmon_link_unpair(&monitor, name);
}

static const struct kernel_param_ops add_ops = { .set = set_add };
static const struct kernel_param_ops pair_ops = { .set = set_pair };
static const struct kernel_param_ops unpair_ops = { .set = set_unpair };

module_param_cb(add, &add_ops, NULL, 0200);
module_param_cb(pair, &pair_ops, NULL, 0200);
module_param_cb(unpair, &unpair_ops, NULL, 0200);
module_param_named(interval_ms, monitor.interval_ms, uint, 0644);

static int __init linkmon_init(void)
{
	spin_lock_init(&monitor.lock);
	linkmon_start(&monitor);
	return 0;
}

static void __exit linkmon_exit(void)
{
	linkmon_stop(&monitor);
}

module_init(linkmon_init);
module_exit(linkmon_exit);
MODULE_DESCRIPTION("Compares the traffic of paired links");
MODULE_LICENSE("GPL");
