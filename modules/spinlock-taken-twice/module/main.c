// SPDX-License-Identifier: GPL-2.0
/* Through module parameters: `register` takes a name, `rename` a name and a new one. */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>

#include "namereg.h"

static int set_register(const char *value, const struct kernel_param *parameter)
{
	char name[NAMEREG_NAME_SIZE];
	int number;

	if (sscanf(value, "%23s", name) != 1)
		return -EINVAL;
	number = namereg_register(name);
	return number < 0 ? number : 0;
}

static int set_rename(const char *value, const struct kernel_param *parameter)
{
	char name[NAMEREG_NAME_SIZE], to[NAMEREG_NAME_SIZE];

	if (sscanf(value, "%23s %23s", name, to) != 2)
		return -EINVAL;
	return namereg_rename(name, to);
}

static const struct kernel_param_ops register_ops = { .set = set_register };
static const struct kernel_param_ops rename_ops = { .set = set_rename };

module_param_cb(register, &register_ops, NULL, 0200);
module_param_cb(rename, &rename_ops, NULL, 0200);

static int __init namereg_init(void)
{
	return 0;
}

static void __exit namereg_exit(void)
{
}

module_init(namereg_init);
module_exit(namereg_exit);
MODULE_DESCRIPTION("Gives numbers to names");
MODULE_LICENSE("GPL");
