// SPDX-License-Identifier: GPL-2.0
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>

#include "execmon.h"

static bool pause;

static int set_pause(const char *value, const struct kernel_param *parameter)
{
	int result = param_set_bool(value, parameter);

	return result ? result : execmon_pause(pause);
}

static const struct kernel_param_ops pause_ops = {
	.set = set_pause,
	.get = param_get_bool,
};

module_param_cb(pause, &pause_ops, &pause, 0644);
module_param_named(checks, execmon_counts.checks, ullong, 0444);

static int __init execmon_init(void)
{
	return execmon_install();
}

static void __exit execmon_exit(void)
{
	execmon_remove();
}

module_init(execmon_init);
module_exit(execmon_exit);
MODULE_DESCRIPTION("Counts programs that are started");
MODULE_LICENSE("GPL");
