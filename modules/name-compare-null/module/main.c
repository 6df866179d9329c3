// SPDX-License-Identifier: GPL-2.0
/* Volumes are added and looked for by module parameters: add, find. */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>

#include "volreg.h"

static struct volume_registry registry;

static int set_add(const char *value, const struct kernel_param *parameter)
{
	char label[32] = "";
	unsigned int number;

	if (sscanf(value, "%u %31s", &number, label) < 1)
		return -EINVAL;
	return volreg_add(&registry, number, label);
}

static int set_find(const char *value, const struct kernel_param *parameter)
{
	const struct volume *volume;
	char label[32] = "";

	if (sscanf(value, "%31s", label) != 1)
		return -EINVAL;
	volume = volreg_find(&registry, label);
	if (!volume)
		return -ENOENT;
	pr_info("volreg: volume %u\n", volume->number);
	return 0;
}

static const struct kernel_param_ops add_ops = { .set = set_add };
static const struct kernel_param_ops find_ops = { .set = set_find };

module_param_cb(add, &add_ops, NULL, 0200);
module_param_cb(find, &find_ops, NULL, 0200);

static int __init volreg_init(void)
{
	return 0;
}

static void __exit volreg_exit(void)
{
	volreg_clear(&registry);
}

module_init(volreg_init);
module_exit(volreg_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Volumes by number and label");
